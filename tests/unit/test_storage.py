import io
import pathlib
import subprocess
import sys

import pytest
from apache_beam.io.filesystems import FileSystems

from transforms import storage
from transforms.errors import InputError, StorageError


def test_no_beam_for_local_paths(tmp_path: pathlib.Path) -> None:
    code = (
        "import sys; from transforms import storage;"
        f"storage.write_bytes_atomically({str(tmp_path / 'x')!r}, b'1');"
        f"storage.glob({str(tmp_path / '*')!r});"
        "import transforms.ingest.read, transforms.ingest.exclude;"
        "sys.exit('apache_beam' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603


def test_an_absolute_path_means_the_same_everywhere(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("a/b", "./a/../a/b/", f"file://{tmp_path}/a/b", str(tmp_path / "a" / "b")):
        assert storage.absolute(path) == str(tmp_path / "a" / "b")
    assert storage.absolute("gs://bucket/a/") == "gs://bucket/a"


def test_written_and_read(tmp_path: pathlib.Path) -> None:
    path = storage.join(str(tmp_path), "deep", "er", "x")
    with storage.create(path) as sink:
        sink.write(b"0123")
        assert sink.tell() == 4
    assert storage.exists(path)
    assert storage.exists(storage.join(str(tmp_path), "deep"))
    assert storage.read_bytes("file://" + path) == b"0123"
    with storage.open_input(path) as source:
        assert source.seek(-1, io.SEEK_END) == 3
        assert (source.read(9), source.tell()) == (b"3", 4)


def test_never_decompressed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "x.gz").write_bytes(b"raw")
    assert storage.read_bytes(str(tmp_path / "x.gz")) == b"raw"


def test_glob_tells_size_and_skips_folders(tmp_path: pathlib.Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "b.txt").write_bytes(b"12")
    (tmp_path / "a[1].txt").write_bytes(b"1")
    found = storage.glob(str(tmp_path / "*.txt"))
    assert [(entry.path, entry.size) for entry in found] == [
        (str(tmp_path / "a[1].txt"), 1),
        (str(tmp_path / "b.txt"), 2),
    ]
    assert len(storage.glob(str(tmp_path / "a[1].txt"))) == 1, "its name looks like a pattern"
    assert storage.glob(str(tmp_path / "none*")) == []


def test_atomic_write_replaces_and_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "x")
    storage.write_bytes_atomically(path, b"old")
    storage.write_bytes_atomically(path, b"new")
    assert storage.read_bytes(path) == b"new"
    assert [entry.path for entry in storage.glob(str(tmp_path / "*"))] == [path]


def test_failed_atomic_write_keeps_what_was(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "x")
    storage.write_bytes_atomically(path, b"old")

    def full(src: str, dst: str) -> None:
        raise StorageError("no room")

    monkeypatch.setattr(storage, "rename", full)
    with pytest.raises(StorageError):
        storage.write_bytes_atomically(path, b"new")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


def test_delete_tree(tmp_path: pathlib.Path) -> None:
    storage.write_bytes_atomically(str(tmp_path / "a" / "b" / "c"), b"")
    storage.delete_tree(str(tmp_path / "a" / "b" / "c"))
    storage.delete_tree(str(tmp_path / "a"))
    storage.delete_tree(str(tmp_path / "a"))
    assert not storage.exists(str(tmp_path / "a"))


@pytest.mark.parametrize("name", ["absent", "."])
def test_no_such_input(tmp_path: pathlib.Path, name: str) -> None:
    with pytest.raises(InputError, match="Check the path"):
        storage.open_input(str(tmp_path / name))


def test_storage_errors_name_the_path(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"file/below.*run again"):
        storage.create(str(tmp_path / "file" / "below"))
    with pytest.raises(StorageError, match="nowhere://x"):
        storage.open_input("nowhere://x")


@pytest.mark.parametrize("operation", ["read", "seek"])
def test_reading_fails_later(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """A disk that fails halfway must not look like a corrupt file."""
    (tmp_path / "x").write_bytes(b"123")

    class Failing(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError("device is gone")

        def seek(self, *_: object) -> int:
            raise OSError("device is gone")

    monkeypatch.setattr(pathlib.Path, "open", lambda *_, **__: Failing())
    source = storage.open_input(str(tmp_path / "x"))
    with pytest.raises(StorageError, match=r"cannot read .*x.*device is gone"):
        source.read(1) if operation == "read" else source.seek(0)


def test_other_schemes_go_through_beam(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beam's own local file system stands in for an object store."""
    root = str(tmp_path)
    monkeypatch.setattr(storage, "is_local", lambda _: False)
    with storage.create(f"{root}/a.gz") as sink:
        sink.write(b"raw")
    assert storage.exists(f"{root}/a.gz")
    assert storage.read_bytes(f"{root}/a.gz") == b"raw"
    storage.rename(f"{root}/a.gz", f"{root}/b")
    [entry] = storage.glob(f"{root}/*")
    assert (entry.path, entry.size) == (f"{root}/b", 3)
    assert float(entry.updated) > 0
    storage.makedirs(f"{root}/nothing")
    assert not FileSystems.exists(f"{root}/nothing"), "an object store has no folders"
    storage.write_bytes_atomically(f"{root}/c", b"1")
    assert storage.read_bytes(f"{root}/c") == b"1"
    storage.delete_tree(f"{root}/b")
    storage.delete_tree(f"{root}/b")
    assert [e.path for e in storage.glob(f"{root}/*")] == [f"{root}/c"]
