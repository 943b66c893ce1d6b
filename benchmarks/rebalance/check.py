"""What came out of rebalancing, against the rows that went in; nothing of its own code."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.rebalance.rows import ROWS, facts

__all__ = ["Checked", "check"]

_NAMES = ("shard", "position", "node", "size")
Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Checked:
    """The worst of all shards, and what is wrong.

    Attributes:
        shards: Number.
        documents: Distinct ones that were assigned.
        repeats: Further appearances.
        worst: Least share by floor, greatest by cap.
        wrong: Violations by kind; empty for a good output.
    """

    shards: int
    documents: int
    repeats: int
    worst: dict[str, float]
    wrong: dict[str, int]


def _column(out: pathlib.Path, kind: str, name: str) -> Ints:
    found = [np.empty(0, np.int64)]
    for path in sorted(out.glob(f"{kind}-*.arrow")):
        with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as reader:
            found.append(reader.read_all().column(name).to_numpy().astype(np.int64))
    return np.concatenate(found)


def _truth(documents: int) -> dict[str, npt.NDArray[np.generic]]:
    made = [
        facts(number, min(ROWS, documents - first))
        for number, first in enumerate(range(0, documents, ROWS))
    ]
    names = ("original", "tail", "synthetic", "size")
    return {name: np.concatenate([getattr(batch, name) for batch in made]) for name in names}


def check(
    out: pathlib.Path, documents: int, floors: dict[str, float], caps: dict[str, float], most: int
) -> Checked:
    """Judges an output.

    Args:
        out: Its folder.
        documents: How many went in.
        floors: Least shares.
        caps: Greatest shares.
        most: Appearances of a document that serves a floor.
    """
    rows = {name: _column(out, "assigned", name) for name in _NAMES}
    truth = _truth(documents)
    node, shard = rows["node"], rows["shard"]
    total = np.bincount(shard, rows["size"])  # below 2**53, and so exact
    shares = {
        name: np.bincount(shard, rows["size"] * truth[name][node], len(total)) / total
        for name in (*floors, *caps)
    }
    wrong = {f"floor {n}": int((shares[n] < least).sum()) for n, least in floors.items()}
    wrong |= {f"cap {n}": int((shares[n] > greatest).sum()) for n, greatest in caps.items()}
    wrong |= _wrong_rows(rows, truth, floors, most)
    (plan,) = out.glob("plan-*.arrow")
    with pa.OSFile(str(plan)) as source, pa.ipc.open_file(source) as reader:
        told = json.loads(reader.read_all().column("text")[0].as_py())
    wrong["the plan's sum"] = int(told["published"] != total.sum())
    wrong["the plan's shards"] = int(told["shards"] != len(total))
    first = len(np.unique(node))
    worst = {n: float(shares[n].min()) for n in floors}
    worst |= {n: float(shares[n].max()) for n in caps}
    kinds = {kind: count for kind, count in wrong.items() if count}
    return Checked(len(total), first, len(node) - first, worst, kinds)


def _wrong_rows(
    rows: dict[str, Ints],
    truth: dict[str, npt.NDArray[np.generic]],
    floors: dict[str, float],
    most: int,
) -> dict[str, int]:
    node, shard, position = (rows[n] for n in ("node", "shard", "position"))
    order = np.lexsort((position, shard))
    starts = np.flatnonzero(np.diff(shard[order], prepend=-1))
    counts = np.diff(np.append(starts, len(order)))
    places = np.arange(len(order)) - np.repeat(starts, counts)
    protected = np.any([truth[name] for name in floors], axis=0)
    times = np.bincount(node, minlength=len(protected))
    return {
        "sizes": int((rows["size"] != truth["size"][node]).sum()),
        "places in a shard": int((position[order] != places).sum()),
        "too many appearances": int((times > most).sum()),
        "unprotected repeats": int(((times > 1) & ~protected).sum()),
    }
