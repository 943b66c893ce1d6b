"""The format of an index: made once, held to afterwards."""

from __future__ import annotations

import json
import pathlib

import pytest
from index_files import CONFIG

from transforms.dedup.config import SCHEME, DedupConfig
from transforms.dedup.index import layout
from transforms.errors import InputError, UsageError


def test_the_first_run_makes_it_and_others_find_it(tmp_path: pathlib.Path):
    index = str(tmp_path / "a" / "index")
    assert not layout.check_format(index, CONFIG)
    assert not pathlib.Path(index).exists(), "looking makes nothing"
    layout.claim_format(index, CONFIG)
    written = (tmp_path / "a" / "index" / layout.FORMAT).read_bytes()
    layout.claim_format(index, CONFIG)
    assert layout.check_format(index, CONFIG)
    assert (tmp_path / "a" / "index" / layout.FORMAT).read_bytes() == written
    assert json.loads(written) == {
        "format": 1, "scheme": SCHEME, "ngram": 5, "permutations": 8, "bands": 4, "seed": 1,
    }  # fmt: skip
    made = layout.config_of(index)
    assert (made.ngram, made.permutations, made.bands, made.seed) == (5, 8, 4, 1)


@pytest.mark.parametrize(
    "changed",
    [{"ngram": 4}, {"permutations": 12}, {"bands": 8}, {"seed": 2}],
    ids=lambda changed: next(iter(changed)),
)
def test_what_makes_signatures_must_be_the_same(tmp_path: pathlib.Path, changed: dict[str, int]):
    layout.claim_format(str(tmp_path), CONFIG)
    other = CONFIG.model_copy(update=changed)
    ((name, value),) = changed.items()
    for refuse in (layout.check_format, layout.claim_format):
        with pytest.raises(UsageError, match=f"dedup.{name}=.*this run has {value}"):
            refuse(str(tmp_path), other)


def test_thresholds_may_differ(tmp_path: pathlib.Path):
    layout.claim_format(str(tmp_path), CONFIG)
    assert layout.check_format(str(tmp_path), DedupConfig(permutations=8, bands=4, threshold=0.9))


@pytest.mark.parametrize(("name", "value"), [("scheme", "old"), ("format", 2)])
def test_another_scheme_or_format_is_refused(tmp_path: pathlib.Path, name: str, value: object):
    layout.claim_format(str(tmp_path), CONFIG)
    path = tmp_path / layout.FORMAT
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    with pytest.raises(UsageError, match=f"{name}={value!r}"):
        layout.check_format(str(tmp_path), CONFIG)
    with pytest.raises(InputError, match="this version reads"):
        layout.config_of(str(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_damaged_format_is_told(tmp_path: pathlib.Path, text: str):
    (tmp_path / layout.FORMAT).write_text(text)
    with pytest.raises(InputError, match=r"index\.json.*damaged"):
        layout.check_format(str(tmp_path), CONFIG)


def test_parameters_that_no_configuration_has_are_told(tmp_path: pathlib.Path):
    record = {"format": 1, "scheme": SCHEME, "ngram": 5, "permutations": 7, "bands": 4, "seed": 1}
    (tmp_path / layout.FORMAT).write_text(json.dumps(record))
    with pytest.raises(InputError, match="is damaged"):
        layout.config_of(str(tmp_path))


def test_a_folder_without_a_format_is_no_index(tmp_path: pathlib.Path):
    with pytest.raises(UsageError, match="is no index"):
        layout.read_format(str(tmp_path))
