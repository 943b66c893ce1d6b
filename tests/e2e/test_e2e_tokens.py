"""A run whose shares are measured in tokens: `curate`, then what `verify` makes of it."""

from __future__ import annotations

import pathlib
from fractions import Fraction
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from e2e_corpus import documents
from e2e_forgery import copied, edit_rows, findings, reseal
from running import EXAMPLE, Run, holdfast, rows, shards, succeed
from tokenizers import Tokenizer
from tokenizing import write_tokenizer

from pipelines.config import make_config
from pipelines.run import prepare
from transforms.errors import InputError

Row = dict[str, Any]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    return write_tokenizer(folder / "tokenizer.json", [row["text"] for row in documents()])


@pytest.fixture(scope="module")
def counted(tokenizer: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("counted")
    output, staging = folder / "run", folder / "staging"
    asked = ("--tokenizer", tokenizer, "--unit", "tokens", "--shard-size", "8000")
    places = ("--output", output, "--staging", staging)
    return Run(output, staging, succeed("curate", EXAMPLE, *asked, *places))


def test_every_shard_keeps_its_shares_in_tokens(counted: Run, tokenizer: pathlib.Path):
    manifest, library = counted.manifest, Tokenizer.from_file(str(tokenizer))
    assert manifest["size_unit"] == "tokens"
    assert set(manifest["models"]) == {"langid_model", "synthetic_model", "tokenizer"}
    assert manifest["floors"]
    assert len(manifest["shards"]) > 1
    for shard in shards(counted.output):
        sizes = [
            len(library.encode(text, add_special_tokens=False).ids)
            for text in shard.column("text").to_pylist()
        ]
        assert shard.column("n_tokens").to_pylist() == sizes
        have = {"original": shard.column("origin").to_pylist(), "tail": shard.column("tail")}
        members = {
            "original": [origin == "anchor" for origin in have["original"]],
            "tail": have["tail"].to_pylist(),
        }
        for name, share in manifest["floors"].items():
            size = sum(n for n, counts in zip(sizes, members[name], strict=True) if counts)
            assert size >= Fraction(repr(share)) * sum(sizes)


def test_verify_recounts_with_the_tokenizer_alone(counted: Run, tokenizer: pathlib.Path):
    assert "not checked" not in succeed("verify", counted.output, "--tokenizer", tokenizer).out
    without = succeed("verify", counted.output).out
    said = "not checked: n_tokens of {} documents is taken as given; --tokenizer FILE recomputes it"
    assert said.format(len(rows(counted.output, "data"))) in without.splitlines()


def test_a_forged_size_is_found_with_the_tokenizer(
    counted: Run, tokenizer: pathlib.Path, tmp_path: pathlib.Path
):
    run = copied(counted, tmp_path)

    def forge(published: list[Row]) -> None:
        published[0]["n_tokens"] += 1

    edit_rows(run, "data", forge)
    reseal(run)
    ran = holdfast("verify", run, "--tokenizer", tokenizer)
    assert ran.code == 1
    assert "1 rows have a wrong n_tokens, the first is row 0" in ran.out
    assert "n_tokens" not in findings(run), "what is wrong without it is the ledger"


def test_a_tokenizer_of_another_run_is_refused(
    counted: Run, published: Run, tokenizer: pathlib.Path, tmp_path: pathlib.Path
):
    other = write_tokenizer(tmp_path / "other.json", ["another text"])
    ran = holdfast("verify", counted.output, "--tokenizer", other)
    assert ran.code == 2
    assert f"was annotated with {counted.manifest['models']['tokenizer']}" in ran.refusal
    ran = holdfast("verify", published.output, "--tokenizer", tokenizer)
    assert ran.code == 2
    assert "was annotated without a tokenizer; leave out --tokenizer" in ran.refusal


def test_selecting_by_tokens_needs_no_tokenizer_again(counted: Run, tmp_path: pathlib.Path):
    asked = {"staging": str(counted.staging), "output": str(tmp_path / "run"), "no_floors": True}
    config = make_config(asked | {"unit": "tokens"}, "test")
    launch = prepare("select", config, PipelineOptions([]))
    assert launch.job.models == counted.manifest["models"]
    other = write_tokenizer(tmp_path / "other.json", ["another text"])
    config = make_config(asked | {"tokenizer": str(other)}, "test")
    with pytest.raises(InputError, match="give that file, or annotate again"):
        prepare("select", config, PipelineOptions([]))
