"""What an artefact is: an objective trace that a chat system leaves in text.

An artefact has four parts, all in RE2 syntax and matched without regard to case:

- `stem`, a few letters that any text with the trace must hold. The alternation
  of all stems is the pre-filter of `tag`; it has to stay short, since its
  automaton is built anew for every batch.
- `core`, the trace itself.
- `tail`, what has to follow the core.
- `lead`, what has to stand before it for the trace to *convict*: the start of
  the text, the start of a line, or anything but a quotation mark. Without its
  lead the same trace is a hint: people quote chat systems. An artefact whose
  lead is None never does more than hint.

The third safeguard is `MENTIONS`: a text that speaks about chat systems more
often than an artefact tolerates quotes the artefact, and is not convicted.
Tokens that people keep for other reasons (`<|endoftext|>` between the human
documents of a training set, `[Your Name]` in a form letter) are hints wherever
they stand.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Literal

__all__ = ["CHAT_SYSTEMS", "LINE", "MENTIONS", "START", "UNQUOTED", "Artefact", "Family"]

Family = Literal["citation", "template", "disclaimer", "refusal", "frame", "placeholder", "link"]

START = r"\A\s*"
"""The first word of the text."""

LINE = r"(?:\A|\n)[ \t]*"
"""The first word of a line: neither inside a sentence nor behind `>` or a quotation mark."""

_QUOTATION = r'"[^"\n]*"|„[^“”\n]*[“”]|“[^”\n]*”|«[^»\n]*»|「[^」\n]*」|『[^』\n]*』|`[^`\n]*`'
_QUOTES = r'"„“”«»「」『』`'

UNQUOTED = rf"(?:(?:\A|\n)(?:(?:[^{_QUOTES}\n]|{_QUOTATION})*(?:[^{_QUOTES}'‘‹\n]|{_QUOTATION}))?)"
"""Anywhere in a line but behind a quotation mark, or a backtick, that is still open."""

CHAT_SYSTEMS = datetime.date(2022, 11, 30)
"""When ChatGPT was opened to the public, and its phrases began to be pasted."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One kind of trace.

    Attributes:
        name: Unique; evidence reads `artefact:<name>` or `hint:<name>`.
        family: What kind of trace it is.
        generator: The system that leaves it, or `any`.
        since: The earliest day on which it can have been left.
        stem: What any text with the trace holds: short, and rare in other texts.
        core: The trace.
        tail: What follows it.
        lead: What precedes it where it convicts; None when it only ever hints.
        mentions: Mentions of chat systems up to which a text still is convicted.
    """

    name: str
    family: Family
    generator: str
    since: datetime.date
    stem: str
    core: str
    tail: str = ""
    lead: str | None = None
    mentions: int = 0

    @property
    def strength(self) -> Literal["convicts", "hints"]:
        """What the artefact can do at most."""
        return "hints" if self.lead is None else "convicts"

    @property
    def trace(self) -> str:
        """The expression that finds the trace anywhere."""
        return f"(?i:{self.core}){self.tail and f'(?i:{self.tail})'}"

    @property
    def pattern(self) -> str:
        """The expression that finds the trace where it convicts, or else hints."""
        return (self.lead or "") + self.trace


MENTIONS = (
    r"(?i)chat ?gpt|chat-?bots?\b|chat bots?\b|\bllms?\b|\bgpt-?[2-5]|language models\b|"
    r"generative ai\b|\b(?:ai|machine)[- ](?:generated|written)|chat templates?|prompt templates?|"
    r"tokeni[sz]er|special tokens?|fine-?tun|asked (?:the |an )?(?:ai|bot)\b|the (?:ai|bot) said|"
    r"sprachmodelle\b|ki-generiert|modèles de langage|modelos de lengua|modelli linguistici|"
    r"taalmodellen|чат-?бот|нейросет|языковые модели|языковых моделей|聊天机器人|聊天機器人|大模型|"
    r"チャットボット|生成ai|챗봇|챗gpt|روبوت|شات جي بي تي|चैटबॉट|yapay zeka modelleri|"
    r"mô hình ngôn ngữ lớn như|modele językowe"
)
"""Words of somebody who writes about chat systems.

The singular "language model" and the makers' names are left out: disclaimers
themselves contain them.
"""
