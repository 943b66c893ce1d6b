"""How often the identifier errs, by label, measured on text that it was not trained on."""

from __future__ import annotations

import csv
import functools
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from transforms.errors import InputError

__all__ = ["Rates", "load_rates", "precision", "rogan_gladen"]

_FILE = "langid_rates.tsv"
_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Rates:
    """What was counted for one label.

    Attributes:
        tested: Texts in the language.
        right: How many of them got the label.
        others: Texts in other languages, as many of one as of another.
        wrong: How many of those got the label.
    """

    tested: int
    right: int
    others: int
    wrong: int

    @property
    def recall(self) -> Fraction:
        """Share of the language's texts that get its label (mean under Jeffreys' prior)."""
        return Fraction(2 * self.right + 1, 2 * self.tested + 2)

    @property
    def false_positive(self) -> Fraction:
        """Share of other languages' texts that get the label, estimated alike."""
        return Fraction(2 * self.wrong + 1, 2 * self.others + 2)


def rogan_gladen(positive: Fraction, sensitivity: Fraction, false_positive: Fraction) -> Fraction:
    """The share that has a property, from the share that an imperfect test finds.

    (positive - false_positive) / (sensitivity - false_positive), within 0 and 1: W. Rogan
    and B. Gladen, Estimating prevalence from the results of a screening test, American
    Journal of Epidemiology 107 (1978).

    Args:
        positive: Share of the tested that the test finds.
        sensitivity: Share that it finds of those that have the property.
        false_positive: Share that it finds of those that do not.
    """
    if sensitivity <= false_positive:  # it tells nothing
        return positive
    return min(_ONE, max(_ZERO, (positive - false_positive) / (sensitivity - false_positive)))


def precision(labelled: int, documents: int, rates: Rates) -> Fraction:
    """Estimated share of a label's documents that are in its language.

    It falls with the language's share of the corpus: a label that one text in a
    thousand gets wrongly is mostly wrong where the language is rarer than that
    (I. Caswell and others, Language ID in the Wild, COLING 2020). The language's share is
    estimated by `rogan_gladen` from the share that got the label.

    Args:
        labelled: Documents with the label; at least one.
        documents: All documents with language.
        rates: Of the label.
    """
    share = Fraction(labelled, documents)
    language = rogan_gladen(share, rates.recall, rates.false_positive)
    return min(_ONE, language * rates.recall / share)


@functools.cache
def load_rates() -> Mapping[str, Rates]:
    """The rates of the model that ships with the package, by label.

    Raises:
        InputError: The file is damaged.
    """
    source = importlib.resources.files("transforms.data") / _FILE
    with source.open("r", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        names = ("tested", "right", "others", "wrong")
        try:
            return {row["label"]: Rates(*(int(row[name]) for name in names)) for row in rows}
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(
                f"transforms/data/{_FILE}, line {rows.line_num}: {error!r}; build it again with "
                f"scripts/build_rates.py"
            ) from error
