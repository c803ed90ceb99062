"""Values that are drawn: a weight, a delay, a parameter, an initial voltage.

A distribution is a rule; `sample(stream, counters)` draws it by counter from an addressed stream, so the value for a counter
never depends on what else was drawn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from neurohw import rng
from neurohw.errors import BadInput


@dataclass(frozen=True)
class Uniform:
    """Uniform in [low, high)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not -np.inf < self.low <= self.high < np.inf:
            raise BadInput(f"Uniform: needs finite numbers low <= high, got low {self.low}, high {self.high}")

    def sample(self, stream: np.uint64, counters: rng.Counters) -> NDArray[np.float64]:
        return self.low + (self.high - self.low) * rng.uniform(stream, counters)

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    @property
    def sd(self) -> float:
        return (self.high - self.low) / np.sqrt(12.0)

    @property
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high


@dataclass(frozen=True)
class Normal:
    """Normal, truncated to [low, high] (redrawn, not clipped), by the inverse of its distribution function."""

    mean: float
    sd: float
    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mean) and 0 <= self.sd < np.inf and self.low <= self.high):
            given = f"mean {self.mean}, sd {self.sd}, [{self.low}, {self.high}]"
            raise BadInput(f"Normal: needs a finite mean, a finite sd >= 0, and low <= high, got {given}")

    def sample(self, stream: np.uint64, counters: rng.Counters) -> NDArray[np.float64]:
        u = rng.uniform(stream, counters) + 2.0**-54
        if self.sd == 0:
            return np.full(u.shape, np.clip(self.mean, self.low, self.high))
        if (
            self.low > self.mean
        ):  # the upper tail, where the distribution function has no digits left, is the mirrored lower one
            return -Normal(-self.mean, self.sd, -self.high, -self.low).sample(stream, counters)
        below, above = ndtr((self.low - self.mean) / self.sd), ndtr((self.high - self.mean) / self.sd)
        drawn = self.mean + self.sd * ndtri(below + u * (above - below))
        return np.clip(drawn, self.low, self.high)

    @property
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high


Distribution = Uniform | Normal
Value = float | NDArray[np.float64] | Distribution
"""One number for all, one for each, or a rule."""


def sample(value: Value, stream: np.uint64, counters: rng.Counters) -> NDArray[np.float64]:
    """The values at `counters`: drawn, picked from an array, or repeated."""
    if isinstance(value, Distribution):
        return value.sample(stream, counters)
    picked = rng.as_counters(counters)
    if isinstance(value, np.ndarray):
        return value[picked]
    return np.full(picked.shape, float(value))


def spread(value: Value) -> tuple[float, float, float, float]:
    """(mean, sd, lowest, highest) of a value, without drawing it."""
    if isinstance(value, Distribution):
        return value.mean, value.sd, *value.bounds
    array = np.atleast_1d(np.asarray(value, dtype=float))
    if not array.size:
        return 0.0, 0.0, 0.0, 0.0
    low, high = float(array.min()), float(array.max())
    sd = 0.0 if low == high else float(array.std())
    return float(array.mean()), sd, low, high
