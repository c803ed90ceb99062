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
    n, none = devices.shape[1] // 2, wires.shape[2] == 0
    for i in range(places.size):
        p, mean, variance, near = places[i], 0.0, 0.0, False
        for arm in range(2):  # as if nothing were clipped, without a branch: which arm has a device is anybody's guess
            unit = scale[i] if arm == 0 else -scale[i]
            factor = unit if none else unit * wires[arm, 1, i]
            mean += 0.0 if none else unit * wires[arm, 0, i]
            for k in range(arm * n, (arm + 1) * n):
                m, sd = devices[0, k, i], max(devices[1, k, i], 0.0)
                mean += factor * m
                variance += (factor * sd) ** 2
                near |= (devices[1, k, i] >= 0.0) & ((m - REACH * sd < low) | (m + REACH * sd > high))
        weights[p, 0], weights[p, 1] = mean, variance
        if near:
            _clip(i, p, devices, scale[i], wires, low, high, exact, weights, arms)


@njit(cache=True)
def _clip(i, p, devices, scale, wires, low, high, exact, weights, arms):
    """The same of a pair of which a read may be clipped; one without noise is clipped here, once."""
    n, mean, variance = devices.shape[1] // 2, 0.0, 0.0
    single = exact and (devices[1, :, i] > 0.0).any()
    for arm in range(2):
        unit, factor = scale if arm == 0 else -scale, 1.0
        if wires.shape[2]:
            mean += unit * wires[arm, 0, i]
            factor = wires[arm, 1, i]
        if single:
            arms[p, arm] = unit * factor
        for k in range(arm * n, (arm + 1) * n):
            m, sd = devices[0, k, i], devices[1, k, i]
            if single:
                arms[p, 2 + 2 * k], arms[p, 3 + 2 * k] = m, sd
            elif sd >= 0.0:
                seen, v = clipped(m, sd, low, high)
                mean += unit * factor * seen
                variance += (unit * factor) ** 2 * v
    weights[p, 0], weights[p, 1] = mean, SINGLE if single else np.float32(variance)
