"""The levels hold the Poisson distribution, and each source draws by its own address."""

import numpy as np
import pytest
from scipy.stats import poisson

from neurohw.kernels.poisson import TOGETHER, draw, levels
from tests.oracles import splitmix


@pytest.mark.parametrize("mean", [0.0, 1e-7, 0.13, 2.0, 18.0, 400.0])
def test_levels_hold_the_distribution(mean):
    """r > level leaves 2^32 - 1 - level of the 2^32 values of r; half a unit of rounding, and one at the end of the range."""
    level = levels(mean)[:, 0].astype(np.int64)
    assert level.size % TOGETHER == 0
    right = poisson.sf(np.arange(level.size), mean) * 2.0**32
    assert np.abs(2**32 - 1 - level - right).max() <= 1
    assert poisson.sf(level.size, mean) < 2.0**-33


@pytest.mark.parametrize("n", [1, 2, 9])
@pytest.mark.parametrize("alike", [True, False])
def test_counts_against_plain_integers(n, alike):
    means = np.full(n, 0.5) if alike else np.resize([0.5, 3.0, 40.0], n)
    level, counts, bits = levels(means), np.empty(n, np.uint32), np.empty(n + 3, np.uint32)
    key, interval, half = 2**63 + 12345, 77, (n + 1) // 2
    draw(np.uint64(key), interval, level[:, 0].copy() if alike else level, bits, counts)
    for i in range(n):
        hashed = splitmix.bits(key, interval * half + i % half)
        r = hashed & 0xFFFFFFFF if i < half else hashed >> 32
        assert counts[i] == sum(r > int(one) for one in level[:, i])


def test_mean_variance_and_independence_of_many_draws():
    """4e6 draws; mean, variance, neighbors in space (also the two halves of one hash) and in time: four standard errors."""
    n, steps, mean = 2000, 2000, 0.8
    level, counts, bits = levels(mean)[:, 0].copy(), np.empty((steps, n), np.uint32), np.empty(n, np.uint32)
    for t in range(steps):
        draw(np.uint64(99), t, level, bits, counts[t])
    x = counts.astype(float) - mean
    assert abs(x.mean()) < 4 * np.sqrt(mean / x.size)
    assert abs((x**2).mean() - mean) < 4 * np.sqrt((mean + 2 * mean**2) / x.size)
    for a, b in ((x[:, 1:], x[:, :-1]), (x[1:], x[:-1]), (x[:, : n // 2], x[:, n // 2 :])):
        assert abs((a * b).mean()) < 4 * mean / np.sqrt(a.size)
    assert abs((x.sum(1) ** 2).mean() - n * mean) < 4 * n * mean * np.sqrt(2 / steps), "totals of a step"
