"""Event delivery: at each step, pull the synapses that fall due from the rows of the neurons that spiked 1, 2, ... steps ago.

A step goes through the table's visits (group of sources, delay): for each spike of that group, that many steps ago, it notes
where the synapses due stand (a segment), and then adds up segment after segment, fetching ahead what comes four later.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.kernels.compiling import aligned_zeros, prefetch
from neurohw.kernels.table import BASE, BLOCK, DELAY, FIRST, GROUP, WIDTH

AHEAD = 4
SEGMENTS = 4096
"""Segments that a row of sums has room for before more memory is taken."""


@njit(cache=True)
def deliver(
    t, visits, row_visits, starts, offsets, targets, weights, ring, ring_cuts, stimulus, stimulus_cuts, stimulus_first,
    segments, sums,
):  # fmt: skip
    """Add the weights due at step t to sums[receptor, neuron]; returns the number of synaptic events.

    visits .. targets: `SynapseTable.arguments`. ring[step & mask, ring_cuts[step & mask, g]:ring_cuts[step & mask, g + 1]]: neurons of
    group g that spiked in that step, the ring's length being a power of two. stimulus[stimulus_cuts[k, h]:stimulus_cuts[k,
    h + 1]]: sources of the h-th group behind those of neurons that spike in step stimulus_first + k (a source may stand
    there several times). segments: (n, 2), scratch.
    """
    events = 0
    for row in range(row_visits.size - 1):
        events += deliver_row(
            row, t, visits, row_visits, starts, offsets, targets, weights, ring, ring_cuts, stimulus, stimulus_cuts,
            stimulus_first, segments, sums,
        )  # fmt: skip
    return events


@njit(cache=True)
def deliver_row(
    row, t, visits, row_visits, starts, offsets, targets, weights, ring, ring_cuts, stimulus, stimulus_cuts, stimulus_first,
    segments, sums,
):  # fmt: skip
    """The part of `deliver` that goes to one row of sums: block * 2 + receptor."""
    block, receptor, n = row // 2, row % 2, sums.shape[1]
    m, found = due(
        t, visits[row_visits[row] : row_visits[row + 1]], starts, offsets, ring, ring_cuts,
        stimulus, stimulus_cuts, stimulus_first, segments,
    )  # fmt: skip
    return _pull(found[:m], targets, weights, sums[receptor, block * BLOCK : min(n, (block + 1) * BLOCK)])


@njit(cache=True)
def due(t, visits, starts, offsets, ring, ring_cuts, stimulus, stimulus_cuts, stimulus_first, segments):
    """(n, segments): first and last synapse of everything that falls due at step t among these visits."""
    mask, n_groups, n = ring.shape[0] - 1, ring_cuts.shape[1] - 1, 0
    for v in range(visits.shape[0]):
        when, group = t - visits[v, DELAY], visits[v, GROUP]
        if group < n_groups:
            place = when & mask
            begin, end = ring_cuts[place, group], ring_cuts[place, group + 1]
            if begin == end or when < 0:
                continue
            spikes = ring[place]
        else:
            if when < stimulus_first:
                continue
            place = when - stimulus_first
            begin, end = stimulus_cuts[place, group - n_groups], stimulus_cuts[place, group - n_groups + 1]
            if begin == end:
                continue
            spikes = stimulus
        if n + end - begin > segments.shape[0]:
            segments = _longer(segments, n, 2 * (n + end - begin))
        first, base, width = visits[v, FIRST], visits[v, BASE], visits[v, WIDTH]
        for m in range(begin, end):
            source = np.int64(spikes[m])
            at = base + (source - first) * width
            segments[n, 0] = starts[source] + np.int64(offsets[at])
            segments[n, 1] = starts[source] + np.int64(offsets[at + 1])
            n += segments[n, 1] > segments[n, 0]
    return n, segments


@njit(cache=True)
def _longer(segments, n, length):
    more = np.empty((length, 2), np.int64)
    more[:n] = segments[:n]
    return more


@njit(cache=True)
def _pull(segments, targets, weights, row):
    events, n = 0, segments.shape[0]
    for m in range(n):
        ahead = min(m + AHEAD, n - 1)
        prefetch(targets, segments[ahead, 0])
        prefetch(weights, segments[ahead, 0])
        prefetch(targets, segments[ahead, 1])
        prefetch(weights, segments[ahead, 1])
        first, last = segments[m, 0], segments[m, 1]
        target, weight = targets[first:last], weights[first:last]  # from 0 on, Numba need not test for negative indices
        for j in range(target.shape[0]):
            row[target[j]] += weight[j]
        events += last - first
    return events


@njit(cache=True)
def collect(t, spiked, spiked_words, firsts, ring, ring_cuts, out, n_out):
    """Put the neurons that spiked in step t into the ring and behind out[:n_out] (rows: step, neuron); returns the new n_out.

    spiked_words: the same memory as `spiked`, see `spike_flags`. firsts: the first neuron of each group.
    """
    place = t & (ring.shape[0] - 1)
    n = 0
    for first in range(0, spiked_words.size, WORDS):
        some = np.uint64(0)
        for word in range(first, first + WORDS):
            some |= spiked_words[word]
        if some == 0:
            continue
        for word in range(first, first + WORDS):
            if spiked_words[word] != 0:
                for i in range(word * 8, word * 8 + 8):
                    if spiked[i]:
                        ring[place, n] = i
                        out[n_out, 0] = t
                        out[n_out, 1] = i
                        n += 1
                        n_out += 1
    cut(ring[place, :n], firsts, ring_cuts[place])
    return n_out


@njit(cache=True)
def cut(spikes, firsts, cuts):
    """cuts[g]: how many of these neurons, in ascending order, lie before group g."""
    n = 0
    for g in range(cuts.size):
        while n < spikes.size and spikes[n] < firsts[g]:
            n += 1
        cuts[g] = n


def neuron_groups(firsts: NDArray[np.int64], n_neurons: int) -> NDArray[np.int64]:
    """The part of a table's `firsts` that are groups of neurons, up to the first source."""
    return firsts[: int(np.searchsorted(firsts, n_neurons)) + 1]


def stimulus_cuts(
    sources: NDArray[np.integer], starts: NDArray[np.int64], firsts: NDArray[np.int64], n_neurons: int
) -> NDArray[np.int64]:
    """(steps, groups + 1): where the spikes of each group of sources begin in each step.

    sources[starts[k]:starts[k + 1]]: sources, ascending, that spike in step k.
    """
    step = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    wide = int(firsts[-1]) + 1
    edges = firsts[neuron_groups(firsts, n_neurons).size - 1 :]
    return np.searchsorted(step * wide + sources, np.arange(starts.size - 1)[:, None] * wide + edges)


def spike_ring(depth: int, n_neurons: int, n_groups: int):
    """An empty ring of spike lists that remembers at least `depth` steps, and where each group begins in each list."""
    length = 1 << (max(1, depth) - 1).bit_length()
    return np.zeros((length, n_neurons), np.int32), np.zeros((length, n_groups + 1), np.int64)


def scratch():
    """Room for segments."""
    return np.empty((SEGMENTS, 2), np.int64)


WORDS = 8
"""Words of eight flags that are looked at together."""


def spike_flags(n_neurons: int):
    """One flag (uint8) per neuron, padded to WORDS whole words, and the same memory as words (uint64)."""
    flags = aligned_zeros((-(-n_neurons // (8 * WORDS)) * 8 * WORDS,), np.uint8)
    return flags, flags.view(np.uint64)
