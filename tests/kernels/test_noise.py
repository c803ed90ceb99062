"""The compiled draws are those of neurohw.rng."""

import numpy as np
import pytest
from numba import njit

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
    # log and cos of the C library and of NumPy differ in the last bit
    assert np.abs(normals - rng.normal(key, counters)).max() < 5e-15
