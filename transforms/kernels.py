"""How compiled kernels are declared, and the types that they speak in."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["Buffer", "Hashes", "Offsets", "njit"]

Buffer = npt.NDArray[np.uint8]
"""Bytes of an Arrow buffer."""
Offsets = npt.NDArray[np.int32]
"""Offsets of an Arrow string array."""
Hashes = npt.NDArray[np.uint64]
"""64-bit hashes."""


def njit(function: Any) -> Any:
    """Compiles once per machine (cached on disk) and runs without the interpreter lock."""
    return numba.njit(cache=True, nogil=True, boundscheck=False)(function)
