"""Named statistics of spiking activity: each turns a population's spikes into numbers, one per neuron, pair or bin.

The set is that of van Albada et al. (2018), who held SpiNNaker against NEST: distributions of rate, irregularity and
pairwise correlation. Elephant computes whatever it computes fast enough; at 150 us per neuron (its cv of one train) it
is called once per spike count instead, on all trains of that count.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.errors import BadInput
from neurohw.recording import Recording, Spikes, SpikesOnDemand
from neurohw.study.competition import dwell, evenness, purity

Sample = NDArray[np.float64]

MIN_SPIKES = 3
CORRELATION_BIN, CORRELATION_NEURONS = 2.0, 200
VAN_ROSSUM_TAU, VAN_ROSSUM_NEURONS = 10.0, 50
SYNCHRONY_BIN = 3.0
ACTIVITY_BIN = 10.0


@dataclass(frozen=True)
class Statistic:
    """A function (recording, population) -> sample; a `pairwise` one also takes the recordings it measures against."""

    name: str
    unit: str
    title: str
    description: str
    function: Callable[..., Sample]
    pairwise: bool = False

    @property
    def label(self) -> str:
        """The title inside a sentence."""
        return self.title if self.title[:2].isupper() else self.title[0].lower() + self.title[1:]


def sample(name: str, recording: Recording, population: str, others: Sequence[Recording] = ()) -> Sample:
    """The sample of a statistic, without NaN. Raises BadInput for an unknown statistic or an unrecorded population."""
    if name not in STATISTICS:
        raise BadInput(f"measure: no statistic {name!r}; there are {', '.join(STATISTICS)}")
    if population not in recording.spikes:
        raise BadInput(
            f"population {population!r}: no spikes recorded; there are {', '.join(recording.spikes) or 'none'}"
        )
    statistic = STATISTICS[name]
    values = statistic.function(recording, population, *((others,) if statistic.pairwise else ()))
    return values[np.isfinite(values)]


def after(recording: Recording, discard: float) -> Recording:
    """The spikes of a recording from `discard` (ms) on, with time counted from there: the transient left out."""
    if not discard:
        return recording
    if not 0 <= discard < recording.duration:
        raise BadInput(f"discard: {discard:g} ms is not inside the recording of {recording.duration:g} ms")
    spikes = recording.spikes
    spikes = spikes if isinstance(spikes, SpikesOnDemand) else SpikesOnDemand.of(spikes, {})
    kept = spikes.each(partial(_from, discard))
    return replace(recording, spikes=kept, duration=recording.duration - discard, traces={}, times={}, trace_neurons={})


def _from(discard: float, spikes: Spikes) -> Spikes:
    times, indices = spikes
    return times[times >= discard] - discard, indices[times >= discard]


def rates(recording: Recording, population: str) -> Sample:
    """Spikes of each neuron over the duration, Hz; silent neurons count as 0 Hz."""
    counts = np.bincount(recording.spikes[population][1], minlength=recording.sizes[population])
    return counts.astype(np.float64) * (1e3 / recording.duration) if recording.duration else np.empty(0)


def cv_isi(recording: Recording, population: str) -> Sample:
    """std(ISI) / mean(ISI) of each neuron with at least 3 spikes (two intervals); Poisson process: 1, clock: 0.

    The standard deviation is the uncorrected one (ddof 0), as in elephant.statistics.cv and van Albada et al. (2018).
    """
    from elephant.statistics import cv

    times, counts, starts = by_neuron(recording, population)
    values = []
    for count in np.unique(counts[counts >= MIN_SPIKES]):
        trains = times[starts[counts == count][:, None] + np.arange(count)]
        with _quiet():
            values.append(np.atleast_1d(cv(np.diff(trains, axis=1), axis=1)))
    return np.concatenate(values) if values else np.empty(0)


def correlation(recording: Recording, population: str) -> Sample:
    """Pearson correlation of every pair among (at most) 200 neurons that spike, spike counts in bins of 2 ms.

    The neurons are drawn by address, so that recordings with the same active neurons give the same choice.
    """
    bins = int(recording.duration / CORRELATION_BIN + 1e-9)
    trains = [train[train < bins * CORRELATION_BIN] for train in _trains(recording, population, CORRELATION_NEURONS)]
    trains = [train for train in trains if train.size]
    if len(trains) < 2 or bins < 2:
        return np.empty(0)
    import neo
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient

    stop = bins * CORRELATION_BIN
    with _quiet():
        spiketrains = [neo.SpikeTrain(train, t_stop=stop, units="ms") for train in trains]
        binned = BinnedSpikeTrain(spiketrains, bin_size=CORRELATION_BIN * pq.ms, n_bins=bins, tolerance=None)
        matrix = np.asarray(correlation_coefficient(binned))
    return matrix[np.triu_indices(len(trains), 1)]


def van_rossum(recording: Recording, population: str, others: Sequence[Recording]) -> Sample:
    """Distance of each neuron's spike train to the same neuron's train in `others`, averaged over these.

    D^2 = 2/tau * integral (f - g)^2 dt over the trains convolved with exp(-t/tau), tau = 10 ms: 1 for one spike too
    many, sqrt(2) for one spike moved far away. For (at most) 50 neurons that spike in any of the recordings, drawn by
    address. Source: van Rossum, Neural Computation 13 (2001); elephant.spike_train_dissimilarity.
    """
    if not others:
        return np.empty(0)
    import quantities as pq
    from elephant.spike_train_dissimilarity import van_rossum_distance

    family = [recording, *others]
    active = np.unique(np.concatenate([one.spikes[population][1] for one in family]))
    chosen = _choice(active, population, VAN_ROSSUM_NEURONS)
    grouped = [by_neuron(one, population) for one in family]
    values = []
    for neuron in chosen:
        trains = [t[s[neuron] : s[neuron] + n[neuron]] * pq.ms for t, n, s in grouped]
        with _quiet():
            values.append(van_rossum_distance(trains, time_constant=VAN_ROSSUM_TAU * pq.ms, sort=False)[0, 1:].mean())
    return np.array(values)


def synchrony(recording: Recording, population: str) -> Sample:
    """Variance over mean of the population's spike count in bins of 3 ms; independent Poisson neurons: 1. One number.

    Source: Potjans & Diesmann, Cerebral Cortex 24 (2014).
    """
    counts = _histogram(recording, population, SYNCHRONY_BIN)
    return np.array([counts.var() / counts.mean()]) if counts.size and counts.any() else np.empty(0)


def activity(recording: Recording, population: str) -> Sample:
    """The population's mean rate (Hz per neuron) in every bin of 10 ms: how steady or bursting the activity is."""
    return _histogram(recording, population, ACTIVITY_BIN) * (1e3 / ACTIVITY_BIN / recording.sizes[population])


def volley_size(recording: Recording, population: str) -> Sample:
    """Spikes per neuron in the whole recording: the `a` of a pulse packet (a, sigma) in a synfire chain. One number.

    Source: Diesmann, Gewaltig & Aertsen, Nature 402 (1999) 529.
    """
    return np.array([recording.spikes[population][0].size / recording.sizes[population]])


def volley_width(recording: Recording, population: str) -> Sample:
    """Standard deviation of all spike times (ms): the `sigma` of a pulse packet (a, sigma). One number, if there are spikes."""
    times = recording.spikes[population][0]
    return np.array([times.std()]) if times.size else np.empty(0)


STATISTICS: dict[str, Statistic] = {
    one.name: one
    for one in (
        Statistic("rates", "Hz", "Firing rate", "mean rate of each neuron", rates),
        Statistic("cv_isi", "", "CV of intervals", "irregularity of each neuron with 3 or more spikes", cv_isi),
        Statistic("correlation", "", "Correlation", "Pearson, 2 ms bins, up to 200 active neurons", correlation),
        Statistic("van_rossum", "", "Van Rossum distance", "to other reference trials, tau 10 ms, up to 50 neurons",
                  van_rossum, pairwise=True),
        Statistic("synchrony", "", "Synchrony", "variance over mean of the population count in 3 ms bins", synchrony),
        Statistic("activity", "Hz", "Population rate", "mean rate of the population in 10 ms bins", activity),
        Statistic("purity", "", "Purity", "share of the winner among rivals, in 25 ms bins", purity),
        Statistic("evenness", "", "Evenness", "entropy of who wins among rivals: 1 all equally often, 0 always one", evenness),
        Statistic("dwell", "ms", "Dwell time", "how long this population stays the most active of its rivals", dwell),
        Statistic("volley_size", "", "Volley size", "spikes per neuron in the whole recording", volley_size),
        Statistic("volley_width", "ms", "Volley width", "standard deviation of all spike times", volley_width),
    )
}  # fmt: skip


def by_neuron(
    recording: Recording, population: str, size: int = 0
) -> tuple[Sample, NDArray[np.int64], NDArray[np.int64]]:
    """Spike times sorted by neuron, spikes per neuron, and where each neuron's spikes start."""
    times, indices = recording.spikes[population]
    counts = np.bincount(indices, minlength=max(size, recording.sizes[population]))
    return times[np.lexsort((times, indices))], counts, np.cumsum(counts) - counts


def _choice(neurons: NDArray[np.int64], population: str, limit: int) -> NDArray[np.int64]:
    """At most `limit` of the neurons: those with the lowest addressed draw, whatever the others do."""
    draws = rng.uniform(rng.key(0, f"statistics/{population}"), neurons)
    return np.sort(neurons[np.argsort(draws, kind="stable")[:limit]])


def _trains(recording: Recording, population: str, limit: int) -> Iterator[Sample]:
    times, counts, starts = by_neuron(recording, population)
    times = np.round(times, 6) + 1e-7  # a spike on the edge of a bin belongs to the bin that starts there
    for neuron in _choice(np.flatnonzero(counts), population, limit):
        yield times[starts[neuron] : starts[neuron] + counts[neuron]]


def _histogram(recording: Recording, population: str, width: float) -> Sample:
    bins = int(recording.duration / width + 1e-9)
    which = np.floor(recording.spikes[population][0] / width + 1e-6).astype(np.int64)
    return np.bincount(which[which < bins], minlength=bins).astype(float)


@contextmanager
def _quiet() -> Iterator[Any]:
    """Elephant warns of its own use of a deprecated argument and of equal trains; neither concerns the user."""
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore")
        yield
