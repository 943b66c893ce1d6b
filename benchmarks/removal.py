"""Judging what deduplication removed, and what it left, by an independent similarity."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator

from benchmarks.allpairs import close_pairs
from benchmarks.reference import jaccard
from benchmarks.tables import Line, share
from benchmarks.truth import DUPLICATE, Corpus, Run

__all__ = ["Finding", "Verdict", "anchors", "close_left", "exact_copies", "near_copies"]
__all__ += ["templates", "witnesses"]

_NO_TIER = 2
_CUTOFFS = ("2020-06-01", "2022-11-30")
"""Days before which a crawl date makes tier A, and tier B."""
_UNDATED = "9999-12-31"


@dataclasses.dataclass(frozen=True)
class Finding:
    """A document that breaks a promise, for whoever wants to look at it."""

    what: str
    row: int
    other: int | None
    note: str = ""


Verdict = tuple[list[Line], list[Finding]]


def _pairs(corpus: Corpus, kind: str) -> Iterator[tuple[int, int]]:
    for row, (found, of) in enumerate(zip(corpus.kind, corpus.of, strict=True)):
        if found == kind:
            yield row, of


def exact_copies(corpus: Corpus, run: Run) -> Verdict:
    """Copies with one normal form: at most one may remain."""
    pairs = [(a, b) for a, b in _pairs(corpus, "exact") if corpus.group[a] == corpus.group[b]]
    left = [pair for pair in pairs if all(map(run.remains, pair))]
    groups = [rows for rows in corpus.groups.values() if len(rows) > 1]
    several = sum(sum(map(run.remains, rows)) > 1 for rows in groups)
    lines = [
        ("exact copies found, of (copy, original)", share(len(pairs) - len(left), len(pairs)), "1"),
        (
            "groups of one normal form, at most one left",
            share(len(groups) - several, len(groups)),
            "1",
        ),
    ]
    return lines, [Finding("both exact copies remain", a, b) for a, b in left]


def near_copies(corpus: Corpus, run: Run, threshold: float) -> Verdict:
    """Edited copies as similar as the threshold asks: at least one must be removed."""
    by_tenth: collections.Counter[tuple[float, bool]] = collections.Counter()
    findings = []
    for a, b in _pairs(corpus, "near"):
        similarity = jaccard(corpus.shingles(a), corpus.shingles(b))
        found = any(run.outcome(row) in DUPLICATE for row in (a, b))
        band = int(similarity * 20 + 1e-9) / 20
        by_tenth[band, found] += 1
        if similarity >= threshold and not found:
            findings.append(Finding("both near copies remain", a, b, f"Jaccard {similarity:.4f}"))
    near = sum(n for (band, _), n in by_tenth.items() if band >= threshold)
    hit = sum(n for (band, found), n in by_tenth.items() if band >= threshold and found)
    lines = [(f"near copies found, Jaccard >= {threshold}", share(hit, near), ">= 0.99")]
    for band in sorted({band for band, _ in by_tenth}):
        if band >= threshold - 0.1:
            gone = by_tenth[band, True]
            whole = gone + by_tenth[band, False]
            lines.append((f"  removed at {band:.2f} to {band + 0.05:.2f}", share(gone, whole), ""))
    return lines, findings


def templates(corpus: Corpus, run: Run) -> Verdict:
    """One boilerplate with one number changed: one is enough."""
    rows = [row for row, kind in enumerate(corpus.kind) if kind == "template"]
    left = [row for row in rows if run.remains(row)]
    lines = [("templates that remain", f"{len(left):,} of {len(rows):,}", "1")]
    return lines, [Finding("template remains", row, left[0]) for row in left[1:]]


def close_left(corpus: Corpus, run: Run, threshold: float) -> Verdict:
    """Pairs among all documents that remain, whatever the truth knows of them."""
    rows = [row for row in range(len(corpus)) if run.remains(row)]
    left = close_pairs(corpus, rows, threshold)
    lines = [
        ("documents that remain", f"{len(rows):,}", ""),
        (f"pairs of them with Jaccard >= {threshold}", f"{len(left):,}", "0"),
    ]
    return lines, [Finding("both remain", a, b, f"Jaccard {s:.4f}") for a, b, s in left]


def witnesses(corpus: Corpus, run: Run, threshold: float) -> Verdict:
    """Every removed document against the witness that it names."""
    wrong, lost, worst, judged = [], [], 0.0, 0
    copies = false_copies = 0
    for row, fate in run.fate.items():
        if fate.outcome not in DUPLICATE:
            continue
        judged += 1
        if fate.witness is None or not run.remains(fate.witness):
            lost.append(Finding("witness was not kept", row, fate.witness, fate.outcome))
        elif fate.outcome == "exact_duplicate":
            copies += 1
            false_copies += corpus.group[row] != corpus.group[fate.witness]
        else:
            similarity = jaccard(corpus.shingles(row), corpus.shingles(fate.witness))
            worst = max(worst, abs(similarity - (fate.similarity or 0.0)))
            if similarity < threshold:
                note = f"Jaccard {similarity:.4f}, published {fate.similarity}"
                wrong.append(Finding("removed below the threshold", row, fate.witness, note))
    near = judged - copies - len(lost)
    lines = [
        ("removed documents whose witness was kept", share(judged - len(lost), judged), "1"),
        ("exact duplicates equal to their witness", share(copies - false_copies, copies), "1"),
        ("near duplicates at the threshold or above", share(near - len(wrong), near), "1"),
        ("largest difference from the published similarity", f"{worst:.2e}", "<= 1e-9"),
    ]
    return lines, wrong + lost


def _own_tier(corpus: Corpus, row: int) -> int:
    """Tier by date alone: 0 (A), 1 (B), 2 (none); a declared document has none."""
    date = corpus.date[row]
    if corpus.declared[row] or date is None:
        return _NO_TIER
    return sum(date >= cutoff for cutoff in _CUTOFFS)


def _tier(corpus: Corpus, row: int) -> int:
    """Tier after the exact copies were heard: a declaration holds unless it is predated."""
    copies = corpus.groups[corpus.group[row]]
    said = [corpus.date[i] or _UNDATED for i in copies if corpus.declared[i]]
    tiered = [corpus.date[i] or _UNDATED for i in copies if _own_tier(corpus, i) < _NO_TIER]
    if said and not (tiered and min(tiered) < min(said)):
        return _NO_TIER
    return _own_tier(corpus, row)


def anchors(corpus: Corpus, run: Run) -> Verdict:
    """No document is removed for one of a worse tier, or of its tier and a later date.

    The tier is recomputed from date and declaration. A document of tier B that carries
    an artefact has lost its tier for a reason that its fate does not show; a finding
    that only this could explain is counted apart.
    """
    findings, perhaps, judged = [], 0, 0
    for row, fate in run.fate.items():
        if fate.outcome not in DUPLICATE or fate.witness is None:
            continue
        mine, other = _tier(corpus, row), _tier(corpus, fate.witness)
        judged += mine < _NO_TIER
        dates = (corpus.date[row] or _UNDATED, corpus.date[fate.witness] or _UNDATED)
        if (mine, dates[0]) >= (other, dates[1]):
            continue
        perhaps += mine == 1
        note = f"{fate.outcome}: tier {mine} of {dates[0]} by tier {other} of {dates[1]}"
        findings.append(Finding("removed for a later or worse document", row, fate.witness, note))
    lines = [
        ("originals removed (all for better originals)", f"{judged:,}", ""),
        ("removed for a later or worse document", f"{len(findings) - perhaps:,}", "0"),
        ("  the same, tier B, where an artefact may explain it", f"{perhaps:,}", ""),
    ]
    return lines, findings
