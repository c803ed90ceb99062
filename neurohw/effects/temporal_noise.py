"""temporal_noise: a membrane is never quite still."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.effect import Effect
from neurohw.schema import In, Number


class TemporalNoise(Effect):
    """White current noise onto every membrane, so strong that a membrane at rest has the standard deviation `sigma`.

        v <- v + sigma sqrt(1 - exp(-2 dt/tau_m)) z      in every step, where the neuron is not refractory

    z: a sum of four uniform numbers of 16 bits with mean 0 and variance 1; membranes sum hundreds of them and are
    normal. Drawn by (specimen, trial, step, circuit).
    """

    name: ClassVar[str] = "temporal_noise"
    paper: ClassVar[str] = "electronicvisions/calix, neuron_leak_bias.py: target noise of the leak potential (2026)"
    sigma: Annotated[Number, In("mV", at_least=0)]

    def per_step(self, tau_m: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
        """The standard deviation (mV) of what is added in one step. tau_m, dt: ms; the noise of tau_m = inf is 0."""
        return self.sigma * np.sqrt(-np.expm1(-2.0 * dt / tau_m))
