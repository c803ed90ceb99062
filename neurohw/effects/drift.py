"""drift: the conductance of phase-change material falls as a power law of the time since it was programmed."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.curve import Curve
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number

Drawn = Literal["each device", "each write"]
"""When the deviation z of a drift exponent is drawn: once in the life of a device, or anew at each programming. Stated by
the effect that programs; published fits draw it at each write, and do not say how much of it belongs to the device."""


class Drift(Effect):
    """A trajectory: a device keeps its exponent until it is programmed again, and its conductance at any age is exact.

        g(t) = g_prog (t / t0)^-nu,   t = age + offset,   nu = |mean(r) + sd(r) z|,   r = target / g_max

    t0: the time after programming to which g_prog refers. offset: what is added to the age since the end of
    programming; equal to t0 where ages count from the first measurement (so that g(0) = g_prog), short where they count
    from the pulse. mean, sd: curves over the relative target. z: drawn when the programming effect says.
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

    @property
    def varies(self) -> bool:
        """Whether two devices in one state differ: whether z is asked for at all."""
        return bool((self.sd(np.linspace(0.0, 1.0, 33)) != 0.0).any())
