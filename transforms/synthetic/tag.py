"""From text to `synthetic_evidence`: find artefacts, weigh where they stand.

Almost every document is free of artefacts, so the cost lies in one RE2
alternation of literal stems over the whole column; only the rows that it finds
are looked at artefact by artefact. The alternation takes as long for fifty
stems as for ten, and less than `pc.match_substring` does for a single one;
ignoring case is free.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.records import DECLARED_COPY, SYNTHETIC
from transforms.synthetic.artefacts import MENTIONS, Artefact
from transforms.synthetic.table import ARTEFACTS

__all__ = ["PREFILTER", "WHOLE", "by_evidence", "convicted", "tag"]

_STEMS: Final = tuple(dict.fromkeys(artefact.stem for artefact in ARTEFACTS))
PREFILTER: Final = "(?i)" + "|".join(_STEMS)
"""Matches every text in which any artefact can be found, and few others."""

WHOLE: Final = 1_000_000
"""Selection weights are whole millionths; this is the weight of text that is not in doubt."""

_DECLARED: Final = "declared:synthetic"
_LABELS: Final = pa.array(
    [_DECLARED]
    + [f"{kind}:{artefact.name}" for artefact in ARTEFACTS for kind in ("artefact", "hint")],
    pa.string(),
)

_Rows = npt.NDArray[np.int64]


def tag(
    text: pa.StringArray,
    origin_declared: pa.StringArray,
    score: pa.Int16Array | None = None,
    words: pa.Int16Array | None = None,
    letters: pa.Int16Array | None = None,
) -> pa.RecordBatch:
    """Collects what speaks for machine-made text.

    Args:
        text: Documents, without nulls.
        origin_declared: What the input says of each document's origin: `human`,
            `synthetic` or null.
        score: The classifier's margins; None without a classifier.
        words: The evidence of the words; None without a table of them.
        letters: Letters a word; None without a classifier.

    Returns:
        A batch of schema `SYNTHETIC`. Evidence is `declared:synthetic`,
        `artefact:<name>` (convicts) or `hint:<name>` (does not). The tag is
        `synthetic` for declared and convicted documents and `uncalibrated` for
        all others; the probabilities are null, since what a score means is
        decided when all are known.
    """
    says_so = pc.is_in(origin_declared, value_set=pa.array(["synthetic"]))
    declared = _nonzero(says_so)
    rows, labels = _search(text)
    evidence = _lists(
        len(text),
        np.concatenate([declared, rows]),
        np.concatenate([np.zeros(len(declared), dtype=np.int64), labels]),
    )
    machine = pc.or_(convicted(evidence), says_so)
    unknown, unscored = pa.nulls(len(text), pa.float32()), pa.nulls(len(text), pa.int16())
    tags = pc.if_else(machine, "synthetic", "uncalibrated")
    columns = [unknown, unknown, tags, evidence]
    columns += [unscored if given is None else given for given in (score, words, letters)]
    columns.append(pa.array(np.full(len(text), WHOLE, dtype=np.int32)))
    return pa.RecordBatch.from_arrays(columns, schema=SYNTHETIC)


def by_evidence(evidence: pa.Array, of_origin: pa.Array) -> pa.StringArray:
    """The tag that evidence alone gives: `synthetic`, or `uncalibrated` without any.

    Args:
        evidence: Lists, as in `synthetic_evidence`.
        of_origin: Lists, as in `origin_evidence`: a copy's declaration holds, too.
    """
    machine = pc.or_(convicted(_whole(evidence)), _has(evidence, _DECLARED))
    machine = pc.or_(machine, _has(of_origin, DECLARED_COPY))
    return pc.if_else(machine, "synthetic", "uncalibrated")


def _whole(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _has(lists: Any, word: str) -> pa.BooleanArray:
    """Which lists hold a word."""
    lists = _whole(lists)
    rows = pc.filter(pc.list_parent_indices(lists), pc.equal(pc.list_flatten(lists), word))
    flags = np.zeros(len(lists), dtype=np.bool_)
    flags[rows.to_numpy(zero_copy_only=False)] = True
    return pa.array(flags)


def convicted(evidence: pa.ListArray[Any]) -> pa.BooleanArray:
    """Tells which lists of evidence hold an artefact that convicts.

    Args:
        evidence: Lists of strings, as in the column `synthetic_evidence`.

    Returns:
        One boolean a list, without nulls; false for a null list.
    """
    found = pc.starts_with(pc.list_flatten(evidence), pattern="artefact:")
    parents = pc.filter(pc.list_parent_indices(evidence), found)
    flags = np.zeros(len(evidence), dtype=np.bool_)
    flags[parents.to_numpy(zero_copy_only=False)] = True
    return pa.array(flags)


def _search(text: pa.StringArray) -> tuple[_Rows, _Rows]:
    """Finds artefacts: row numbers, and what each row has as an index into `_LABELS`."""
    suspects = _nonzero(pc.match_substring_regex(text, PREFILTER))
    if not len(suspects):
        return suspects, suspects
    suspicious = text.take(suspects)
    mentions = pc.count_substring_regex(suspicious, MENTIONS).to_numpy(zero_copy_only=False)
    stems = {stem: _nonzero(pc.match_substring_regex(suspicious, f"(?i){stem}")) for stem in _STEMS}
    rows: list[_Rows] = []
    labels: list[_Rows] = []
    for index, artefact in enumerate(ARTEFACTS):
        candidates = stems[artefact.stem]
        if len(candidates):
            held = suspicious.take(candidates)
            found, convicts = _find(held, mentions[candidates], artefact)
            rows.append(suspects[candidates[found]])
            labels.append(np.where(convicts, 1, 2) + 2 * index)
    return np.concatenate(rows), np.concatenate(labels)


def _find(
    text: pa.StringArray, mentions: npt.NDArray[np.int32], artefact: Artefact
) -> tuple[_Rows, npt.NDArray[np.bool_]]:
    """Finds one artefact: the rows that have it, and in which of them it convicts."""
    found = _nonzero(pc.match_substring_regex(text, artefact.trace))
    if artefact.lead is None or not len(found):
        return found, np.zeros(len(found), dtype=np.bool_)
    placed = pc.match_substring_regex(text.take(found), artefact.pattern)
    quoted = mentions[found] > artefact.mentions
    return found, placed.to_numpy(zero_copy_only=False) & ~quoted


def _lists(n: int, rows: _Rows, labels: _Rows) -> pa.ListArray[Any]:
    """Gathers (row, label) pairs into one list a row, in the order of the table."""
    order = np.lexsort((labels, rows))
    ends = np.cumsum(np.bincount(rows, minlength=n)) if n else np.zeros(0, dtype=np.int64)
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), _LABELS.take(labels[order]))


def _nonzero(mask: pa.BooleanArray) -> _Rows:
    return np.flatnonzero(mask.to_numpy(zero_copy_only=False))
