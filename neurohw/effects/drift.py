"""drift: the conductance of phase-change material falls as a power law of the time since it was programmed."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.curve import Curve
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number


class Drift(Effect):
    """A trajectory: a device has one exponent for the life of a programming, and its conductance at any age is exact.

        g(t) = g_prog (t / t0)^-nu,   t = age + offset,   nu = |mean(r) + sd(r) z|,   r = target / g_max

    t0: the time after programming to which g_prog refers. offset: what is added to the age since the end of
    programming; equal to t0 where ages count from the first measurement (so that g(0) = g_prog), short where they count
    from the pulse. mean, sd: curves over the relative target.
    """

    name: ClassVar[str] = "drift"
    paper: ClassVar[str] = (
        "Nandakumar et al., ICECS 2019 (IEEE 8964852); Nandakumar et al., J. Appl. Phys. 124, 152135 (2018)"
    )
    t0: Annotated[Number, In("ms", at_least=1e-9)]
    offset: Annotated[Number, In("ms", at_least=1e-9)]
    mean: Curve
    sd: Curve

    def exponents(self, target: NDArray[np.float64], z: NDArray[np.float64], g_max: float) -> NDArray[np.float64]:
        """The drift exponent of each device, from its target (uS) and one standard normal of its own."""
        r = target / g_max
        return np.abs(self.mean(r) + self.sd(r) * z)

    def log_time(self, age: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """ln(t / t0) at this age (ms since the end of programming)."""
        return np.log((np.asarray(age, float) + self.offset) / self.t0)

    @staticmethod
    def drifted(g: NDArray[np.float64], nu: NDArray[np.float64], log_time: NDArray[np.float64]) -> NDArray[np.float64]:
        """The conductance (uS) when ln(t / t0) has this value."""
        return g * np.exp(-nu * log_time)
