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

from math import log, sqrt

import numpy as np
from numba import njit

from neurohw.kernels.compiling import step_kernel
from neurohw.kernels.elementary import exp, ln
from neurohw.kernels.noise import hash64
from neurohw.kernels.quantile import MIDDLE, far, middle

BAND = 8.0
"""The ratio of the longest to the shortest period of a band; the variance of its fluctuator is ln BAND."""
SHORTEST = 0.1
"""ms. Fluctuators faster than this are white for all reads that are at least so far apart."""
N_BANDS = 23
LONGEST = SHORTEST * BAND**N_BANDS
"""ms; 2e10 years: what lies beyond has not moved in the life of a device."""
_LOG_BAND, _SD = log(BAND), log(BAND) ** 0.5
_LOW, _S32, _S11 = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(11)


@njit(cache=True)
def fluctuations(keys, s, first_band, total, hashes, scratch, places):
    """total[i] = the sum of the fluctuators from `first_band` on of the device with keys[i], s[i] ms after its programming.

    hashes, scratch, places: room to work in, at least (2, devices) uint64, (4, devices) and (2, devices) int64.
    """
    n, shortest, every = keys.shape[0], SHORTEST * BAND**first_band, hashes[0, : keys.shape[0]]
    total[:] = 0.0
    for band in range(first_band, N_BANDS):
        active = _own(keys, s, band, shortest, every)
        if active == n:
            _add_levels(every, s, shortest, total, scratch[0], scratch[1], places[1])
        elif active:
            m, own, when, level = 0, hashes[1], scratch[2], scratch[3, :active]
            for i in range(n):
                own[m], when[m], places[0, m] = every[i], s[i], i
                m += _renewable(every[i], shortest) < s[i]
            level[:] = 0.0
            _add_levels(own[:active], when[:active], shortest, level, scratch[0], scratch[1], places[1])
            for k in range(active):
                total[places[0, k]] += level[k]
        shortest *= BAND
    for i in range(n):
        total[i] *= _SD


@njit(cache=True, inline="always")
def _renewable(own, shortest):
    """ms before which a fluctuator cannot have been renewed: its phase times the shortest period of the band."""
    return np.float64(own & _LOW) * (2.0**-32 * shortest)


@step_kernel
def _own(keys, s, band, shortest, own):
    """The hash of each device's fluctuator of a band; returns how many may have been renewed by now."""
    active = 0
    for i in range(keys.shape[0]):
        own[i] = hash64(keys[i], band)
        active += _renewable(own[i], shortest) < s[i]
    return active


@step_kernel
def _add_levels(own, s, shortest, total, beyond, rest, where):
    """Add the level that each fluctuator has now, in units of its standard deviation."""
    per = 1.0 / shortest
    for i in range(own.shape[0]):
        phase, rate = np.float64(own[i] & _LOW) * 2.0**-32, exp(-_LOG_BAND * 2.0**-32 * np.float64(own[i] >> _S32))
        renewals = np.int64(s[i] * (rate * per) - phase + 1.0)
        u = (np.float64(hash64(own[i], renewals) >> _S11) + 0.5) * 2.0**-53
        q = u - 0.5
        inside, there = abs(q) <= MIDDLE, renewals > 0
        total[i] += middle(q) if there and inside else 0.0
        beyond[i] = u if there and not inside else 0.0
    m = 0
    for i in range(own.shape[0]):
        where[m], rest[m] = i, beyond[i]
        m += beyond[i] > 0.0
    for k in range(m):
        x = far(sqrt(-2.0 * ln(min(rest[k], 1.0 - rest[k]))))
        rest[k] = x if rest[k] < 0.5 else -x
    for k in range(m):
        total[where[k]] += rest[k]


def variance(low, high, s):
    """The variance, s ms after the programming, of all fluctuators with periods from `low` to `high` (ms).

    integral of min(1, s / T) d ln T  =  ln(c / low) + s (1 / c - 1 / high),   c = clip(s, low, high)
    """
    c = np.clip(s, low, high)
    return np.log(c / low) + s * (1.0 / c - 1.0 / high)
