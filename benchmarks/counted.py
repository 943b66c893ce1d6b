"""`holdfast`, with Beam's counters written down.

    python -m benchmarks.counted COUNTERS.json curate --input ...

It runs the command itself; all that is added is that the result of the pipeline,
which the command drops, is asked for its counters.
"""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

from pipelines import cli, run
from pipelines.progress import Progress
from transforms.metrics import NAMESPACE

__all__ = ["main"]


def _counters(result: Any) -> dict[str, int]:
    return {
        counter.key.metric.name: counter.committed
        for counter in result.metrics().query()["counters"]
        if counter.key.metric.namespace == NAMESPACE
    }


def main() -> int:
    """Runs the command line after the first argument."""
    path, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    launch = run.launch

    def counting(ready: run.Launch, progress: Progress) -> Any:
        result = launch(ready, progress)
        path.write_text(json.dumps(_counters(result), indent=1, sort_keys=True))
        return result

    run.launch = counting
    return cli.main(command)


if __name__ == "__main__":
    sys.exit(main())
