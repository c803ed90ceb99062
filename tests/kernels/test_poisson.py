"""The alias tables hold the Poisson distribution, and each source draws by its own address."""

import numpy as np
import pytest
from scipy.stats import poisson

from neurohw.kernels.poisson import draw, tables
from tests.oracles import splitmix


@pytest.mark.parametrize("mean", [0.0, 1e-7, 0.13, 2.0, 18.0, 400.0])
def test_a_table_holds_the_distribution(mean):
    """What each cell gives to its own outcome and to the other adds up to the probabilities, in units of 2^-32."""
    made = tables(np.array([mean]))
    cell = 1 << int(made.shift)
    found = np.bincount(np.arange(made.cells), made.thresholds, made.cells)
    found += np.bincount(made.aliases, cell - made.thresholds.astype(np.int64), made.cells)
    assert found.sum() == 2**32
    right = poisson.pmf(np.arange(made.cells), mean) * 2.0**32
    assert np.abs(found - right).max() < 4, "half a unit each; the largest makes up for the sum"


@pytest.mark.parametrize("n", [1, 2, 9])
def test_counts_against_plain_integers(n):
    means = np.array([0.5, 3.0, 40.0])
    made, which = tables(means), np.arange(n) % 3
    counts, key, interval, half = np.empty(n, np.uint32), 2**63 + 12345, 77, (n + 1) // 2
    draw(np.uint64(key), interval, which * made.cells, made.thresholds, made.aliases, made.shift, counts)
    shift = int(made.shift)
    for i in range(n):
        bits = splitmix.bits(key, interval * half + i % half)
        r = bits & 0xFFFFFFFF if i < half else bits >> 32
        k = r >> shift
        place = which[i] * made.cells + k
        right = k if r % 2**shift < made.thresholds[place] else made.aliases[place]
        assert counts[i] == right


def test_one_table_for_all_is_the_same_as_one_for_each():
    made, one, each = tables(np.array([1.7])), np.empty(33, np.uint32), np.empty(33, np.uint32)
    for interval in range(20):
        draw(np.uint64(5), interval, 0, made.thresholds, made.aliases, made.shift, one)
        draw(np.uint64(5), interval, np.zeros(33, np.int64), made.thresholds, made.aliases, made.shift, each)
        assert np.array_equal(one, each)


def test_mean_variance_and_independence_of_many_draws():
    """4e6 draws; mean, variance, neighbors in space (also the two halves of one hash) and in time: four standard errors."""
    n, steps, mean = 2000, 2000, 0.8
    made, counts = tables(np.array([mean])), np.empty((steps, n), np.uint32)
    for t in range(steps):
        draw(np.uint64(99), t, 0, made.thresholds, made.aliases, made.shift, counts[t])
    x = counts.astype(float) - mean
    assert abs(x.mean()) < 4 * np.sqrt(mean / x.size)
    assert abs((x**2).mean() - mean) < 4 * np.sqrt((mean + 2 * mean**2) / x.size)
    for a, b in ((x[:, 1:], x[:, :-1]), (x[1:], x[:-1]), (x[:, : n // 2], x[:, n // 2 :])):
        assert abs((a * b).mean()) < 4 * mean / np.sqrt(a.size)
    assert abs((x.sum(1) ** 2).mean() - n * mean) < 4 * n * mean * np.sqrt(2 / steps), "totals of a step"
