"""`holdfast verify` finds whatever is wrong with a run: each case on a copy of a good one."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from e2e_forgery import at, copied, edit_manifest, edit_rows, findings, rename_documents, reseal
from running import Run, holdfast, write_manifest

from transforms.dedup.fingerprint import text_hashes
from transforms.records import PUBLISHED

Row = dict[str, Any]


@pytest.fixture
def run(published: Run, tmp_path: pathlib.Path) -> pathlib.Path:
    return copied(published, tmp_path)


def test_a_copy_elsewhere_still_verifies(run: pathlib.Path):
    assert holdfast("verify", run).code == 0


@pytest.mark.parametrize("part", [0.0, 0.1, 0.3, 0.45, 0.6, 0.8, 0.95, 0.9999])
def test_one_flipped_bit_is_found(run: pathlib.Path, part: float):
    path = run / "data" / "shard-00001-of-00003.parquet"
    data = bytearray(path.read_bytes())
    data[int(part * len(data))] ^= 1
    path.write_bytes(data)
    assert "shard-00001-of-00003.parquet" in findings(run)


def test_text_that_is_no_utf8_is_found(run: pathlib.Path):
    # A flipped bit of compressed text can end a document amid a character: the digest
    # has to speak before anybody decodes the rows.
    path = run / "data" / "shard-00001-of-00003.parquet"
    table = pq.ParquetFile(path).read()
    text = table.column("text").combine_chunks()
    _, offsets, data = text.buffers()
    raw = bytearray(data.to_pybytes())
    raw[len(text[0].as_buffer()) - 1] = 0xF4
    broken = pa.StringArray.from_buffers(len(text), offsets, pa.py_buffer(bytes(raw)))
    place = table.schema.get_field_index("text")
    table = table.set_column(place, PUBLISHED.field("text"), pa.chunked_array([broken]))
    pq.write_table(table, path)
    assert "shard-00001-of-00003.parquet" in findings(run)


def nudge(value: Any) -> Any:
    return value[:-1] + ("0" if value[-1] != "0" else "1") if isinstance(value, str) else value + 1


EDITS = {
    "a share": ("shards", 1, "shares", "tail"),
    "the share of a cap": ("shards", 1, "shares", "synthetic"),
    "a member's size": ("shards", 1, "members", "original"),
    "a shard's sha256": ("shards", 0, "sha256"),
    "a shard's documents": ("shards", 0, "documents"),
    "a shard's size": ("shards", 2, "size"),
    "the worst window": ("shards", 2, "worst_window", "original"),
    "the largest document": ("shards", 2, "largest_document"),
    "documents read": ("ledger", "read"),
    "documents kept": ("ledger", "kept"),
    "dead letters": ("ledger", "dead_letters"),
    "a reason": ("ledger", "dropped", "near_duplicate"),
    "a reason that nobody has": ("ledger", "dropped", "trimmed"),
    "kept by language": ("ledger", "by_language", "swh_Latn", "kept"),
    "dropped by language": ("ledger", "by_language", "swh_Latn", "dropped", "near_duplicate"),
    "read by origin": ("ledger", "by_origin", "anchor", "read"),
    "documents of a language": ("languages", "swh_Latn", "documents"),
    "size of a language": ("languages", "swh_Latn", "size"),
    "sources of a language": ("languages", "swh_Latn", "sources"),
    "the largest source": ("languages", "swh_Latn", "largest_source"),
    "the size of the largest source": ("languages", "swh_Latn", "largest_source_size"),
    "sha256 of the dropped": ("files", 0, "sha256"),
    "rows of the dropped": ("files", 0, "rows"),
}


@pytest.mark.parametrize("path", EDITS.values(), ids=EDITS.keys())
def test_an_edited_number_is_found(run: pathlib.Path, path: tuple[str | int, ...]):
    def edit(manifest: dict[str, Any]) -> None:
        where = at(manifest, *path[:-1])
        where[path[-1]] = nudge(where[path[-1]])

    edit_manifest(run, edit)
    findings(run)


def test_a_pair_of_edits_that_still_adds_up_is_found(run: pathlib.Path):
    def edit(manifest: dict[str, Any]) -> None:
        manifest["ledger"]["kept"] += 1
        manifest["ledger"]["dropped"]["exact_duplicate"] -= 1

    edit_manifest(run, edit)
    assert "the ledger says kept=274, the files hold 273" in findings(run)


def test_a_floor_that_the_shards_do_not_keep_is_found(run: pathlib.Path):
    edit_manifest(run, lambda manifest: manifest["floors"].update(original=0.7))
    assert "floor original=0.7 is broken" in findings(run)


def test_a_cap_that_the_shards_do_not_keep_is_found(run: pathlib.Path):
    edit_manifest(run, lambda manifest: manifest["caps"].update(synthetic=0.1))
    assert "cap synthetic=0.1 is broken" in findings(run)


def test_a_tail_list_that_lost_a_language_is_found(run: pathlib.Path):
    edit_manifest(run, lambda manifest: manifest["tail"].pop("swh_Latn"))
    found = findings(run)
    assert "wrong tail" in found
    assert "the manifest says tail=" in found


def test_a_tail_that_was_decided_with_other_sizes_is_found(run: pathlib.Path):
    def edit(manifest: dict[str, Any]) -> None:
        manifest["decisions"]["tail"]["size"][2] += 1

    edit_manifest(run, edit)
    assert "the tail was decided with" in findings(run)


def test_a_tail_that_both_lists_agree_on_is_found_by_its_rows(run: pathlib.Path):
    def edit(manifest: dict[str, Any]) -> None:
        decided = manifest["decisions"]["tail"]
        decided["tail"][decided["lang"].index("swh_Latn")] = False
        manifest["tail"].pop("swh_Latn")

    edit_manifest(run, edit)
    assert "wrong tail" in findings(run)


def test_a_threshold_that_the_rows_do_not_follow_is_found(run: pathlib.Path):
    def edit(manifest: dict[str, Any]) -> None:
        decided = manifest["decisions"]["langid"]
        decided["least_score"][decided["label"].index("isl_Latn")] = 10_000

    edit_manifest(run, edit)
    assert "wrong lang" in findings(run)


def test_a_missing_shard_is_found(run: pathlib.Path):
    (run / "data" / "shard-00002-of-00003.parquet").unlink()
    assert "shard-00002-of-00003.parquet cannot be read" in findings(run)


def test_a_shard_that_the_manifest_forgets_is_found(run: pathlib.Path):
    edit_manifest(run, lambda manifest: manifest["shards"].pop())
    assert "data/shard-00002-of-00003.parquet is not in the manifest" in findings(run)


@pytest.mark.parametrize("folder", ["data", "dropped", "dead_letters"])
def test_a_stranger_is_found(run: pathlib.Path, folder: str):
    known = next((run / folder).iterdir())
    (run / folder / "stranger.parquet").write_bytes(known.read_bytes())
    assert f"{folder}/stranger.parquet is not in the manifest" in findings(run)


def test_a_missing_card_is_found(run: pathlib.Path):
    (run / "README.md").unlink()
    assert "README.md is missing" in findings(run)


def pop_last(rows: list[Row]) -> None:
    rows.pop()


@pytest.mark.parametrize("folder", ["data", "dropped", "dead_letters"])
@pytest.mark.parametrize("sealed", [False, True], ids=["plainly", "resealed"])
def test_a_removed_row_is_found(run: pathlib.Path, folder: str, *, sealed: bool):
    edit_rows(run, folder, pop_last)
    if sealed:
        reseal(run)
    findings(run)


def in_text(rows: list[Row]) -> None:
    rows[3]["text"] += " and more"


def in_length(rows: list[Row]) -> None:
    rows[3]["n_chars"] += 1


def in_bytes(rows: list[Row]) -> None:
    rows[3]["n_bytes"] += 1


def in_hash(rows: list[Row]) -> None:
    rows[3]["text_hash"] = bytes(16)


def in_source(rows: list[Row]) -> None:
    rows[3]["source"] = "somebody else"


def in_tail(rows: list[Row]) -> None:
    rows[3]["tail"] = not rows[3]["tail"]


def in_label(rows: list[Row]) -> None:
    rows[3]["lang"] = "isl_Latn" if rows[3]["lang"] != "isl_Latn" else "fao_Latn"


def in_best(rows: list[Row]) -> None:
    swahili = next(row for row in rows if row["lang"] == "swh_Latn")
    swahili.update(lang="amh_Ethi", lang_best="amh_Ethi")


def in_score(rows: list[Row]) -> None:
    next(row for row in rows if row["lang"] == "swh_Latn").update(lang_score=0.1)


def in_mixed(rows: list[Row]) -> None:
    next(row for row in rows if row["lang"] == "swh_Latn").update(mixed=True, tail=False)


def in_script(rows: list[Row]) -> None:
    rows[3]["script"] = "Thai"


def in_origin(rows: list[Row]) -> None:
    unverified = next(row for row in rows if row["origin"] == "unverified")
    unverified.update(origin="anchor", origin_tier="A")


def in_tier(rows: list[Row]) -> None:
    next(row for row in rows if row["origin_tier"] == "B")["origin_tier"] = "A"


def in_declaration(rows: list[Row]) -> None:
    next(row for row in rows if row["origin"] == "synthetic")["origin"] = "unverified"


def as_a_duplicate(rows: list[Row]) -> None:
    rows.append(dict(rows[3]))


def as_a_false_repeat(rows: list[Row]) -> None:
    free = next(row for row in rows if row["origin"] == "unverified" and not row["tail"])
    rows.append(free | {"repeat": 1})


def as_too_many_repeats(rows: list[Row]) -> None:
    anchor = next(row for row in rows if row["origin"] == "anchor")
    rows.extend(anchor | {"repeat": repeat} for repeat in range(1, 5))


def as_a_gap(rows: list[Row]) -> None:
    next(row for row in rows if row["origin"] == "anchor")["repeat"] = 2


def as_a_copy_of_another_name(rows: list[Row]) -> None:
    copy = rows[3] | {"id": "another"}
    rename_documents([copy], PUBLISHED)
    rows.append(copy)


def without_originals(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["origin"] != "anchor"]


MEANINGS: dict[Callable[[list[Row]], Any], str] = {
    in_text: "wrong doc_id",
    in_length: "wrong n_chars",
    in_bytes: "wrong n_bytes",
    in_hash: "wrong text_hash",
    in_source: "wrong doc_id",
    in_tail: "wrong tail",
    in_label: "wrong lang",
    in_best: "wrong script_share",
    in_score: "wrong lang",
    in_mixed: "wrong mixed",
    in_script: "wrong script",
    in_origin: "wrong origin",
    in_tier: "wrong origin_tier",
    in_declaration: "wrong origin",
    as_a_duplicate: "gaps among their repeats",
    as_a_false_repeat: "repeats unprotected text",
    as_too_many_repeats: "appear more than 4 times",
    as_a_gap: "gaps among their repeats",
    as_a_copy_of_another_name: "texts are published under several doc_ids",
    without_originals: "floor original=0.4 is broken",
}


@pytest.mark.parametrize("change", MEANINGS, ids=lambda change: change.__name__)
def test_a_forged_row_is_found_by_what_it_means(run: pathlib.Path, change: Any):
    edit_rows(run, "data", change)
    reseal(run)
    assert MEANINGS[change] in findings(run)


def test_the_hash_of_a_forged_text_does_not_save_it(run: pathlib.Path):
    def change(rows: list[Row]) -> None:
        rows[3]["text"] += " and more"
        rows[3]["text_hash"] = text_hashes(pa.array([rows[3]["text"]]))[0].as_py()

    edit_rows(run, "data", change)
    reseal(run)
    assert "wrong doc_id" in findings(run)


def test_a_shard_of_another_schema_is_found(run: pathlib.Path):
    path = run / "data" / "shard-00000-of-00003.parquet"
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["origin_evidence"]), path)
    reseal(run)
    assert "schema differs" in findings(run)


def with_a_strange_witness(rows: list[Row]) -> None:
    next(row for row in rows if row["witness"])["witness"] = bytes(16)


def without_a_witness(rows: list[Row]) -> None:
    next(row for row in rows if row["reason"] == "near_duplicate").update(witness=None)


def for_a_reason_of_its_own(rows: list[Row]) -> None:
    rows[0]["reason"] = "because"


def below_the_threshold(rows: list[Row]) -> None:
    next(row for row in rows if row["reason"] == "near_duplicate").update(similarity=0.79)


DROPS = [with_a_strange_witness, without_a_witness, below_the_threshold, for_a_reason_of_its_own]


@pytest.mark.parametrize("change", DROPS, ids=lambda change: change.__name__)
@pytest.mark.parametrize("sealed", [False, True], ids=["plainly", "resealed"])
def test_a_forged_dropped_row_is_found(run: pathlib.Path, change: Any, *, sealed: bool):
    edit_rows(run, "dropped", change)
    if sealed:
        reseal(run)
    findings(run)


def test_a_run_without_a_manifest_is_no_run(run: pathlib.Path):
    (run / "manifest.json").unlink()
    ran = holdfast("verify", run)
    assert ran.code == 2
    assert f"{run} is not a published run" in ran.refusal


@pytest.mark.parametrize("text", ["{", "", "\xff", "null", "[]", "{}", '{"run": "x"}'])
def test_a_damaged_manifest_is_told_in_one_line(run: pathlib.Path, text: str):
    (run / "manifest.json").write_text(text, encoding="latin-1")
    ran = holdfast("verify", run)
    assert ran.code == 2
    assert "manifest.json" in ran.refusal


DAMAGES: tuple[tuple[str | int, ...], ...] = (
    *((name,) for name in ("floors", "caps", "config", "ledger", "shards", "files", "size_unit")),
    *((name,) for name in ("tail", "languages", "plan", "decisions")),
    ("decisions", "langid"),
    ("decisions", "tail"),
    ("decisions", "langid", "least_score"),
    ("config", "langid"),
    ("config", "provenance"),
    ("floors", "original"),
    ("ledger", "by_language"),
    ("ledger", "by_origin", "anchor"),
    ("ledger", "dropped"),
    ("ledger", "kept"),
    ("shards", 0),
    ("shards", 0, "path"),
    ("shards", 0, "shares"),
    ("files", 0),
    ("files", 0, "path"),
)


@pytest.mark.parametrize("path", DAMAGES, ids=lambda path: "/".join(map(str, path)))
def test_a_manifest_of_wrong_kinds_is_refused_or_found(
    run: pathlib.Path, published: Run, path: tuple[str | int, ...]
):
    for value in (None, [], "x", 5):
        manifest = published.manifest
        at(manifest, *path[:-1])[path[-1]] = value
        write_manifest(run, manifest)
        ran = holdfast("verify", run)
        assert ran.code in (1, 2), (path, value, ran)


def test_a_floor_on_what_nobody_knows_is_refused_or_found(run: pathlib.Path):
    edit_manifest(run, lambda manifest: manifest["floors"].update(orignal=0.1))
    assert holdfast("verify", run).code in (1, 2)
