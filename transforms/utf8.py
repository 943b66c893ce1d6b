"""Strings of Arrow arrays as compiled kernels read and write them: buffers of UTF-8."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transforms.kernels import Buffer, Offsets, njit

__all__ = ["decode", "encode", "string_array", "string_buffers"]


def string_buffers(text: pa.Array) -> tuple[Offsets, Buffer]:
    """Views of an array's Arrow buffers: n + 1 offsets (int32), UTF-8 bytes (uint8)."""
    _, offsets, data = text.buffers()
    if offsets is None or len(text) == 0:
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    return bounds, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def string_array(offsets: Offsets, data: Buffer) -> pa.StringArray:
    """The strings of buffers, as `string_buffers` gives them; nothing is copied."""
    return pa.StringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets.data), pa.py_buffer(data.data)
    )


@njit
def decode(data: Buffer, at: int) -> tuple[int, np.int64]:  # pragma: no cover - compiled
    """Width in bytes and code point of the character at `at` of valid UTF-8."""
    first = np.int64(data[at])
    if first < 0x80:
        return 1, first
    if first < 0xE0:
        return 2, ((first & 0x1F) << 6) | (data[at + 1] & 0x3F)
    if first < 0xF0:
        return 3, ((first & 0x0F) << 12) | ((data[at + 1] & 0x3F) << 6) | (data[at + 2] & 0x3F)
    return 4, (
        ((first & 0x07) << 18)
        | ((data[at + 1] & 0x3F) << 12)
        | ((data[at + 2] & 0x3F) << 6)
        | (data[at + 3] & 0x3F)
    )


@njit
def encode(point: int, out: Buffer, at: int) -> int:  # pragma: no cover - compiled
    """Writes one code point as UTF-8; returns where the next one goes."""
    if point < 0x80:
        out[at] = point
        return at + 1
    if point < 0x800:
        out[at] = 0xC0 | (point >> 6)
        out[at + 1] = 0x80 | (point & 0x3F)
        return at + 2
    if point < 0x10000:
        out[at] = 0xE0 | (point >> 12)
        out[at + 1] = 0x80 | ((point >> 6) & 0x3F)
        out[at + 2] = 0x80 | (point & 0x3F)
        return at + 3
    out[at] = 0xF0 | (point >> 18)
    out[at + 1] = 0x80 | ((point >> 12) & 0x3F)
    out[at + 2] = 0x80 | ((point >> 6) & 0x3F)
    out[at + 3] = 0x80 | (point & 0x3F)
    return at + 4
