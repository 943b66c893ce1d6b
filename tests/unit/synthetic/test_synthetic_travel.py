"""When a threshold holds for sources without controls, and when nobody says anything."""

from __future__ import annotations

import pyarrow as pa
import pytest
from synthetic_samples import controls, drawn, reference, texts

from transforms.synthetic.calibrate import calibrate
from transforms.synthetic.cells import ELSEWHERE, Calibration, named_bucket
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.judge import judge
from transforms.synthetic.sample import CONTROL, REFERENCE

MACHINE = reference("set/bot", drawn(1500, 400, 1), machine=True)
FEW = 60
"""Texts of a source: too few for a threshold of its own."""


def human(name: str, mean: float, seed: int, bucket: int = 1) -> pa.Table:
    return reference(name, drawn(mean, FEW, seed, 300), machine=False, bucket=bucket)


def made(*shipped: pa.Table, run: tuple[pa.Table, ...] = ()) -> Calibration:
    run_controls = pa.concat_tables([CONTROL.empty_table(), *run])
    known = pa.concat_tables([REFERENCE.empty_table(), MACHINE, *shipped])
    return calibrate(run_controls, known, SyntheticConfig())


def elsewhere(calibration: Calibration) -> list[int]:
    return [cell.bucket - ELSEWHERE for cell in calibration.cells if cell.bucket >= ELSEWHERE]


def test_families_that_hold_each_other_speak_for_everyone():
    reaching = [reference(f"h{seed}__x", [-1000] * FEW, machine=False) for seed in range(4)]
    calibration = made(*reaching)
    assert elsewhere(calibration) == [1]
    said = judge(texts([-1000, -999], "nobody knows"), calibration)
    assert said.covered.tolist() == [True, True]
    assert said.above.tolist() == [False, True]
    assert (said.p >= 0).all()
    assert not judge(texts([3000], "nobody knows", letters=500), calibration).covered.any()


def test_the_threshold_is_of_all_lengths_and_silent_where_it_finds_nothing():
    groups = [reference(f"h{k}__x", [-1000] * FEW, machine=False, bucket=k) for k in range(4)]
    short = reference("set/bot", drawn(-2500, 400, 1), machine=True, bucket=0)
    long = reference("set/bot", drawn(1500, 400, 1), machine=True, bucket=3)
    calibration = made(*groups, short, long)
    assert elsewhere(calibration) == [1, 3]
    for size, covered in ((300, False), (500, True), (1500, False), (5000, True)):
        assert judge(texts([-999], "unknown", size), calibration).covered.tolist() == [covered]


def test_a_family_that_the_others_would_not_hold_silences_the_register():
    reaching = [reference(f"h{seed}__x", [-1000] * FEW, machine=False) for seed in range(4)]
    odd = reference("odd__x", [-1000] * (FEW - 2) + [900] * 2, machine=False)
    assert elsewhere(made(*reaching, odd)) == []
    # Twice the same family does not vouch for itself.
    twin = reference("odd__y", [900] * FEW, machine=False)
    assert elsewhere(made(*reaching, odd, twin)) == []
    # A source of the run objects as well as one of the table.
    assert elsewhere(made(*reaching, run=(controls("crawl", [900] * FEW),))) == []
    # In another register it is nobody's business.
    formal = reference("odd__x", [900] * FEW, machine=False, bucket=5)
    assert elsewhere(made(*reaching, formal)) == [1]


@pytest.mark.parametrize(("families", "said"), [(3, []), (4, [1])])
def test_four_families_are_needed(families: int, said: list[int]):
    groups = [reference(f"h{k}__x", [-1000] * FEW, machine=False) for k in range(families)]
    assert elsewhere(made(*groups, human("tiny__x", 5000, 1).slice(0, 39))) == said


def test_a_threshold_that_finds_nothing_is_not_used():
    groups = [reference(f"h{seed}__x", [4000] * FEW, machine=False) for seed in range(4)]
    assert elsewhere(made(*groups)) == []


def test_who_has_controls_is_judged_by_them():
    groups = [reference(f"h{seed}__x", [-1000] * FEW, machine=False) for seed in range(4)]
    own = controls("crawl", [-2000] * 400)
    calibration = made(*groups, run=(own,))
    assert elsewhere(calibration) == [1]
    assert judge(texts([-1500], "crawl"), calibration).above.tolist() == [True]
    assert judge(texts([-1500], "other"), calibration).above.tolist() == [False]


def test_who_has_controls_needs_none_of_the_same_register():
    calibration = made(run=(controls("crawl", [-2000] * 400),))
    said = judge(texts([-1500], "crawl", letters=600), calibration)
    assert said.covered.all()
    assert said.above.all()


def test_buckets_have_names():
    named = [named_bucket(bucket) for bucket in (2, ELSEWHERE + 2, ELSEWHERE + 7)]
    assert named == [(2, None), (2, "plain"), (3, "formal")]
