"""Functions that vectorize against NumPy's and SciPy's."""

import numpy as np
import pytest
from numba import njit
from scipy.special import ndtri

from neurohw.kernels import elementary, quantile

X = np.random.default_rng(1).uniform(0.0, 1.0, 100_000)
EDGES = np.array([0.0, 0.125, 0.25, 0.5, 0.625, 0.75, 0.875, 1.0])


def each(function, x):
    """function(x[i]) for all i, compiled, in a loop that may vectorize."""

    @njit
    def loop(x, out):
        for i in range(x.shape[0]):
            out[i] = function(x[i])

    out = np.empty(x.size)
    loop(x, out)
    return out


def test_logarithm():
    """From the smallest normal number to the largest, and close to 1, where the result is close to 0."""
    x = np.concatenate(
        (X + 2.0**-53, 1.0 + 1e-9 * (X - 0.5), 1.0 - 2.0 ** -np.arange(1.0, 54), 2.0 ** (2000 * X - 1000))
    )
    np.testing.assert_allclose(each(elementary.ln, x), np.log(x), rtol=4.5e-16, atol=0)
    assert each(elementary.ln, np.ones(1))[0] == 0.0


def test_exponential():
    """Beyond [-700, 700] it stays at the value there."""
    x = np.concatenate((700 * (2 * X - 1), X - 0.5, 1e-9 * X, np.logspace(-16, 2.84, 10_000), [0.0, -700.0, 700.0]))
    assert np.abs(each(elementary.exp, x) / np.exp(x) - 1).max() < 1e-14
    beyond = each(elementary.exp, np.array([-1e9, -745.0, 1e9]))
    np.testing.assert_array_equal(beyond, each(elementary.exp, np.array([-700.0, -700.0, 700.0])))


def test_cosine():
    """NumPy's argument 2 pi u is itself rounded, by up to 4e-16 at one turn; at multiples of an eighth the value is known."""
    assert np.abs(each(elementary.cos_turns, X) - np.cos(2 * np.pi * X)).max() < 1.5e-15
    assert np.abs(each(elementary.cos_turns, X - 0.25) - np.sin(2 * np.pi * X)).max() < 1.5e-15
    right = np.array([1.0, np.sqrt(0.5), 0.0, -1.0, -np.sqrt(0.5), 0.0, np.sqrt(0.5), 1.0])
    np.testing.assert_allclose(each(elementary.cos_turns, EDGES), right, rtol=0, atol=2.3e-16)


def test_rounding():
    x = np.concatenate((1000 * (X - 0.5), [0.5, 1.5, -0.5, -2.5, 2.0**50 + 1]))
    np.testing.assert_array_equal(each(elementary.to_whole, x), np.rint(x))


@pytest.mark.parametrize("part", ["middle", "tails"])
def test_quantiles(part):
    """Acklam's inverse has a relative error of 1.2e-9, far into both tails."""
    p = np.concatenate([np.geomspace(1e-16, 0.5, 500), 1 - np.geomspace(1e-15, 0.5, 500), [0.02425, 1 - 0.02425]])
    inside = np.abs(p - 0.5) <= quantile.MIDDLE
    found = each(quantile.middle, p[inside] - 0.5) if part == "middle" else each(quantile.tail, p[~inside])
    np.testing.assert_allclose(found, ndtri(p[inside == (part == "middle")]), rtol=2e-9, atol=1e-9)
