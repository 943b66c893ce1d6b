"""Traces that are no language: marks that a web page or a tokenizer should have consumed."""

from __future__ import annotations

import datetime
from typing import Final

from transforms.synthetic.artefacts import CHAT_SYSTEMS, LINE, START, UNQUOTED, Artefact

__all__ = ["TOKENS"]


def _citation(
    name: str, stem: str, core: str, generator: str, since: str, **rest: str | None
) -> Artefact:
    return Artefact(
        name=name,
        family="citation",
        generator=generator,
        since=datetime.date.fromisoformat(since),
        stem=stem,
        core=core,
        tail=rest.get("tail") or "",
        lead=rest.get("lead"),
        # The tokens are never typed by hand, so an article that names a chat
        # system once or twice may still have been pasted from one.
        mentions=2,
    )


def _template(name: str, stem: str, core: str, generator: str, **rest: str | None) -> Artefact:
    return Artefact(
        name=name,
        family="template",
        generator=generator,
        since=CHAT_SYSTEMS,
        stem=stem,
        core=core,
        tail=rest.get("tail") or "",
        lead=rest.get("lead"),
    )


_TURN: Final = r"turn\d{1,3}(?:search|news|view|file|image|fetch|academia|product)\d{1,3}"
_TURN_STEM: Final = r"turn\d+[a-z]"
_MARK: Final = r"\d{1,3}(?::\d{1,3})?†[^】\n]{1,80}】"
_ROLE: Final = r"(?:system|user|assistant)"
_GPT4, _SEARCH, _GEMINI, _GROK = "2023-03-23", "2024-10-31", "2025-01-01", "2025-02-17"

_CITATIONS: Final = (
    _citation(
        "oaicite",
        "oaicite",
        r":contentReference\[oaicite:",
        "ChatGPT",
        _GPT4,
        tail=r"\d+\]\{index=\d+\}",
        lead=UNQUOTED,
    ),
    _citation("oaicite_word", "oaicite", "oaicite", "ChatGPT", _GPT4),
    _citation(
        "oai_citation",
        r"\[oai_cit",
        r"\[oai_citation:\d{1,3}‡",
        "ChatGPT",
        _GPT4,
        tail=r"[^\]\n]{1,200}\]",
        lead=UNQUOTED,
    ),
    # U+E200 and U+E202 are the private-use brackets and separators of the
    # citations that the web page would have drawn as links.
    _citation(
        "cite_marker",
        r"\x{E202}",
        r"\x{E200}[a-z_]{2,20}\x{E202}",
        "ChatGPT",
        _SEARCH,
        lead=UNQUOTED,
    ),
    _citation("cite_turn", _TURN_STEM, "cite" + _TURN, "ChatGPT", _SEARCH, lead=UNQUOTED),
    _citation("turn_search", _TURN_STEM, _TURN, "ChatGPT", _SEARCH),
    _citation("dagger_source", r"\d†", "【" + _MARK, "ChatGPT", _GPT4, lead=UNQUOTED),
    _citation(
        "attribution_json",
        "attributableIndex",
        r'\(\{"attribution":\{"attributableIndex":"\d',
        "ChatGPT",
        "2025-01-01",
        lead=UNQUOTED,
    ),
    _citation(
        "cite_start", r"\[cite_", r"\[cite_start\]", "Gemini", _GEMINI, tail=r"\s?\S", lead=LINE
    ),
    # One such mark may be anybody's home-grown reference; a series is Gemini's.
    _citation(
        "cite_number",
        r"\[cite: \d",
        r"\[cite: \d+",
        "Gemini",
        _GEMINI,
        tail=r"(?:, ?\d+)*\](?s:.*)[^`\"'“]\[cite: \d+(?:, ?\d+)*\]",
        lead=UNQUOTED,
    ),
    _citation(
        "grok_card",
        r"grok[_-]",
        r"<grok-card",
        "Grok",
        _GROK,
        tail=r"\s+data-[^>\n]{1,200}>",
        lead=UNQUOTED,
    ),
    _citation(
        "grok_render",
        r"grok[_-]",
        r"grok_render_citation_card_json=",
        "Grok",
        _GROK,
        tail=r"\{",
        lead=UNQUOTED,
    ),
    _citation("grok_word", r"grok[_-]", r"grok[_-](?:card|render)", "Grok", _GROK),
)

_TEMPLATES: Final = (
    _template("im_start", r"<\|im_", r"<\|im_start\|>", "any", tail=rf"{_ROLE}\s", lead=START),
    _template("im_end", r"<\|im_", r"<\|im_end\|>", "any", tail=r"\s*\z", lead=UNQUOTED),
    _template("eot_id", r"<\|eot_id", r"<\|eot_id\|>", "Llama", tail=r"\s*\z", lead=UNQUOTED),
    _template(
        "header_id",
        r"<\|start_h",
        r"<\|(?:begin_of_text\|><\|)?start_header_id\|>",
        "Llama",
        tail=rf"{_ROLE}<\|end_header_id\|>",
        lead=START,
    ),
    _template(
        "inst", r"\[INST\]", r"(?:<s>)?\s*\[INST\]", "Llama", tail=r"(?s:.*)\[/INST\]", lead=START
    ),
    _template(
        "start_of_turn",
        "<start_of_turn>",
        r"(?:<bos>)?<start_of_turn>",
        "Gemma",
        tail=r"(?:user|model)\s",
        lead=START,
    ),
    _template(
        "alpaca_frame",
        "### Instruction:",
        "(?:Below is an instruction that describes a task[^\n]{0,200}\\s+)?### Instruction:",
        "any",
        tail=r"(?s:.*)\n\s*### Response:",
        lead=START,
    ),
    _template(
        "role_token",
        r"<\|(?:user|assistant|system)\|>",
        rf"<\|{_ROLE}\|>",
        "any",
        tail=r"(?s:.*)<\|(?:end|assistant|user)\|>",
        lead=START,
    ),
    _template(
        "deepseek_role",
        "｜(?:user|assistant)｜",
        r"(?:<｜begin▁of▁sentence｜>)?<｜(?:user|assistant)｜>",
        "DeepSeek",
        tail=r"\s*\S",
        lead=START,
    ),
    _template(
        "harmony",
        r"<\|channel",
        r"<\|channel\|>(?:analysis|commentary|final)",
        "gpt-oss",
        tail=r"<\|message\|>",
        lead=UNQUOTED,
    ),
    # The thoughts of a reasoning model are meant for nobody's eyes: they come first, and end.
    _template("think", r"\A\s*<think", "<think>", "any", tail=r"\s(?s:.*)</think>", lead=START),
    _template("endoftext", r"<\|endoft", r"<\|endoftext\|>", "any"),
)

TOKENS: Final[tuple[Artefact, ...]] = _CITATIONS + _TEMPLATES
"""Citations left over from a chat, and the markup of chat templates."""
