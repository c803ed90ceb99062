"""What sources emit: published rates, the same spikes on every grid, and nothing that depends on how a run is cut."""

import numpy as np
import pytest

from neurohw.kernels.stimulus import spikes
from neurohw.network import Network, Numerics, SpikeTimes

FIRST = {"given": 10, "poisson": 14}


def network(rate=100.0, size=20, **poisson):
    made = Network().population(
        "given", 4, "SpikeSourceArray", spike_times=([0.0, 0.3, 0.3, 0.95, 7.0, 12.4], [1, 0, 0, 3, 2, 0])
    )
    return made.population("poisson", size, "SpikeSourcePoisson", {"rate": rate, **poisson})


def events(made, dt, n_steps, trial=0, first=0, **options):
    """(step, source) of every spike."""
    sources, starts = spikes(made, FIRST, trial, dt, first, n_steps, **options)
    assert starts.size == n_steps - first + 1
    assert starts[0] == 0
    assert starts[-1] == sources.size
    return np.stack([np.repeat(np.arange(first, n_steps), np.diff(starts)), sources], axis=1)


def of(found, population, size):
    mine = found[(found[:, 1] >= FIRST[population]) & (found[:, 1] < FIRST[population] + size)]
    return np.stack([mine[:, 0], mine[:, 1] - FIRST[population]], axis=1)


def test_given_spikes_fall_into_the_step_that_holds_them():
    for dt, steps in ((0.1, [0, 3, 3, 9, 70, 124]), (1.0, [0, 0, 0, 0, 7, 12]), (0.5, [0, 0, 0, 1, 14, 24])):
        found = of(events(network(), dt, round(20 / dt)), "given", 4)
        assert sorted(map(tuple, found)) == sorted(zip(steps, [1, 0, 0, 3, 2, 0], strict=True))


@pytest.mark.parametrize("dt", [0.1, 0.2, 0.3, 0.7, 1.0])
def test_times_on_the_grid_stay_in_their_step(dt):
    """k * dt in floating point may fall just below the step it means."""
    k = np.arange(5000)
    made = Network().population("given", 1, "SpikeSourceArray", spike_times=(k * dt, np.zeros(5000, np.int64)))
    _sources, starts = spikes(made, {"given": 0}, 0, dt, 0, 5000)
    assert (np.diff(starts) == 1).all()


def test_the_same_spikes_on_every_grid():
    """Binned to 1 ms, the input at 0.1 ms is that at 1 ms, and at 0.2, 0.25 and 0.5 ms."""
    right = events(network(rate=300.0), 1.0, 200)
    for dt in (0.1, 0.2, 0.5):
        found = events(network(rate=300.0), dt, round(200 / dt))
        found[:, 0] = np.floor(found[:, 0] * dt + 1e-6)
        assert sorted(map(tuple, found)) == sorted(map(tuple, right)), dt


def test_a_finer_step_than_the_grid_holds_the_spikes_at_the_start_of_the_interval():
    found = of(events(network(rate=500.0), 0.025, 4000), "poisson", 20)
    assert found.size
    assert (found[:, 0] % 4 == 0).all()
    coarse = of(events(network(rate=500.0), 0.1, 1000), "poisson", 20)
    assert np.array_equal(found[:, 0] // 4, coarse[:, 0])
    assert np.array_equal(found[:, 1], coarse[:, 1])


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("window", [1, 7, 100])
def test_windows_do_not_matter(dt, window):
    n = 150
    whole = events(network(rate=400.0), dt, n)
    parts = [events(network(rate=400.0), dt, min(first + window, n), first=first) for first in range(0, n, window)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_trials_differ_in_poisson_spikes_alone():
    one, two = events(network(), 0.1, 3000, trial=1), events(network(), 0.1, 3000, trial=2)
    assert np.array_equal(of(one, "given", 4), of(two, "given", 4))
    a, b = of(one, "poisson", 20), of(two, "poisson", 20)
    assert not np.array_equal(a, b)
    same = {tuple(row) for row in a} & {tuple(row) for row in b}
    expected = len(a) * len(b) / (3000 * 20)
    assert len(same) < expected + 5 * np.sqrt(expected + 1)


def test_the_seed_of_the_network_does_not_matter():
    assert np.array_equal(
        events(network(), 0.1, 500), events(Network(seed=9, populations=network().populations), 0.1, 500)
    )


def test_other_populations_do_not_matter():
    more = network().population("more", 5, "SpikeSourcePoisson", {"rate": 50.0})
    sources, starts = spikes(more, {**FIRST, "more": 100}, 0, 0.1, 0, 500)
    found = np.stack([np.repeat(np.arange(500), np.diff(starts)), sources], axis=1)
    assert np.array_equal(found[found[:, 1] < 100], events(network(), 0.1, 500))


@pytest.mark.parametrize("rate", [0.0, 5.0, 100.0, 2000.0, 30_000.0])
@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_counts_are_poisson(rate, dt):
    """Mean and variance of the counts of 200 sources in windows of 10 ms, within four standard errors."""
    size, duration = 200, 500.0
    made = Network().population("poisson", size, "SpikeSourcePoisson", {"rate": rate})
    sources, starts = spikes(made, {"poisson": 0}, 5, dt, 0, round(duration / dt))
    steps = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    counts = np.zeros((size, 50))
    np.add.at(counts, (sources, (steps * dt // 10.0 + 1e-9).astype(int)), 1)
    mean = rate * 1e-3 * 10.0
    n = counts.size
    assert abs(counts.mean() - mean) <= 4 * np.sqrt(mean / n)
    assert abs(counts.var() - mean) <= 4 * np.sqrt((mean + 2 * mean**2) / n)
    assert abs(np.corrcoef(counts[:, :-1].ravel(), counts[:, 1:].ravel())[0, 1]) < 4 / np.sqrt(n) if rate else True


def test_start_and_duration_are_kept():
    found = of(events(network(rate=1000.0, start=20.0, duration=30.0), 0.1, 1000), "poisson", 20)
    assert found[:, 0].min() >= 200
    assert found[:, 0].max() < 500
    assert found[:, 0].min() < 210
    assert found[:, 0].max() > 490
    again = of(events(network(rate=1000.0, start=20.0, duration=1e10), 0.1, 1000), "poisson", 20)
    assert np.array_equal(again[again[:, 0] < 500], found), "when a source stops does not change what it did before"


def test_each_source_has_its_own_rate_and_times():
    rates = np.array([0.0, 100.0, 1000.0])
    made = Network().population(
        "poisson", 3, "SpikeSourcePoisson", {"rate": rates, "start": np.array([0.0, 50.0, 0.0])}
    )
    sources, starts = spikes(made, {"poisson": 0}, 1, 0.1, 0, 10_000)
    steps = np.repeat(np.arange(10_000), np.diff(starts))
    counts = np.bincount(sources, minlength=3)
    assert counts[0] == 0
    assert steps[sources == 1].min() >= 500
    assert abs(counts[1] - 95) < 4 * np.sqrt(95)
    assert abs(counts[2] - 1000) < 4 * np.sqrt(1000)


def test_spikes_that_replace_the_given_ones():
    given = {"given": SpikeTimes(np.array([2.0, 5.0]), np.array([3, 3]))}
    found = events(network(), 1.0, 20, given=given)
    assert of(found, "given", 4).tolist() == [[2, 3], [5, 3]]
    assert np.array_equal(of(found, "poisson", 20), of(events(network(), 1.0, 20), "poisson", 20))


def test_the_grid_belongs_to_the_network():
    coarse = Network(numerics=Numerics(stimulus_grid=1.0), populations=network(rate=100.0).populations)
    found = of(events(coarse, 0.1, 1000), "poisson", 20)
    assert found.size
    assert (found[:, 0] % 10 == 0).all()


def test_no_sources_no_spikes():
    sources, starts = spikes(Network().population("a", 3, "IF_curr_exp"), {"a": 0}, 0, 0.1, 5, 9)
    assert sources.size == 0
    assert starts.tolist() == [0, 0, 0, 0, 0]
