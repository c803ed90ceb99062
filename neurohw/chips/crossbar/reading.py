"""Compiled: what devices hold now, one noisy read of them, and the moments of such a read.

A read of one device gives clip(m + sd z, floor, ceiling), z fresh, around

    m  = g + g Q slow X(s),      g = g_prog (t / t0)^-nu,
    sd = sqrt((g Q fast)^2 + (slope g + constant)^2)

X: the fluctuators of `neurohw.kernels.fluctuations` from one band on, a function of the device and of time; what is faster
is part of sd. slow, fast: so that both together have the variance of the effect `read_noise`.
"""

from math import erfc, exp, pi, sqrt

import numpy as np
from numba import njit

from neurohw.kernels.fluctuations import fluctuation
from neurohw.kernels.noise import hash64, normal

REACH = 6.0
"""Standard deviations beyond which a clip is not felt: 1e-9 of the reads."""


@njit(cache=True, inline="always")
def conductance(line, p, g, nu, epoch, log_time):
    """uS, after drift; 0 where there is no device."""
    e = epoch[line, p]
    return np.float64(g[line, p]) * exp(-np.float64(nu[line, p]) * log_time[e]) if e >= 0 else 0.0


@njit(cache=True, inline="always")
def _center(line, p, device, now, quality, epoch, s, slow, keys, band):
    """(m - g, g Q) of a device whose conductance is `now`."""
    e, flicker = epoch[line, p], now * np.float64(quality[line, p])
    if flicker > 0.0 and slow[e] > 0.0:
        return flicker * slow[e] * fluctuation(hash64(keys[e], device), s[e], band), flicker
    return 0.0, flicker


@njit(cache=True)
def conductances(n, places, g, nu, epoch, log_time, out):
    """out[arm, k]: the sum over the n devices of each arm, without read noise."""
    for arm in range(2):
        for k in range(places.size):
            total = 0.0
            for j in range(n):
                total += conductance(arm * n + j, places[k], g, nu, epoch, log_time)
            out[arm, k] = total


@njit(cache=True)
def sample(n, places, cells, g, nu, quality, epoch, log_time, s, slow, fast, keys, band, white, stream, out):
    """out[arm, k]: one read of the n devices of each arm of places[k]; white: slope, constant, floor, ceiling."""
    for arm in range(2):
        for k in range(places.size):
            p, total = places[k], 0.0
            for j in range(n):
                line, device = arm * n + j, (cells[k] * 2 + arm) * n + j
                e = epoch[line, p]
                if e < 0:
                    continue
                now = conductance(line, p, g, nu, epoch, log_time)
                moved, flicker = _center(line, p, device, now, quality, epoch, s, slow, keys, band)
                sd = sqrt((flicker * fast[e]) ** 2 + (white[0] * now + white[1]) ** 2)
                z = normal(stream, device) if sd > 0.0 else 0.0
                total += min(max(now + moved + sd * z, white[2]), white[3])
            out[arm, k] = total


@njit(cache=True)
def amplitudes(n, places, cells, g, nu, quality, epoch, log_time, s, slow, fast, keys, band, white, out):
    """out[line, k] = (m, sd) of a read of each device of places[k]; sd < 0 where there is none."""
    for line in range(2 * n):
        for k in range(places.size):
            p, device = places[k], cells[k] * 2 * n + line
            e = epoch[line, p]
            if e < 0:
                out[line, k, 0], out[line, k, 1] = 0.0, -1.0
                continue
            now = conductance(line, p, g, nu, epoch, log_time)
            moved, flicker = _center(line, p, device, now, quality, epoch, s, slow, keys, band)
            out[line, k, 0] = now + moved
            out[line, k, 1] = sqrt((flicker * fast[e]) ** 2 + (white[0] * now + white[1]) ** 2)


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
