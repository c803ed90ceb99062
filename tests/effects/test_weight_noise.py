"""weight_noise: the published law, and a pattern that belongs to the circuits."""

import numpy as np
import pytest
from scipy.stats import norm

from neurohw import rng
from neurohw.effects.weight_noise import WeightNoise
from neurohw.errors import BadInput
from neurohw.schema import Number, validate

N = 400_000


def factors(sigma, n=N, seed=1):
    return WeightNoise(sigma=Number(sigma)).factors(rng.key(seed, "weight_noise"), np.arange(n, dtype=np.uint32))


def test_mean_and_zeros_of_the_executable_system_specification():
    """sigma 0.5: mean 1.0042 and 2.28 % zeros, within 4 standard errors."""
    found = factors(0.5)
    assert abs(found.mean() - 1.0042) < 4 * 0.5 / np.sqrt(N)
    assert abs((found == 0).mean() - 0.0228) < 4 * np.sqrt(0.0228 / N)


@pytest.mark.parametrize("sigma", [0.2, 0.5, 1.0])
def test_the_docstring_s_formulas(sigma):
    found, below = factors(sigma), norm.cdf(-1 / sigma)
    mean = 1 + sigma * (norm.pdf(1 / sigma) - below / sigma)
    assert abs(found.mean() - mean) < 4 * sigma / np.sqrt(N)
    assert abs((found == 0).mean() - below) < 4 * np.sqrt(below / N) + 1e-12
    assert found.min() >= 0


def test_no_noise_is_no_change():
    assert (factors(0.0, 100) == 1.0).all()


def test_a_circuit_keeps_its_factor():
    stream, some = rng.key(3, "weight_noise"), np.array([70_000_000, 5, 12], np.uint32)
    effect = WeightNoise(sigma=Number(0.5))
    assert (effect.factors(stream, some) == effect.factors(stream, some[::-1])[::-1]).all()


def test_bad_numbers():
    with pytest.raises(BadInput, match="sigma"):
        validate(WeightNoise, {"sigma": Number(-0.1)}, "weight_noise")
