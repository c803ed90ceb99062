"""Compiled: RESETs, SET pulses and writes made of them, device by device, with the count of what each went through."""

from math import sqrt

import numpy as np
from numba import njit

from neurohw.kernels.noise import normal

OPERATIONS = 24
"""Bits of a counter for the pulses and RESETs of one device."""
LOWEST = 0.01
"""uS: no RESET goes below."""


@njit(cache=True, inline="always")
def _counter(device, sets, resets):
    return (device << OPERATIONS) | (np.int64(sets) + np.int64(resets))


@njit(cache=True, inline="always")
def _reset(line, p, device, key, low, low_sd, g, memory, sets, resets):
    z = normal(key, _counter(device, sets[line, p], resets[line, p]))
    g[line, p] = max(low + low_sd * z, LOWEST)
    memory[line, p] = 1.0
    resets[line, p] += 1


@njit(cache=True, inline="always")
def _set(line, p, device, key, c, g_max, g, memory, sets, resets):
    """The equation of `neurohw.effects.set_pulse`; c: its numbers."""
    old, left = np.float64(g[line, p]), np.float64(memory[line, p]) * c[0]
    mean = c[1] * old + (c[2] + c[3] * left)
    sd = c[4] * old + (c[5] + c[6] * left)
    z = normal(key, _counter(device, sets[line, p], resets[line, p])) if sd != 0.0 else 0.0
    g[line, p] = min(max(old + mean + sd * z, c[7]), g_max)
    memory[line, p] = left
    sets[line, p] += 1


@njit(cache=True)
def reset(line, places, devices, key, low, low_sd, g, memory, sets, resets, stuck):
    """RESET the devices of a line at `places`; returns the most that any of them has gone through."""
    most = 0
    for k in range(places.size):
        p = places[k]
        _reset(line, p, devices[k], key, low, low_sd, g, memory, sets, resets)
        if stuck.size and stuck[line, p] >= 0.0:
            g[line, p] = stuck[line, p]
        most = max(most, sets[line, p] + resets[line, p])
    return most


@njit(cache=True)
def pulse(first, n, places, devices, counts, key, c, g_max, g, memory, sets, resets, stuck, touched):
    """counts[k] SET pulses on the arm of places[k], whose devices are the lines first..first+n-1, each in its turn.

    devices[k]: the address of the first of them. touched[j, k]: device j was pulsed. Returns the most that any device has
    gone through.
    """
    most = 0
    for k in range(places.size):
        p, turn = places[k], 0
        if counts[k] <= 0:
            continue
        for j in range(n):
            turn += sets[first + j, p]
        for m in range(counts[k]):
            j = (turn + m) % n
            line = first + j
            _set(line, p, devices[k] + j, key, c, g_max, g, memory, sets, resets)
            touched[j, k] = True
            if stuck.size and stuck[line, p] >= 0.0:
                g[line, p] = stuck[line, p]
            most = max(most, sets[line, p] + resets[line, p])
    return most


@njit(cache=True)
def write(
    line, places, devices, targets, patience, half, set_key, reset_key, verify_key, c, low, low_sd, qualities,
    growth, slope, constant, floor, ceiling, g_max, g, memory, sets, resets, stuck,
):  # fmt: skip
    """RESET, then pulses and noisy reads until a read is within `half` a step of the target; RESET after an overshoot.

    The controller refers its reads to t0 by the mean drift, so drift does not enter. After `patience` pulses it gives up
    and leaves what there is. qualities: of the 1/f noise, for conductances from 0 to g_max, evenly spaced.
    """
    most, last = 0, qualities.size - 1
    for k in range(places.size):
        p, device, target = places[k], devices[k], targets[k]
        _reset(line, p, device, reset_key, low, low_sd, g, memory, sets, resets)
        for _ in range(patience):
            if stuck.size and stuck[line, p] >= 0.0:
                g[line, p] = stuck[line, p]
            seen = np.float64(g[line, p])
            flicker = seen * qualities[min(int(seen / g_max * last + 0.5), last)] * growth
            sd = sqrt(flicker * flicker + (slope * seen + constant) ** 2)
            if sd > 0.0:
                z = normal(verify_key, _counter(device, sets[line, p], resets[line, p]))
                seen = min(max(seen + sd * z, floor), ceiling)
            if seen < target - half:
                _set(line, p, device, set_key, c, g_max, g, memory, sets, resets)
            elif seen > target + half and target > half:
                _reset(line, p, device, reset_key, low, low_sd, g, memory, sets, resets)
            else:
                break
        if stuck.size and stuck[line, p] >= 0.0:
            g[line, p] = stuck[line, p]
        most = max(most, sets[line, p] + resets[line, p])
    return most
