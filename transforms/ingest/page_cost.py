"""How much work a page makes for a parser of HTML, known before it is parsed.

Parsers compare every attribute of a tag with the others, and extractors climb from every
element towards the root: a page of a few hundred kilobytes can be built to keep them busy
for minutes. One pass over the bytes tells what it would be.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.kernels import Buffer, njit

__all__ = ["MAX_COST", "page_cost"]

MAX_COST = 1 << 24
"""Cost of a page that is still parsed: some two seconds. A usual page has 10**4 to 10**5."""

_MAX_DEPTH = 4096
_ATTRIBUTE_SHIFT = 6
"""64 comparisons of attributes take as long as one step towards the root."""
_HASH = np.uint64(0x100000001B3)


def _names(*names: str) -> npt.NDArray[np.uint64]:
    return np.array([_name_hash(name) for name in names], np.uint64)


def _name_hash(name: str) -> int:
    value = 0
    for byte in name.encode():
        value = (value ^ byte) * int(_HASH) % 2**64
    return value


_FLAT = _names(
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
    "source", "track", "wbr", "p", "li", "dt", "dd", "option", "tr", "td", "th",
)  # fmt: skip
"""Elements that hold nothing, or that end where the next of their kind begins."""
_RAW = _names("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
"""Elements in which no tag begins, up to their own end tag."""


@njit
def _among(name: np.uint64, names: npt.NDArray[np.uint64]) -> bool:  # pragma: no cover - compiled
    return bool(np.any(names == name))


@njit
def _read_name(data: Buffer, at: int) -> tuple[int, np.uint64]:  # pragma: no cover - compiled
    """Where a tag's name ends, and its hash in lower case."""
    value = np.uint64(0)
    while at < len(data):
        byte = data[at]
        if byte <= 32 or byte in (47, 62):  # white space, `/`, `>`
            break
        if 65 <= byte <= 90:
            byte += np.uint8(32)
        value = (value ^ np.uint64(byte)) * _HASH
        at += 1
    return at, value


@njit
def _skip_tag(data: Buffer, at: int) -> tuple[int, int]:  # pragma: no cover - compiled
    """Where a tag ends, and how many attributes it has at most; `at` is after its name."""
    attributes, inside, quote = 0, False, 0
    valued = False
    while at < len(data):
        byte = data[at]
        at += 1
        if quote:
            if byte == quote:
                quote, inside = 0, False
        elif byte == 62:
            return at, attributes
        elif byte <= 32 or byte == 47:
            inside = False
            valued = valued and byte <= 32
        elif byte in (34, 39) and valued:
            quote, valued = byte, False
        else:
            if not inside:
                attributes += 1
            inside, valued = True, byte == 61
    return at, attributes


@njit
def _find_end(data: Buffer, at: int, name: np.uint64) -> int:  # pragma: no cover - compiled
    """Where the end tag of that name begins; the end of the page if there is none."""
    while at + 1 < len(data):
        if data[at] == 60 and data[at + 1] == 47 and _read_name(data, at + 2)[1] == name:
            return at
        at += 1
    return len(data)


@njit
def _close(  # pragma: no cover - compiled
    open_names: npt.NDArray[np.uint64], depth: int, name: np.uint64
) -> int:
    """Depth after an end tag; one that nothing open has changes nothing."""
    for i in range(depth - 1, -1, -1):
        if open_names[i] == name:
            for k in range(i, depth - 1):
                open_names[k] = open_names[k + 1]
            return depth - 1
    return depth


@njit
def page_cost(data: Buffer) -> int:  # pragma: no cover - compiled
    """Steps towards the root from all elements, and comparisons of attributes.

    Args:
        data: A page in UTF-8.

    Returns:
        At least what a parser has to do, to within a small factor; it stops counting soon
        after `MAX_COST`.
    """
    open_names = np.zeros(_MAX_DEPTH, np.uint64)
    cost, depth, at = 0, 0, 0
    while at + 1 < len(data) and cost <= MAX_COST:
        if data[at] != 60:  # `<`
            at += 1
            continue
        ends = data[at + 1] == 47  # `/`
        at += 2 if ends else 1
        letter = data[at] | 32 if at < len(data) else 0
        if not 97 <= letter <= 122:
            continue
        at, name = _read_name(data, at)
        at, attributes = _skip_tag(data, at)
        cost += 1 + depth + ((attributes * attributes) >> _ATTRIBUTE_SHIFT)
        if ends:
            depth = _close(open_names, depth, name)
        elif _among(name, _RAW):
            at = _find_end(data, at, name)
        elif not _among(name, _FLAT):
            if depth == _MAX_DEPTH:
                return MAX_COST + 1
            open_names[depth] = name
            depth += 1
    return cost
