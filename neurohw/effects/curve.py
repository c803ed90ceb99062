"""The forms in which fits of device data are published: a clamped logarithm or power law, and a polynomial above a knee."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from neurohw.schema import Described, In, Number

Pure = Annotated[Number, In("")]
SMALLEST = 1e-7
"""The relative conductance that a smaller one is taken for, so that the logarithm stays finite."""


class Curve(Described):
    """A quantity over the relative conductance r = g / g_max.

        y(r) = clamp(a ln r + b, low, high)     `logarithm: [a, b]`, or
               clamp(c r^p, low, high)          `power: [c, p]`
        y(r) = sum_k q_k r^k                    `polynomial: [q_0, q_1, ...]`, for r >= knee, or everywhere without a knee

    Each number is pure. Exactly one of the first two forms may be left out, and only where there is no knee.
    """

    logarithm: tuple[Pure, Pure] | None = None
    power: tuple[Pure, Pure] | None = None
    low: Pure | None = None
    high: Pure | None = None
    knee: Pure | None = None
    polynomial: list[Pure] = []

    @model_validator(mode="after")
    def _has_one_form(self) -> "Curve":
        below = (self.logarithm is not None) + (self.power is not None)
        if below > 1 or (below == 0) == (self.knee is not None or not self.polynomial):
            raise ValueError("give `logarithm` or `power`, or `polynomial` alone, or `knee` and `polynomial` beside one of them")
        if below and bool(self.polynomial) != (self.knee is not None):
            raise ValueError("a polynomial beside a logarithm or a power law needs a knee, and a knee needs a polynomial")
        return self

    def __call__(self, r: NDArray[np.float64]) -> NDArray[np.float64]:
        """y(r), in the shape of r."""
        above = np.polynomial.polynomial.polyval(r, [float(q) for q in self.polynomial] or [0.0])
        if self.logarithm is None and self.power is None:
            return above
        r = np.maximum(r, SMALLEST)
        if self.logarithm is not None:
            below = float(self.logarithm[0]) * np.log(r) + float(self.logarithm[1])
        else:
            below = float(self.power[0]) * r ** float(self.power[1])
        if self.low is not None:
            below = np.maximum(below, float(self.low))
        if self.high is not None:
            below = np.minimum(below, float(self.high))
        return below if self.knee is None else np.where(r < float(self.knee), below, above)
