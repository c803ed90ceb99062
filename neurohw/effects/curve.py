"""The forms in which fits of device data are given: clamped logarithm or power law, polynomial above a knee, table."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from neurohw.schema import Described, In, Number

Pure = Annotated[Number, In("")]
Exponent = Annotated[Number, In("", at_least=-10, at_most=10)]
SMALLEST = 1e-7
"""The relative conductance that a smaller one is taken for, so that the logarithm stays finite."""


class Curve(Described):
    """A quantity over the relative conductance r = g / g_max.

        y(r) = clamp(a ln r + b, low, high)     `logarithm: [a, b]`, or
               clamp(c r^p, low, high)          `power: [c, p]`
        y(r) = sum_k q_k r^k                    `polynomial: [q_0, q_1, ...]`, for r >= knee; everywhere if alone

        y(r) by straight lines between points  `table: [[r_0, y_0], [r_1, y_1], ...]`, alone; level beyond its ends

    Each number is pure. Exactly one of the first two forms may be left out, and only where there is no knee.
    """

    logarithm: tuple[Pure, Pure] | None = None
    power: tuple[Pure, Exponent] | None = None
    low: Pure | None = None
    high: Pure | None = None
    knee: Pure | None = None
    polynomial: list[Pure] = []
    table: list[tuple[Pure, Pure]] = []

    @model_validator(mode="after")
    def _has_one_form(self) -> "Curve":
        below = (self.logarithm is not None) + (self.power is not None)
        if self.table:
            if below or self.polynomial or self.knee is not None or self.low is not None or self.high is not None:
                raise ValueError("a table stands alone, without logarithm, power, polynomial, knee, low or high")
            if (np.diff([r for r, _ in self.table]) <= 0).any():
                raise ValueError("the points of a table must be in ascending order")
            return self
        if below > 1 or (below == 0) == (self.knee is not None or not self.polynomial):
            raise ValueError(
                "give `logarithm` or `power`, or `polynomial` or `table` alone, or the first with a `knee` and a "
                "`polynomial`"
            )
        if below and bool(self.polynomial) != (self.knee is not None):
            raise ValueError("a polynomial beside a logarithm or a power law needs a knee, and a knee a polynomial")
        return self

    def __call__(self, r: NDArray[np.float64]) -> NDArray[np.float64]:
        """y(r), in the shape of r."""
        if self.table:
            return np.interp(r, *np.array(self.table, float).T)
        if self.logarithm is None and self.power is None:
            return polynomial(r, self.polynomial)
        floored = np.maximum(r, SMALLEST)
        if self.logarithm is not None:
            below = float(self.logarithm[0]) * np.log(floored) + float(self.logarithm[1])
        elif self.power is not None:
            below = float(self.power[0]) * np.exp(float(self.power[1]) * np.log(floored))  # as fast again as **
        below = np.clip(below, self.low, self.high, out=below) if (self.low, self.high) != (None, None) else below
        return below if self.knee is None else np.where(r < self.knee, below, polynomial(r, self.polynomial))


def polynomial(r: NDArray[np.float64], coefficients: Sequence[float]) -> NDArray[np.float64]:
    """sum_k c_k r^k, by Horner's scheme."""
    y = np.full_like(r, coefficients[-1], dtype=float)
    for c in reversed(coefficients[:-1]):
        y *= r
        y += float(c)
    return y
