"""The configuration of a run: one frozen object from a file and flags."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from typing import Any, Literal, Self

import orjson
import pydantic
import xxhash

from pipelines.yaml_file import parse_yaml
from transforms import storage
from transforms.dedup.config import SCHEME, DedupConfig
from transforms.errors import InputError, UsageError
from transforms.ingest.config import IngestConfig
from transforms.langid.config import SCORING, LangidConfig
from transforms.langid.labels import canonical
from transforms.provenance.config import ProvenanceConfig
from transforms.rebalance.config import RebalanceConfig
from transforms.records import Unit
from transforms.settings import Settings
from transforms.synthetic.config import SCORED_BY, SyntheticConfig

__all__ = ["UNTOLD", "Config", "load_config", "make_config", "parse_size"]

_REBALANCE = tuple(RebalanceConfig.model_fields)
_ANNOTATION = ("ingest", "langid", "provenance", "dedup")
_SELECTION = ("dedup", "langid", "synthetic")
UNTOLD = ("run_name", "latest", "stale_after")
"""What a manifest does not say of its configuration: it reaches nothing of the output."""
_MULTIPLES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def _canonical_name(name: str) -> str:
    """An attribute, with a language's label as the columns have it."""
    field, colon, value = name.partition(":")
    if not colon or field != "lang":
        return name
    try:
        return f"lang:{canonical(value)}"
    except InputError as error:
        raise ValueError(str(error)) from error


def parse_size(value: object) -> object:
    """Reads `64M`, `1.5G`, `64_000_000` or `6e7` as an integer; leaves anything else alone."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        return value
    found = re.fullmatch(
        r"\s*([0-9][0-9_]*(?:\.[0-9]+)?(?:e[0-9]+)?)\s*([kmgt]?)\s*", value.lower()
    )
    if not found:
        raise ValueError(f"{value!r} is no size; write a number such as 64000000 or 64M")
    size = float(found[1].replace("_", "")) * _MULTIPLES[found[2]]
    if not math.isfinite(size):
        raise ValueError(f"{value!r} is no size that anything has")
    return round(size)


class Config(Settings):
    """Everything that a run can be told.

    Attributes:
        input: Files, folders and globs to read.
        output: Folder of the published run.
        staging: Folder of annotated documents; beside the output by default.
        floors: Least share in every shard: `original`, `tail`.
        caps: Greatest share in every shard: `synthetic`.
        concentration: Greatest share of one source or host in an attribute's text.
        no_floors: Says that a run without floors and caps is meant.
        target: Size of the output; as much unique text as the floors allow without.
        repeat_cap: Most appearances of a protected document.
        allocation, temperature, objective, rehydrate: Whose text is cut or repeated
            first; see `RebalanceConfig`.
        shard_size: Size of a shard.
        unit: What sizes and shares are measured in.
        rotation: Seed of every draw.
        rare_types: Whether words that few originals hold are counted: originals that hold
            many come first where text is left out, and the manifest says what survived.
        format: What the shards are files of.
        exclude: List of ids, URLs and hosts that must not appear.
        index: Folder of what earlier runs published: a run compares with it and appends.
        tokenizer: Hugging Face `tokenizer.json` that counts `n_tokens` when annotating.
        run_name: What people call the run; by default its name, the digest of what decides it.
        latest: File that names the newest run once this one is published.
        stale_after: Seconds without life after which another run may take over a place.
        exchange: How rows travel between workers; by default `files` for a local
            runner and `shuffle` for a service.
        ingest, langid, provenance, dedup, synthetic: Of the rooms with these names.
    """

    input: tuple[str, ...] = ()
    output: str | None = None
    staging: str | None = None
    floors: dict[str, float] = pydantic.Field(default_factory=dict)
    caps: dict[str, float] = pydantic.Field(default_factory=dict)
    concentration: dict[str, float] = pydantic.Field(default_factory=dict)
    no_floors: bool = False
    target: int | None = None
    repeat_cap: int = 4
    allocation: Literal["proportional", "temperature", "unimax"] = "proportional"
    temperature: float = 0.3
    objective: Literal["unique", "allocation"] = "unique"
    rehydrate: bool = False
    shard_size: int = 64_000_000
    unit: Unit = "chars"
    rotation: int = 0
    rare_types: bool = True
    format: Literal["parquet", "jsonl", "mds", "wds"] = "parquet"
    exclude: str | None = None
    index: str | None = None
    tokenizer: str | None = None
    run_name: str | None = pydantic.Field(
        default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
    )
    latest: str | None = None
    stale_after: float = pydantic.Field(default=600, gt=0)
    exchange: Literal["files", "shuffle"] | None = None
    ingest: IngestConfig = IngestConfig()
    langid: LangidConfig = LangidConfig()
    provenance: ProvenanceConfig = ProvenanceConfig()
    dedup: DedupConfig = DedupConfig()
    synthetic: SyntheticConfig = SyntheticConfig()

    @pydantic.field_validator("input", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @pydantic.field_validator("floors", "caps")
    @classmethod
    def _canonical(cls, shares: dict[str, float]) -> dict[str, float]:
        return {_canonical_name(name): share for name, share in shares.items()}

    @pydantic.field_validator("target", "shard_size", mode="before")
    @classmethod
    def _sizes(cls, value: object) -> object:
        return parse_size(value)

    @pydantic.model_validator(mode="after")
    def _possible(self) -> Self:
        RebalanceConfig(**{name: getattr(self, name) for name in _REBALANCE})
        self._comparable(self.dedup)
        return self

    def _comparable(self, dedup: DedupConfig) -> None:
        """Refuses signatures that no other run's are like."""
        if self.index is not None and dedup.boilerplate.cuts:
            raise ValueError(
                f"dedup.boilerplate.min_documents={dedup.boilerplate.min_documents} cuts what "
                "recurs in this run before signatures are made, so that they cannot be compared "
                "with those of an index; leave out --index, or say dedup.boilerplate.cut: false"
            )

    @property
    def rebalance(self) -> RebalanceConfig:
        """The part that `rebalance` takes."""
        return RebalanceConfig(**{name: getattr(self, name) for name in _REBALANCE})

    @property
    def annotation(self) -> dict[str, Any]:
        """The part that annotation takes, as JSON can hold it."""
        settings = self.model_dump(mode="json")
        scored = {name: settings["synthetic"][name] for name in SCORED_BY}
        return {name: settings[name] for name in _ANNOTATION} | {"synthetic": scored}

    def annotated_as(self, settings: Mapping[str, Any], staging: str) -> Self:
        """This configuration with the annotation's part as a staging folder has it.

        Thresholds of deduplication and of language identification may differ from those
        that the folder was annotated with; how signatures and scores were made may not.

        Args:
            settings: `annotation` of the configuration that made the folder.
            staging: The folder, for messages.

        Raises:
            UsageError: Its signatures are not the ones asked for.
        """
        there = make_config(settings, staging)
        update = {name: getattr(there, name) for name in ("ingest", "langid", "provenance")}
        scored_by = {name: getattr(there.synthetic, name) for name in SCORED_BY}
        update["synthetic"] = self.synthetic.model_copy(update=scored_by)
        if "langid" in self.model_fields_set:
            scored = {name: getattr(there.langid, name) for name in SCORING}
            update["langid"] = self.langid.model_copy(update=scored)
        if "max_dead_fraction" in self.ingest.model_fields_set:
            most = {"max_dead_fraction": self.ingest.max_dead_fraction}
            update["ingest"] = there.ingest.model_copy(update=most)
        if "dedup" not in self.model_fields_set:
            try:
                self._comparable(there.dedup)
            except ValueError as error:
                raise UsageError(f"{staging} was annotated for it, and {error}") from error
            return self.model_copy(update=update | {"dedup": there.dedup})
        for name in ("ngram", "permutations", "seed"):
            made, asked = getattr(there.dedup, name), getattr(self.dedup, name)
            if made != asked:
                raise UsageError(
                    f"{staging} holds signatures with dedup.{name}={made}, asked for is {asked}; "
                    "leave it out, or annotate again"
                )
        return self.model_copy(update=update)

    def digest_of(self, what: Literal["annotation", "selection"], extra: Mapping[str, Any]) -> str:
        """XXH3-128 of what decides the annotations, or the selection, of a given input.

        Places, names, batch sizes and the way that rows travel reach no byte of the
        output and are left out.

        Args:
            what: Which half of the configuration.
            extra: Digests of files that the configuration names.
        """
        names = _ANNOTATION if what == "annotation" else (*_REBALANCE, "rare_types", *_SELECTION)
        kept = {name: self.model_dump(mode="json")[name] for name in names}
        scores = what == "annotation"
        kept["langid"] = {k: v for k, v in kept["langid"].items() if (k in SCORING) == scores}
        kept["langid"].pop("model", None)
        for name in (*SCORED_BY, "reference", "previous"):
            kept.get("synthetic", {}).pop(name, None)
        for name in ("batch_rows", "batch_bytes"):
            kept.get("ingest", {}).pop(name, None)
        if not scores and self.format != "parquet":  # runs of Parquet are called as ever
            kept["format"] = self.format
        data = {"scheme": SCHEME, "settings": kept, "files": dict(extra)}
        return xxhash.xxh3_128_hexdigest(orjson.dumps(data, option=orjson.OPT_SORT_KEYS))


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f" (known: {', '.join(sorted(known))})"


def _explain(error: dict[str, Any], where: str) -> str:
    """One line for one problem that pydantic found."""
    path = [str(step) for step in error["loc"]]
    if error["type"] == "extra_forbidden":
        model: Any = Config
        for step in path[:-1]:
            model = model.model_fields[step].annotation
        return f"{where}: unknown key {'.'.join(path)!r}" + _nearest(
            path[-1], list(model.model_fields)
        )
    message = str(error["msg"]).removeprefix("Value error, ")[:500]
    given = "" if isinstance(error.get("input"), dict) else f" (given: {error.get('input')!r:.200})"
    return f"{where}: {'.'.join(path)}: {message}{given}" if path else f"{where}: {message}"


def make_config(values: Mapping[str, Any], where: str) -> Config:
    """Checks values and freezes them.

    Raises:
        UsageError: With the first problem in one line: key, value, remedy.
    """
    try:
        return Config.model_validate(dict(values))
    except pydantic.ValidationError as error:
        problems = error.errors(include_url=False)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UsageError(_explain(dict(problems[0]), where) + more) from error


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        old = merged.get(name)
        if isinstance(old, dict) and isinstance(value, Mapping):
            merged[name] = _merge(old, value)
        else:
            merged[name] = value
    return merged


def load_config(path: str | None, flags: Mapping[str, Any]) -> Config:
    """A configuration file, with flags laid over it.

    Args:
        path: A YAML file; None for flags alone.
        flags: Nested as the file is. A floor or cap adds to those of the file.

    Raises:
        UsageError: The file cannot be read, is no mapping, or holds an unknown key or
            an impossible value.
    """
    values: dict[str, Any] = {}
    if path is not None:
        if not storage.exists(path):
            raise UsageError(f"configuration {path} does not exist")
        values = parse_yaml(storage.read_bytes(path), path)
    where = path if path and not flags else f"{path} and flags" if path else "command line"
    return make_config(_merge(values, flags), where)
