"""Addressed random numbers: a draw depends on its seed, its address and its counter, never on the order of calls.

`key(seed, "crossbar/0/programming_noise")` names a stream; draw number `c` of that stream is a pure function of (key, c):

    h(key, c) = mix(key + (c + 1) * 0x9E3779B97F4A7C15  mod 2^64)        mix = the finalizer of splitmix64

    uniform = (h >> 11) * 2^-53                                   in [0, 1)
    normal  = sqrt(-2 ln(1 - u(2c))) * cos(2 pi u(2c + 1))        Box-Muller, one value for two counters

The compiled kernels draw with the twin in `neurohw/kernels/noise.py`.
Sources: Steele, Lea & Flood, OOPSLA 2014 (splitmix64); Box & Muller, Ann. Math. Stat. 29 (1958).
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

GOLDEN = 0x9E3779B97F4A7C15
MIX1, MIX2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

Counters = int | tuple[int, ...] | NDArray[np.integer]


def key(seed: int, address: str) -> np.uint64:
    """The 64-bit name of a stream of draws; `seed` is the network's, the chip's or the trial's."""
    digest = hashlib.blake2b(f"{int(seed)}/{address}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def subkey(parent: np.uint64, address: str) -> np.uint64:
    """A stream inside a stream."""
    return key(int(parent), address)


def hashes(stream: np.uint64, counters: Counters) -> NDArray[np.uint64]:
    """64 random bits for every counter; a shape stands for the counters 0, 1, 2, ... in that shape."""
    c = as_counters(counters).astype(np.uint64)
    with np.errstate(over="ignore"):
        z = np.uint64(stream) + (c + np.uint64(1)) * np.uint64(GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(MIX1)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(MIX2)
        return z ^ (z >> np.uint64(31))


def uniform(stream: np.uint64, counters: Counters) -> NDArray[np.float64]:
    """Uniform in [0, 1) for every counter."""
    return (hashes(stream, counters) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(stream: np.uint64, counters: Counters) -> NDArray[np.float64]:
    """Standard normal for every counter."""
    c = as_counters(counters)
    radius = np.sqrt(-2.0 * np.log1p(-uniform(stream, 2 * c)))
    return radius * np.cos(2.0 * np.pi * uniform(stream, 2 * c + 1))


def generator(stream: np.uint64) -> np.random.Generator:
    """A NumPy generator for draws that have no closed counter form (multinomial, permutation)."""
    return np.random.Generator(np.random.Philox(key=int(stream)))


def as_counters(counters: Counters) -> NDArray[np.integer]:
    """Counters as an array; a shape stands for 0, 1, 2, ... in that shape."""
    if isinstance(counters, np.ndarray):
        return counters
    shape = (counters,) if isinstance(counters, int) else counters
    return np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
