"""What is wrong with a place shows before a run needs it."""

from __future__ import annotations

import pathlib

import pytest
from running import holdfast

from pipelines import doctor
from pipelines.doctor import Check
from transforms import conditional
from transforms.gcs import EMULATOR


def tried(found: list[Check], what: str) -> Check:
    [check] = [check for check in found if check.what == what]
    return check


@pytest.fixture(autouse=True)
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """To load them takes seconds; `test_the_command` does."""
    for name in ("_langid", "_synthetic"):
        monkeypatch.setattr(doctor, name, lambda _: "digest")


def test_a_good_place_passes_and_nothing_stays(tmp_path: pathlib.Path, bucket: str):
    place = tmp_path / "new"
    (tmp_path / "a.jsonl").write_text("{}\n")
    found = doctor.examine([str(place), f"{bucket}/new"], [str(tmp_path / "*.jsonl")])
    assert [check for check in found if not check.good] == []
    assert tried(found, f"read {tmp_path / '*.jsonl'}").told == "1 files, 3 bytes"
    assert not place.exists()
    assert doctor.storage.glob(f"{bucket}/new/**") == []


def test_what_cannot_be_written_or_read(tmp_path: pathlib.Path, bucket: str):
    (tmp_path / "file").write_text("")
    places = [str(tmp_path / "file"), "gs://no-such-bucket/x"]
    found = doctor.examine(places, [str(tmp_path / "none.jsonl")])
    assert [check.what for check in found if not check.good] == [
        f"read {tmp_path / 'none.jsonl'}",
        *(f"write to {place}" for place in places),
    ]
    assert "404" in tried(found, "write to gs://no-such-bucket/x").told
    assert "cannot write" in tried(found, f"write to {tmp_path / 'file'}").told


def test_a_place_without_conditions_fails(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conditional, "create", lambda *_: "1")
    [check] = [c for c in doctor.examine([str(tmp_path)], []) if not c.good]
    assert "creates a file where one is" in check.told


def test_credentials_are_looked_for_only_where_they_are_needed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(EMULATOR, raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    monkeypatch.setattr(doctor, "_write", lambda _: "")
    assert "credentials for gs://" not in {c.what for c in doctor.examine([str(tmp_path)], [])}
    check = tried(doctor.examine(["gs://bucket/x"], []), "credentials for gs://")
    assert not check.good
    assert "GOOGLE_APPLICATION_CREDENTIALS" in check.told


def test_little_room_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "_ROOM", 1 << 60)
    assert "TMPDIR" in tried(doctor.examine([], []), "room for temporary files").told


def test_the_command_says_what_failed(tmp_path: pathlib.Path):
    (tmp_path / "file").write_text("")
    good, bad = holdfast("doctor", tmp_path), holdfast("doctor", tmp_path / "file")
    assert (good.code, bad.code) == (0, 1)
    assert "FAIL" in bad.out
    assert "FAIL" not in good.out
