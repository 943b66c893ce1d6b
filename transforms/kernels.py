"""How compiled kernels are declared, and the types that they speak in."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["Buffer", "Hashes", "Offsets", "integer_root", "njit"]

Buffer = npt.NDArray[np.uint8]
"""Bytes of an Arrow buffer."""
Offsets = npt.NDArray[np.int32]
"""Offsets of an Arrow string array."""
Hashes = npt.NDArray[np.uint64]
"""64-bit hashes."""


def njit(function: Any) -> Any:
    """Compiles once per machine (cached on disk) and runs without the interpreter lock.

    A function is compiled for every type that it is called with: a loop that begins with 0, or
    with an int32 offset, has what it calls compiled twice. Begin with `np.int64`.
    """
    return numba.njit(cache=True, nogil=True, boundscheck=False)(function)


@njit
def integer_root(value: np.int64) -> np.int64:  # pragma: no cover - compiled
    """The largest integer whose square is at most `value`, whatever the processor rounds."""
    root = np.int64(np.sqrt(np.float64(value)))
    while root * root > value:
        root -= 1
    while (root + 1) * (root + 1) <= value:
        root += 1
    return root
