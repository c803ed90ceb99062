"""The compiled twin of `neurohw.distributions`: the values of a distribution at many counters, as 3e8 weights need them.

By the inverse of the normal distribution function (`neurohw.kernels.quantile`). Its middle vectorizes, so it is taken for
all draws first, and those in the tails are put right afterwards.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import ndtr

from neurohw.distributions import Distribution, Normal, Uniform
from neurohw.kernels.noise import uniform
from neurohw.kernels.quantile import MIDDLE, middle, tail


def sample(distribution: Distribution, stream: np.uint64, counters: NDArray[np.int64]) -> NDArray[np.float64]:
    """The values at these counters; those of `Distribution.sample`, up to 1e-8 sd."""
    if isinstance(distribution, Uniform):
        return _uniform(stream, counters, distribution.low, distribution.high - distribution.low)
    d, sign = distribution, 1.0
    if d.sd == 0:
        return np.full(counters.shape, np.clip(d.mean, d.low, d.high))
    if d.low > d.mean:  # as there: the upper tail is the mirrored lower one
        d, sign = Normal(-d.mean, d.sd, -d.high, -d.low), -1.0
    below, above = (float(ndtr((bound - d.mean) / d.sd)) for bound in (d.low, d.high))
    values = _normal(stream, counters, d.mean, d.sd, below, above - below)
    _tails(stream, counters, d.mean, d.sd, below, above - below, values)
    np.clip(values, d.low, d.high, out=values)
    return np.negative(values, out=values) if sign < 0 else values


@njit(cache=True)
def _uniform(key, counters, low, width):
    values = np.empty(counters.shape[0])
    for i in range(counters.shape[0]):
        values[i] = low + width * uniform(key, counters[i])
    return values


@njit(cache=True, error_model="numpy")
def _normal(key, counters, mean, sd, below, width):
    """mean + sd times the quantile of below + u width where that lies in the middle, NaN elsewhere."""
    values = np.empty(counters.shape[0])
    for i in range(counters.shape[0]):
        q = below + (uniform(key, counters[i]) + 2.0**-54) * width - 0.5
        values[i] = mean + sd * middle(q) if abs(q) <= MIDDLE else np.nan
    return values


@njit(cache=True)
def _tails(key, counters, mean, sd, below, width, values):
    for i in range(counters.shape[0]):
        if np.isnan(values[i]):
            values[i] = mean + sd * tail(below + (uniform(key, counters[i]) + 2.0**-54) * width)
