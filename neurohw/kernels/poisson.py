"""Poisson counts of many sources at once, by the alias method: one look-up per count, whatever the mean.

A table of 2^b cells holds the distribution of one mean. 32 random bits choose a cell (the upper b of them) and, by the others,
one of its two outcomes:

    k = r >> (32 - b);   count = k  if  r mod 2^(32 - b) < threshold[k]  else  alias[k]

Probabilities are thereby whole multiples of 2^-32, each rounded to the nearest, which moves a mean of 1 by about 1e-9; outcomes of 2^b and more, of a probability below 2^-34 together, are left out.
Source i of n in interval t gets the lower (i < h) or upper half of the 64 bits with the number t h + (i mod h), h = ceil(n/2).
Source: Walker, ACM Trans. Math. Softw. 3 (1977) 253; Vose, IEEE Trans. Softw. Eng. 17 (1991) 972 (making the tables).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.stats import poisson

from neurohw.kernels.compiling import at, part, step_kernel
from neurohw.kernels.noise import hash64

FEWEST_BITS = 6
TAIL = 2.0**-34


@dataclass(frozen=True, eq=False)
class PoissonTables:
    """The tables of several means, one behind the other: thresholds and aliases (uint32); shift: 32 - b."""

    thresholds: NDArray[np.uint32]
    aliases: NDArray[np.uint32]
    shift: np.uint32

    @property
    def cells(self) -> int:
        """Cells of one table."""
        return 1 << (32 - int(self.shift))


def tables(means: NDArray[np.float64]) -> PoissonTables:
    """The tables of these means (>= 0)."""
    return _tables(np.asarray(means, np.float64).tobytes())


@lru_cache(maxsize=16)
def _tables(means: bytes) -> PoissonTables:
    every = np.frombuffer(means)
    bits = FEWEST_BITS
    while poisson.sf((1 << bits) - 1, every.max(initial=0.0)) > TAIL:
        bits += 1
    thresholds, aliases = np.empty((2, every.size, 1 << bits), np.uint32)
    shares = np.rint(poisson.pmf(np.arange(1 << bits), every[:, None]) * 2.0**32).astype(np.int64)
    shares[np.arange(every.size), shares.argmax(1)] += 2**32 - shares.sum(1)
    for share, threshold, alias in zip(shares, thresholds, aliases, strict=True):
        _alias(share, 1 << (32 - bits), threshold, alias)
    return PoissonTables(thresholds.ravel(), aliases.ravel(), np.uint32(32 - bits))


@njit(cache=True)
def _alias(shares, size, threshold, alias):
    """Fill each cell of `size` with what is left of its own outcome, and with another outcome that has too much."""
    poor, rich = [0 for _ in range(0)], [0 for _ in range(0)]
    for k in range(shares.size):
        (poor if shares[k] < size else rich).append(k)
        alias[k] = k
    while poor:
        k = poor.pop()
        threshold[k] = shares[k]
        if rich:
            other = rich[-1]
            alias[k] = other
            shares[other] -= size - shares[k]
            if shares[other] < size:
                poor.append(rich.pop())
    for k in rich:
        threshold[k] = size


@njit(cache=True, inline="always")
def _count(bits, base, thresholds, aliases, shift):
    cell = bits >> shift
    rest = bits & ((np.uint32(1) << shift) - np.uint32(1))
    place = np.int64(base) + np.int64(cell)
    return cell if rest < thresholds[place] else aliases[place]


@step_kernel
def _halves(key, counter, base, base_of_high, thresholds, aliases, shift, low, high):
    for i in range(high.shape[0]):
        bits = hash64(key, counter + i)
        low[i] = _count(np.uint32(bits & np.uint64(0xFFFFFFFF)), at(base, i), thresholds, aliases, shift)
        high[i] = _count(np.uint32(bits >> np.uint64(32)), at(base_of_high, i), thresholds, aliases, shift)


@njit(cache=True)
def draw(key, interval, base, thresholds, aliases, shift, counts):
    """counts[i] of every source in an interval; base: where its table begins, of each source or one for all."""
    half = (counts.size + 1) // 2
    low, high = counts[:half], counts[half:]
    counter = np.int64(interval) * half
    _halves(key, counter, part(base, 0, half), part(base, half, counts.size), thresholds, aliases, shift, low, high)
    if high.size < half:
        bits = np.uint32(hash64(key, counter + half - 1) & np.uint64(0xFFFFFFFF))
        low[half - 1] = _count(bits, at(base, half - 1), thresholds, aliases, shift)
