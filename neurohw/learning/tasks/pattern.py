"""Pattern generation: from frozen Poisson input, make a sum of four sines.

    y*(t) = sum_i A_i sin(g_i(t)),   A_i uniform in 0.5..2,  phi_i uniform in 0..2 pi;   divided by max |y*|

    "2020"      g_i from phi_i to phi_i + 2 pi (steps // period_i) in equal steps, both ends included; y*(0) is subtracted;
                periods 1000, 500, 333 and 200 steps
    "demirag"   g_i = 2 pi t/period_i + phi_i, nothing subtracted; 1, 2, 3 and 5 Hz

Inputs: 100 neurons, a spike in each step with probability 0.05 (50 Hz), the same in every epoch. Sample k is one pattern.
Sources: Bellec et al., Nat. Commun. 11:3625 (2020) and Demirag et al., arXiv:2108.01804, with their published code.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.errors import BadInput
from neurohw.learning.batch import Batch

PERIODS = {"2020": (1000.0, 500.0, 333.0, 200.0), "demirag": (1000.0, 500.0, 1000.0 / 3.0, 200.0)}


@dataclass(frozen=True)
class Pattern:
    """form: see above. probability: of an input spike in a step of 1 ms. first_step: whether step 0 may have spikes."""

    form: Literal["2020", "demirag"] = "2020"
    steps: int = 1000
    neurons: int = 100
    probability: float = 0.05
    outputs: int = 1

    def __post_init__(self) -> None:
        if self.form not in PERIODS:
            raise BadInput(f"pattern: no form {self.form!r}; there are {', '.join(PERIODS)}")

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
                targets[k, :, o] = sines(self.form, self.steps, 0.5 + 1.5 * drawn[0], 2 * np.pi * drawn[1])
        return Batch({"noise": x}, targets)


def sines(form: str, steps: int, amplitudes: NDArray, phases: NDArray, periods: tuple = ()) -> NDArray[np.float64]:
    """The target of given amplitudes and phases, (steps,)."""
    y = np.zeros(steps)
    for a, phi, period in zip(amplitudes, phases, periods or PERIODS[form], strict=True):
        if form == "2020":
            y += a * np.sin(np.linspace(phi, 2 * np.pi * (steps // period) + phi, steps))
        else:
            y += a * np.sin(2 * np.pi * np.arange(steps) / period + phi)
    y -= y[0] if form == "2020" else 0.0
    largest = np.abs(y).max()
    return y / largest if largest > 0 else y
