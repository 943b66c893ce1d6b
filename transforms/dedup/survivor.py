"""Survivor order: which of two copies stays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.kernels import Hashes

__all__ = ["MAX_CHARS", "UNDATED", "survivor_keys"]

UNDATED = 2**22 - 1
"""Stands for a missing date: later than any."""
MAX_CHARS = 2**26 - 1
"""Longest document, in characters, whose length the key can tell."""
_UNKNOWN = 2**14 - 1


def survivor_keys(
    tier: npt.NDArray[np.int8],
    date_day: npt.NDArray[np.int32],
    p: npt.NDArray[np.int16],
    n_chars: npt.NDArray[np.int32],
    doc_id: pa.Array | pa.ChunkedArray,
) -> tuple[Hashes, Hashes]:
    """Packs survivor order into 128 bits: of two documents the smaller key survives.

    The order is: tier (A, B, none), earliest date (unknown last), lowest synthetic
    probability (unknown last, tier A counts as 0), longest, `doc_id`. Bits of the
    first word, from the top: 2 tier, 22 day, 14 probability, 26 length. The second
    word is the start of `doc_id`: documents that agree in all the rest differ there
    but for one pair in 2**64.

    Args:
        tier: 0 (A), 1 (B) or 2 (none).
        date_day: Proleptic ordinals; `UNDATED` where unknown.
        p: Ten-thousandths; -1 where unknown.
        n_chars: At most `MAX_CHARS`.
        doc_id: 16 bytes each.

    Returns:
        Two uint64 arrays, most significant first.
    """
    chance = np.where(p < 0, _UNKNOWN, p).astype(np.uint64)
    chance[tier == 0] = 0
    day = np.clip(date_day, 0, UNDATED).astype(np.uint64)
    length = (MAX_CHARS - np.minimum(n_chars, MAX_CHARS)).astype(np.uint64)
    hi = (tier.astype(np.uint64) << np.uint64(62)) | (day << np.uint64(40))
    hi |= (chance << np.uint64(26)) | length
    return hi, first_word(doc_id)


def halves(ids: pa.Array | pa.ChunkedArray) -> tuple[Hashes, Hashes]:
    """The two eight-byte halves of 16-byte ids, big-endian, so that integers sort as bytes do."""
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    raw = np.frombuffer(ids.buffers()[2] or b"", dtype=">u8")
    raw = raw[2 * ids.offset : 2 * (ids.offset + len(ids))]
    return raw[::2].astype(np.uint64), raw[1::2].astype(np.uint64)


def first_word(ids: pa.Array | pa.ChunkedArray) -> Hashes:
    """The first of the `halves` of 16-byte ids."""
    return halves(ids)[0]
