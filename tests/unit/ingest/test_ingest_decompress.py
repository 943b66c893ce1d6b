import bz2
import gzip
import io
import lzma
import pathlib
import random
import zlib
from collections.abc import Iterator

import pytest
import zstandard
from ingest_files import read_all, reasons, texts

from transforms.ingest.config import IngestConfig
from transforms.ingest.decompress import DamagedError, Limits, decompress

LINES = [b'{"text": "%d %d"}\n' % (i, random.Random(i).getrandbits(256)) for i in range(3000)]
DATA = b"".join(LINES)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


PACK = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "zst": zstd,
    "bz2": lambda data: bz2.compress(data, 1),  # blocks of 100 kB
    "xz": lzma.compress,
}


def unpack(data: bytes, codec: str) -> tuple[bytes, int | None]:
    """All that can be had, and how much was consumed if there was damage."""
    pieces = []
    try:
        for piece in decompress(io.BytesIO(data), codec):
            pieces.append(piece)  # noqa: PERF402  # what came before the error counts
    except DamagedError as e:
        return b"".join(pieces), e.consumed
    return b"".join(pieces), None


@pytest.mark.parametrize("codec", PACK)
def test_whole_files(codec: str) -> None:
    pack = PACK[codec]
    assert unpack(b"", codec) == (b"", None), "an empty file"
    assert unpack(pack(b""), codec) == (b"", None), "an empty stream"
    assert unpack(pack(DATA), codec) == (DATA, None)
    assert unpack(pack(DATA) + pack(b"more") + pack(DATA), codec) == (DATA + b"more" + DATA, None)


def test_padding_and_skippable_frames() -> None:
    assert unpack(gzip.compress(b"x") + b"\0" * 9000, "gz") == (b"x", None)
    skippable = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    assert unpack(skippable + zstd(b"x") + skippable + zstd(b"y"), "zst") == (b"xy", None)


@pytest.mark.parametrize("codec", PACK)
def test_cut_off_anywhere(codec: str) -> None:
    """Everything that the bytes left hold is given, and never more."""
    packed = PACK[codec](DATA)
    last = -1
    for cut in range(1, len(packed), len(packed) // 15):
        out, consumed = unpack(packed[:cut], codec)
        assert consumed == cut
        assert DATA.startswith(out)
        assert len(out) >= last
        last = len(out)
    assert last > len(DATA) // 2


@pytest.mark.parametrize("codec", PACK)
def test_what_comes_before_corruption_is_kept(codec: str) -> None:
    good = PACK[codec](DATA)
    out, consumed = unpack(good + b"garbage that is no header at all", codec)
    assert out == DATA
    assert len(good) <= (consumed or 0) < len(good) + 20


def test_corrupt_in_the_middle() -> None:
    """The block that fails is decoded byte by byte, so its beginning is kept."""
    packed = bytearray(PACK["zst"](DATA))
    middle = len(packed) * 9 // 10
    packed[middle : middle + 8] = b"\xff" * 8
    out, consumed = unpack(bytes(packed), "zst")
    assert consumed is not None
    assert DATA.startswith(out)


def test_wrong_checksum_is_damage() -> None:
    for codec, at in (("gz", -8), ("zst", -1)):
        packed = bytearray(PACK[codec](DATA))
        packed[at] ^= 1
        out, consumed = unpack(bytes(packed), codec)
        assert out == DATA, "the data itself was read before the sum was"
        assert consumed is not None


@pytest.mark.parametrize("codec", PACK)
def test_bomb_is_handed_on_in_pieces(codec: str) -> None:
    """Of gzip and Zstandard a step may give 32 MiB, of the others what is asked for."""
    size, most = (64 << 20, 40 << 20) if codec in ("gz", "zst") else (8 << 20, 3 << 20)
    packed = PACK[codec](b"\0" * size)
    largest = max(map(len, decompress(io.BytesIO(packed), codec)))
    assert largest <= most


def sizes(path: pathlib.Path, codec: str, limits: Limits) -> Iterator[int]:
    with path.open("rb") as source:
        yield from map(len, decompress(source, codec, limits))


@pytest.mark.parametrize("codec", PACK)
def test_a_bomb_ends_at_its_limit(
    tmp_path: pathlib.Path, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands before it is kept, and it costs no more than the limit allows."""
    monkeypatch.setattr("transforms.ingest.decompress._GRACE", 2 << 20)
    path = tmp_path / f"a.jsonl.{codec}"
    first = b'{"text": "first"}\n'
    path.write_bytes(PACK[codec](first) + PACK[codec](b" " * (8 << 20)))
    for ratio, size in ((200, 1 << 40), (1 << 20, 1 << 20)):
        made: list[int] = []
        with pytest.raises(DamagedError, match="bomb") as caught:
            made.extend(sizes(path, codec, Limits(ratio, size)))
        assert caught.value.reason == "unreadable_bomb"
        assert sum(made) <= (2 << 20 if ratio == 200 else 1 << 20)
    documents, dead = read_all(path, IngestConfig(max_unpacked_bytes=1 << 20))
    assert texts(documents) == ["first"]
    assert [reason for _, reason in reasons(dead)] == ["unreadable_bomb"]
    assert read_all(path, IngestConfig(max_ratio=1 << 30))[0] == documents


def test_headers_that_ask_for_much_memory_are_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0}]
    packed = bytearray(lzma.compress(DATA, lzma.FORMAT_XZ, lzma.CHECK_NONE, None, filters))
    at = packed.index(b"\x21\x01", 12) + 2
    packed[at] = 40  # a dictionary of 4 GiB
    header = packed[12 : 12 + (packed[12] + 1) * 4 - 4]
    packed[12 + len(header) : 16 + len(header)] = zlib.crc32(header).to_bytes(4, "little")
    out, consumed = unpack(bytes(packed), "xz")
    assert (out, consumed is not None) == (b"", True)


@pytest.mark.parametrize("codec", PACK)
def test_rest_of_a_damaged_file_is_one_dead_letter(tmp_path: pathlib.Path, codec: str) -> None:
    packed = PACK[codec](DATA)
    path = tmp_path / f"a.jsonl.{codec}"
    path.write_bytes(packed[: len(packed) * 9 // 10])
    documents, dead = read_all(path)
    n = len(documents)
    assert 0 < n < len(LINES)
    assert texts(documents) == [eval(line)["text"] for line in LINES[:n]]  # noqa: S307
    assert reasons(dead) == [(sum(map(len, LINES[:n])), "unreadable_rest")]
    assert dead[0]["n_bytes"] == 0, "all of what is there was decoded"
    assert "ends within" in dead[0]["excerpt"]


@pytest.mark.parametrize("codec", PACK)
def test_a_file_of_another_format(tmp_path: pathlib.Path, codec: str) -> None:
    path = tmp_path / f"a.jsonl.{codec}"
    path.write_bytes(DATA)
    documents, dead = read_all(path)
    assert documents == []
    assert reasons(dead) == [(0, "unreadable_rest")]
    assert len(DATA) - 10 < dead[0]["n_bytes"] <= len(DATA)
