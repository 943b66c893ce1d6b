"""Shares: planted ones are found, intervals cover them, and the same input says the same."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest
from synthetic_samples import ENGLISH, drawn, reference

from transforms.synthetic.estimate import SHARE, estimate_shares, risen
from transforms.synthetic.sample import REFERENCE
from transforms.synthetic.shares import Compared, coarse, mixed_share
from transforms.synthetic.strata import CONTROLS, STRATUM, UNDATED, bins_of, count_strata

CUTOFF = datetime.date(2022, 11, 30).toordinal()
HUMAN, MACHINE = -1000, 1200
FINE = 512


def histogram(scores: np.ndarray, length: int = 1) -> np.ndarray:
    made = np.zeros((4, FINE), dtype=np.int64)
    np.add.at(made[length], bins_of(scores, 0) + FINE // 2, 1)
    return made


def sets(mean: float, n: int, seed: int) -> list[np.ndarray]:
    """Three sets that differ a little, as sets do."""
    return [histogram(drawn(mean + 50 * k, n, seed + k)) for k in (-1, 0, 1)]


def mixture(share: float, n: int, seed: int) -> np.ndarray:
    machine = round(share * n)
    return histogram(drawn(HUMAN, n - machine, seed)) + histogram(drawn(MACHINE, machine, seed + 1))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.5, 1.0])
def test_planted_shares_are_found_and_covered(share: float):
    covered = 0
    for seed in range(20):
        able = np.array([False, True, False, False])
        known = Compared.of(
            sets(HUMAN, 900, 10_000 + 37 * seed), sets(MACHINE, 900, 50_000 + 37 * seed), able
        )
        found = mixed_share(mixture(share, 2000, 90_000 + 11 * seed), known)
        assert abs(found.share / 10_000 - share) < 0.06
        assert 0 <= found.low <= found.share <= found.high <= 10_000
        covered += found.low / 10_000 <= share <= found.high / 10_000
    assert covered >= 18


def test_texts_are_compared_with_their_own_length():
    """Long texts score higher, whoever wrote them: that makes no share."""
    able = np.array([True, False, True, False])
    human = [histogram(drawn(HUMAN + 600 * at, 2000, 1), at) for at in (0, 2)]
    machine = [histogram(drawn(MACHINE + 600 * at, 2000, 2), at) for at in (0, 2)]
    known = Compared.of([human[0] + human[1]], [machine[0] + machine[1]], able)
    long = histogram(drawn(HUMAN + 1200, 3000, 7), 2)
    assert mixed_share(long, known).share < 200
    found = mixed_share(long + histogram(drawn(MACHINE, 1000, 8), 0), known)
    assert abs(found.share - 2500) < 400
    assert found.low <= 2500 <= found.high


def test_a_generator_that_is_harder_to_tell_is_covered():
    """The interval knows that kinds differ; a single kind is not trusted, either."""
    able = np.array([False, True, False, False])
    kinds = [histogram(drawn(mean, 900, mean), 1) for mean in (200, 900, 1500, 2200)]
    human = [histogram(drawn(HUMAN, 3000, 1))]
    seen = histogram(drawn(HUMAN, 1500, 5)) + histogram(drawn(0, 500, 6))
    several = mixed_share(seen, Compared.of(human, kinds, able))
    assert several.low <= 2500 <= several.high
    assert several.share < 2700
    alone = mixed_share(seen, Compared.of(human, kinds[1:2], able))
    assert alone.high - alone.low > 500
    # Where there is hardly any machine text, what it is like hardly matters.
    nothing = mixed_share(histogram(drawn(HUMAN, 2000, 5)), Compared.of(human, kinds, able))
    assert nothing.high < several.high - several.low


def test_sets_of_human_text_that_differ_widen_the_interval():
    able = np.array([False, True, False, False])
    seen = mixture(0.1, 2000, 3)
    alike = Compared.of(sets(HUMAN, 900, 1), sets(MACHINE, 900, 2), able)
    apart = [histogram(drawn(HUMAN + 400 * k, 900, 1 + k)) for k in (-1, 0, 1)]
    apart[0] += histogram(drawn(MACHINE, 60, 9))
    found = mixed_share(seen, Compared.of(apart, sets(MACHINE, 900, 2), able))
    known = mixed_share(seen, alike)
    assert found.high - found.low > known.high - known.low


def test_no_texts_say_nothing():
    able = np.array([False, True, False, False])
    known = Compared.of(sets(HUMAN, 900, 1), sets(MACHINE, 900, 2), able)
    found = mixed_share(np.zeros((4, FINE), np.int64), known)
    assert (found.low, found.high) == (0, 10_000)


def test_bins_hold_what_the_human_quantiles_say():
    made = histogram(drawn(0, 16_000, 4))
    into = coarse(made)
    assert (np.diff(into, axis=1) >= 0).all()
    held = np.bincount(into[1], weights=made[1], minlength=13)
    # A fine bin in the middle holds 5 % by itself.
    assert held.max() < 0.16 * 16_000
    assert held[-1] < 0.05 * 16_000


def rows(scores: np.ndarray, day: int | None, *, tier: str | None = None, source: str = "crawl"):
    n = len(scores)
    return pa.table(
        {
            "lang": [ENGLISH] * n,
            "n_chars": pa.array([500] * n, pa.int32()),
            "source": [source] * n,
            "date_day": pa.array([day] * n, pa.int32()),
            "origin_tier": pa.array([tier] * n, pa.string()),
            "synthetic_score": pa.array(scores, pa.int16()),
            "synthetic_words": pa.array(scores, pa.int16()),
        }
    )


def summed(*tables: pa.Table) -> pa.Table:
    """What the survey makes of the counts of several parts."""
    keys = STRATUM.names[:-1]
    counted = pa.concat_tables([count_strata(table, CUTOFF) for table in tables])
    found = counted.group_by(keys).aggregate([("documents", "sum")])
    return found.rename_columns(STRATUM.names).cast(STRATUM)


def test_strata_know_controls_months_and_undated():
    may = datetime.date(2024, 5, 31).toordinal()
    found = summed(
        rows(np.array([1, 1, None]), may),
        rows(np.array([5]), CUTOFF - 1, tier="B"),
        # A date that gives no tier makes no control.
        rows(np.array([5]), CUTOFF - 1),
        rows(np.array([5]), CUTOFF, tier="A"),
        rows(np.array([5]), None, tier="A"),
    )
    months = found.filter(pa.compute.equal(found.column("measure"), 0))
    assert sorted(
        zip(*(months.column(n).to_pylist() for n in ("month", "documents")), strict=True)
    ) == [
        (UNDATED, 1),
        ("2022-11", 1),
        ("2022-11", 1),
        ("2024-05", 2),
        (CONTROLS, 1),
    ] or sorted(
        zip(*(months.column(n).to_pylist() for n in ("month", "documents")), strict=True)
    ) == [(UNDATED, 1), ("2022-11", 2), ("2024-05", 2), (CONTROLS, 1)]


def test_counts_do_not_depend_on_how_rows_are_cut():
    table = rows(drawn(0, 500, 3), CUTOFF + 40)
    order = [(name, "ascending") for name in STRATUM.names]
    cut = summed(table.slice(0, 123), table.slice(123), table.slice(0, 0))
    assert cut.sort_by(order).equals(summed(table).sort_by(order))


def known_rows() -> pa.Table:
    return pa.concat_tables(
        [reference(f"set/bot{k}", drawn(MACHINE + 30 * k, 500, k), machine=True) for k in range(3)]
        + [reference("set", drawn(HUMAN + 900, 900, 9), machine=False)]
    )


def run(share: float, n: int = 1500) -> pa.Table:
    day = datetime.date(2025, 3, 5).toordinal()
    made = np.concatenate(
        [drawn(HUMAN, n - round(share * n), 21), drawn(MACHINE, round(share * n), 22)]
    )
    own = rows(drawn(HUMAN, 1500, 23), CUTOFF - 900, tier="A")
    return estimate_shares(summed(rows(made, day), own), known_rows())


def test_shares_of_a_run_use_its_own_controls():
    found = run(0.4)
    assert found.schema == SHARE
    every, month = found.to_pylist()
    assert (every["month"], month["month"]) == (None, "2025-03")
    for row in (every, month):
        assert row["controls"] == "source"
        assert row["documents"] == row["classifier_measured"] == 1500
        for name in ("classifier", "words"):
            assert abs(row[f"{name}_share"] - 4000) < 400
            assert row[f"{name}_low"] <= 4000 <= row[f"{name}_high"]


def test_another_source_is_compared_with_the_run_and_without_controls_with_the_reference():
    day = datetime.date(2025, 3, 5).toordinal()
    theirs = rows(drawn(HUMAN, 400, 31), day, source="forum")
    own = rows(drawn(HUMAN, 1500, 23), CUTOFF - 900, tier="A")
    assert estimate_shares(summed(theirs, own), known_rows()).column("controls")[0].as_py() == "run"
    (first, *_) = estimate_shares(summed(theirs), known_rows()).to_pylist()
    assert first["controls"] == "reference"
    assert first["words_share"] is not None


def test_nothing_is_said_of_small_strata_or_without_texts_to_compare_with():
    assert len(run(0.4, n=199)) == 0
    day = datetime.date(2025, 3, 5).toordinal()
    strata = summed(rows(drawn(HUMAN, 400, 31), day))
    for row in estimate_shares(strata, REFERENCE.empty_table()).to_pylist():
        assert row["documents"] == 400
        assert row["words_share"] is row["classifier_share"] is None
    assert len(estimate_shares(STRATUM.empty_table(), known_rows())) == 0


def test_estimates_do_not_depend_on_the_order_of_strata():
    day = datetime.date(2025, 3, 5).toordinal()
    strata = summed(rows(drawn(HUMAN, 900, 31), day), rows(drawn(MACHINE, 300, 5), day + 40))
    shuffled = strata.take(np.random.default_rng(1).permutation(len(strata)))
    assert estimate_shares(shuffled, known_rows()).equals(estimate_shares(strata, known_rows()))


def test_a_rise_is_told_only_beyond_chance():
    before, after = run(0.1).to_pylist(), run(0.5)
    told = risen(after, before).to_pylist()
    assert all("has risen" in warning for warning in told)
    assert "classifier" in told[0]
    assert "words" in told[0]
    assert risen(run(0.1), before).to_pylist() == [None, None]
    # Neither a fall nor a new stratum is a rise.
    assert risen(run(0.1), after.to_pylist()).to_pylist() == [None, None]
    assert risen(after, []).to_pylist() == [None, None]
