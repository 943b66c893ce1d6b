"""The list of documents that must not be used, whatever else speaks for them.

One entry a line, `#` at the start of a line for comments:

* `id:…` and `url:…` match that value exactly;
* `host:…` matches the host and its subdomains;
* anything else matches as id, as URL, or as host with its subdomains.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from transforms import storage
from transforms.errors import UsageError

__all__ = ["ExcludeList"]

_NO_HOST = re.compile(r"[\s/@?#]")


@dataclasses.dataclass(frozen=True)
class ExcludeList:
    """Ids, URLs and hosts to exclude.

    Attributes:
        ids: Matched exactly.
        urls: Matched exactly.
        hosts: In lower case; matched with all below them.
    """

    ids: frozenset[str]
    urls: frozenset[str]
    hosts: frozenset[str]

    @classmethod
    def read(cls, path: str) -> ExcludeList:
        """Reads a list from a file in UTF-8.

        Raises:
            UsageError: A line has no value, or a `host:` that is no host name.
        """
        try:
            text = storage.read_bytes(path).decode("utf-8-sig")
        except UnicodeDecodeError as e:
            raise UsageError(f"{path} is not UTF-8 ({e}); save it as UTF-8") from e
        return cls.parse(text.split("\n"), path)

    @classmethod
    def parse(cls, lines: Iterable[str], name: str = "exclude list") -> ExcludeList:
        """Reads a list from lines; `name` stands for it in messages."""
        found: dict[str, set[str]] = {"id": set(), "url": set(), "host": set()}
        for number, line in enumerate(lines, start=1):
            entry = line.strip()
            if entry and not entry.startswith("#"):
                for kind, value in _entries(entry, f"{name}, line {number}"):
                    found[kind].add(value)
        return cls(*map(frozenset, found.values()))

    @property
    def digest(self) -> str:
        """XXH3-128 of what is excluded, whatever the order and the comments."""
        entries = sorted(
            f"{kind}:{value}"
            for kind, values in dataclasses.asdict(self).items()
            for value in values
        )
        return xxhash.xxh3_128_hexdigest("\n".join(entries).encode())

    def matches(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Whether each row is excluded, by its columns `id`, `url` and `host`."""
        excluded = pc.or_(
            pc.is_in(batch.column("id"), value_set=pa.array(sorted(self.ids), pa.string())),
            pc.is_in(batch.column("url"), value_set=pa.array(sorted(self.urls), pa.string())),
        )
        names: Any = batch.column("host").dictionary_encode()
        known = [self._covers(host) for host in names.dictionary.to_pylist()]
        by_host: Any = pa.array(known, pa.bool_()).take(names.indices).fill_null(False)
        either: pa.BooleanArray = pc.or_(excluded, by_host)
        return either

    def _covers(self, host: str) -> bool:
        """Whether the host, or a domain that it lies in, is excluded."""
        while host and host not in self.hosts:
            _, _, host = host.partition(".")
        return bool(host)


def _entries(entry: str, place: str) -> list[tuple[str, str]]:
    kind, colon, value = entry.partition(":")
    if not colon or kind not in {"id", "url", "host"}:
        return [("id", entry), ("url", entry), ("host", _host(entry))]
    value = value.strip()
    if not value:
        raise UsageError(f"{place}: {entry!r} has no value after the colon; add one or delete it")
    if kind == "host" and _NO_HOST.search(value):
        raise UsageError(
            f"{place}: {value!r} is no host name; give the bare name, such as example.org, or "
            "use url: for a whole URL"
        )
    return [(kind, _host(value) if kind == "host" else value)]


def _host(value: str) -> str:
    return value.lower().rstrip(".")
