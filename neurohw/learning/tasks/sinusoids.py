"""Sinusoids, or pattern generation: a frozen pattern of input spikes for each sequence, and a sum of four sinusoids to draw.

    y*(t) = sum_f a_f sin(2 pi f t + phi_f),  f = 1, 2, 3, 5 Hz,  a_f uniform in [0.5, 2], phi_f in [0, 2 pi];  divided by max |y*|

Inputs are Poisson processes of 50 Hz. Sequence k of a seed is always the same one: the first few are for training, further
ones have other inputs and other targets, with nothing in common but their statistics.
Source: Demirag et al. 2021, arXiv:2108.01804; after Bellec et al., Nat. Commun. 11:3625 (2020).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neurohw import rng
from neurohw.learning.batch import Batch

FREQUENCIES = np.array([1.0, 2.0, 3.0, 5.0])


@dataclass(frozen=True)
class Sinusoids:
    """n_inputs sources of `rate` Hz, one output, sequences of `steps` steps of dt ms."""

    n_inputs: int = 100
    rate: float = 50.0
    steps: int = 1000
    dt: float = 1.0
    outputs: int = 1

    @property
    def inputs(self) -> Mapping[str, int]:
        return {"input": self.n_inputs}

    def batch(self, first: int, n: int, seed: int = 0) -> Batch:
        """The sequences first..first+n-1 of the stream `seed`."""
        spikes = np.zeros((n, self.steps, self.n_inputs), bool)
        targets = np.zeros((n, self.steps, 1))
        t = np.arange(self.steps) * self.dt * 1e-3
        for k in range(n):
            stream = f"sinusoids/{first + k}"
            draws = rng.uniform(rng.key(seed, f"{stream}/spikes"), (self.steps, self.n_inputs))
            spikes[k] = draws < self.rate * self.dt * 1e-3
            u = rng.uniform(rng.key(seed, f"{stream}/target"), (2, FREQUENCIES.size))
            waves = (0.5 + 1.5 * u[0])[:, None] * np.sin(2 * np.pi * (FREQUENCIES[:, None] * t + u[1][:, None]))
            y = waves.sum(axis=0)
            targets[k, :, 0] = y / np.abs(y).max()
        return Batch({"input": spikes}, targets)
