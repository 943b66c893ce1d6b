"""The list of metrics, the code that counts them, and what watches them name the same."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from running import ROOT, Run

from transforms import records
from transforms.shards.figures import figures

DOCUMENT = (ROOT / "docs" / "metrics.md").read_text()
MONITORING = ROOT / "deploy" / "monitoring"
FAMILIES = {"cpu": "cpu_us:", "timed": "cpu_us:", "count": "", "measure": ""}
"""Functions of `transforms.metrics`, and what they put before a name."""


def listed() -> set[str]:
    """Names in the tables, without what stands for anything."""
    named = re.findall(r"^\| `([^`]+)` \|", DOCUMENT, re.M)
    named += re.findall(r"also `([^`]+)`", DOCUMENT)
    return set(named)


def stages() -> set[str]:
    section = DOCUMENT.partition("## Stages that are no exchange")[2].partition("##")[0]
    return set(re.findall(r"`([a-z_]+)`", section))


def text_of(argument: ast.expr) -> str:
    """A name as the code has it, with `*` for what it puts in."""
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    if isinstance(argument, ast.JoinedStr):
        parts = argument.values
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "*" for p in parts)
    return ""


def counted() -> Iterator[str]:
    """Names that the code counts."""
    for folder in ("transforms", "pipelines"):
        for path in (ROOT / folder).rglob("*.py"):
            for step in ast.walk(ast.parse(path.read_text())):
                if not isinstance(step, ast.Call):
                    continue
                if isinstance(step.func, ast.Name) and step.func.id == "count":
                    # Pure modules are handed what counts: their names have a slash.
                    yield from filter(lambda name: "/" in name, map(text_of, step.args[:1]))
                if not isinstance(step.func, ast.Attribute):
                    continue
                owner = step.func.value
                ours = isinstance(owner, ast.Name) and owner.id == "metrics"
                if ours and step.func.attr in FAMILIES and (name := text_of(step.args[0])):
                    yield FAMILIES[step.func.attr] + name


def starred(name: str) -> str:
    return re.sub(r"<[a-z]+>", "*", name)


def test_what_is_counted_is_listed():
    known = {starred(name) for name in listed()}
    known |= {f"cpu_us:{stage}" for stage in stages()}
    known |= {"ingest/*"}  # the kinds of `ingest.read.read_split`: documents, dead
    assert set(counted()) - known == set()


def test_what_is_listed_is_counted():
    found = set(counted()) | {starred_figure(name) for name in figures(MANIFEST)}
    missing = {name for name in map(starred, listed()) if name not in found}
    assert missing - {"ingest/documents", "ingest/dead", "cpu_us:*"} == set()
    assert {f"cpu_us:{stage}" for stage in stages()} <= found


MANIFEST: dict[str, Any] = {
    "ledger": {
        "read": 1,
        "kept": 1,
        "dead_letters": 0,
        "dropped": dict.fromkeys(records.REASONS, 0),
    },
    "undecided": {"documents": 0},
    "shards": [],
    "decisions": {},
}


def starred_figure(name: str) -> str:
    return re.sub(r"^(publish/dropped|publish/size):.*", r"\1:*", name)


def test_a_run_counts_nothing_else(published: Run):
    told = json.loads((published.staging / "metrics.json").read_text())
    patterns = [re.escape(starred(name)).replace(r"\*", ".+") for name in listed()]
    patterns += [f"max:{pattern}" for pattern in patterns]
    unlisted = [name for name in told if not any(re.fullmatch(p, name) for p in patterns)]
    assert unlisted == []
    manifest = published.manifest
    assert told["publish/kept"] == manifest["ledger"]["kept"]
    assert told["publish/size:tail"] == sum(s["members"]["tail"] for s in manifest["shards"])


def queries() -> Iterator[tuple[str, str]]:
    for path in sorted(MONITORING.glob("*.json")):
        for query in re.findall(r'metric_name=~?\\"([^"\\]+)\\"', path.read_text()):
            yield path.name, query


@pytest.mark.parametrize(("where", "query"), list(queries()))
def test_dashboard_and_alerts_read_what_is_listed(where: str, query: str):
    known = [starred(name) for name in listed()]
    wanted = query.removesuffix("_MAX").replace(".*", "*")
    fits = [
        n for n in known if n == wanted or re.fullmatch(re.escape(n).replace(r"\*", ".+"), wanted)
    ]
    assert fits, f"{where} reads {query}"


def test_the_alerts_are_the_documented_ones():
    alerts = [json.loads(path.read_text()) for path in sorted(MONITORING.glob("alert-*.json"))]
    told = DOCUMENT.partition("| alert | when |")[2]
    for alert in alerts:
        name = alert["displayName"].removeprefix("holdfast: ")
        assert f"| {name} |" in told
        assert alert["conditions"][0]["conditionPrometheusQueryLanguage"]["query"]
        anchor = re.search(r"operations\.md#([a-z-]+)", alert["documentation"]["content"])
        assert anchor is not None
    assert len(alerts) == len(re.findall(r"^\| [a-z ]+ \|", told, re.M))
