"""Compiled: what the read loop needs of each pair, from the trajectories of its devices."""

from math import erfc, exp, pi, sqrt

import numpy as np
from numba import njit

REACH = 6.0
"""Standard deviations beyond which a clip is not felt: 1e-9 of the reads."""
SINGLE = np.float32(-1.0)
"""In place of a variance: this pair is drawn device by device."""


@njit(cache=True)
def prepare(places, devices, scale, wires, low, high, exact, weights, arms):
    """weights[p] = (mean, variance) of a read of pair p, network units, or (constant, SINGLE) and arms[p] = its devices.

    devices: (2 n, places, 2), center and standard deviation of a read of each before it is clipped; deviation < 0: there
    is none. scale: network units of one uS. wires: (2, 2, places or 0), for each arm the uS that wires take or add, and
    their factor. arms[p]: network units of one uS of either arm, then center and deviation of each device.
    """
    n = devices.shape[0] // 2
    for i in range(places.size):
        p, unit = places[i], scale[i]
        mean, variance, near = 0.0, 0.0, False
        for k in range(2 * n):
            m, sd = devices[k, i, 0], devices[k, i, 1]
            if sd >= 0.0:
                near = near or (sd > 0.0 and (m - REACH * sd < low or m + REACH * sd > high))
        for arm in range(2):
            signed, factor = (unit, 1.0) if arm == 0 else (-unit, 1.0)
            if wires.shape[2]:
                mean += signed * wires[arm, 0, i]
                factor = wires[arm, 1, i]
            if near and exact:
                arms[p, arm] = signed * factor
            for k in range(arm * n, (arm + 1) * n):
                m, sd = devices[k, i, 0], devices[k, i, 1]
                if near and exact:
                    arms[p, 2 + 2 * k], arms[p, 3 + 2 * k] = m, sd
                elif sd >= 0.0:
                    seen, v = clipped(m, sd, low, high)
                    mean += signed * factor * seen
                    variance += (signed * factor) ** 2 * v
        weights[p, 0] = mean
        weights[p, 1] = SINGLE if near and exact else np.float32(variance)


@njit(cache=True)
def clipped(mean, sd, low, high):
    """(mean, variance) of clip(N(mean, sd^2), low, high)."""
    if mean - REACH * sd >= low and mean + REACH * sd <= high:
        return mean, sd * sd
    if sd <= 0.0:
        return min(max(mean, low), high), 0.0
    first, second = 0.0, 1.0
    if mean - REACH * sd < low:
        a = max((low - mean) / sd, -40.0)
        below, density = 0.5 * erfc(-a / sqrt(2.0)), exp(-0.5 * a * a) / sqrt(2.0 * pi)
        first += a * below + density
        second += (a * a - 1.0) * below + a * density
    if mean + REACH * sd > high:
        b = min((high - mean) / sd, 40.0)
        above, density = 0.5 * erfc(b / sqrt(2.0)), exp(-0.5 * b * b) / sqrt(2.0 * pi)
        first += b * above - density
        second += (b * b - 1.0) * above - b * density
    return mean + sd * first, sd * sd * max(second - first * first, 0.0)
