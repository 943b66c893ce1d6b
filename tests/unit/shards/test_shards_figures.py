"""Counters of a published run: what watches runs, and alerts, reads these."""

from __future__ import annotations

import copy
from typing import Any

from transforms.shards.figures import figures

SHARES: dict[str, list[Any]] = {
    "lang": ["eng_Latn", "eng_Latn", "deu_Latn", "rus_Cyrl"],
    "month": [None, "2026-10", None, None],
    "documents": [1000, 400, 500, 300],
    "classifier_share": [1500, 9000, 400, None],
    "warning": ["", "more than in the previous run", "", ""],
}
MANIFEST: dict[str, Any] = {
    "ledger": {
        "read": 30, "kept": 19, "dead_letters": 2, "dropped": {"near_duplicate": 8, "excluded": 1}
    },
    "undecided": {"documents": 3, "reasons": {"bucket": 3}},
    "shards": [
        {"size": 90, "members": {"original": 50, "tail": 20, "synthetic": 9}},
        {"size": 82, "members": {"original": 40, "tail": 30}},
    ],
    "decisions": {"synthetic_shares": SHARES},
}  # fmt: skip


def test_documents_add_up():
    told = figures(MANIFEST)
    dropped = sum(count for name, count in told.items() if name.startswith("publish/dropped:"))
    assert told["publish/read"] == told["publish/kept"] + dropped + told["publish/dead_letters"]
    assert told["publish/undecided"] == 3


def test_sizes_are_sums_over_shards():
    told = figures(MANIFEST)
    assert told["publish/shards"] == 2
    assert told["publish/size"] == 172
    assert [told[f"publish/size:{name}"] for name in ("original", "tail", "synthetic")] == [
        90, 50, 9
    ]  # fmt: skip


def test_machine_text_is_estimated_where_it_can_be_and_counted_once():
    told = figures(MANIFEST)
    assert told["publish/estimated:documents"] == 1500
    assert told["publish/estimated:machine"] == 150 + 20
    assert told["publish/warnings"] == 1


def test_a_run_without_estimates_counts_none():
    manifest = copy.deepcopy(MANIFEST)
    manifest["decisions"] = {}
    told = figures(manifest)
    assert told["publish/estimated:documents"] == told["publish/estimated:machine"] == 0


def test_names_are_stable_whatever_the_run():
    assert all(name.startswith("publish/") for name in figures(MANIFEST))
    assert all(isinstance(count, int) for count in figures(MANIFEST).values())
