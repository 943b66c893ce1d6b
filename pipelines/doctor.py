"""What a run needs, tried before it needs it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from transforms import conditional, gcs, storage
from transforms.errors import HoldfastError, StorageError
from transforms.guarded import quietly_after_failure

__all__ = ["Check", "examine"]

_PACKAGES = ("holdfast", "apache-beam", "pyarrow", "numpy", "google-cloud-storage")
_ROOM = 1 << 30
"""Bytes that a folder for temporary files should have."""


class Check(NamedTuple):
    """Something that was tried.

    Attributes:
        what: Was tried.
        good: Whether it is as it should be.
        told: What there is to say of it; for a failure, also the way out.
    """

    what: str
    good: bool
    told: str


def examine(
    places: Sequence[str],
    inputs: Sequence[str],
    langid_model: str | None = None,
    synthetic_model: str | None = None,
) -> list[Check]:
    """Tries everything; nothing stays of it.

    Args:
        places: Folders that a run is to write to.
        inputs: What a run is to read.
        langid_model: Language identifier, if not the one that ships.
        synthetic_model: Classifier, if not the one that ships.
    """
    tried: list[tuple[str, Callable[[], str]]] = [
        ("python and packages", _packages),
        ("language model", lambda: _langid(langid_model)),
        ("classifier and its reference scores", lambda: _synthetic(synthetic_model)),
        ("cores", lambda: f"{len(os.sched_getaffinity(0))} for this process"),
        ("room for temporary files", _room),
    ]
    if any(path.startswith(gcs.SCHEME) for path in (*places, *inputs)):
        tried.append(("credentials for gs://", _credentials))
    tried += [(f"read {path}", lambda path=path: _read(path)) for path in inputs]  # type: ignore[misc]
    tried += [(f"write to {path}", lambda path=path: _write(path)) for path in places]  # type: ignore[misc]
    return [_try(what, function) for what, function in tried]


def _try(what: str, function: Callable[[], str]) -> Check:
    try:
        return Check(what, True, function())
    except HoldfastError as error:
        return Check(what, False, str(error))
    except Exception as error:  # noqa: BLE001  # whatever is wrong belongs into the table
        return Check(what, False, f"{type(error).__name__}: {' '.join(str(error).split())}")


def _packages() -> str:
    found = [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES]
    return ", ".join([f"Python {platform.python_version()}", *found])


def _langid(path: str | None) -> str:
    from transforms.langid.model import load_model

    return f"digest {load_model(path).digest}"


def _synthetic(path: str | None) -> str:
    from transforms.synthetic.reference import load_reference
    from transforms.synthetic.score import load_scorer

    digest, reference = load_scorer(path).digest, load_reference(None)
    if path is None and reference.model != digest:
        raise StorageError(
            f"the classifier has digest {digest}, its reference scores are of {reference.model}: "
            "the installation is damaged; install holdfast again"
        )
    return f"digest {digest}, reference scores {reference.digest}"


def _room() -> str:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < _ROOM:
        raise StorageError(
            f"{folder} has {free / 1e6:,.0f} MB free; name a larger one with TMPDIR, since "
            "workers put down there what they shuffle"
        )
    return f"{folder} has {free / 1e9:,.1f} GB free"


def _credentials() -> str:
    if gcs.emulated():
        return f"none are needed: {gcs.EMULATOR}={os.environ[gcs.EMULATOR]}"
    import google.auth

    try:
        _, project = google.auth.default()
    except google.auth.exceptions.DefaultCredentialsError as error:
        raise StorageError(
            "there are no credentials: run `gcloud auth application-default login`, or set "
            "GOOGLE_APPLICATION_CREDENTIALS"
        ) from error
    return f"found, project {project or 'not named'}"


def _read(pattern: str) -> str:
    from transforms.ingest.listing import list_inputs

    files = list_inputs([pattern])
    with storage.open_input(files[0].path) as source:
        source.read(1)
    return f"{len(files):,} files, {sum(file.size for file in files):,} bytes"


def _write(place: str) -> str:
    empty = storage.is_local(place) and not storage.exists(place)
    path = storage.join(place, f"_doctor-{uuid.uuid4().hex}")
    try:
        _refuse(place, _conditions(path))
    finally:
        with quietly_after_failure():
            storage.delete_tree(path)
        if empty and storage.exists(place):
            storage.local_path(place).rmdir()
    return "writes, reads, refuses to overwrite, deletes"


def _conditions(path: str) -> Iterator[str]:
    """What a place does not do as it should."""
    made = conditional.create(path, b"one")
    if made is None:
        yield "does not create files"
        return
    if conditional.create(path, b"two") is not None:
        yield "creates a file where one is"
    changed = conditional.replace(path, b"two", made)
    if changed is None or conditional.replace(path, b"three", made) is not None:
        yield "replaces a file that changed meanwhile"
    elif storage.read_bytes(path) != b"two":
        yield "does not give back what was written"
    elif not storage.glob(path):
        yield "does not list what was written"


def _refuse(place: str, found: Iterator[str]) -> None:
    if wrong := "; ".join(found):
        raise StorageError(
            f"{place} {wrong}: runs at the same time would not see each other; use another place"
        )
