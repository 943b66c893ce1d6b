"""Judging what a run published: shares of shards, text, language, origin, tags."""

from __future__ import annotations

import collections
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.removal import Finding, Verdict
from benchmarks.tables import Line, share
from benchmarks.truth import Corpus, Run

__all__ = ["languages", "ledger", "shards", "synthetic"]

_SIZES = {"chars": pc.utf8_length, "bytes": pc.binary_length}


def _sizes(table: pa.Table, unit: str) -> pa.ChunkedArray:
    """Sizes measured on the text itself."""
    if unit == "docs":
        return pa.chunked_array([pa.repeat(1, len(table))])
    return _SIZES[unit](table.column("text")).cast(pa.int64())


def _members(table: pa.Table, tail: set[str]) -> dict[str, pa.ChunkedArray]:
    frozen = pc.is_in(table.column("lang"), value_set=pa.array(sorted(tail), pa.string()))
    return {
        "original": pc.equal(table.column("origin"), "anchor"),
        "synthetic": pc.equal(table.column("origin"), "synthetic"),
        "tail": pc.and_(frozen, pc.invert(table.column("mixed"))),
    }


def _shares(table: pa.Table, manifest: dict[str, Any]) -> dict[str, float]:
    size = _sizes(table, manifest["size_unit"])
    total = pc.sum(size).as_py()
    members = _members(table, set(manifest["tail"]))
    return {k: (pc.sum(size.filter(m)).as_py() or 0) / total for k, m in members.items()}


def shards(corpus: Corpus, run: Run) -> Verdict:
    """Floors and caps of every shard from its rows; every text against the input's."""
    rules = [(name, 1, share) for name, share in run.manifest["floors"].items()]
    rules += [(name, -1, share) for name, share in run.manifest["caps"].items()]
    broken, told_wrong, changed, rows = 0, 0, 0, 0
    extremes: dict[tuple[str, int], float] = {}
    for path, told in zip(run.shards, run.manifest["shards"], strict=True):
        table = pq.read_table(path)
        shares = _shares(table, run.manifest)
        for name, sign, bound in rules:
            least = min(extremes.get((name, sign), sign * shares[name]), sign * shares[name])
            extremes[name, sign] = least
            broken += sign * (shares[name] - bound) < 0
            told_wrong += abs(shares[name] - told["shares"][name]) > 1e-9
        at = [corpus.index[url] for url in table.column("url").to_pylist()]
        same = pc.equal(table.column("text"), corpus.text.take(pa.array(at)))
        changed += len(at) - pc.sum(same).as_py()
        rows += len(at)
    lines = [("floors and caps broken, over all shards", f"{broken:,}", "0")]
    for name, sign, bound in rules:
        kind, sense = ("floor", "least") if sign > 0 else ("cap", "greatest")
        lines.append(
            (
                f"  {kind} {name}: {sense} share of a shard",
                f"{sign * extremes[name, sign]:.6f}",
                str(bound),
            )
        )
    lines.append(("shares that the manifest tells otherwise", f"{told_wrong:,}", "0"))
    lines.append(("published texts unlike the input's", share(changed, rows), "0"))
    return lines, []


def ledger(corpus: Corpus, run: Run) -> Verdict:
    """Every document of the corpus has one outcome."""
    outcomes = collections.Counter(run.outcome(row) for row in range(len(corpus)))
    lines: list[Line] = [(f"documents: {name}", f"{n:,}", "") for name, n in outcomes.most_common()]
    lines.append(
        ("documents without an outcome", f"{outcomes['missing']:,}", "0 but for dead letters")
    )
    lines.append(("documents with more than one", f"{run.twice:,}", "0"))
    missing = [row for row in range(len(corpus)) if run.outcome(row) == "missing"]
    return lines, [Finding("no outcome", row, None) for row in missing]


def languages(corpus: Corpus, run: Run) -> Verdict:
    """Labels of published documents against the truth, each language counting the same."""
    known = [(row, corpus.lang[row]) for row in run.published if corpus.lang[row]]
    told = {row: run.published[row]["lang"] for row, _ in known}
    true = collections.Counter(lang for _, lang in known)
    right = collections.Counter(lang for row, lang in known if told[row] == lang)
    named = collections.Counter(told.values())
    recall = {lang: right[lang] / n for lang, n in true.items()}
    f1 = {lang: 2 * right[lang] / (n + named[lang]) for lang, n in true.items()}
    abstained = sum(lang in ("und", "zxx") for lang in told.values())
    confused = collections.Counter(
        f"{lang} as {told[row]}" for row, lang in known if told[row] != lang
    )
    lines = [
        ("language right, by document", share(sum(right.values()), len(known)), ""),
        (
            f"macro recall over {len(true)} languages",
            f"{sum(recall.values()) / len(recall):.4f}",
            "",
        ),
        ("macro F1", f"{sum(f1.values()) / len(f1):.4f}", ""),
        ("abstained (und, zxx)", share(abstained, len(known)), ""),
    ]
    lines += [(f"  told wrongly: {pair}", f"{n:,}", "") for pair, n in confused.most_common(8)]
    findings = [
        Finding("language", row, None, f"{lang} told as {told[row]}")
        for row, lang in known
        if told[row] != lang and told[row] not in ("und", "zxx")
    ]
    return lines, findings


def synthetic(corpus: Corpus, run: Run) -> Verdict:
    """Declared machine text is tagged; tags and anchors against the truth."""
    published = list(run.published.items())
    declared = [(row, p) for row, p in published if corpus.declared[row]]
    untagged = [
        row for row, p in declared if (p["origin"], p["synthetic_tag"]) != ("synthetic",) * 2
    ]
    machine = [(row, p) for row, p in published if corpus.label[row] == "machine"]
    silent = [p["origin"] for row, p in machine if not corpus.declared[row]]
    people = [(row, p) for row, p in published if corpus.label[row] == "human"]
    accused = [row for row, p in people if p["origin"] == "synthetic"]
    anchored = [(row, p) for row, p in published if p["origin"] == "anchor"]
    false = [row for row, _ in anchored if corpus.label[row] == "machine"]
    late = sum(
        (corpus.date[row] or "9") >= "2022-11-30" or corpus.declared[row] for row, _ in anchored
    )
    found = sum(origin == "synthetic" for origin in silent)
    lines = [
        (
            "declared machine text tagged synthetic",
            share(len(declared) - len(untagged), len(declared)),
            "1",
        ),
        ("undeclared machine text found by artefacts or copies", share(found, len(silent)), ""),
        ("human text with origin synthetic", share(len(accused), len(people)), ""),
        ("anchors that are late or declared", share(late, len(anchored)), "0"),
        ("anchors that are machine text", share(len(false), len(anchored)), ""),
    ]
    findings = [Finding("declared but not tagged", row, None) for row in untagged]
    findings += [Finding("human text taken for synthetic", row, None) for row in accused]
    return lines, findings + [
        Finding("machine text taken for an anchor", row, None) for row in false
    ]
