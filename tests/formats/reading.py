"""Asking the formats' own libraries, in an environment of their own, what they read."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from typing import Any

from running import ROOT

READERS = ROOT / os.environ.get("READERS", ".bench/formats/bin/python")
"""The interpreter of `make test-formats`."""


def ask(what: str, *arguments: object) -> Any:
    """What a function of `reader.py` says, as JSON.

    Values that JSON cannot hold are told as text; binary ones as hexadecimal.
    """
    program = pathlib.Path(__file__).with_name("reader.py")
    command = [str(READERS), "-W", "ignore", str(program), what, *map(str, arguments)]
    ended = subprocess.run(  # noqa: S603  # a program of this test's own
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": ""}
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])
