"""Samples of controls, and tables of reference scores."""

from __future__ import annotations

import pathlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_samples import controls

from transforms.errors import InputError
from transforms.synthetic.classifier import load_classifier
from transforms.synthetic.labelled import Labelled
from transforms.synthetic.reference import (
    NO_REFERENCE,
    load_reference,
    reference_rows,
    write_reference,
)
from transforms.synthetic.sample import (
    CONTROL,
    REFERENCE,
    buckets,
    cells_of,
    clusters,
    controls_of,
    merge_controls,
)
from transforms.synthetic.score import Scorer, load_scorer
from transforms.synthetic.words import load_words


def test_lengths():
    sizes = pa.array([0, 399, 400, 999, 1000, 2499, 2500, 10**6], pa.int32())
    assert buckets(sizes).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_clusters_are_hosts_or_else_sources():
    host = pa.array(["a.example", None, None, None])
    found = clusters(host, pa.array(["x", "x", "y", None])).tolist()
    assert len(set(found)) == 4
    assert clusters(host, pa.array(["z", "x", "y", None])).tolist() == found


def staged(n: int) -> pa.Table:
    return pa.table(
        {
            "lang": ["eng_Latn"] * n,
            "n_chars": pa.array([500] * n, pa.int32()),
            "source": pa.array([None] * n, pa.string()),
            "host": pa.array([f"h{i % 5}" for i in range(n)]),
            "text_hash": [bytes([i]) * 16 for i in range(n)],
            "date_day": pa.array(range(100, 100 + n), pa.int32()),
            "origin_tier": pa.array(["A", "B"] * (n // 2) + ["A"] * (n % 2)),
            "synthetic_score": pa.array(range(n), pa.int16()),
            "synthetic_words": pa.nulls(n, pa.int16()),
            "synthetic_letters": pa.array([450 + 10 * i for i in range(n)], pa.int16()),
        }
    )


def with_value(rows: pa.Table, name: str, row: int, value: object) -> pa.Table:
    values = rows.column(name).to_pylist()
    values[row] = value
    at = rows.schema.get_field_index(name)
    return rows.set_column(at, name, pa.array(values, rows.schema.field(name).type))


def test_controls_are_dated_human_by_evidence_and_scored():
    rows = staged(6)
    for name in ("date_day", "origin_tier", "synthetic_score"):
        rows = with_value(
            rows, name, {"date_day": 0, "origin_tier": 1, "synthetic_score": 2}[name], None
        )
    found = controls_of(rows, before=105)
    # Rows 0 to 2 lack something, row 5 is too late.
    assert found.schema == CONTROL
    assert sorted(found.column("score").to_pylist()) == [3, 4]
    assert found.column("source").to_pylist() == ["", ""]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=40), st.randoms(),
       st.integers(0, 40), st.integers(1, 8))  # fmt: skip
def test_samples_of_samples_are_the_sample_of_all(pairs, rng, cut: int, most: int):
    """Whatever is merged with what first; and copies of a text count once."""
    rows = [
        {"lang": "x", "bucket": text % 2, "source": f"s{source}", "cluster": source, "text": text,
         "score": text, "words": None}
        for source, text in pairs
    ]  # fmt: skip
    whole = pa.Table.from_pylist(rows, schema=CONTROL)
    expected = merge_controls(whole, most)
    rng.shuffle(rows)
    parts = [pa.Table.from_pylist(part, schema=CONTROL) for part in (rows[:cut], rows[cut:])]
    assert merge_controls(
        pa.concat_tables([merge_controls(part, most) for part in parts]), most
    ).equals(expected)
    texts = {bucket: sorted({t for _, t in pairs if t % 2 == bucket})[:most] for bucket in (0, 1)}
    assert expected.column("text").to_pylist() == texts[0] + texts[1]


def test_a_sample_is_drawn_by_hash_alone():
    rows = pa.concat_tables([controls("a", range(50)), controls("b", range(50), bucket=2)])
    found = merge_controls(rows, 10)
    assert found.column("bucket").to_pylist() == [1] * 10 + [2] * 10


class Counting:
    digest = "counting"
    languages = frozenset({"eng_Latn"})

    def read(self, text: pa.StringArray) -> tuple[pa.Int16Array, pa.Int16Array]:
        lengths = [len(given) or None for given in text.to_pylist()]
        letters = [length and 100 * length for length in lengths]
        return pa.array(lengths, pa.int16()), pa.array(letters, pa.int16())


SCORER = Scorer(Counting(), load_words())


def test_formal_writing_is_apart_from_plain_writing_of_the_same_length():
    assert controls_of(staged(6), 10**6).column("bucket").to_pylist().count(5) == 2
    sizes = pa.array([300, 300, 300, 5000], pa.int32())
    assert cells_of(sizes, pa.array([489, 490, None, 600], pa.int16())).tolist() == [0, 4, 0, 7]


def test_a_scorer_scores_languages_it_was_trained_for_and_nothing_else():
    text, lang = pa.array(["aa", "bbb", ""]), pa.array(["eng_Latn", "swh_Latn", "eng_Latn"])
    assert SCORER(text, lang)[0].to_pylist() == [2, None, None]
    assert SCORER(text, pa.array(["swh_Latn"] * 3))[0].to_pylist() == [None] * 3
    assert SCORER(text.slice(0, 1), lang.slice(0, 1))[0].to_pylist() == [2]
    assert SCORER.digest.startswith("counting:")


def test_reference_rows_do_not_depend_on_order_and_count_texts_once(tmp_path: pathlib.Path):
    texts = [Labelled("x" * (k % 7 + 1), "eng_Latn", k % 2 == 0, "set", "bot") for k in range(40)]
    rows = reference_rows(texts, SCORER)
    assert rows.schema == REFERENCE
    assert len(rows) == 14
    assert reference_rows(texts[::-1], SCORER).equals(rows)
    assert set(rows.column("source").to_pylist()) == {"set", "set/bot"}
    path = str(tmp_path / "t.parquet")
    write_reference(rows, SCORER.digest, path)
    found = load_reference(path)
    assert found.rows.equals(rows)
    assert found.model == SCORER.digest
    assert len(load_reference(NO_REFERENCE).rows) == 0


def test_what_is_no_table_of_scores_is_refused(tmp_path: pathlib.Path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="is no table of reference scores"):
        load_reference(str(path))


def test_what_ships_is_of_what_ships():
    """Made anew, with the script that makes it, whenever the classifier changes."""
    reference = load_reference()
    assert reference.model == load_scorer().digest
    assert set(reference.rows.column("lang").to_pylist()) <= load_classifier().languages
    assert np.isin(
        [True, False], reference.rows.column("machine").to_numpy(zero_copy_only=False)
    ).all()
