"""Thresholds and shares on texts of known origin.

    python -m benchmarks.synthetic.trust [--reference FILE] [--repeats N]

Works on a table of reference scores (`holdfast calibrate synthetic`, or the one that
ships, made by scripts/build_synthetic_reference.py, whose scores are of classifiers that
never saw the family of the text). Prints

* sources without controls: what is tagged of each file by the calibration of all families of
  files but its own, and of how many of its texts that calibration speaks;
* thresholds: a source's controls are half of its human texts; the false-positive rate is
  that of the other half; how often the cell would speak for every other source, too;
* shares: strata of known share are mixed from texts that are not among the references. In
  `same sets` the references are the other halves of the same sets. In `left out` the
  stratum is of one file or family, the human reference is its own controls (as in a run),
  and no machine-made text of its family is among the references.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.tables import print_table
from transforms.synthetic.calibrate import calibrate
from transforms.synthetic.cells import ELSEWHERE
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.conformal import MIN_CONTROLS
from transforms.synthetic.posterior import UNIT
from transforms.synthetic.quality import expected_calibration_error
from transforms.synthetic.reference import load_reference
from transforms.synthetic.sample import CONTROL, REFERENCE
from transforms.synthetic.shares import Compared, mixed_share
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
        self.cell = rows.column("bucket").to_numpy().astype(np.int64)
        self.bucket = self.cell % 4
        names = rows.column("source").to_pylist()
        self.kind = np.array(names)
        self.source = np.array([name.partition("/")[0] for name in names])
        self.family = np.array([name.partition("__")[0] for name in self.source])

    def measured(self, name: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Which rows have a measure, and its bins."""
        column = self.rows.column(name)
        values = column.fill_null(0).to_numpy()
        there = column.is_valid().to_numpy(zero_copy_only=False)
        return there, bins_of(values, ("score", "words").index(name)).astype(np.int64) + FINE // 2

    def groups(self, which: Rows, bins: Rows) -> list[Rows]:
        """Histograms by set, and of machine-made text by generator as well."""
        return [
            self.histogram(which[self.kind[which] == name], bins)
            for name in np.unique(self.kind[which])
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
    """False-positive rates of sources with controls of their own."""
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
                (one,) = (c for c in made.cells if c.bucket == bucket)
                at = 32767 if one.threshold is None else one.threshold
                rates.append(float((score[order[len(own) // 2 :]] > at).mean()))
                power.append(float((score[foreign] > at).mean()))
                said += one.covers is None
            over = np.mean(np.array(rates) > config.max_fpr)
            found.append(
                [str(name), str(bucket), str(len(own) // 2), f"{np.mean(rates):.4f}",
                 f"{max(rates):.4f}", f"{over:.2f}", f"{np.mean(power):.3f}",
                 f"{said / repeats:.2f}"]
            )  # fmt: skip
    head = ["source", "length", "controls", "mean FPR", "worst", "above 1 %", "TPR elsewhere"]
    print_table("thresholds", [*head, "speaks for others"], found)


def elsewhere(texts: Texts) -> None:
    """Texts of sources without controls, by a calibration without their family."""
    scored = texts.rows.column("score").is_valid().to_numpy(zero_copy_only=False)
    said, p = np.zeros(len(scored), bool), np.full(len(scored), np.nan)
    tagged, score = np.zeros(len(scored), bool), texts.rows.column("score").fill_null(0).to_numpy()
    for family in np.unique(texts.family):
        others = texts.rows.take(np.flatnonzero(texts.family != family))
        for cell in calibrate(CONTROL.empty_table(), others, SyntheticConfig()).cells:
            if cell.bucket < ELSEWHERE or cell.threshold is None or cell.curve is None:
                continue
            here = scored & (texts.family == family) & (texts.cell == cell.bucket - ELSEWHERE)
            said[here], tagged[here] = True, score[here] > cell.threshold
            p[here] = cell.curve(score[here]) / UNIT
    generator = np.array([name.partition("/")[2] for name in texts.kind])
    kinds = {"file": texts.source, "generator": generator, "length": texts.bucket}
    found = []
    for kind, column in kinds.items():
        for name in np.unique(column):
            mine = scored & (column == name)
            told = [kind, str(name) or "human"]
            for side in (mine & ~texts.machine, mine & texts.machine):
                rate = f"{tagged[side & said].mean():.4f}" if (side & said).any() else ""
                told += [str(side.sum()), f"{said[side].mean():.2f}" if side.any() else "", rate]
            found.append(told)
    head = ["", "", "human", "covered", "FPR", "machine", "covered", "TPR"]
    print_table("sources without controls", head, found)
    prior = SyntheticConfig().prior
    error = expected_calibration_error(p[said], texts.machine[said], prior=prior)
    each = [
        expected_calibration_error(p[mine], texts.machine[mine], prior=prior)
        for mine in (said & (texts.source == name) for name in np.unique(texts.source))
    ]
    print(f"calibration error of p_synthetic at the prior {prior}: all {error:.3f}, "
          f"files {np.nanmin(each):.3f} to {np.nanmax(each):.3f}")  # fmt: skip


def _compared(
    texts: Texts, human: Rows, machine: Rows, bins: Rows, *, same: bool
) -> Compared | None:
    """The references; in a run the controls of one source are one group."""
    groups = texts.groups(human, bins), texts.groups(machine, bins)
    lengths = [np.sum(found, axis=(0, 2)) for found in groups]
    able = np.minimum(*lengths) >= 50
    people = groups[0] if same else [np.sum(groups[0], axis=0)]
    return Compared.of(people, groups[1], able) if able.any() else None


def _mixed(rng: np.random.Generator, human: Rows, machine: Rows, share: float) -> Rows:
    n = int(min(DOCUMENTS, len(human) / max(1e-9, 1 - share), len(machine) / max(1e-9, share)))
    made = round(share * n)
    return np.concatenate(
        [rng.choice(machine, made, replace=False), rng.choice(human, n - made, replace=False)]
    )


def _trial(texts: Texts, name: str, share: float, seed: int, case: str | None) -> object | None:
    """The truth of what was mixed, and its estimate; a case is a set or a family."""
    there, bins = texts.measured(name)
    rng = np.random.default_rng(seed)
    half = rng.random(len(there)) < 0.5
    family = None if case is None else case.partition("__")[0]
    mine = there if case is None else there & ((texts.family == case) | (texts.source == case))
    machine = half & there if family is None else there & (texts.family != family)
    if case is not None and (mine & half & ~texts.machine).sum() < MIN_CONTROLS:
        return None
    known = _compared(
        texts,
        np.flatnonzero(mine & half & ~texts.machine),
        np.flatnonzero(machine & texts.machine),
        bins,
        same=False,
    )
    if known is None:
        return None
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
    found = mixed_share(texts.histogram(drawn, bins), known)
    return texts.machine[drawn].mean(), found.share / 1e4, found.low / 1e4, found.high / 1e4


def _cases(texts: Texts) -> list[str]:
    """Families and sets with human and machine-made text enough for a stratum."""
    named: list[str] = []
    for column in (texts.family, texts.source):
        for name in np.unique(column):
            own = texts.machine[column == name]
            named += [str(name)] if (~own).sum() >= 600 and own.sum() >= 100 else []
    return sorted(set(named))


def shares(texts: Texts, repeats: int) -> None:
    """Errors and coverage of both measures."""
    for title, cases in (("same sets", [None]), ("left out", _cases(texts))):
        found, each = [], []
        for name in ("words", "score"):
            for share in SHARES:
                times = repeats if title == "same sets" else max(3, repeats // 8)
                trials = [
                    (case, _trial(texts, name, share, seed, case))
                    for case in cases
                    for seed in range(times)
                ]
                known = [(case, trial) for case, trial in trials if trial is not None]
                found.append([name, str(share), *_told(np.array([trial for _, trial in known]))])
                for case in sorted({case for case, _ in known if case}):
                    own = np.array([trial for named, trial in known if named == case])
                    each.append([name, str(share), case, *_told(own)])
        head = ["trials", "bias", "mean error", "within 4 points", "covered", "width"]
        print_table(f"shares, {title}", ["measure", "share", *head], found)
        if each:
            print_table(f"shares, {title}, each", ["measure", "share", "of", *head], each)


def _told(made: npt.NDArray[np.float64]) -> list[str]:
    error = made[:, 1] - made[:, 0]
    covered = (made[:, 2] - 1e-4 <= made[:, 0]) & (made[:, 0] <= made[:, 3] + 1e-4)
    near = np.abs(error) <= 0.04
    told = [error.mean(), np.abs(error).mean(), near.mean(), covered.mean()]
    width = (made[:, 3] - made[:, 2]).mean()
    return [str(len(made)), f"{told[0]:+.3f}", *(f"{value:.3f}" for value in (*told[1:], width))]


def main() -> None:
    """Prints all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", help="table of reference scores")
    parser.add_argument("--repeats", type=int, default=40)
    given = parser.parse_args()
    rows = load_reference(given.reference).rows.cast(REFERENCE)
    texts = Texts(rows.filter(pc.equal(rows.column("lang"), LANG)))
    elsewhere(texts)
    thresholds(texts, given.repeats)
    shares(texts, given.repeats)


if __name__ == "__main__":
    main()
