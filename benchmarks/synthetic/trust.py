"""Thresholds and shares on texts of known origin.

    python -m benchmarks.synthetic.trust [--reference FILE] [--repeats N]

Works on a table of reference scores (`holdfast calibrate synthetic`, or the one that
ships, made by scripts/build_synthetic_reference.py, whose scores are of classifiers that
never saw the family of the text). Prints

* thresholds: a source's controls are half of its human texts; the false-positive rate is
  that of the other half, and of every other source, for which nothing should be said;
* shares: strata of known share are mixed from texts that are not among the references. In
  `same sets` the references are the other halves of the same sets. In `left out` the
  stratum is of one source, the human reference is its own controls (as in a run), and no
  machine-made text of its family is among the references.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.tables import print_table
from transforms.synthetic.calibrate import calibrate
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.conformal import MIN_CONTROLS
from transforms.synthetic.reference import load_reference
from transforms.synthetic.sample import CONTROL, REFERENCE
from transforms.synthetic.shares import Compared, classifier_share, words_share
from transforms.synthetic.strata import bins_of

SHARES = (0.0, 0.05, 0.2, 0.5)
LANG = "eng_Latn"
DOCUMENTS = 3000
FINE = 1 << 12
Rows = npt.NDArray[np.int64]


class Texts:
    """Rows of a table of reference scores, as arrays."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows
        self.machine = rows.column("machine").to_numpy(zero_copy_only=False).astype(bool)
        self.bucket = rows.column("bucket").to_numpy().astype(np.int64)
        names = rows.column("source").to_pylist()
        self.source = np.array([name.partition("/")[0] for name in names])
        self.family = np.array([name.partition("__")[0] for name in self.source])

    def measured(self, name: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Which rows have a measure, and its bins."""
        column = self.rows.column(name)
        values = column.fill_null(0).to_numpy()
        there = column.is_valid().to_numpy(zero_copy_only=False)
        return there, bins_of(values, ("score", "words").index(name)).astype(np.int64) + FINE // 2

    def groups(self, which: Rows, bins: Rows) -> list[Rows]:
        """Histograms by source."""
        return [
            self.histogram(which[self.source[which] == name], bins)
            for name in np.unique(self.source[which])
        ]

    def histogram(self, which: Rows, bins: Rows) -> Rows:
        """Texts by length and bin."""
        made = np.zeros((4, FINE), dtype=np.int64)
        np.add.at(made, (self.bucket[which], bins[which]), 1)
        return made


def controls_of(rows: pa.Table) -> pa.Table:
    """Human reference rows as controls of a run."""
    n = len(rows)
    hashes = pa.array(np.arange(n, dtype=np.uint64))
    columns = [rows.column("lang"), rows.column("bucket"), rows.column("source"), hashes, hashes]
    columns[3] = pa.array(np.zeros(n, dtype=np.uint64))
    return pa.table([*columns, rows.column("score"), rows.column("words")], schema=CONTROL)


def thresholds(texts: Texts, repeats: int) -> None:
    """False-positive rates of sources with controls of their own, and of others."""
    config, found = SyntheticConfig(), []
    scored = texts.rows.column("score").is_valid().to_numpy(zero_copy_only=False)
    for name in np.unique(texts.source[~texts.machine]):
        for bucket in range(4):
            own = np.flatnonzero(
                (texts.source == name) & ~texts.machine & (texts.bucket == bucket) & scored
            )
            if len(own) < 2 * MIN_CONTROLS:
                continue
            rates, power, said = [], [], 0
            others = np.flatnonzero((texts.family != texts.family[own[0]]) & scored)
            against = texts.rows.take(others[texts.machine[others]])
            score = texts.rows.column("score").fill_null(0).to_numpy()
            foreign = others[(texts.bucket[others] == bucket) & texts.machine[others]]
            for repeat in range(repeats):
                order = np.random.default_rng(repeat).permutation(own)
                half = controls_of(texts.rows.take(order[: len(own) // 2]))
                made = calibrate(half, against, config)
                (cell,) = (c for c in made.cells if c.bucket == bucket)
                at = 32767 if cell.threshold is None else cell.threshold
                rates.append(float((score[order[len(own) // 2 :]] > at).mean()))
                power.append(float((score[foreign] > at).mean()))
                said += cell.covers is None
            over = np.mean(np.array(rates) > config.max_fpr)
            found.append(
                [str(name), str(bucket), str(len(own) // 2), f"{np.mean(rates):.4f}",
                 f"{max(rates):.4f}", f"{over:.2f}", f"{np.mean(power):.3f}",
                 f"{said / repeats:.2f}"]
            )  # fmt: skip
    head = ["source", "length", "controls", "mean FPR", "worst", "above 2 %", "TPR elsewhere"]
    print_table("thresholds", [*head, "speaks for others"], found)


Estimator = Callable[..., object]


def _compared(texts: Texts, human: Rows, machine: Rows, bins: Rows, seed: int) -> Compared:
    groups = texts.groups(human, bins), texts.groups(machine, bins)
    lengths = [np.sum(found, axis=(0, 2)) for found in groups]
    return Compared.of(*groups, np.minimum(*lengths) >= 50, seed)


def _mixed(rng: np.random.Generator, human: Rows, machine: Rows, share: float) -> Rows:
    n = int(min(DOCUMENTS, len(human) / max(1e-9, 1 - share), len(machine) / max(1e-9, share)))
    made = round(share * n)
    return np.concatenate(
        [rng.choice(machine, made, replace=False), rng.choice(human, n - made, replace=False)]
    )


def _trial(texts: Texts, name: str, share: float, seed: int, family: str | None) -> object | None:
    """The truth of what was mixed, and its estimate."""
    there, bins = texts.measured(name)
    rng = np.random.default_rng(seed)
    half = rng.random(len(there)) < 0.5
    mine = there if family is None else there & (texts.family == family)
    machine = half & there if family is None else there & (texts.family != family)
    known = _compared(
        texts,
        np.flatnonzero(mine & half & ~texts.machine),
        np.flatnonzero(machine & texts.machine),
        bins,
        seed,
    )
    able = known.able[texts.bucket]
    rest = mine & able & (~half if family is None else np.ones_like(half))
    drawn = _mixed(
        rng,
        np.flatnonzero(rest & ~half & ~texts.machine),
        np.flatnonzero(rest & texts.machine),
        share,
    )
    if len(drawn) < 200:
        return None
    estimate = words_share if name == "words" else classifier_share
    found = estimate(texts.histogram(drawn, bins), known, seed)
    return texts.machine[drawn].mean(), found.share / 1e4, found.low / 1e4, found.high / 1e4


def shares(texts: Texts, repeats: int) -> None:
    """Errors and coverage of both estimates."""
    human = texts.family[~texts.machine]
    families = [f for f in np.unique(texts.family) if (human == f).sum() >= 600]
    for title, cases in (("same sets", [None]), ("left out", families)):
        found = []
        for name in ("words", "score"):
            for share in SHARES:
                trials = [
                    _trial(texts, name, share, seed, family)
                    for family in cases
                    for seed in range(repeats if family is None else max(3, repeats // 8))
                ]
                made = np.array([trial for trial in trials if trial is not None])
                error = made[:, 1] - made[:, 0]
                covered = (made[:, 2] - 1e-4 <= made[:, 0]) & (made[:, 0] <= made[:, 3] + 1e-4)
                found.append(
                    [name, str(share), str(len(made)), f"{error.mean():+.3f}",
                     f"{np.abs(error).mean():.3f}",
                     f"{(np.abs(error) <= 0.04).mean():.2f}", f"{covered.mean():.2f}",
                     f"{(made[:, 3] - made[:, 2]).mean():.3f}"]
                )  # fmt: skip
        head = ["measure", "share", "trials", "bias", "mean error", "within 4 points", "covered"]
        print_table(f"shares, {title}", [*head, "width"], found)


def main() -> None:
    """Prints all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", help="table of reference scores")
    parser.add_argument("--repeats", type=int, default=40)
    given = parser.parse_args()
    rows = load_reference(given.reference).rows.cast(REFERENCE)
    texts = Texts(rows.filter(pc.equal(rows.column("lang"), LANG)))
    thresholds(texts, given.repeats)
    shares(texts, given.repeats)


if __name__ == "__main__":
    main()
