"""`LATEST.json`: which run is the newest, moved by compare-and-set.

A run's folder never changes once it is published; what changes is this one small file.
It names the run, its folder and the digest of its manifest, and the runs that it named
before, newest first. Whoever moves it adds to what it says at that moment or tries again,
so that of two runs that are published at once none is lost from the list.
"""

from __future__ import annotations

from typing import Any

import orjson

from transforms import conditional, storage
from transforms.errors import StorageError
from transforms.shards import layout
from transforms.shards.manifest import parse

__all__ = ["point_to", "read_latest"]

_EARLIER = 100
"""Runs that are remembered."""
_TRIES = 20


def read_latest(path: str) -> tuple[dict[str, Any] | None, str]:
    """What a pointer says, and its version; None and nothing without one.

    Raises:
        StorageError: The file is no pointer.
    """
    found = conditional.read(path)
    if found is None:
        return None, ""
    try:
        told = orjson.loads(found.data)
        return {"latest": dict(told["latest"]), "earlier": list(told["earlier"])}, found.version
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"{path} does not name a newest run ({error!r}); name another file with --latest"
        ) from error


def point_to(path: str, run: str, *, only_if_new: bool = False) -> bool:
    """Makes a pointer name a published run.

    Args:
        path: Of the pointer.
        run: Folder of the run.
        only_if_new: Leaves a pointer alone that names the run among the earlier ones.

    Returns:
        Whether it was moved; not if it names the run already.

    Raises:
        StorageError: Others move it all the time, or it is none.
    """
    manifest = storage.join(run, layout.MANIFEST)
    data = storage.read_bytes(manifest)
    told = parse(data, manifest)
    entry = {"run": told["run"], "name": told.get("name", told["run"])}
    entry |= {"path": storage.absolute(run), "manifest_sha256": layout.digest(data)}
    for _ in range(_TRIES):
        there, version = read_latest(path)
        earlier = [] if there is None else [there["latest"], *there["earlier"]]
        if entry in (earlier if only_if_new else earlier[:1]):
            return False
        kept = [other for other in earlier if other != entry][:_EARLIER]
        moved = orjson.dumps({"latest": entry, "earlier": kept}, option=orjson.OPT_INDENT_2)
        made = (
            conditional.replace(path, moved, version) if there else conditional.create(path, moved)
        )
        if made is not None:
            return True
    raise StorageError(f"{path} is moved by others all the time; run again")
