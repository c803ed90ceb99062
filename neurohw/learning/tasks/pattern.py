"""Pattern generation: from frozen Poisson input, make a sum of four sines.

    y*(t) = sum_i A_i sin(g_i(t)),   A_i uniform in 0.5..2,   phi_i uniform in 0..2 pi;   less y*(0), divided by max |y*|

g_i leads from phi_i to phi_i + 2 pi (steps // period_i) in equal steps, both ends included; periods 1000, 500, 333, 200 steps.
Inputs: 100 neurons, a spike in each step with probability 0.05 (50 Hz), the same in every epoch. Sample k is one pattern.
Source: Bellec et al., Nat. Commun. 11:3625 (2020), and their published code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.learning.batch import Batch

PERIODS = (1000, 500, 333, 200)


@dataclass(frozen=True)
class Pattern:
    """probability: of an input spike in a step of 1 ms."""

    steps: int = 1000
    neurons: int = 100
    probability: float = 0.05
    outputs: int = 1

    @property
    def dt(self) -> float:
        return 1.0

    @property
    def inputs(self) -> dict[str, int]:
        return {"noise": self.neurons}

    def batch(self, first: int, n: int, seed: int = 0) -> Batch:
        x = np.empty((n, self.steps, self.neurons), bool)
        targets = np.empty((n, self.steps, self.outputs))
        for k in range(n):
            stream = rng.key(seed, f"pattern/{first + k}")
            x[k] = rng.uniform(rng.subkey(stream, "spikes"), x.shape[1:]) < self.probability
            for o in range(self.outputs):
                drawn = rng.uniform(rng.subkey(stream, f"sines/{o}"), (2, 4))
                targets[k, :, o] = sines(self.steps, 0.5 + 1.5 * drawn[0], 2 * np.pi * drawn[1])
        return Batch({"noise": x}, targets)


def sines(
    steps: int, amplitudes: NDArray[np.float64], phases: NDArray[np.float64], periods: Sequence[int] = PERIODS
) -> NDArray[np.float64]:
    """The target of given amplitudes and phases, (steps,). Periods beyond `steps` give 0."""
    y = np.zeros(steps)
    for a, phi, period in zip(amplitudes, phases, periods, strict=True):
        y += a * np.sin(np.linspace(phi, 2 * np.pi * (steps // period) + phi, steps))
    y -= y[0]
    largest = np.abs(y).max()
    return y / largest if largest > 0 else y
