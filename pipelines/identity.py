"""What a run is called: the digest of its configuration and of what it reads."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import xxhash

from pipelines.config import Config
from pipelines.policies import previous_manifest
from transforms import storage
from transforms.errors import InputError
from transforms.ingest.exclude import ExcludeList
from transforms.ingest.listing import InputFile
from transforms.langid.model import model_digest
from transforms.synthetic.reference import NO_REFERENCE, load_reference, reference_of
from transforms.synthetic.score import load_scorer
from transforms.tokens.tokenizer import load_tokenizer

__all__ = ["compared", "digests", "input_facts", "models", "pinned_name", "recorded_models"]
__all__ += ["run_name"]

_LOG = logging.getLogger("holdfast")


def models(config: Config) -> dict[str, str]:
    """Digests of the models that annotate."""
    found = {
        "langid_model": model_digest(config.langid.model),
        "synthetic_model": load_scorer(config.synthetic.model).digest,
    }
    if config.tokenizer:
        found["tokenizer"] = load_tokenizer(config.tokenizer).digest
    return found


def compared(config: Config, used: Mapping[str, str]) -> Config:
    """The configuration without reference scores that are of another classifier.

    Raises:
        InputError: The configuration names such scores itself.
    """
    found = reference_of(used["synthetic_model"], config.synthetic)
    if found.digest == load_reference(config.synthetic.reference).digest:
        return config
    _LOG.warning("the reference scores that ship are not of this classifier, and are left out")
    update = {"synthetic": config.synthetic.model_copy(update={"reference": NO_REFERENCE})}
    return config.model_copy(update=update)


def digests(config: Config, used: Mapping[str, str]) -> dict[str, str]:
    """Digests of the files that a configuration names, and that decide the output."""
    reference = load_reference(config.synthetic.reference)
    found = dict(used) | {"synthetic_reference": reference.digest}
    if config.exclude:
        found["exclude"] = ExcludeList.read(config.exclude).digest
    if config.synthetic.previous:
        path = previous_manifest(config.synthetic.previous)
        if not storage.exists(path):
            raise InputError(f"{path} does not exist; --previous-run names a published run")
        found["previous"] = xxhash.xxh3_128_hexdigest(storage.read_bytes(path))
    return found


def run_name(files: list[InputFile], annotation: str, selection: str) -> str:
    """From the configuration and what was read, not from what it is called."""
    contents = sorted(f"{file.size}:{file.digest}" for file in files)
    data = orjson.dumps([contents, annotation, selection])
    return xxhash.xxh3_64_hexdigest(data)


def input_facts(files: Sequence[InputFile]) -> dict[str, Any]:
    """What was read, whatever it is called: number of files, bytes, a digest of contents."""
    contents = sorted(f"{file.size}:{file.digest}" for file in files)
    digest = xxhash.xxh3_128_hexdigest(orjson.dumps(contents))
    return {"files": len(files), "bytes": sum(file.size for file in files), "digest": digest}


def pinned_name(unpinned: str, pinned: Sequence[Mapping[str, Any]]) -> str:
    """The name of a run that compares with earlier ones."""
    data = orjson.dumps([unpinned, list(pinned)], option=orjson.OPT_SORT_KEYS)
    return xxhash.xxh3_64_hexdigest(data)


def recorded_models(record: Mapping[str, Any], staging: str) -> dict[str, str]:
    """Digests of the models that annotated a staging folder."""
    try:
        used = record["models"]
        needed = {name: str(used[name]) for name in ("langid_model", "synthetic_model")}
        return needed | {name: str(used[name]) for name in ("tokenizer",) if name in used}
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{staging} was annotated by another version of holdfast, which says nothing of "
            f"{error}; annotate again"
        ) from error
