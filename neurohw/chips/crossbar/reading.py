"""Compiled: what devices hold now, one noisy read of them, and the moments of such a read.

A read of one device gives clip(m + sd z, floor, ceiling), z fresh, around

    m  = g + g Q slow X(s),      g = g_prog (t / t0)^-nu,
    sd = sqrt((g Q fast)^2 + (slope g + constant)^2)

X: the fluctuators of `neurohw.kernels.fluctuations` from one band on, a function of the device and of time; what is faster
is part of sd. slow, fast: so that both together have the variance of the effect `read_noise`.
"""

from math import erfc, exp, pi, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.kernels import elementary
from neurohw.kernels.compiling import step_kernel
from neurohw.kernels.fluctuations import fluctuations
from neurohw.kernels.noise import hash64, normal

REACH = 6.0
"""Standard deviations beyond which a clip is not felt: 1e-9 of the reads."""
BLOCK = 512
"""Devices worked on at a time, so that everything about them stays in the first cache."""


class Clock(NamedTuple):
    """What depends on time only, for each epoch of programming; the last entry stands for places without a device.

    log_time: ln(t / t0). s: ms on the clock of the 1/f noise. slow, fast: how much the fluctuators from `band` on, and the
    faster ones, are to be multiplied by, so that both have the variance growth^2. keys: of the 1/f noise. flickers: there
    is such noise.
    """

    log_time: NDArray[np.float64]
    s: NDArray[np.float64]
    slow: NDArray[np.float64]
    fast: NDArray[np.float64]
    keys: NDArray[np.uint64]
    band: int
    flickers: bool


class Held(NamedTuple):
    """Of `neurohw.chips.crossbar.state.Devices` what a read looks at, each (lines, all places)."""

    g: NDArray[np.float32]
    nu: NDArray[np.float32]
    quality: NDArray[np.float32]
    epoch: NDArray[np.int32]


class Room(NamedTuple):
    """Of the devices in hand: `at` which of the places they are; then values[k, :m], one row for each quantity."""

    at: NDArray[np.int64]
    device: NDArray[np.int64]
    keys: NDArray[np.uint64]
    values: NDArray[np.float64]
    hashes: NDArray[np.uint64]
    scratch: NDArray[np.float64]
    places: NDArray[np.int64]


NOW, NU, QUALITY, LOG_TIME, S, SLOW, FAST, X, CENTER, SD = range(10)
"""Rows of Room.values. NOW: the conductance, first as programmed, then after drift. X: the sum of the fluctuators."""


@njit(cache=True)
def _room():
    """Room for a block of devices."""
    return Room(
        np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.uint64), np.empty((SD + 1, BLOCK)),
        np.empty((2, BLOCK), np.uint64), np.empty((4, BLOCK)), np.empty((2, BLOCK), np.int64),
    )  # fmt: skip


@njit(cache=True)
def _take(line, first, last, places, held, log_time, room):
    """Bring in the devices of a line at places[first:last], after drift; returns how many there are."""
    m, v = 0, room.values
    for k in range(first, last):
        room.at[m] = k
        m += held.epoch[line, places[k]] >= 0
    for i in range(m):
        p = places[room.at[i]]
        v[NOW, i], v[NU, i], v[LOG_TIME, i] = held.g[line, p], held.nu[line, p], log_time[held.epoch[line, p]]
    _drift(v[NU, :m], v[LOG_TIME, :m], v[NOW, :m])
    return m


@step_kernel
def _drift(nu, log_time, g):
    for i in range(g.shape[0]):
        g[i] *= elementary.exp(-nu[i] * log_time[i])


@njit(cache=True)
def _look(line, m, places, cells, held, clock, white, room):
    """Center and standard deviation of a read of each of the m devices in hand."""
    v, lines = room.values, held.g.shape[0]
    v[QUALITY:, :m] = 0.0
    for i in range(m):
        room.device[i] = cells[room.at[i]] * lines + line
    if clock.flickers:
        for i in range(m):
            e = held.epoch[line, places[room.at[i]]]
            v[QUALITY, i], v[S, i] = held.quality[line, places[room.at[i]]], clock.s[e]
            v[SLOW, i], v[FAST, i] = clock.slow[e], clock.fast[e]
            room.keys[i] = hash64(clock.keys[e], room.device[i])
        fluctuations(room.keys[:m], v[S, :m], clock.band, v[X, :m], room.hashes, room.scratch, room.places)
    _spread(
        v[NOW, :m], v[QUALITY, :m], v[SLOW, :m], v[FAST, :m], v[X, :m], white[0], white[1], v[CENTER, :m], v[SD, :m]
    )


@step_kernel
def _spread(now, quality, slow, fast, x, slope, constant, center, sd):
    for i in range(now.shape[0]):
        flicker = now[i] * quality[i]
        center[i] = now[i] + flicker * slow[i] * x[i]
        sd[i] = sqrt((flicker * fast[i]) ** 2 + (slope * now[i] + constant) ** 2)


@njit(cache=True)
def conductances(n, places, held, log_time, out):
    """out[arm, k]: the sum over the n devices of each arm, without read noise."""
    room = _room()
    out[:] = 0.0
    for line in range(2 * n):
        for first in range(0, places.size, BLOCK):
            m = _take(line, first, min(first + BLOCK, places.size), places, held, log_time, room)
            for i in range(m):
                out[line // n, room.at[i]] += room.values[NOW, i]


@njit(cache=True)
def sample(n, places, cells, held, clock, white, stream, out):
    """out[arm, k]: one read of the n devices of each arm of places[k]; white: slope, constant, floor, ceiling."""
    room = _room()
    out[:] = 0.0
    for line in range(2 * n):
        for first in range(0, places.size, BLOCK):
            m = _take(line, first, min(first + BLOCK, places.size), places, held, clock.log_time, room)
            _look(line, m, places, cells, held, clock, white, room)
            v = room.values
            _draw(stream, room.device[:m], v[CENTER, :m], v[SD, :m], white[2], white[3], v[X, :m])
            for i in range(m):
                out[line // n, room.at[i]] += v[X, i]


@step_kernel
def _draw(stream, device, center, sd, floor, ceiling, seen):
    for i in range(seen.shape[0]):
        seen[i] = min(max(center[i] + sd[i] * normal(stream, device[i]), floor), ceiling)


@njit(cache=True)
def amplitudes(n, places, cells, held, clock, white, out):
    """out[:, line, k] = m and sd of a read of each device of places[k]; sd < 0 where there is none."""
    room = _room()
    out[0], out[1] = 0.0, -1.0
    for line in range(2 * n):
        for first in range(0, places.size, BLOCK):
            m = _take(line, first, min(first + BLOCK, places.size), places, held, clock.log_time, room)
            _look(line, m, places, cells, held, clock, white, room)
            for i in range(m):
                out[0, line, room.at[i]], out[1, line, room.at[i]] = room.values[CENTER, i], room.values[SD, i]


@njit(cache=True)
def clipped(mean, sd, low, high):
    """(mean, variance) of clip(N(mean, sd^2), low, high).

    With a = (low - mean) / sd, b = (high - mean) / sd, phi and Phi the normal density and distribution, the standardized
    variable has the mean  a Phi(a) + b (1 - Phi(b)) + phi(a) - phi(b)  and the second moment  a^2 Phi(a) + b^2 (1 - Phi(b))
    + Phi(b) - Phi(a) + a phi(a) - b phi(b).
    """
    if mean - REACH * sd >= low and mean + REACH * sd <= high:
        return mean, sd * sd
    if sd <= 0.0:
        return min(max(mean, low), high), 0.0
    first, second = 0.0, 1.0
    if mean - REACH * sd < low:
        a = (low - mean) / sd
        if a > 40.0:
            return low, 0.0
        below, density = 0.5 * erfc(-a / sqrt(2.0)), exp(-0.5 * a * a) / sqrt(2.0 * pi)
        first += a * below + density
        second += (a * a - 1.0) * below + a * density
    if mean + REACH * sd > high:
        b = (high - mean) / sd
        if b < -40.0:
            return high, 0.0
        above, density = 0.5 * erfc(b / sqrt(2.0)), exp(-0.5 * b * b) / sqrt(2.0 * pi)
        first += b * above - density
        second += (b * b - 1.0) * above - b * density
    return mean + sd * first, sd * sd * max(second - first * first, 0.0)
