"""The dataset card: what a reader of the shards needs to know, as the hub renders it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import yaml

from transforms.records import PUBLISHED
from transforms.redact import printable
from transforms.shards.layout import DATA
from transforms.shards.manifest import format_of
from transforms.shards.promise import counted_as

__all__ = ["dataset_card"]

_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)
_MOST_LANGUAGES = 200
_MOST_RUNS = 20


def _front_matter(manifest: Mapping[str, Any]) -> str:
    rows = sum(shard["documents"] for shard in manifest["shards"])
    codes = sorted({lang.split("_")[0] for lang in manifest["languages"]} - {"und", "zxx"})
    front = {
        **_files(manifest),
        "language": codes,
        "size_categories": [next((name for most, name in _SIZES if rows < most), "n>1T")],
        "tags": ["holdfast", "curated"],
        "task_categories": ["text-generation"],
    }
    return yaml.safe_dump(front, sort_keys=True, allow_unicode=True)


def _files(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Where `datasets` finds the rows, and of which types they are; it reads no MDS."""
    written_as = format_of(manifest)
    if written_as.name == "mds":
        return {}
    files = [{"split": "train", "path": f"{DATA}/*{written_as.extension}"}]
    told: dict[str, Any] = {"configs": [{"config_name": "default", "data_files": files}]}
    if written_as.name == "jsonl":  # else guessed from the first shard, where all may be null
        told["dataset_info"] = {"features": [_feature(field) for field in PUBLISHED]}
    return told


def _feature(field: pa.Field) -> dict[str, str]:
    """A column as `datasets` names its type; ids are hexadecimal in JSON."""
    if pa.types.is_list(field.type):
        return {"name": field.name, "list": str(field.type.value_type)}
    if pa.types.is_binary(field.type):
        return {"name": field.name, "dtype": "string"}
    kind = {"float": "float32"}.get(str(field.type), str(field.type))
    return {"name": field.name, "dtype": kind}


_READING = {
    "parquet": "",
    "jsonl": "\nShards are JSON Lines in zstd; `doc_id` and `text_hash` are hexadecimal. "
    "`datasets` takes days for times: it reads `2021-03-04` as `2021-03-04 00:00:00`.\n",
    "mds": '\nShards are MDS: `streaming.StreamingDataset(local="data")` reads them. What may be '
    "null is JSON, as lists and booleans are.\n",
    "wds": "\nShards are tar files for `webdataset`: the text is `txt`, all else is `json`, where "
    "`doc_id` and `text_hash` are hexadecimal.\n",
}
"""What a reader of each format has to know besides."""


def _table(head: list[str], rows: list[list[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _code(text: str) -> str:
    """A name from the data or a model as code in a cell, whatever it holds."""
    shown = printable(text).replace("`", "'").replace("|", "\\|")
    return f"`{' '.join(shown.split())}`"


def _promises(manifest: Mapping[str, Any]) -> str:
    rows: list[list[object]] = []
    for kind, sign, pick in (("floors", "at least", min), ("caps", "at most", max)):
        for name, share in manifest[kind].items():
            shares = [shard["shares"][counted_as(kind, name)] for shard in manifest["shards"]]
            worst = f"{pick(shares):.4f}" if shares else "no shard"
            rows.append([name, f"{sign} {share:.4g}", worst])
    return _table(["share", "promised in every shard", "worst shard"], rows) if rows else "None."


def _ledger(manifest: Mapping[str, Any]) -> str:
    ledger = manifest["ledger"]
    rows: list[list[object]] = [["read", ledger["read"]], ["kept", ledger["kept"]]]
    rows += [[f"dropped: {reason}", count] for reason, count in ledger["dropped"].items()]
    rows.append(["dead letters", ledger["dead_letters"]])
    if left := manifest["undecided"]["documents"]:
        rows.append(["kept, though a near-duplicate of theirs may be, too", left])
    return _table(["documents", "count"], rows)


def _languages(manifest: Mapping[str, Any]) -> str:
    ranked = sorted(manifest["languages"].items(), key=lambda item: (-item[1]["size"], item[0]))
    tail = set(manifest["tail"])
    rows: list[list[object]] = [
        [_code(lang), "yes" if lang in tail else "", facts["documents"], facts["size"]]
        for lang, facts in ranked[:_MOST_LANGUAGES]
    ]
    table = _table(["language", "tail", "documents", manifest["size_unit"]], rows)
    left = len(ranked) - _MOST_LANGUAGES
    return f"{table}\n\n{left} more in `manifest.json`." if left > 0 else table


def _rare(manifest: Mapping[str, Any]) -> str:
    """What became of rare types; nothing where they were not counted."""
    if not (told := manifest.get("rare_types")):
        return ""
    ranked = sorted(told["by_language"].items(), key=lambda item: (-item[1]["types"], item[0]))
    named = [("all", told), *((f"`{lang}`", facts) for lang, facts in ranked[:_MOST_LANGUAGES])]
    rows: list[list[object]] = [
        [name, facts["types"], facts["survived"], facts["expected"]] for name, facts in named
    ]
    table = _table(["language", "rare types", "published", "a random cut would keep"], rows)
    return (
        f"\n## Rare types\n\nWords that at most {told['most_documents']} originals of a language "
        f"hold, before selection and after it.\n\n{table}\n"
    )


def _earlier(manifest: Mapping[str, Any]) -> str:
    """What the run was compared with; nothing without an index."""
    if "index" not in manifest:
        return ""
    runs = [_code(pin["run"]) for pin in manifest["index"]["pinned"]]
    more = f" and {len(runs) - _MOST_RUNS} more in `manifest.json`" if runs[_MOST_RUNS:] else ""
    told = f": {', '.join(runs[:_MOST_RUNS])}{more}" if runs else ""
    return (
        f"\n## Earlier runs\n\nCompared with {manifest['index']['documents']} documents that "
        f"{len(runs)} earlier runs published{told}. What repeats one of them was dropped, unless "
        "it is an original and the other is not.\n"
    )


def dataset_card(manifest: Mapping[str, Any]) -> str:
    """A card in Markdown with YAML front matter, from a finished manifest."""
    return f"""---
{_front_matter(manifest)}---
# Curated text, run `{manifest["run"]}`

Training shards made by holdfast {manifest["versions"]["holdfast"]}:
deduplicated, tagged, and dealt so that every shard keeps its promised shares, measured
in {manifest["size_unit"]}, repeats counted. `holdfast verify` recomputes all of it.

## Promises

{_promises(manifest)}

## Ledger

{_ledger(manifest)}

## Languages

{_languages(manifest)}
{_rare(manifest)}{_earlier(manifest)}
## Fields

A row is one document, its text as it was read. `origin` says what is known of who
wrote it (`anchor`: evidenced human, with `origin_tier` and `origin_evidence`;
`synthetic`: declared, or carrying an artefact of a machine; `unverified`), `lang` and
`tail` which language it is in, `copies` for how many records it stands, `first_date` and
`last_date` when those were seen, `repeat` counts its appearances from 0. `dropped/` names
every document left out and why, a duplicate with the document that stands for it
(`witness`, of this run unless `witness_run` and `witness_shard` say otherwise),
`dead_letters/` what could not be read.
{_READING[format_of(manifest).name]}"""
