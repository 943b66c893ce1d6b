"""The table of all artefacts: tokens, phrases, and the frames around an answer.

A frame is what stands around generated text when more than the text was copied:
the offer before it, the button after it, the blanks left in it. Helpful people
begin with "Sure, here's a ..." as well, so an offer convicts only when it names
what chat systems are asked to make; form letters had `[Your Name]` long before.
"""

from __future__ import annotations

from typing import Final

from transforms.synthetic.artefacts import CHAT_SYSTEMS, LINE, Artefact, Family
from transforms.synthetic.phrases import PHRASES
from transforms.synthetic.tokens import TOKENS

__all__ = ["ARTEFACTS"]

_KNOWLEDGE: Final = (
    r"(?:as of |up to |until |since )?my (?:last |latest |most recent )?(?:knowledge|training) "
    r"(?:data )?(?:cut-?off|update)|stand meines letzten wissensupdates|"
    r"meine wissensbasis reicht bis|à la date de ma dernière mise à jour de connaissances|"
    r"hasta mi última actualización de conocimientos|até minha última atualização de conhecimento|"
    r"на момент моего последнего обновления знаний|截至我(?:的|上次|最后一次)*知[识識](?:更新|截止)"
)

_MADE: Final = (
    r"(?:re-?written|revised|rephrased|paraphrased|polished|improved|expanded|shortened) "
    r"(?:version|text|paragraph|article|essay|draft)|\d+[- ]word |"
    r"(?:blog post|essay|article|product description|cover letter|short story|poem|abstract)\b"
)
_OFFER: Final = r"\A\s*(?:sure|certainly|of course|absolutely)[!,.]? here(?:['’]s| is| are) "


def _frame(
    name: str, family: Family, stem: str, core: str, *, tail: str = "", lead: str | None = None
) -> Artefact:
    return Artefact(
        name=name,
        family=family,
        generator="any",
        since=CHAT_SYSTEMS,
        stem=stem,
        core=core,
        tail=tail,
        lead=lead,
    )


_FRAMES: Final = (
    _frame(
        "knowledge_cutoff",
        "disclaimer",
        r"my (?:last |latest |most recent )?(?:knowledge|training)|wissensupdate|"
        r"wissensbasis reicht|"
        r"mise à jour de connaissances|actualización de conoc|atualização de conhec|"
        r"обновления знаний|截至我",
        _KNOWLEDGE,
        lead=LINE,
    ),
    _frame(
        "as_an_ai",
        "disclaimer",
        "as an (?:ai|artificial)",
        r"\bas an (?:ai|artificial intelligence), i\b",
    ),
    _frame(
        "last_update", "disclaimer", "my last update", r"as of my last update in (?:[a-z]+ )?20\d\d"
    ),
    _frame(
        "regenerate",
        "frame",
        "regenerate resp",
        r"\n\s*regenerate response",
        tail=r"\s*(?:\n|\z)",
        lead="",
    ),
    _frame(
        "offer_made",
        "frame",
        _OFFER,
        _OFFER,
        tail=rf"(?:an?|the|your|my) (?:[a-z-]+ ){{0,3}}(?:{_MADE})[^\n]{{0,160}}:\s*\n",
        lead="",
    ),
    _frame("offer", "frame", _OFFER, _OFFER, tail=r"[^\n]{1,200}:\s*\n"),
    # Interviews have such lines, too.
    _frame(
        "turns",
        "frame",
        r"\n\s*(?:assistant|chatgpt said|claude said|gemini said|copilot said):",
        r"\n[ \t]*(?:assistant: ?\S|(?:chatgpt|claude|gemini|copilot) said:\s*\n)",
    ),
    _frame(
        "your_name",
        "placeholder",
        r"\[(?:your|insert|recip)",
        r"\[(?:your|insert|recipient['’]?s?) (?:full )?"
        r"(?:name|company|address|email|title|position|city|date|phone number)\b",
    ),
    _frame(
        "utm_source",
        "link",
        "utm_source=",
        r"utm_source=(?:chatgpt\.com|openai|copilot\.com|perplexity)",
    ),
)

ARTEFACTS: Final[tuple[Artefact, ...]] = TOKENS + PHRASES + _FRAMES
"""Every artefact, in the order in which evidence lists them."""
