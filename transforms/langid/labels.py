"""One name for every language: `xxx_Ssss`.

Data sets and models write `en`, `eng`, `eng_Latn`, `__label__eng_Latn`,
`zh-Hant`, `pt-BR`. Ours is an ISO 639-3 code of an individual language and the
ISO 15924 code of its script, by the conventions of FLORES and UDHR:

- a macrolanguage becomes its principal member (`zho` is `cmn`, `sw` is `swh`,
  `ar` is `arb`), so that one language does not go by two names; one without a
  principal member stays (`oji_Cans`);
- Chinese scripts are `Hans` and `Hant`; `Hani`, which says neither, becomes the
  language's usual one of the two; Japanese is `Jpan`, Korean `Hang`;
- without a script, the language's usual one;
- `und` and `zxx` have none.
"""

from __future__ import annotations

import functools
import re

from transforms.errors import InputError
from transforms.langid.registry import (
    NO_LANGUAGE,
    UNDETERMINED,
    Language,
    Registry,
    load_registry,
)
from transforms.langid.scripts import is_script

__all__ = ["PREFIX", "canonical"]

PREFIX = "__label__"
"""What fastText writes before a label."""

_TAG = re.compile(r"(?P<code>[A-Za-z]{2,3})(?P<rest>(?:[_-][A-Za-z0-9]{1,8})*)")
_VARIANTS = {"Kore": "Hang", "Hrkt": "Jpan", "Hira": "Jpan", "Kana": "Jpan", "Aran": "Arab"}
_REGION_SCRIPT = {"TW": "Hant", "HK": "Hant", "MO": "Hant", "CN": "Hans", "SG": "Hans"}
_NO_SCRIPT = (UNDETERMINED, NO_LANGUAGE)


@functools.lru_cache(maxsize=65_536)
def canonical(label: str) -> str:
    """The name that holdfast uses for a label of any common style.

    Args:
        label: A BCP 47 tag or an ISO 639 code, with or without script, region and
            fastText's prefix; case and the kind of separator do not matter.

    Returns:
        `xxx_Ssss`, `und` or `zxx`.

    Raises:
        InputError: The label is of no known style, or names no known language or
            script.
    """
    tag = _TAG.fullmatch(label.removeprefix(PREFIX).strip())
    if tag is None:
        raise InputError(f"language label {label!r} is no language tag; {_HINT}")
    code = tag["code"].lower()
    if code in _NO_SCRIPT:
        return code
    registry = load_registry()
    language = registry.resolve(code)
    if language is None:
        raise InputError(f"language label {label!r}: no language has the code {code!r}; {_HINT}")
    subtags = [part for part in re.split("[_-]", tag["rest"]) if part]
    script = _script(label, language, subtags, registry)
    return f"{language.code}_{script}"


_HINT = "write a BCP 47 tag (sw, zh-Hant) or a code and a script (swh_Latn), or und, or zxx"


def _script(label: str, language: Language, subtags: list[str], registry: Registry) -> str:
    """The script that a label names, by a subtag of its own or by its region."""
    for part in subtags:
        if len(part) == 4 and part.isalpha():
            return _known_script(label, language, part.title())
    known = language.scripts or _scripts_of_relation(language, registry)
    usual = [script for script in known if is_script(script)]
    regions = [_REGION_SCRIPT[part.upper()] for part in subtags if part.upper() in _REGION_SCRIPT]
    if regions and regions[0] in usual:
        return regions[0]
    if not usual:
        raise InputError(
            f"language label {label!r}: the registry knows no script of {language.name}; "
            f"name it, as in {language.code}_Latn"
        )
    return _VARIANTS.get(usual[0], usual[0])


def _scripts_of_relation(language: Language, registry: Registry) -> tuple[str, ...]:
    relation = registry.get(language.macrolanguage)
    return relation.scripts if relation is not None else ()


def _known_script(label: str, language: Language, script: str) -> str:
    if not is_script(script):
        raise InputError(f"language label {label!r}: no script has the code {script!r}; {_HINT}")
    if script in ("Hani", "Hanb") and language.scripts[:1] in (("Hans",), ("Hant",)):
        return language.scripts[0]
    if language.code == "jpn" and script == "Hani":
        return "Jpan"
    return _VARIANTS.get(script, script)
