"""Who speaks for whom, when nobody does, and what is then said of texts."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from synthetic_samples import ENGLISH, controls, drawn, reference, texts

from transforms.synthetic.calibrate import calibrate
from transforms.synthetic.cells import ELSEWHERE, Calibration, Cell
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.judge import judge, tags, weights
from transforms.synthetic.policy import apply_calibration, decide_calibration
from transforms.synthetic.reference import NO_REFERENCE
from transforms.synthetic.sample import CONTROL, REFERENCE

CONFIG = SyntheticConfig()
MACHINE = reference("set/bot", drawn(1500, 800, 1), machine=True)


def made(*parts: pa.Table, others: tuple[pa.Table, ...] = (MACHINE,)) -> Calibration:
    run = pa.concat_tables([CONTROL.empty_table(), *parts])
    return calibrate(run, pa.concat_tables([REFERENCE.empty_table(), *others]), CONFIG)


def only(calibration: Calibration) -> Cell:
    (cell,) = (cell for cell in calibration.cells if cell.bucket < ELSEWHERE)
    return cell


def test_299_controls_say_nothing_and_300_say_something():
    few = only(made(controls("crawl", drawn(-1000, 299, 2))))
    assert (few.threshold, few.covers, few.curve) == (None, (), None)
    enough = only(made(controls("crawl", drawn(-1000, 300, 2))))
    assert enough.threshold is not None
    assert enough.covers == ("crawl",)
    assert enough.curve is not None


def test_controls_of_one_source_do_not_speak_for_another():
    calibration = made(controls("crawl", drawn(-1000, 500, 2)))
    for source, covered in (("crawl", True), ("essays", False), (None, False)):
        said = judge(texts([3000], source), calibration)
        assert said.covered.tolist() == [covered]
        assert said.above.tolist() == [covered]
        assert (said.p >= 0).tolist() == [covered]


def test_the_source_that_looks_most_like_a_machine_sets_the_threshold():
    plain, odd = drawn(-1000, 400, 2), drawn(500, 400, 3)
    alone = only(made(controls("plain", plain))).threshold
    cell = only(made(controls("plain", plain), controls("odd", odd)))
    assert cell.threshold is not None
    assert alone is not None
    assert cell.threshold > alone + 1000
    # Every source is held to the rate, and the others would not have held the odd one.
    assert max((scores > cell.threshold).mean() for scores in (plain, odd)) <= 0.01
    assert cell.left_out is not None
    assert cell.left_out > 900
    assert cell.covers == ("odd", "plain")


def test_sources_that_vouch_for_each_other_speak_for_nobody_else():
    # The highest of thresholds is far enough above each source, 4 of them being alike.
    names = [f"s{i}" for i in range(4)]
    parts = [controls(name, drawn(-1000, 2000, i)) for i, name in enumerate(names)]
    cell = only(made(*parts))
    assert cell.left_out is not None
    assert cell.left_out <= 100
    assert cell.covers == tuple(names)
    human = [reference(f"h{i}", drawn(-1000, 2000, i), machine=False) for i in range(4)]
    assert only(made(*parts, others=(MACHINE, *human))).covers == tuple(names)


def test_many_hosts_speak_for_new_hosts_unless_a_source_objects():
    hosts = controls("crawl", drawn(-1000, 1200, 2), hosts=400)
    assert only(made(hosts)).covers is None
    assert only(made(controls("crawl", drawn(-1000, 1200, 2), hosts=299))).covers == ("crawl",)
    objecting = controls("forum", drawn(800, 600, 3))
    assert only(made(hosts, objecting)).covers == ("crawl", "forum")
    for center, covers in ((-1000, None), (800, ("crawl",))):
        known = reference("set", drawn(center, 600, 4), machine=False)
        assert only(made(hosts, others=(MACHINE, known))).covers == covers


def test_a_reference_alone_speaks_for_registers_only():
    alike = [reference(f"h{i}", drawn(-1000, 2000, i), machine=False) for i in range(4)]
    calibration = made(others=(MACHINE, *alike))
    assert only(calibration).threshold is None
    elsewhere = [cell for cell in calibration.cells if cell.bucket >= ELSEWHERE]
    assert [cell.covers for cell in elsewhere] == [None] * len(elsewhere)
    # Three families are too few to show that a threshold travels.
    assert all(c.bucket < ELSEWHERE for c in made(others=(MACHINE, *alike[:3])).cells)


def test_without_machine_text_there_is_a_threshold_and_no_probability():
    calibration = made(controls("crawl", drawn(-1000, 400, 2)), others=())
    said = judge(texts([3000, -3000]), calibration)
    assert said.above.tolist() == [True, False]
    assert said.p.tolist() == [-1, -1]
    assert weights(said.p, 2.0).tolist() == [1_000_000] * 2


def test_too_little_machine_text_of_a_length_borrows_from_other_lengths():
    short = reference("set/bot", drawn(1500, 400, 1), machine=True, bucket=0)
    assert only(made(controls("crawl", drawn(-1000, 400, 2)), others=(short,))).curve is not None


def test_lengths_and_languages_are_apart():
    calibration = made(controls("crawl", drawn(-1000, 500, 2), bucket=2))
    assert not judge(texts([3000], n_chars=999), calibration).covered.any()
    assert judge(texts([3000], n_chars=1000), calibration).covered.all()
    rows = texts([3000], n_chars=1000).set_column(0, "lang", pa.array(["deu_Latn"]))
    assert not judge(rows, calibration).covered.any()


def test_a_calibration_survives_json_and_notices_changes():
    parts = [controls(f"s{i}", drawn(-1000, 2000, i)) for i in range(4)]
    for calibration in (made(), made(*parts), made(parts[0], controls("x", [1], bucket=3))):
        rows = json.loads(json.dumps(calibration.table().to_pylist()))
        again = Calibration.of(pa.Table.from_pylist(rows))
        assert again.cells == calibration.cells
        assert again.digest == calibration.digest or not calibration.cells
        for row in rows:
            if row["threshold"] is not None:
                row["threshold"] += 1
                with pytest.raises(ValueError, match="digest"):
                    Calibration.of(pa.Table.from_pylist(rows))


def test_the_order_of_controls_is_nothing():
    parts = [controls("a", drawn(-900, 500, 2)), controls("b", drawn(-800, 500, 3), hosts=7)]
    shuffled = pa.concat_tables(parts).take(np.random.default_rng(0).permutation(1000))
    assert made(*parts) == made(shuffled)


def test_tags_and_weights():
    calibration = made(controls("crawl", drawn(-1000, 500, 2)))
    rows = texts([5000, 5000, 5000, -4000, None])
    tier = pa.array([None, "A", None, None, None], pa.string())
    rows = rows.set_column(rows.schema.get_field_index("origin_tier"), "origin_tier", tier)
    evident = pa.array(
        ["uncalibrated", "uncalibrated", "synthetic", "uncalibrated", "uncalibrated"]
    )
    rows = rows.set_column(rows.schema.get_field_index("synthetic_tag"), "synthetic_tag", evident)
    found = apply_calibration(rows, calibration.table(), 1.0)
    assert found.column("synthetic_tag").to_pylist() == [
        "likely_synthetic",
        "unverified",  # evidence of human origin outranks a score
        "synthetic",  # evidence of a machine does not need one
        "unverified",
        "uncalibrated",
    ]
    p, weight = (found.column(name).to_pylist() for name in ("p_synthetic", "weight"))
    assert p[0] == p[1] == p[2]
    assert p[0] > 0.9
    assert p[3] < 0.01
    assert p[4] is None
    assert weight[4] == 1_000_000
    assert weight[0] == 1_000_000 - round(p[0] * 10_000) * 100
    # Applying it once more changes nothing.
    assert apply_calibration(found, calibration.table(), 1.0).equals(found)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 3.0])
def test_weights_fall_with_the_probability(gamma: float):
    made_ = weights(np.arange(10_001, dtype=np.int16), gamma)
    assert made_[0] == 1_000_000
    assert (np.diff(made_) <= 0).all()
    assert made_[10_000] == (0 if gamma else 1_000_000)


def test_rows_are_judged_alone():
    calibration = made(controls("crawl", drawn(-1000, 500, 2)))
    rows = texts([900, None, -700, 2000, 1])
    whole = judge(rows, calibration)
    for row in range(5):
        one = judge(rows.slice(row, 1), calibration)
        assert (one.p[0], one.above[0], one.covered[0]) == (
            whole.p[row],
            whole.above[row],
            whole.covered[row],
        )
    assert judge(rows.slice(0, 0), calibration).p.tolist() == []


def test_nothing_to_go_by_decides_nothing():
    config = SyntheticConfig(reference=NO_REFERENCE)
    decision = decide_calibration(CONTROL.empty_table(), config)
    rows = texts([5000])
    assert apply_calibration(rows, decision, 1.0).to_pylist() == rows.to_pylist()
    assert tags(pa.array(["x"]), np.array([False]), judge(rows, made())).to_pylist() == [
        "uncalibrated"
    ]


def test_cells_are_of_what_was_there():
    calibration = made(controls("crawl", [1, 2, 3], lang="swh_Latn"), controls("crawl", [4]))
    assert [(cell.lang, cell.bucket, dict(cell.controls)) for cell in calibration.cells] == [
        (ENGLISH, 1, {"crawl": 1}),
        ("swh_Latn", 1, {"crawl": 3}),
    ]
