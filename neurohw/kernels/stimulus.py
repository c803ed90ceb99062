"""What the sources emit: given spike times and Poisson processes, as one list of spikes for a window of steps.

A Poisson source draws one number per (trial, source, interval of the network's stimulus grid), so that every chip, whatever its
time step, and the reference are given the very same input; spikes of one grid interval fall into the step that holds its start.
"""

from collections.abc import Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw import rng
from neurohw.kernels.noise import uniform
from neurohw.network import Network, SpikeTimes


def spikes(
    network: Network,
    numbering: Mapping[str, int],
    trial: int,
    dt: float,
    first: int,
    last: int,
    given: Mapping[str, SpikeTimes] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """(sources, starts): the sources that spike in step first + k are sources[starts[k]:starts[k + 1]].

    numbering: population -> the number of its first neuron among all presynaptic ones. given: spike times that replace those
    of SpikeSourceArray populations. A source that spikes several times in one step stands there several times.
    """
    steps, ids = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for name, population in network.sources.items():
        if population.spike_times is not None:
            train = (given or {}).get(name, population.spike_times)
            at = np.floor(train.times / dt + 1e-6).astype(np.int64)
            lo, hi = np.searchsorted(at, (first, last))
            steps.append(at[lo:hi])
            ids.append(numbering[name] + train.indices[lo:hi])
        else:
            at, who = poisson_spikes(network, name, trial, first * dt, last * dt)
            steps.append(np.floor(at * network.numerics.stimulus_grid / dt + 1e-6).astype(np.int64))
            ids.append(numbering[name] + who)
    step, source = np.concatenate(steps), np.concatenate(ids)
    inside = (step >= first) & (step < last)
    step, source = step[inside], source[inside]
    order = np.lexsort((source, step))
    return source[order].astype(np.int32), np.searchsorted(step[order], np.arange(first, last + 1))


def poisson_spikes(
    network: Network, population: str, trial: int, start: float, stop: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(grid intervals, neurons) of a Poisson population's spikes with start <= time < stop (ms)."""
    grid = network.numerics.stimulus_grid
    rate, on, length = (network.parameter(population, name) for name in ("rate", "start", "duration"))
    first, last = max(0, int(np.floor(start / grid + 1e-6))), int(np.ceil(stop / grid - 1e-6))
    begins = np.ceil(on / grid - 1e-6).astype(np.int64)
    ends = np.ceil(np.minimum(on + length, 1e12) / grid - 1e-6).astype(np.int64)
    first, last = max(first, int(begins.min())), min(last, int(ends.max()))
    stream = rng.key(trial, f"{population}/poisson")
    return _draw(stream, rate * 1e-3 * grid, begins, ends, first, max(first, last))


@njit(cache=True)
def _draw(key, mean, begins, ends, first, last):
    """Poisson counts by inversion of one uniform number per (interval, source), as a list of spikes."""
    n = mean.size
    capacity = 64 + int((last - first) * mean.sum() * 1.2)
    when, who = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    silent = np.exp(-mean)
    k = 0
    for t in range(first, last):
        for i in range(n):
            if begins[i] <= t < ends[i]:
                u = uniform(key, np.int64(t) * n + i)
                p = silent[i]
                count = 0
                while u >= p and count < 1000:
                    u -= p
                    count += 1
                    p *= mean[i] / count
                for _ in range(count):
                    if k == when.size:
                        when = np.concatenate((when, np.empty(k, np.int64)))
                        who = np.concatenate((who, np.empty(k, np.int64)))
                    when[k], who[k] = t, i
                    k += 1
    return when[:k].copy(), who[:k].copy()
