"""The compiled twin of `spinnaker_weights.to_raw`, for all weights of a network in one go."""

import numpy as np
from numba import njit

from neurohw.kernels.compiling import at
from neurohw.kernels.spinnaker_weights import WORD


@njit(cache=True, error_model="numpy")
def to_words(weights, targets, factors, unit, words):
    """words[i] = rint(|w factor| / unit) mod 2^16, half to even; factors: of each target, or one number for all.

    Returns how many became zero, how many wrapped, and the largest relative error.
    """
    zeros, wrapped, worst = 0, 0, 0.0
    scale = 1.0 / unit
    for i in range(weights.shape[0]):
        wanted = abs(weights[i] * at(factors, targets[i]))
        whole = np.rint(wanted * scale)
        zeros += (whole == 0.0) & (wanted != 0.0)
        wrapped += whole >= WORD
        word = np.int64(whole) & (WORD - 1)
        words[i] = word
        error = abs(word * unit - wanted) / wanted if wanted > 0.0 else 0.0
        worst = max(worst, error)
    return zeros, wrapped, worst
