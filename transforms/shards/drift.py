"""How a run differs from an earlier one: shares, languages, sizes, estimates, n-grams.

All but the n-grams is from the two manifests. Those are counted from the shards, whose
digests are checked as they are read.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import or_
from typing import Any, Literal

import pyarrow as pa

from transforms import storage
from transforms.errors import InputError, UsageError
from transforms.shards import manifest as manifests
from transforms.shards.layout import digest
from transforms.shards.sketch import READS, STANDARD_ERROR, Sketch, sketch_rows

__all__ = ["Drift", "Figure", "check_bounds", "compare_runs", "exceeded"]

Kind = Literal["share", "size", "count"]
"""What the change of a figure is: a difference of shares, a share of the earlier size, or a
number of languages."""

_ESTIMATES = ("classifier", "words")
_LISTS = ("languages_gained", "languages_lost", "tail_gained", "tail_lost")
_PREFIX = "language:"
"""Before the label of a language, in the name of the figure of its size."""


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number of a run, and what it was before.

    Attributes:
        name: As `--max-drift` calls it.
        kind: What `change` is.
        before, after: Null where a run cannot tell.
    """

    name: str
    kind: Kind
    before: float | None
    after: float | None

    @property
    def language(self) -> bool:
        """Whether it is the size of one language."""
        return self.name.startswith(_PREFIX)

    @property
    def change(self) -> float | None:
        """After less before; of a size, as a share of what it was before.

        Null where a run cannot tell, or what was nothing grew.
        """
        if self.before is None or self.after is None:
            return None
        difference = self.after - self.before
        if self.kind != "size" or not difference:
            return difference
        return difference / self.before if self.before else None


@dataclasses.dataclass(frozen=True)
class Drift:
    """How a run differs from an earlier one.

    Attributes:
        before, after: Names of the runs.
        unit: What sizes are measured in.
        figures: In the order in which people read them; languages last, by their name.
        lists: `languages_gained`, `languages_lost`, `tail_gained`, `tail_lost`: labels.
    """

    before: str
    after: str
    unit: str
    figures: tuple[Figure, ...]
    lists: Mapping[str, tuple[str, ...]]

    def record(self) -> dict[str, Any]:
        """As JSON can hold it."""
        figures = {
            figure.name: {
                "kind": figure.kind,
                "before": figure.before,
                "after": figure.after,
                "change": figure.change,
            }
            for figure in self.figures
        }
        runs = {"before": self.before, "after": self.after, "size_unit": self.unit}
        lists = {name: list(labels) for name, labels in self.lists.items()}
        return {**runs, "figures": figures, **lists, "ngrams_standard_error": STANDARD_ERROR}


def compare_runs(
    run: str,
    manifest: Mapping[str, Any],
    previous: str,
    before: Mapping[str, Any],
    workers: int = 2,
) -> Drift:
    """Compares a run with an earlier one.

    Args:
        run: Folder of the run.
        manifest: Its manifest.
        previous: Folder of the earlier run.
        before: Its manifest, which is taken at its word.
        workers: Shards that are read at a time.

    Raises:
        InputError: The runs are measured in different units, a manifest is damaged, or
            a shard is not what its manifest says.
    """
    units = (before["size_unit"], manifest["size_unit"])
    if units[0] != units[1]:
        raise InputError(
            f"{previous} is measured in {units[0]} and {run} in {units[1]}; only runs of one "
            "unit can be compared"
        )
    try:
        ngrams = [_ngrams(*given, workers) for given in ((previous, before), (run, manifest))]
        lists = _lists(before, manifest)
        figures = [*_figures(before, manifest, lists), *_sizes("size", *ngrams)]
        figures += _languages(before, manifest)
    except (AttributeError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise InputError(f"the manifest of {previous} or {run} is damaged: {error!r}") from error
    return Drift(str(before["run"]), str(manifest["run"]), str(units[1]), tuple(figures), lists)


def _ngrams(run: str, manifest: Mapping[str, Any], workers: int) -> dict[str, int]:
    """Estimated numbers of different n-grams of a run."""
    written_as = manifests.format_of(manifest)

    def read(claimed: Mapping[str, Any]) -> Sketch:
        path = storage.join(run, str(claimed["path"]))
        data = storage.read_bytes(path)
        if digest(data) != claimed["sha256"]:
            raise InputError(
                f"{path} has sha256 {digest(data)}, its manifest says {claimed['sha256']}; "
                f"`holdfast verify {run}` tells more"
            )
        try:
            return sketch_rows(written_as.read(data).select(READS))
        except (KeyError, ValueError, pa.ArrowException) as error:
            raise InputError(f"{path} cannot be read: {error}") from error

    with ThreadPoolExecutor(workers) as pool:
        return reduce(or_, pool.map(read, manifest["shards"]), Sketch.empty()).counts()


def _sizes(kind: Kind, before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[Figure]:
    for name in after:
        yield Figure(name, kind, before[name], after[name])


def _totals(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Documents and sizes over all shards, repeats counted; sizes of attributes by name."""
    shards = manifest["shards"]
    total = {name: sum(shard[name] for shard in shards) for name in ("documents", "size")}
    members: dict[str, int] = {}
    for shard in shards:
        for name, size in shard["members"].items():
            members[name] = members.get(name, 0) + size
    return total | {f"{name}_size": size for name, size in members.items()}


def _share(totals: Mapping[str, int], name: str) -> float | None:
    have = totals.get(f"{name}_size")
    return None if have is None or not totals["size"] else have / totals["size"]


def _machine(manifest: Mapping[str, Any], name: str) -> float | None:
    """Estimated share of machine-made text among what could be measured; None if nothing."""
    rows = pa.table(manifest["decisions"].get("synthetic_shares", {})).to_pylist()
    known = [
        (row[f"{name}_measured"], row[f"{name}_share"])
        for row in rows
        if row["month"] is None and row[f"{name}_share"] is not None
    ]
    total = sum(measured for measured, _ in known)
    return sum(measured * share for measured, share in known) / total / 10_000 if total else None


def _lists(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Labels that one run has and the other has not; of `tail`, by published documents."""
    found = {}
    for name, tail in (("languages", False), ("tail", True)):
        old, new = (
            {k for k, v in m["languages"].items() if v["tail_documents"] or not tail}
            for m in (before, after)
        )
        found[f"{name}_gained"], found[f"{name}_lost"] = new - old, old - new
    return {name: tuple(sorted(labels)) for name, labels in found.items()}


def _figures(
    before: Mapping[str, Any], after: Mapping[str, Any], lists: Mapping[str, tuple[str, ...]]
) -> Iterator[Figure]:
    old, new = _totals(before), _totals(after)
    attributes = [n.removesuffix("_size") for n in {**new, **old} if n.endswith("_size")]
    for name in attributes:
        yield Figure(name, "share", _share(old, name), _share(new, name))
    for name in _ESTIMATES:
        shares = (_machine(manifest, name) for manifest in (before, after))
        yield Figure(f"machine_{name}", "share", *shares)
    for name in ("documents", "size", "tail_size"):
        yield Figure(name, "size", old.get(name, 0), new.get(name, 0))
    for name in _LISTS:
        yield Figure(name, "count", 0, len(lists[name]))


def _languages(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Figure]:
    for label in sorted({*before["languages"], *after["languages"]}):
        sizes = (m["languages"].get(label, {"size": 0})["size"] for m in (before, after))
        yield Figure(f"{_PREFIX}{label}", "size", *sizes)


def check_bounds(drift: Drift, bounds: Mapping[str, float]) -> None:
    """Refuses bounds on figures that there are not.

    Raises:
        UsageError: The message names the nearest figure.
    """
    names = [figure.name for figure in drift.figures]
    for name in bounds:
        if name not in names and not name.startswith(_PREFIX):
            near = difflib.get_close_matches(name, names, n=1, cutoff=0)[0]
            known = ", ".join(f.name for f in drift.figures if not f.language)
            raise UsageError(
                f"--max-drift {name}: there is no such figure; did you mean {near!r}? "
                f"(known: {known}, and {_PREFIX}LABEL)"
            )


def exceeded(drift: Drift, bounds: Mapping[str, float]) -> Iterator[str]:
    """Figures that changed by more than they may, up or down; one sentence each.

    A figure that only one of the runs can tell exceeds every bound. What neither run
    has did not change.
    """
    figures = {figure.name: figure for figure in drift.figures}
    for name, most in bounds.items():
        figure = figures.get(name, Figure(name, "size", 0, 0))
        change = figure.change
        if change is None and figure.before == figure.after:
            continue
        if change is None or abs(change) > most:
            told = "cannot be told" if change is None else f"is {change:+.4g}"
            yield (
                f"{name} was {_number(figure.before)} and is {_number(figure.after)}: "
                f"the change {told}, at most {most:g} is allowed"
            )


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.4f}" if value % 1 else f"{value:,.0f}"
