"""Where a run is published, by whom, and the moment in which it comes to exist."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from transforms import claim, conditional, storage
from transforms.dead import DeadPolicy
from transforms.errors import StorageError
from transforms.formats.choose import PARQUET
from transforms.shards import layout
from transforms.shards import manifest as manifests
from transforms.shards.latest import point_to
from transforms.shards.promise import Promise

__all__ = ["Publication", "confirm", "make_visible"]


@dataclasses.dataclass(frozen=True)
class Publication:
    """Where and under which conditions a run is published.

    Attributes:
        run: Its folder.
        temporary: The folder of temporary names.
        name: The run's name.
        config: Its configuration, as JSON can hold it.
        config_digest: Of what decides the output.
        promise: Floors, caps, unit and tail.
        dead_policy: When too much of the input is unreadable.
        pinned: Staging folder that pins what the run compares with; None without an index.
        stated: Names of the decisions that the manifest holds.
        models: Digests of the models that annotated, and of the tokenizer if there was one.
        written_as: Name of the shards' format.
        label: What people call the run.
        input: What was read, whatever it is called.
        claim: Token and places that this attempt must still hold; None for nobody's.
        latest: File that is to name the run once it is published.
        inputs: The list of what was read; None where nothing is known of files.
    """

    run: str
    temporary: str
    name: str
    config: dict[str, Any]
    config_digest: str
    promise: Promise
    dead_policy: DeadPolicy
    pinned: str | None = None
    stated: tuple[str, ...] = ()
    models: Mapping[str, str] = dataclasses.field(default_factory=dict)
    written_as: str = PARQUET.name
    label: str = ""
    input: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    claim: tuple[str, tuple[str, ...]] | None = None
    latest: str | None = None
    inputs: str | None = None

    def final(self, name: str) -> str:
        """A path within the run."""
        return storage.join(self.run, name)


def confirm(where: Publication) -> None:
    """Makes sure that this attempt still holds its places.

    Raises:
        HeldError: Another took over.
    """
    if where.claim is not None:
        token, places = where.claim
        for place in places:
            claim.confirm(place, token)


def make_visible(where: Publication, manifest: dict[str, Any]) -> None:
    """Writes the manifest, where there is none: then the run exists, and nothing changes it.

    Raises:
        HeldError: Another attempt took over.
        StorageError: Another run was published here meanwhile.
    """
    confirm(where)
    path, data = where.final(layout.MANIFEST), manifests.encode(manifest)
    if conditional.create(path, data) is None and storage.read_bytes(path) != data:
        raise StorageError(
            f"{path} is there already: another run was published here meanwhile; choose "
            "another place"
        )
    if where.latest is not None:
        point_to(where.latest, where.run)
