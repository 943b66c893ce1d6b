"""What is known of every language: names, relations, scripts, class of resources."""

from __future__ import annotations

import copy
import csv
import functools
import importlib.resources
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from transforms.errors import InputError, UsageError

__all__ = ["NO_LANGUAGE", "TAIL_CLASS", "UNDETERMINED", "Language", "Registry", "load_registry"]

UNDETERMINED = "und"
"""The label of a text whose language is not known."""

NO_LANGUAGE = "zxx"
"""The label of a text without linguistic content."""

TAIL_CLASS = 2
"""The highest class of Joshi et al. (2020) that counts as low-resource."""


@dataclass(frozen=True, slots=True)
class Language:
    """A row of `data/languages.tsv`.

    Attributes:
        code: ISO 639-3.
        name: English name.
        aliases: Other codes for it: BCP 47, ISO 639-2/B, withdrawn ones.
        macrolanguage: Code of the macrolanguage it belongs to, or empty.
        principal: For a macrolanguage, the member that data sets mean by it; or empty.
        scripts: ISO 15924 codes, the usual one first; may be empty.
        joshi: Class of Joshi et al. (2020), 0 to 5; 0 when unlisted.
        joshi_from: The code whose class it is: its own, a relation's, or empty
            when none is listed.
        speakers: Estimated number of speakers, or None.
    """

    code: str
    name: str
    aliases: tuple[str, ...]
    macrolanguage: str
    principal: str
    scripts: tuple[str, ...]
    joshi: int
    joshi_from: str
    speakers: int | None


class Registry:
    """Languages by code, and the rule that says which of them are tail."""

    def __init__(self, languages: Iterable[Language]) -> None:
        """Indexes languages, whose codes are distinct."""
        self._languages = {language.code: language for language in languages}
        self._codes = {code: code for code in self._languages}
        self._tail: Mapping[str, bool] = {}
        for language in self._languages.values():
            for alias in language.aliases:
                self._codes.setdefault(alias, language.code)

    def __contains__(self, code: str) -> bool:
        return code in self._languages

    def __len__(self) -> int:
        return len(self._languages)

    def __iter__(self) -> Iterator[Language]:
        """Languages, by code."""
        return iter(sorted(self._languages.values(), key=lambda language: language.code))

    def get(self, code: str) -> Language | None:
        """The language of an ISO 639-3 code, if the table has it."""
        return self._languages.get(code)

    def resolve(self, code: str) -> Language | None:
        """The language that any known code (`sw`, `swa`, `iw`, `chi`) stands for.

        A macrolanguage with a principal member resolves to that member.
        """
        language = self._languages.get(self._codes.get(code, ""))
        if language is not None and language.principal:
            return self._languages.get(language.principal, language)
        return language

    def joshi(self, label: str) -> int:
        """Class of a label's language, 0 to 5; 0 when the table lacks it."""
        language = self._languages.get(label.partition("_")[0])
        return language.joshi if language is not None else 0

    def is_tail(self, label: str) -> bool:
        """Whether a label is of a low-resource language: class 0 to 2, or unlisted.

        `und` and `zxx` never are: noise must not fill a floor.
        """
        if label in (UNDETERMINED, NO_LANGUAGE):
            return False
        override = self._tail.get(label, self._tail.get(label.partition("_")[0]))
        return self.joshi(label) <= TAIL_CLASS if override is None else override

    def overridden(self, tail: Mapping[str, bool]) -> Registry:
        """The same languages with verdicts that override the class.

        Args:
            tail: By label (`swh_Latn`), or by code (`swh`) for every script.

        Raises:
            UsageError: A verdict is for what is no language of the registry.
        """
        for label in tail:
            if label.partition("_")[0] not in self:
                raise UsageError(
                    f"tail override {label!r} names no language of the registry; write a code of "
                    f"ISO 639-3 (swh) or a label (swh_Latn). und and zxx are never tail"
                )
        other = copy.copy(self)
        other._tail = dict(tail)
        return other


@functools.cache
def load_registry() -> Registry:
    """The registry that ships with the package, read once per process."""
    source = importlib.resources.files("transforms.data") / "languages.tsv"
    with source.open("r", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        try:
            return Registry([_language(row) for row in rows])
        except (KeyError, ValueError) as error:
            raise InputError(
                f"transforms/data/languages.tsv, line {rows.line_num}: {error!r}; build it again "
                f"with scripts/build_registry.py"
            ) from error


def _language(row: Mapping[str, str]) -> Language:
    return Language(
        code=row["code"],
        name=row["name"],
        aliases=tuple(row["aliases"].split()),
        macrolanguage=row["macrolanguage"],
        principal=row["principal"],
        scripts=tuple(row["scripts"].split()),
        joshi=int(row["joshi"] or 0),
        joshi_from=row["joshi_from"],
        speakers=int(row["speakers"]) if row["speakers"] else None,
    )
