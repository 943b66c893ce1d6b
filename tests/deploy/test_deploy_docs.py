"""The runbook: what points into it arrives, and the targets that it names exist."""

from __future__ import annotations

import json
import pathlib
import re

import pytest
from running import ROOT

PAGES = [
    ROOT / "docs" / "operations.md",
    ROOT / "docs" / "scaling.md",
    ROOT / "docs" / "metrics.md",
    *sorted((ROOT / "deploy").glob("**/README.md")),
]
MAKEFILE = (ROOT / "Makefile").read_text()


def anchors(page: pathlib.Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_arrive(page: pathlib.Path):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if path.startswith("http"):
            continue
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_exist(page: pathlib.Path):
    code = re.findall(r"^```[a-z]*\n(.*?)^```|`([^`\n]+)`", page.read_text(), re.M | re.S)
    called = re.findall(r"^make ([a-z][a-z0-9 -]*)", "\n".join(map("".join, code)), re.M)
    for words in called:
        for target in words.split():
            assert re.search(rf"^{target}:", MAKEFILE, re.M), target


def test_alerts_point_to_what_to_do():
    runbook = anchors(ROOT / "docs" / "operations.md")
    for path in sorted((ROOT / "deploy" / "monitoring").glob("alert-*.json")):
        told = json.loads(path.read_text())["documentation"]["content"]
        anchor = re.search(r"operations\.md#([a-z-]+)", told)
        assert anchor is not None, path.name
        assert anchor[1] in runbook, path.name
