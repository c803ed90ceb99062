"""What the sources emit: given spike times and Poisson processes, as one list of spikes for a window of steps.

A Poisson source draws one number per (trial, source, interval of the network's stimulus grid), so that every chip, whatever its
time step, and the reference are given the very same input; spikes of one grid interval fall into the step that holds its start.
"""

from collections.abc import Collection, Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw import rng
from neurohw.kernels.poisson import draw, levels
from neurohw.network import Network, SpikeTimes


def spikes(
    network: Network,
    numbering: Mapping[str, int],
    trial: int,
    dt: float,
    first: int,
    last: int,
    given: Mapping[str, SpikeTimes] | None = None,
    without: Collection[str] = (),
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """(sources, starts): the sources that spike in step first + k are sources[starts[k]:starts[k + 1]].

    numbering: population -> the number of its first neuron among all presynaptic ones. given: spike times that replace those
    of SpikeSourceArray populations. without: populations to leave out. A source that spikes several times in one step stands
    there several times.
    """
    steps, ids = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for name, population in network.sources.items():
        if name in without:
            continue
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
    last = max(first, last)
    means = rate * 1e-3 * grid
    alike = not means.size or bool((means == means[0]).all())
    expected = (last - first) * float(means.sum())
    capacity = 64 + int(expected + 6 * np.sqrt(expected))
    level = levels(means[:1])[:, 0] if alike else levels(means)
    return _draw(stream(population, trial), level, capacity, begins, ends, first, last)


def stream(population: str, trial: int) -> np.uint64:
    """What a Poisson population draws from in a trial."""
    return rng.key(trial, f"{population}/poisson")


def intervals(grid: float, dt: float, first: int, last: int) -> NDArray[np.int64]:
    """The intervals of the stimulus grid that fall into step first + k are found[k]..found[k + 1] - 1."""
    steps = np.arange(first, last + 1)
    found = np.ceil(steps * dt / grid - 1e-6).astype(np.int64)
    # the rule is floor(interval grid/dt + 1e-6) = step; where rounding tips the scales, it decides
    found -= np.floor((found - 1) * grid / dt + 1e-6) >= steps
    return found + (np.floor(found * grid / dt + 1e-6) < steps)


def poisson_times(
    network: Network, population: str, trial: int, dt: float, first: int, last: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(times in ms, neurons) of a Poisson population's spikes in the steps first..last-1, as they act on a chip."""
    at, who = poisson_spikes(network, population, trial, first * dt, last * dt)
    step = np.floor(at * network.numerics.stimulus_grid / dt + 1e-6).astype(np.int64)
    inside = (step >= first) & (step < last)
    return step[inside] * dt, who[inside]


@njit(cache=True)
def _draw(key, levels, capacity, begins, ends, first, last):
    """Counts of every (interval, source), as a list of spikes."""
    n = begins.size
    when, who = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    bits, counts = np.empty(n, np.uint32), np.empty(n, np.uint32)
    k = 0
    for t in range(first, last):
        draw(key, t, levels, bits, counts)
        for i in range(n):
            if counts[i] and begins[i] <= t < ends[i]:
                for _ in range(counts[i]):
                    if k == when.size:
                        when = np.concatenate((when, np.empty(k, np.int64)))
                        who = np.concatenate((who, np.empty(k, np.int64)))
                    when[k], who[k] = t, i
                    k += 1
    return when[:k].copy(), who[:k].copy()
