"""Compiled: what the read loop needs of each pair, from the trajectories of its devices."""

import numpy as np
from numba import njit

from neurohw.chips.crossbar.reading import REACH, clipped

SINGLE = np.float32(-1.0)
"""In place of a variance: this pair is drawn device by device."""


@njit(cache=True)
def prepare(places, devices, scale, wires, low, high, exact, weights, arms):
    """weights[p] = (mean, variance) of a read of pair p, network units, or (constant, SINGLE) and arms[p] = its devices.

    devices: (2, 2 n, places), center and standard deviation of a read of each before it is clipped; deviation < 0: there
    is none. scale: network units of one uS. wires: (2, 2, places or 0), for each arm the uS that wires take or add, and
    their factor. arms[p]: network units of one uS of either arm, then center and deviation of each device.
    """
    n = devices.shape[1] // 2
    for i in range(places.size):
        p, unit = places[i], scale[i]
        mean, variance, near = 0.0, 0.0, False
        for k in range(2 * n):
            m, sd = devices[0, k, i], devices[1, k, i]
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
                m, sd = devices[0, k, i], devices[1, k, i]
                if near and exact:
                    arms[p, 2 + 2 * k], arms[p, 3 + 2 * k] = m, sd
                elif sd >= 0.0:
                    seen, v = clipped(m, sd, low, high)
                    mean += signed * factor * seen
                    variance += (signed * factor) ** 2 * v
        weights[p, 0] = mean
        weights[p, 1] = SINGLE if near and exact else np.float32(variance)
