"""programming_noise: after write-and-verify a conductance lies beside its target, by more or less as the target is."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.curve import polynomial
from neurohw.effects.drift import Drawn
from neurohw.effects.effect import Effect
from neurohw.errors import OutOfRange
from neurohw.schema import In, Number


class ProgrammingNoise(Effect):
    """The residual of an iterative write, as a polynomial of any degree in the relative target.

    polynomial: uS, the coefficients of r^0, r^1, ...; g_characterized: uS, the g_max of the arrays that were measured.
    drift_exponent: when a device is given the deviation of its drift exponent from the mean of its target.
    """

    name: ClassVar[str] = "programming_noise"
    paper: ClassVar[str] = "Nandakumar et al., ICECS 2019 (IEEE 8964852); Le Gallo et al., Nat. Electron. 2023 (HERMES)"
    polynomial: list[Annotated[Number, In("uS")]]
    g_characterized: Annotated[Number, In("uS", at_least=1e-9)]
    drift_exponent: Drawn

    def sigma(self, target: NDArray[np.float64], g_max: float) -> NDArray[np.float64]:
        """Standard deviation of the conductance that is reached (uS).

        sigma(g) = g_max / g_characterized * sum_k c_k r^k,  r = g / g_max

        Raises OutOfRange if g_max exceeds what was characterized: the fit has no data there.
        """
        if g_max > self.g_characterized * (1 + 1e-12):
            raise OutOfRange(
                f"programming_noise: g_max {g_max:g} uS is beyond the {float(self.g_characterized):g} uS of the "
                "measured arrays; use a smaller g_max, or leave the effect out"
            )
        return g_max / self.g_characterized * polynomial(target / g_max, self.polynomial)

    def programmed(self, target: NDArray[np.float64], z: NDArray[np.float64], g_max: float) -> NDArray[np.float64]:
        """Conductance reached after write-and-verify towards `target`: max(0, target + sigma(target) z).

        target: uS, in [0, g_max], else OutOfRange. z: one standard normal per device, of the same shape.
        """
        check_target(target, g_max)
        return np.maximum(target + self.sigma(target, g_max) * z, 0.0)


def check_target(target: NDArray[np.float64], g_max: float) -> None:
    """Raise OutOfRange unless every target (uS) lies in [0, g_max]; NaN does not. 5e-7 is left to rounding."""
    inside = (target >= 0.0) & (target <= g_max * (1 + 5e-7))
    if not np.all(inside):
        worst = np.asarray(target)[~inside].flat[0]
        raise OutOfRange(
            f"conductance target {worst:g} uS lies outside [0, {g_max:g}] uS; clip the weights to the range of the "
            "device, or map them with more headroom (choices: g_use)"
        )
