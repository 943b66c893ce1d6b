"""The columns: schema, precedence, independence of batches."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.records import EVIDENCE, SYNTHETIC
from transforms.synthetic.tag import PREFILTER, by_evidence, convicted, tag

PIECES = [
    "The kettle sings.",
    "As an AI language model, I cannot drink tea.",
    "\n",
    "“",
    "ChatGPT",
    "citeturn0search0",
    "【3†source】",
    "[Your Name]",
    "I'm sorry, but I can't assist with that.",
    "Regenerate response",
    "<|im_end|>",
    "言語モデル",
    " ",
]

texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
origins = st.sampled_from(["human", "synthetic", None])
rows = st.lists(st.tuples(texts, origins), max_size=12)


def tagged(pairs: list[tuple[str, str | None]]) -> pa.RecordBatch:
    text, origin = zip(*pairs, strict=True) if pairs else ((), ())
    return tag(pa.array(text, pa.string()), pa.array(origin, pa.string()))


@pytest.mark.parametrize(
    ("text", "origin", "tag_", "evidence"),
    [
        # Nothing known: uncalibrated is not the same as human.
        ("It rained.", None, "uncalibrated", []),
        # A claim of human origin is no evidence about the text.
        ("It rained.", "human", "uncalibrated", []),
        ("It rained.", "synthetic", "synthetic", ["declared:synthetic"]),
        # Hints alone never make a document synthetic.
        ("Dear [Your Name],", None, "uncalibrated", ["hint:your_name"]),
        # A declaration and an artefact are both kept, in the table's order.
        (
            "It rained. citeturn0search0",
            "synthetic",
            "synthetic",
            ["declared:synthetic", "artefact:cite_turn", "hint:turn_search"],
        ),
        # A claim of human origin does not outweigh an artefact.
        (
            "It rained. citeturn0search0",
            "human",
            "synthetic",
            ["artefact:cite_turn", "hint:turn_search"],
        ),
        ("", None, "uncalibrated", []),
    ],
)
def test_tag(text: str, origin: str | None, tag_: str, evidence: list[str]) -> None:
    row = tagged([(text, origin)]).to_pylist()[0]
    assert row == {
        "p_synthetic": None,
        "p_synthetic_host": None,
        "synthetic_tag": tag_,
        "synthetic_evidence": evidence,
        "synthetic_score": None,
        "synthetic_words": None,
        "synthetic_letters": None,
        "weight": 1_000_000,
    }


def test_scores_are_handed_on() -> None:
    text, origin = pa.array(["a", "b"]), pa.nulls(2, pa.string())
    score, words = pa.array([-7, None], pa.int16()), pa.array([None, 9], pa.int16())
    letters = pa.array([480, None], pa.int16())
    batch = tag(text, origin, score, words, letters)
    assert batch["synthetic_letters"].equals(letters)
    assert batch["synthetic_score"].equals(score)
    assert batch["synthetic_words"].equals(words)
    # A score, however high, tags nothing by itself.
    assert (
        tag(text, origin, pa.array([32_767] * 2, pa.int16()), words)["synthetic_tag"].to_pylist()
        == ["uncalibrated"] * 2
    )


@pytest.mark.parametrize(
    ("evidence", "of_origin", "tag_"),
    [
        ([], [], "uncalibrated"),
        (["hint:your_name"], ["date<2020-06-01"], "uncalibrated"),
        (["declared:synthetic"], [], "synthetic"),
        (["hint:x", "artefact:x"], [], "synthetic"),
        # A copy of the text was declared machine-made.
        ([], ["x", "declared_copy"], "synthetic"),
    ],
)
def test_the_tag_that_evidence_gives(evidence: list[str], of_origin: list[str], tag_: str) -> None:
    lists = [pa.array([["artefact:y"], given, []], EVIDENCE) for given in (evidence, of_origin)]
    found = by_evidence(lists[0].slice(1, 1), pa.chunked_array([lists[1].slice(1, 1)]))
    assert found.to_pylist() == [tag_]


def test_empty_batch_has_the_schema() -> None:
    batch = tagged([])
    assert batch.num_rows == 0
    assert batch.schema == SYNTHETIC


@settings(max_examples=40, deadline=None)
@given(rows)
def test_rows_do_not_depend_on_their_batch(pairs: list[tuple[str, str | None]]) -> None:
    whole = tagged(pairs)
    whole.validate(full=True)
    assert whole.schema == SYNTHETIC
    assert whole.to_pylist() == [row for pair in pairs for row in tagged([pair]).to_pylist()]


@given(rows)
def test_tag_follows_from_evidence(pairs: list[tuple[str, str | None]]) -> None:
    batch = tagged(pairs)
    for row in batch.to_pylist():
        words = row["synthetic_evidence"]
        proof = [w for w in words if w == "declared:synthetic" or w.startswith("artefact:")]
        assert (row["synthetic_tag"] == "synthetic") == bool(proof)
        assert len(set(words)) == len(words)


@given(st.lists(texts, max_size=12))
def test_prefilter_passes_everything_with_evidence(given_texts: list[str]) -> None:
    column = pa.array(given_texts, pa.string())
    batch = tag(column, pa.nulls(len(column), pa.string()))
    suspects = pc.match_substring_regex(column, PREFILTER).to_pylist()
    for suspect, words in zip(suspects, batch["synthetic_evidence"].to_pylist(), strict=True):
        assert suspect or not words


@settings(max_examples=40, deadline=None)
@given(rows)
def test_sliced_columns_give_the_same_rows(pairs: list[tuple[str, str | None]]) -> None:
    padded = tagged([("citeturn0search0", "synthetic"), *pairs, ("x", None)])
    text = pa.array(["citeturn0search0", *(t for t, _ in pairs), "x"])
    origin = pa.array(["synthetic", *(o for _, o in pairs), None], pa.string())
    inner = tag(text.slice(1, len(pairs)), origin.slice(1, len(pairs)))
    assert inner.to_pylist() == padded.to_pylist()[1:-1]


def test_convicted_reads_lists_of_every_shape() -> None:
    evidence = pa.array(
        [[], ["hint:artefact"], ["declared:synthetic", "artefact:oaicite"], None, ["artefact:x"]],
        EVIDENCE,
    )
    assert convicted(evidence).to_pylist() == [False, False, True, False, True]
    assert convicted(evidence.slice(2, 2)).to_pylist() == [True, False]
    assert convicted(pa.array([], EVIDENCE)).to_pylist() == []
