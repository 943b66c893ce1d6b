"""Records of web archives that are no documents by what they are: how many, and why.

They were not read as documents, so that the ledger does not know them: requests, redirects,
images, pages without text. `ledger/skipped.parquet` has their number for each archive and
reason, where there were any; the manifest has the sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from transforms.records import SKIPPED

__all__ = ["by_reason", "check_skipped", "in_order"]


def in_order(skipped: pa.Table) -> pa.Table:
    """Rows of `SKIPPED` summed by archive and reason, in the order of both."""
    found: Counter[tuple[str, str]] = Counter()
    for row in skipped.to_pylist():
        found[row["file"], row["reason"]] += row["records"]
    rows = [
        {"file": file, "reason": reason, "records": n}
        for (file, reason), n in sorted(found.items())
    ]
    return pa.Table.from_pylist(rows, schema=SKIPPED)


def by_reason(skipped: pa.Table) -> dict[str, int]:
    """The `skipped` of a manifest: records of all archives, by reason."""
    found: Counter[str] = Counter()
    for row in skipped.to_pylist():
        found[row["reason"]] += row["records"]
    return dict(sorted(found.items()))


def check_skipped(manifest: Mapping[str, Any], skipped: pa.Table) -> Iterator[str]:
    """Holds the sums of a manifest against the rows of `SKIPPED` of its run.

    Yields:
        A sentence if they differ.
    """
    claimed, found = manifest.get("skipped", {}), by_reason(skipped)
    if claimed != found:
        yield f"the manifest says skipped={claimed}, by file it is {found}"
