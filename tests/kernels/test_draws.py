"""Compiled draws against `neurohw.distributions`, and compiled words against `spinnaker_weights.to_raw`."""

import numpy as np
import pytest

from neurohw import rng
from neurohw.distributions import Normal, Uniform
from neurohw.kernels import draws
from neurohw.kernels.spinnaker_weights import to_raw
from neurohw.kernels.spinnaker_words import to_words

DISTRIBUTIONS = [
    Uniform(1.0, 3.0), Normal(0.0, 1.0), Normal(1.5, 0.75, 0.1), Normal(-0.3, 0.03, high=0.0), Normal(0.0, 1.0, 3.0, 4.0),
    Normal(0.0, 1.0, 6.0), Normal(0.0, 1.0, -9.0, -7.5), Normal(2.0, 0.0), Normal(2.0, 0.0, 3.0),
]  # fmt: skip


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=str)
def test_draws_are_those_of_the_distribution(distribution):
    """Acklam's inverse has a relative error of 1.2e-9; at 8 sd that is 1e-8."""
    key, counters = rng.key(1, "x"), (np.int64(7) << 32) + np.arange(200_000)
    right, found = distribution.sample(key, counters), draws.sample(distribution, key, counters)
    assert np.abs(right - found).max() <= 2e-8 * max(distribution.sd, 1.0)
    assert distribution.bounds[0] <= found.min() <= found.max() <= distribution.bounds[1] or distribution.sd == 0


@pytest.mark.parametrize("factors", [1.0, np.linspace(0.5, 2.0, 50)], ids=["one", "each"])
def test_words_and_losses(factors):
    draw = np.random.default_rng(1)
    weights, targets, unit = draw.uniform(-1.0, 1.0, 5000), draw.integers(0, 50, 5000), 1.5 / 65536
    weights[:500] *= 1e-5
    weights[500] = 0.0
    wanted = np.abs(weights * (factors if isinstance(factors, float) else factors[targets]))
    raw, loss = to_raw(wanted, 1.0 / unit)
    words = np.empty(5000, np.uint16)
    zeros, wrapped, worst = to_words(weights, targets, factors, unit, words)
    assert np.array_equal(words, raw)
    assert (zeros, wrapped) == (loss.rounded_to_zero, loss.wrapped)
    error = np.abs(raw * unit - wanted)[wanted > 0] / wanted[wanted > 0]
    assert worst == pytest.approx(error.max())
    assert zeros > 0
