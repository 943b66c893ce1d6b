"""Published rows made of a few facts, with the ids, hashes and sizes that follow from them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from transforms.dedup.fingerprint import document_ids, text_hashes
from transforms.records import DROPPED, ORIGIN, PUBLISHED
from transforms.shards.promise import Promise

TAIL = ("swh_Latn", "isl_Latn")
_DEFAULTS = {"lang": "eng_Latn", "lang_score": 0.9, "script_share": 1.0, "mixed": False}
_DEFAULTS |= {"letter_share": 0.8, "zxx_score": 0.0, "lang_agreement": 1.0}
_DEFAULTS |= {"origin": "unverified", "origin_evidence": [], "synthetic_evidence": []}
_DEFAULTS |= {"weight": 1_000_000}
_DEFAULTS |= {"synthetic_tag": "unverified", "copies": 1, "copies_original": 0, "repeat": 0}
_TIERS = {"anchor": "A"}


def published(*rows: dict[str, Any]) -> pa.Table:
    """Rows of PUBLISHED; each needs a `text`."""
    filled = [_filled(row) for row in rows]
    batch = pa.RecordBatch.from_pylist(filled, schema=PUBLISHED)
    ids = document_ids(batch).to_pylist()
    hashes = text_hashes(batch.column("text")).to_pylist()
    for row, doc_id, text_hash in zip(filled, ids, hashes, strict=True):
        row.update(doc_id=doc_id, text_hash=text_hash)
    return pa.Table.from_pylist(filled, schema=PUBLISHED)


def _filled(row: dict[str, Any]) -> dict[str, Any]:
    full = _DEFAULTS | row
    text = full["text"]
    full |= {"doc_id": b"", "text_hash": b"", "n_chars": len(text), "n_bytes": len(text.encode())}
    full["tail"] = full["lang"] in TAIL and not full["mixed"]
    if full["copies"] == 1 and "first_date" not in row:
        full["first_date"] = full["last_date"] = full.get("date")
    return full | {"origin_tier": full.get("origin_tier", _TIERS.get(full["origin"]))}


def assess(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Provenance by what `source` says, so that a test decides it."""
    rows = []
    for source in batch.column("source").to_pylist():
        origin = source or "unverified"
        rows.append({"origin": origin, "origin_tier": _TIERS.get(origin), "origin_evidence": []})
    return pa.RecordBatch.from_pylist(rows, schema=ORIGIN)


def document(text: str, origin: str = "unverified", lang: str = "eng_Latn", **more: Any) -> Any:
    return {"text": text, "origin": origin, "source": origin, "lang": lang} | more


def promise(**changes: Any) -> Promise:
    given: dict[str, Any] = {"floors": {}, "caps": {}, "unit": "chars", "repeat_cap": 4}
    given["threshold"] = 0.8
    return Promise(**(given | {"is_tail": frozenset(TAIL).__contains__} | changes))


def dropped(*rows: tuple[bytes, str, bytes | None]) -> pa.Table:
    """Rows of DROPPED from doc_id, reason and witness."""
    names = ("doc_id", "reason", "witness")
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], DROPPED)
