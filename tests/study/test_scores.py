"""Effect sizes, distances and spike matching against numbers worked out by hand."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurohw.errors import BadInput
from neurohw.study.scores import Effect, coincidence, effect_size, kolmogorov_smirnov


def test_effect_size_of_a_worked_example():
    # means 2 and 4, both variances 1, pooled s = 1, d = 2; half width 1.96 sqrt(6/9 + 4/8) = 2.1170
    effect = effect_size(np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 5.0]))
    assert (effect.d, effect.low, effect.high) == pytest.approx((2.0, -0.11704, 4.11704), abs=1e-5)
    assert effect_size(np.array([3.0, 4.0, 5.0]), np.array([1.0, 2.0, 3.0])).d == pytest.approx(-2.0)


def test_effect_size_where_it_is_not_defined():
    assert effect_size(np.array([1.0]), np.array([1.0, 2.0])) == Effect()
    assert effect_size(np.full(3, 0.1), np.full(4, 0.1)) == Effect(0.0, 0.0, 0.0)
    assert effect_size(np.zeros(3), np.ones(3)) == Effect()
    assert effect_size(np.zeros(3), np.zeros(3)) == Effect(0.0, 0.0, 0.0)


def test_interval_covers_the_true_effect_in_95_percent():
    draw, hits, runs = np.random.default_rng(1), 0, 2000
    for _ in range(runs):
        effect = effect_size(draw.normal(0, 1, 40), draw.normal(0.5, 1, 60))
        hits += effect.low <= 0.5 <= effect.high
    assert abs(hits / runs - 0.95) < 4 * np.sqrt(0.95 * 0.05 / runs)


def test_kolmogorov_smirnov_and_its_edges():
    values = np.array([1.0, 2.0, 3.0])
    assert kolmogorov_smirnov(values, values) == (0.0, 1.0)
    assert kolmogorov_smirnov(values, values + 10)[0] == 1.0
    assert kolmogorov_smirnov(values, np.empty(0)) == (1.0, 1.0)
    assert kolmogorov_smirnov(np.empty(0), np.empty(0)) == (0.0, 1.0)


def test_coincidence_counts_each_spike_once(trains):
    found = coincidence(trains([[10.0, 10.4, 30.0], [5.0]]), trains([[10.2, 30.0], [80.0, 81.0]]), window=0.5)
    assert (found.matched, found.exact, found.reference_spikes, found.surplus) == (2, 1, 4, 2)
    assert found.share == 0.5
    assert found.largest_shift is None  # no neuron with as many spikes on both sides


def test_coincidence_of_a_run_that_is_one_step_late(trains):
    reference = trains([[1.0, 2.0], [50.3]])
    late = trains([[1.1, 2.1], [50.4]])
    found = coincidence(reference, late)
    assert (found.window, found.matched, found.exact) == (0.1, 3, 0)
    assert found.largest_shift == pytest.approx(0.1)
    assert found.by_chance < 0.01
    assert coincidence(reference, trains([[], []])).share == 0.0
    assert coincidence(trains([[]]), trains([[1.0]])).share is None
    with pytest.raises(BadInput, match="window"):
        coincidence(reference, late, window=-1)


grid = st.lists(st.integers(0, 12), max_size=4).map(sorted)


@settings(deadline=None, derandomize=True)
@given(grid, grid, st.integers(0, 3))
def test_the_matching_is_the_largest_there_is(a, b, window):
    from neurohw.recording import Recording

    def one(times):
        return Recording({"p": (np.array(times, float), np.zeros(len(times), int))}, {"p": 1}, 20.0, 1.0)

    short, long = sorted((a, b), key=len)
    best = max(sum(abs(s - c) <= window for s, c in zip(short, chosen, strict=False)) for chosen in permutations(long))
    assert coincidence(one(a), one(b), window).matched == best
