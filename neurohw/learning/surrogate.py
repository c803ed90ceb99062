"""Surrogate derivatives: what stands for dz/dv where a spike z is a step of the membrane v at its threshold.

    psi = height f(u),   u = |v - threshold| / width;   0 while the neuron is refractory

    piecewise_linear          f = max(0, 1 - u)
    exponential               f = exp(-u)
    fast_sigmoid_derivative   f = (1 + u)^-2
    arctan_derivative         f = 1/(1 + u^2)

All are finite for any v. Sources: Bellec et al., Nat. Commun. 11:3625 (2020); Shrestha & Orchard, NeurIPS 2018;
Zenke & Ganguli, Neural Comput. 30 (2018); Fang et al., ICCV 2021.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from neurohw.errors import BadInput

SHAPES = {"piecewise_linear": 0, "exponential": 1, "fast_sigmoid_derivative": 2, "arctan_derivative": 3}


@dataclass(frozen=True)
class Surrogate:
    """height: psi at threshold (1/mV), or None for 0.3/threshold; width (mV), or None for the threshold.

    0.3/threshold and the threshold are gamma = 0.3 of Bellec et al. 2020, the threshold taken from the resting potential.
    """

    shape: str = "piecewise_linear"
    height: float | None = None
    width: float | None = None

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise BadInput(f"surrogate: no shape {self.shape!r}; there are {', '.join(SHAPES)}")
        for name in ("height", "width"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise BadInput(f"surrogate: {name} {value} is not > 0")

    @property
    def code(self) -> int:
        return SHAPES[self.shape]

    def scaled(self, threshold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(height, width) of neurons with these thresholds above rest."""
        height = 0.3 / threshold if self.height is None else np.full_like(threshold, self.height)
        return height, threshold.copy() if self.width is None else np.full_like(threshold, self.width)


TRIANGLE = Surrogate()
"""The usual one."""


@njit(cache=True, inline="always")
def derivative(code, u):
    """f(u) of the shape with this code, u >= 0."""
    if code == 0:
        return max(0.0, 1.0 - u)
    if code == 1:
        return np.exp(-u)
    if code == 2:
        return 1.0 / ((1.0 + u) * (1.0 + u))
    return 1.0 / (1.0 + u * u)
