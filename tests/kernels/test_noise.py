"""The compiled draws are those of neurohw.rng."""

import numpy as np
import pytest
from numba import njit
from scipy.stats import kstest, norm

from neurohw import rng
from neurohw.kernels import noise


@njit
def draws(key, counters, bits, uniforms, normals):
    for k in range(counters.size):
        bits[k] = noise.hash64(key, counters[k])
        uniforms[k] = noise.uniform(key, counters[k])
        normals[k] = noise.normal(key, counters[k])


@pytest.mark.parametrize("key", [0, 1, 2**63 + 12345, 2**64 - 1, int(rng.key(5, "x"))])
def test_the_compiled_twin(key):
    key = np.uint64(key)
    counters = np.concatenate((np.arange(5000), 2 ** np.arange(10, 62)))
    bits, uniforms, normals = np.empty(counters.size, np.uint64), np.empty(counters.size), np.empty(counters.size)
    draws(key, counters, bits, uniforms, normals)
    assert np.array_equal(bits, rng.hashes(key, counters))
    assert np.array_equal(uniforms, rng.uniform(key, counters))
    # logarithm and cosine differ from NumPy's in the last bits
    assert np.abs(normals - rng.normal(key, counters)).max() < 5e-15
    np.testing.assert_array_equal(noise.normals(key, counters), normals)


def test_many_normals():
    """Four million: moments, tails to 5 sd, the whole distribution, and no memory of neighbors; bounds of 4 standard errors."""
    n = 1 << 22
    z = noise.normals(rng.key(1, "many"), np.arange(n))
    for power, moment, spread in ((1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)):
        assert abs((z**power).mean() - moment) < 4 * np.sqrt(spread / n), power
    for reach in (1.0, 2.0, 3.0, 4.0, 4.5, 5.0):
        for side in (z > reach, z < -reach):
            expected = n * norm.sf(reach)
            assert abs(side.sum() - expected) < 4 * np.sqrt(expected) + 1, reach
    assert kstest(z, "norm").pvalue > 1e-3
    for lag in (1, 2, 7, 64, 4096):
        assert abs((z[lag:] * z[:-lag]).mean()) < 4 / np.sqrt(n), lag
        squares = (z**2 - 1) / np.sqrt(2)
        assert abs((squares[lag:] * squares[:-lag]).mean()) < 4 / np.sqrt(n), lag
