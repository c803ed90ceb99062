"""1/f noise as a function of time: any device, any moment, in any order, and no state to keep.

A device carries one fluctuator per band of periods. Its period T is drawn log-uniformly within the band, its phase
uniformly; its value is 0 from the programming until the first of its renewals, then a normal number that is drawn anew at
each renewal, every T. All draws are addressed by (device, band, number of the renewal), so the noise at a time s after the
programming can be asked for directly. With a band for each factor of BAND in T, from `shortest` upwards,

    variance(s)           = ln(s / shortest) + 1                      for s >= shortest,
    covariance(s1, s2)    = ln(s2 / (s2 - s1))                        for s2 - s1 >= shortest,

exactly, whatever BAND is, since over all devices the periods fill the logarithmic axis without gaps: the covariance of
noise that has a 1/f spectrum, and was nothing at the programming. Periods beyond LONGEST are left out.
"""

from math import exp, log, sqrt

import numpy as np
from numba import njit

from neurohw.kernels.noise import hash64

BAND = 8.0
"""The ratio of the longest to the shortest period of a band; the variance of its fluctuator is ln BAND."""
SHORTEST = 0.1
"""ms. Fluctuators faster than this are white for all reads that are at least so far apart."""
N_BANDS = 23
LONGEST = SHORTEST * BAND**N_BANDS
"""ms; 2e10 years: what lies beyond has not moved in the life of a device."""
_LOG_BAND, _SD = log(BAND), log(BAND) ** 0.5
_LOW, _S32, _S11 = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(11)
_TAIL = 0.02425


@njit(cache=True, inline="always")
def quantile(u):
    """The normal quantile of u in (0, 1), to 1.2e-9 of itself: a level takes one hash, and mostly no logarithm.

    Source: P. J. Acklam, An algorithm for computing the inverse normal cumulative distribution function (2003).
    """
    if _TAIL <= u <= 1.0 - _TAIL:
        q = u - 0.5
        r = q * q
        above = (((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.3577518672690) * r
                  - 30.66479806614716) * r + 2.506628277459239) * q  # fmt: skip
        return above / (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r
                         - 13.28068155288572) * r + 1.0)  # fmt: skip
    q = sqrt(-2.0 * log(min(u, 1.0 - u)))
    above = ((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838) * q - 2.549732539343734) * q
             + 4.374664141464968) * q + 2.938163982698783  # fmt: skip
    below = (
        ((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q + 3.754408661907416
    ) * q + 1.0
    return above / below if u < 0.5 else -above / below


@njit(cache=True, inline="always")
def fluctuation(key, s, first_band):
    """The sum of the fluctuators from `first_band` on, of the device with this key, s ms after its programming."""
    total, shortest = 0.0, SHORTEST * BAND**first_band
    for band in range(first_band, N_BANDS):
        own = hash64(key, band)
        phase = np.float64(own & _LOW) * 2.0**-32
        if phase * shortest < s:  # else not even the shortest period of this band would have been renewed yet
            period = shortest * exp(_LOG_BAND * (np.float64(own >> _S32) * 2.0**-32))
            renewals = np.int64(s / period - phase + 1.0)
            if renewals > 0:
                total += quantile((np.float64(hash64(own, renewals) >> _S11) + 0.5) * 2.0**-53)
        shortest *= BAND
    return _SD * total


def variance(low, high, s):
    """The variance, s ms after the programming, of all fluctuators with periods from `low` to `high` (ms).

    integral of min(1, s / T) d ln T  =  ln(c / low) + s (1 / c - 1 / high),   c = clip(s, low, high)
    """
    c = np.clip(s, low, high)
    return np.log(c / low) + s * (1.0 / c - 1.0 / high)
