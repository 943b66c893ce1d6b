"""What terabytes cost and how long they take, from what stages cost on one machine.

    python -m benchmarks.scaling --what curate --stages stages.json
    python -m benchmarks.costs stages.json --cpu 76.3,136.8

A further document costs the difference between the two largest sizes, so that starting is
left out. `--cpu` are the CPU seconds of all processes at these two sizes, which hold what no
stage accounts for: coders, the runner, reading and writing. Prices are list prices of
Dataflow in us-central1; they change, and are flags.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.tables import print_table
from pipelines.scale import scale_of

__all__ = ["Costs", "Prices", "Rates", "estimate", "rates"]

_TERABYTES = (1, 10, 100)
_CORES = (100, 1_000)
_USED = 0.7
"""Share of the workers' time that is work: starting, stragglers and narrow places take the rest."""
_GB_A_CORE = 4
_DISK_GB_A_CORE = 25 / 8


@dataclasses.dataclass(frozen=True)
class Prices:
    """Dollars: an hour of a core, of a GB of memory, of a GB of disk; a GB shuffled, or kept."""

    core: float = 0.056
    memory: float = 0.003557
    disk: float = 0.000054
    shuffle: float = 0.011
    storage_month: float = 0.020


@dataclasses.dataclass(frozen=True)
class Rates:
    """What a byte of text costs.

    Attributes:
        cpu: Seconds.
        shuffle: Bytes shuffled.
        storage: Bytes on disk, by what keeps them.
        document: Bytes of text of a document.
    """

    cpu: float
    shuffle: float
    storage: Mapping[str, float]
    document: float


@dataclasses.dataclass(frozen=True)
class Costs:
    """A run: core hours, bytes, dollars, hours by number of cores, and partitions."""

    core_hours: float
    shuffle: float
    compute_dollars: float
    shuffle_dollars: float
    storage_dollars: float
    hours: Mapping[int, float]
    light: int
    text: int


def rates(small: Mapping[str, Any], large: Mapping[str, Any], cpu: Sequence[float]) -> Rates:
    """Costs of a further byte of text between two sizes.

    Args:
        small: `Stages.record()` of the smaller run.
        large: Of the larger.
        cpu: Seconds of all processes of both.
    """
    text = large["text"] - small["text"]
    documents = large["documents"] - small["documents"]

    def further(kind: str) -> float:
        return (sum(large[kind].values()) - sum(small[kind].values())) / text

    storage = {
        n: (large["storage"][n] - small["storage"].get(n, 0)) / text for n in large["storage"]
    }
    return Rates((cpu[1] - cpu[0]) / text, further("shuffle"), storage, text / documents)


def estimate(text: float, given: Rates, prices: Prices, *, shuffle: float = 1.0) -> Costs:
    """What a run over `text` bytes costs.

    Args:
        text: Bytes of text.
        given: What each costs.
        prices: In dollars.
        shuffle: Factor on shuffled bytes: the service charges for bytes as they are encoded.
    """
    hours = text * given.cpu / 3600 / _USED
    moved = text * given.shuffle * shuffle
    core = prices.core + _GB_A_CORE * prices.memory + _DISK_GB_A_CORE * prices.disk
    kept = text * sum(given.storage.values())
    scale = scale_of(math.ceil(text), workers=1)
    return Costs(
        core_hours=hours,
        shuffle=moved,
        compute_dollars=hours * core,
        shuffle_dollars=moved / 1e9 * prices.shuffle,
        storage_dollars=kept / 1e9 * prices.storage_month,
        hours={cores: hours / cores for cores in _CORES},
        light=scale.light,
        text=scale.text,
    )


def _row(terabytes: int, costs: Costs) -> list[str]:
    total = costs.compute_dollars + costs.shuffle_dollars
    return [
        f"{terabytes} TB",
        f"{costs.core_hours:,.0f}",
        *(f"{hours:,.1f}" for hours in costs.hours.values()),
        f"{costs.shuffle / 1e12:,.1f}",
        f"{costs.compute_dollars:,.0f}",
        f"{costs.shuffle_dollars:,.0f}",
        f"{total:,.0f}",
        f"{costs.storage_dollars:,.0f}",
        f"{costs.light:,}",
        f"{costs.text:,}",
    ]


def main() -> None:
    """Prints the table of docs/scaling.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stages", type=pathlib.Path)
    parser.add_argument("--cpu", required=True, help="CPU seconds of the two largest runs")
    for field in dataclasses.fields(Prices):
        flag = f"--{field.name.replace('_', '-')}-price"
        parser.add_argument(flag, dest=field.name, type=float, default=field.default)
    given = parser.parse_args()
    small, large = json.loads(given.stages.read_text())[-2:]
    prices = Prices(*(getattr(given, field.name) for field in dataclasses.fields(Prices)))
    told = rates(small, large, [float(seconds) for seconds in given.cpu.split(",")])
    print(f"CPU {told.cpu * 1e9:,.0f} s/GB, shuffle {told.shuffle:.2f} bytes/byte, ", end="")
    print(f"storage {sum(told.storage.values()):.2f}, {told.document:,.0f} bytes/document")
    hours = [f"hours on {cores}" for cores in _CORES]
    header = ["text", "core hours", *hours, "TB shuffled", "workers $", "shuffle $", "sum $"]
    header += ["storage $/month", "light partitions", "text partitions"]
    rows = [_row(size, estimate(size * 1e12, told, prices)) for size in _TERABYTES]
    print_table("Estimates", tuple(header), rows)


if __name__ == "__main__":
    main()
