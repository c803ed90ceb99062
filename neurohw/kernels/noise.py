"""The compiled twin of `neurohw.rng`: the same draws for the same (key, counter), inside kernels."""

from math import cos, log1p, pi, sqrt

import numpy as np
from numba import njit

from neurohw.rng import GOLDEN, MIX1, MIX2

_GOLDEN, _MIX1, _MIX2 = np.uint64(GOLDEN), np.uint64(MIX1), np.uint64(MIX2)
_ONE, _S30, _S27, _S31, _S11 = np.uint64(1), np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@njit(cache=True, inline="always")
def hash64(key, counter):
    """64 random bits for (uint64 key, integer counter)."""
    z = key + (np.uint64(counter) + _ONE) * _GOLDEN
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@njit(cache=True, inline="always")
def uniform(key, counter):
    """Uniform in [0, 1)."""
    return np.float64(hash64(key, counter) >> _S11) * 2.0**-53


@njit(cache=True, inline="always")
def normal(key, counter):
    """Standard normal by Box and Muller from the counters 2c and 2c + 1."""
    radius = sqrt(-2.0 * log1p(-uniform(key, 2 * counter)))
    return radius * cos(2.0 * pi * uniform(key, 2 * counter + 1))
