"""Pages of one host, judged together.

A host has an unknown share of machine-made pages. Each page is a draw from the mixture
of human and machine text with that share, its likelihood ratio being what its own
probability says beyond the prior. The posterior is taken over a grid of shares, and
`p_synthetic_host` is the probability that at least half of the pages are machine-made,
where half of the hosts' prior lies on either side as the prior of a page says.

Pages of a host err together: they share an author, a topic, a template. Their evidence is
therefore that of m / (1 + (m - 1) rho) independent pages (Kish, Survey sampling, 1965:
the design effect of a cluster of m), and never of more than 1 / rho.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.synthetic.posterior import UNIT

__all__ = ["HOST", "MIN_PAGES", "PAGE", "host_rows", "posterior"]

MIN_PAGES = 15
"""Fewest distinct pages of a host that are judged together."""

PAGE = pa.schema([("host", pa.uint64()), ("text", pa.uint64()), ("p", pa.int16())])
"""A page: hash of its host, start of its text's hash, probability in ten-thousandths."""

HOST = pa.schema([("host", pa.uint64()), ("pages", pa.int64()), ("p", pa.int16())])
"""A host with `MIN_PAGES` or more: distinct pages, posterior in ten-thousandths."""

_SHARES = 20
"""Steps of the grid of shares; half of them lie below one half."""
_FIXED = 1 << 20
"""Log-likelihoods are whole multiples of 1 / 2^20."""
_RHO = 10
"""1 / rho: a tenth of what pages say is said by all pages of their host."""

Longs = npt.NDArray[np.int64]


@functools.lru_cache(maxsize=4)
def _evidence(prior: int) -> Longs:
    """Log-likelihood of a page by its probability and the host's share.

    Shape (UNIT + 1, _SHARES), in units of 1 / `_FIXED`. Shares are the middles of the
    steps, so that none is certain and none is one half.
    """
    chance = np.clip(np.arange(UNIT + 1), 1, UNIT - 1)
    ratio = chance * (UNIT - prior) / ((UNIT - chance) * prior)
    share = (2 * np.arange(_SHARES) + 1) / (2 * _SHARES)
    log = np.log(share * ratio[:, None] + (1 - share))
    return np.asarray(np.rint(_FIXED * log), dtype=np.int64)


def posterior(sums: Longs, pages: Longs, prior: int) -> npt.NDArray[np.int16]:
    """The probability that half of a host's pages or more are machine-made.

    Args:
        sums: Log-likelihoods summed over pages, as `_evidence` gives them. Shape
            (hosts, shares).
        pages: Number of pages. Shape (hosts,).
        prior: In ten-thousandths.

    Returns:
        Ten-thousandths. Shape (hosts,).
    """
    log = sums * _RHO // (pages[:, None] + _RHO - 1) / _FIXED
    log[:, : _SHARES // 2] += math.log(UNIT - prior)
    log[:, _SHARES // 2 :] += math.log(prior)
    mass = np.exp(log - log.max(axis=1, keepdims=True))
    upper = mass[:, _SHARES // 2 :].sum(axis=1) / mass.sum(axis=1)
    return np.asarray(np.rint(UNIT * upper), dtype=np.int16)


def host_rows(pages: pa.Table, prior: int) -> pa.Table:
    """Judges the hosts of a partition.

    Args:
        pages: Rows of `PAGE` in any order; all there are of each host. Copies of one
            text count once, with the lowest of their probabilities.
        prior: In ten-thousandths.

    Returns:
        Rows of `HOST`, by host, of those with enough pages.
    """
    host, text, p = (pages.column(name).to_numpy() for name in PAGE.names)
    order = np.lexsort((p, text, host))
    host, text, p = host[order], text[order], p[order]
    fresh = np.ones(len(host), dtype=bool)
    fresh[1:] = (host[1:] != host[:-1]) | (text[1:] != text[:-1])
    host, p = host[fresh], p[fresh].astype(np.int64)
    first = np.ones(len(host), dtype=bool)
    first[1:] = host[1:] != host[:-1]
    starts = np.flatnonzero(first)
    counts = np.diff(np.append(starts, len(host)))
    large = counts >= MIN_PAGES
    if not large.any():
        return HOST.empty_table()
    kept = np.repeat(large, counts)
    counts, names = counts[large], host[starts[large]]
    begins = np.cumsum(counts) - counts
    sums = np.add.reduceat(_evidence(prior)[p[kept]], begins, axis=0)
    return pa.table([names, counts, posterior(sums, counts, prior)], schema=HOST)
