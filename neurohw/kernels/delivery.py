"""Event delivery: at each step, pull the synapses that fall due from the rows of the neurons that spiked 1, 2, ... steps ago."""

import numpy as np
from numba import njit

from neurohw.kernels.compiling import aligned_zeros
from neurohw.kernels.table import BLOCK


@njit(cache=True)
def deliver(
    t, delays, starts, offsets, targets, weights, ring, ring_counts, stimulus, stimulus_starts, stimulus_first, sums
):
    """Add the weights due at step t to sums[receptor, neuron]; returns the number of synaptic events.

    ring[step % depth, :ring_counts[step % depth]]: neurons that spiked in that step. stimulus[stimulus_starts[k]:
    stimulus_starts[k + 1]]: sources that spike in step stimulus_first + k (a source may stand there several times).
    """
    events, slots, n = 0, delays.size, sums.shape[1]
    for block in range((n + BLOCK - 1) // BLOCK):
        for receptor in range(2):
            row = sums[receptor, block * BLOCK : min(n, (block + 1) * BLOCK)]
            for slot in range(slots):
                bucket = (block * 2 + receptor) * slots + slot
                due = t - delays[slot]
                if due >= 0 and delays[slot] > 0:
                    place = due % ring.shape[0]
                    for m in range(ring_counts[place]):
                        events += _pull(ring[place, m], bucket, starts, offsets, targets, weights, row)
                k = due - stimulus_first
                if k >= 0:
                    for m in range(stimulus_starts[k], stimulus_starts[k + 1]):
                        events += _pull(stimulus[m], bucket, starts, offsets, targets, weights, row)
    return events


@njit(cache=True, inline="always")
def _pull(source, bucket, starts, offsets, targets, weights, row):
    first = starts[source] + offsets[source, bucket]
    last = starts[source] + offsets[source, bucket + 1]
    target, weight = targets[first:last], weights[first:last]  # from 0 on, Numba need not test for negative indices
    for j in range(target.shape[0]):
        row[target[j]] += weight[j]
    return last - first


@njit(cache=True)
def collect(t, spiked, spiked_words, ring, ring_counts, out, n_out):
    """Put the neurons that spiked in step t into the ring and behind out[:n_out] (rows: step, neuron); returns the new n_out.

    spiked_words: the same memory as `spiked`, see `spike_flags`.
    """
    place = t % ring.shape[0]
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
    ring_counts[place] = n
    return n_out


def spike_ring(depth: int, n_neurons: int):
    """An empty ring of spike lists that remembers `depth` steps."""
    return np.zeros((depth, n_neurons), np.int32), np.zeros(depth, np.int64)


WORDS = 8
"""Words of eight flags that are looked at together."""


def spike_flags(n_neurons: int):
    """One flag (uint8) per neuron, padded to WORDS whole words, and the same memory as words (uint64)."""
    flags = aligned_zeros((-(-n_neurons // (8 * WORDS)) * 8 * WORDS,), np.uint8)
    return flags, flags.view(np.uint64)
