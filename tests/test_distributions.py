"""Distributions: moments, bounds, and what is no distribution."""

import numpy as np
import pytest
from scipy import stats

from neurohw import rng
from neurohw.distributions import Normal, Uniform, sample, spread
from neurohw.errors import BadInput

KEY = rng.key(4, "distributions")


def test_uniform():
    drawn = Uniform(2.0, 5.0).sample(KEY, 100_000)
    assert drawn.min() >= 2
    assert drawn.max() < 5
    assert abs(drawn.mean() - 3.5) < 4 * 3 / np.sqrt(12 * 100_000)
    assert spread(Uniform(2.0, 5.0)) == (3.5, pytest.approx(3 / np.sqrt(12)), 2.0, 5.0)
    assert (Uniform(2.0, 2.0).sample(KEY, 10) == 2.0).all()


@pytest.mark.parametrize(("low", "high"), [(-np.inf, np.inf), (0.0, np.inf), (-1.0, 1.5), (2.0, 3.0), (-8.0, -5.0)])
def test_normal_is_truncated_by_drawing_again(low, high):
    """The distribution that is left is that of scipy's truncated normal, by Kolmogorov and Smirnov."""
    mean, sd, n = 0.5, 1.5, 50_000
    drawn = Normal(mean, sd, low, high).sample(KEY, n)
    assert drawn.min() >= low
    assert drawn.max() <= high
    right = stats.truncnorm((low - mean) / sd, (high - mean) / sd, mean, sd)
    assert abs(drawn.mean() - right.mean()) < 4 * right.std() / np.sqrt(n)
    assert stats.kstest(drawn, right.cdf).pvalue > 1e-4


def test_normal_without_spread():
    assert (Normal(1.0, 0.0).sample(KEY, 5) == 1.0).all()
    assert (Normal(1.0, 0.0, 2.0, 3.0).sample(KEY, 5) == 2.0).all()


def test_far_tails_stay_in_bounds():
    for low, high in ((40.0, 41.0), (-41.0, -40.0)):
        drawn = Normal(0.0, 1.0, low, high).sample(KEY, 100)
        assert np.isfinite(drawn).all()
        assert drawn.min() >= low
        assert drawn.max() <= high


@pytest.mark.parametrize(
    "make",
    [
        lambda: Uniform(2, 1), lambda: Uniform(np.nan, 1), lambda: Uniform(-np.inf, 1), lambda: Normal(np.nan, 1),
        lambda: Normal(np.inf, 1), lambda: Normal(0, -1), lambda: Normal(0, np.inf), lambda: Normal(0, 1, 2, 1),
        lambda: Normal(0, 1, np.nan),
    ],
)  # fmt: skip
def test_what_is_none(make):
    with pytest.raises(BadInput, match=r"(Uniform|Normal): needs"):
        make()


def test_values_of_every_form():
    assert sample(2.5, KEY, 3).tolist() == [2.5] * 3
    assert sample(np.arange(5.0), KEY, np.array([4, 0])).tolist() == [4, 0]
    counters = np.array([7, 7, 100])
    assert np.array_equal(sample(Uniform(0, 1), KEY, counters), rng.uniform(KEY, counters))
    assert spread(3.0) == (3.0, 0.0, 3.0, 3.0)
    assert spread(np.array([1.0, 3.0])) == (2.0, 1.0, 1.0, 3.0)
    assert spread(np.array([])) == (0.0, 0.0, 0.0, 0.0)
