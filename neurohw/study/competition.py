"""Statistics of populations that compete: who is active, how clearly, and for how long.

The rivals of a population are those whose names differ from its own only in the number at the end: exc1, exc2, exc3. In
each bin of 25 ms in which any of them spikes, the one with most spikes per neuron is the winner. Source of the measures
(dwell time, competition): Petrovici et al., PLoS ONE 9 (2014) e108590, by a digest.
"""

import numpy as np
from numpy.typing import NDArray

from neurohw.recording import Recording

COMPETITION_BIN = 25.0


def purity(recording: Recording, population: str) -> NDArray[np.float64]:
    """Share of the winner in all the rivals' rates, over all bins with spikes: 1 if only one is ever active at a time.

    One number, the same for all rivals.
    """
    rates = _rates(recording, population)
    return np.array([rates.max(0).sum() / rates.sum()]) if rates.size else np.empty(0)


def evenness(recording: Recording, population: str) -> NDArray[np.float64]:
    """H = -sum_k p_k ln p_k / ln n, p_k the share of bins that rival k of n wins: 1 if all win equally often, 0 if one always
    does. One number, the same for all rivals.
    """
    rates = _rates(recording, population)
    if not rates.size or len(rates) < 2:
        return np.empty(0)
    share = np.bincount(rates.argmax(0), minlength=len(rates)) / rates.shape[1]
    share = share[share > 0]
    return np.array([max(0.0, -float((share * np.log(share)).sum()) / np.log(len(rates)))])


def dwell(recording: Recording, population: str) -> NDArray[np.float64]:
    """How long this population stays the winner (ms), each time it is; bins without spikes do not end its turn."""
    rates = _rates(recording, population)
    if not rates.size:
        return np.empty(0)
    winners = rates.argmax(0) == _rivals(recording, population).index(population)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], winners.astype(int), [0]])))
    return np.asarray((edges[1::2] - edges[::2]) * COMPETITION_BIN, np.float64)


def _rates(recording: Recording, population: str) -> NDArray[np.float64]:
    """Spikes per neuron of each rival in the bins in which any of them spikes, shape (rivals, bins)."""
    edges = np.arange(0, recording.duration + 1e-6, COMPETITION_BIN)
    if edges.size < 2:
        return np.empty((0, 0))
    names = _rivals(recording, population)
    counts = np.array([np.histogram(recording.spikes[n][0], edges)[0] / recording.sizes[n] for n in names])
    return counts[:, counts.sum(0) > 0]


def _rivals(recording: Recording, population: str) -> list[str]:
    stem = population.rstrip("0123456789")
    return [name for name in recording.spikes if name.rstrip("0123456789") == stem]
