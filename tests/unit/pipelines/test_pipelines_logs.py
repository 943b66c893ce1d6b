"""Lines for machines are JSON, whatever happens."""

from __future__ import annotations

import json
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from running import Run, holdfast

from pipelines import logs
from transforms.errors import UsageError


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Puts the handlers of the root logger back."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    root.handlers[:] = before


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_format_may_stand_anywhere():
    assert logs.chosen_format(["curate", "--log-format", "json", "x"]) == ("json", ["curate", "x"])
    assert logs.chosen_format(["--log-format=text", "curate"]) == ("text", ["curate"])
    assert logs.chosen_format(["curate"]) == ("text", ["curate"])
    with pytest.raises(UsageError, match="xml"):
        logs.chosen_format(["--log-format", "xml"])


def test_a_line_holds_run_stage_and_counts(capsys: pytest.CaptureFixture[str]):
    logs.set_up("json", verbose=False)
    logs.tell_of(run="abc")
    logs.event("progress", "half", stage="annotate", counts={"annotate": {"documents": 3}})
    logs.event("counted", "for machines", people=False, counts={1: 2})
    logging.getLogger("holdfast").error("two\nlines")
    first, second, third = lines(capsys.readouterr().err)
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info", "event": "progress", "run": "abc", "stage": "annotate",
        "counts": {"annotate": {"documents": 3}}, "message": "half",
    }  # fmt: skip
    assert (second["event"], second["counts"]) == ("counted", {"1": 2})
    assert (third["level"], third["message"]) == ("error", "two\nlines")


def test_people_read_text(capsys: pytest.CaptureFixture[str]):
    logging.getLogger().handlers.clear()
    logs.set_up("text", verbose=False)
    logs.event("started", "run abc", stage="x")
    logs.event("counted", "for machines", people=False)
    said = capsys.readouterr().err
    assert said.endswith(" holdfast INFO run abc\n")
    assert said.count("\n") == 1


def test_a_refusal_is_an_event_with_its_exit_code(tmp_path: pathlib.Path):
    ran = holdfast("verify", tmp_path / "none", "--log-format", "json")
    (line,) = lines(ran.err)
    assert (ran.code, line["event"], line["exit_code"], line["error"]) == (
        2, "failed", 2, "InputError",
    )  # fmt: skip


def test_a_run_tells_its_name_and_its_ledger(published: Run):
    places = ("--output", published.output, "--staging", published.staging)
    ran = holdfast("--log-format", "json", "curate", "examples/holdfast.yaml", *places)
    assert ran.code == 0, ran.err
    told = {line["event"]: line for line in lines(ran.err)}
    assert told["nothing_to_do"]["run"] == published.manifest["run"]
    assert told["published"]["counts"]["read"] == published.manifest["ledger"]["read"]
