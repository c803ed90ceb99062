"""Compiled: the state of digital neurons as words, by the equation of `neurohw.effects.fixed_point`."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.kernels.compiling import step_kernel

CHANGED, VANISHED, CUT = range(3)
"""What counts[] counts: words that rounding changed, those it made zero, those cut at an end of the range."""


class Words(NamedTuple):
    """lsb: (populations, state rows), 0: no word; without populations nothing is rounded. half, low, high: see the effect."""

    lsb: NDArray[np.float64]
    half: float
    low: float
    high: float
    counts: NDArray[np.int64]


@njit(cache=True)
def hold(words, population, state, row, first, last):
    """Round the neurons first..last-1 of a row of the state."""
    if words.lsb[population, row] > 0.0:
        _hold(state[row, first:last], words.lsb[population, row], words.half, words.low, words.high, words.counts)


@step_kernel
def _hold(x, lsb, half, low, high, counts):
    changed = vanished = cut = 0
    for i in range(x.shape[0]):
        old, code = x[i], np.floor(x[i] / lsb + half)
        kept = low if code < low else high if code > high else code
        new = kept * lsb
        changed += new != old
        vanished += (kept == 0.0) & (old != 0.0)
        cut += (code < low) | (code > high)
        x[i] = new
    counts[CHANGED] += changed
    counts[VANISHED] += vanished
    counts[CUT] += cut
