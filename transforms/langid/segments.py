"""Three segments stand for a long document: from its head, its middle and its tail.

They are cut out of the Arrow buffers by a kernel, so that a page of ten megabytes
costs what a page of ten kilobytes does.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.utf8 import decode, string_array, string_buffers

__all__ = ["SEGMENTS", "WHOLE", "segments"]

SEGMENTS = 3
"""Into how many segments a long text is cut."""

WHOLE = 400
"""Code points up to which a text is one segment: its thirds would be too short to tell."""

_SEEK = 24
"""Code points within which a segment looks for a space to start after."""


def segments(text: pa.StringArray, max_chars: int) -> tuple[pa.StringArray, ...]:
    """Cuts a segment from each third of every long text; a short one is its own.

    A text of at most `WHOLE` code points is the first segment, and the others are
    empty. One of at most `max_chars` is cut into thirds. Of a longer one the segments
    are centred on the thirds of its bytes: what stands first and last on a page is
    often not the page's own. They start after a space when there is one near.

    Args:
        text: Documents, without nulls.
        max_chars: Code points in all segments together, at most.

    Returns:
        The first segments, the second ones and the third ones.
    """
    offsets, data = string_buffers(text)
    bounds = np.zeros((len(text), 2 * SEGMENTS), np.int32)
    _bounds(offsets, data, max_chars // SEGMENTS, bounds)
    return tuple(_cut(data, bounds[:, at], bounds[:, at + 1]) for at in range(0, 2 * SEGMENTS, 2))


def _cut(
    data: npt.NDArray[np.uint8], start: npt.NDArray[np.int32], end: npt.NDArray[np.int32]
) -> pa.StringArray:
    offsets = np.zeros(len(start) + 1, np.int32)
    np.cumsum(end - start, out=offsets[1:])
    out = np.empty(offsets[-1], np.uint8)
    _copy(data, start, offsets, out)
    return string_array(offsets, out)


@numba.njit(cache=True, nogil=True)
def _copy(data, start, offsets, out):  # type: ignore[no-untyped-def]
    for row in range(len(start)):
        length = offsets[row + 1] - offsets[row]
        out[offsets[row] : offsets[row + 1]] = data[start[row] : start[row] + length]


@numba.njit(cache=True, nogil=True)
def _forward(data, at, stop, points):  # type: ignore[no-untyped-def]
    """The position `points` code points after `at`, not beyond `stop`."""
    while points > 0 and at < stop:
        at += decode(data, at)[0]
        points -= 1
    return at


@numba.njit(cache=True, nogil=True)
def _word_start(data, at, stop):  # type: ignore[no-untyped-def]
    """A code point's start at or after `at`; after a space, if one is near."""
    while at < stop and data[at] & 0xC0 == 0x80:
        at += 1
    near = _forward(data, at, stop, np.int64(_SEEK))
    for place in range(at, near):
        if data[place] == 0x20 or data[place] == 0x0A:
            return place + 1
    return at


@numba.njit(cache=True, nogil=True)
def _bounds(offsets, data, points, bounds):  # type: ignore[no-untyped-def]
    count = bounds.shape[1] // 2
    for row in range(len(offsets) - 1):
        first, last = np.int64(offsets[row]), np.int64(offsets[row + 1])
        whole = min(count * points, WHOLE)
        reach = _forward(data, first, last, whole)
        if reach == last:
            bounds[row, 0], bounds[row, 1:] = first, last
            continue
        # What all segments together would leave out, as bytes.
        spare = last - _forward(data, reach, last, count * points - whole)
        at = first
        for number in range(count):
            start = first + (last - first) * number // count + spare // (2 * count)
            at = max(at, _word_start(data, start, last) if start > first else first)
            bounds[row, 2 * number] = at
            if number:
                bounds[row, 2 * number - 1] = min(at, bounds[row, 2 * number - 1])
            bounds[row, 2 * number + 1] = _forward(data, at, last, points)
