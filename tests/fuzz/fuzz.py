"""Runs one target under atheris: `fuzz.py TARGET [-max_total_time=30 ...] CORPUS...`."""

from __future__ import annotations

import sys

import atheris

# What numba compiles has to stay as it is.
_COMPILED = ["transforms.ingest.page_cost"]

with atheris.instrument_imports(
    include=["transforms.ingest", "pipelines.yaml_file"], exclude=_COMPILED
):
    from fuzz_targets import TARGETS


def main() -> None:
    """Hands all but the target's name to libFuzzer."""
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
