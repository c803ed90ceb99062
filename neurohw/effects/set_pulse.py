"""set_pulse: a SET pulse adds a random amount, the less the higher the conductance and the more pulses came before."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.effect import Effect
from neurohw.schema import In, Number

Pure = Annotated[Number, In("")]
Conductance = Annotated[Number, In("uS")]


class SetPulse(Effect):
    """Crystallization by pulses of one amplitude, with a memory of how many there were since the last RESET.

    P <- P exp(-1/memory);   g <- clip(g + mean + sd z, g_floor, g_max)
    mean = mean_slope g + mean_offset + mean_memory P;    sd = sd_slope g + sd_offset + sd_memory P

    P starts at 1 after a RESET. Where sd > mean a SET pulse lowers the conductance about as often as the Gaussian says
    (15 % on the first pulse, fitted coefficients); real devices do not, the clip at g_floor does the rest. The step
    acts on the conductance without its drift: the drift clock restarts with each pulse.
    """

    name: ClassVar[str] = "set_pulse"
    paper: ClassVar[str] = "Nandakumar et al., J. Appl. Phys. 124, 152135 (2018)"
    memory: Annotated[Number, In("", at_least=1e-3)]
    mean_slope: Pure
    mean_offset: Conductance
    mean_memory: Conductance
    sd_slope: Pure
    sd_offset: Conductance
    sd_memory: Conductance
    g_floor: Annotated[Number, In("uS", at_least=0)]

    def pulsed(
        self, g: NDArray[np.float64], memory: NDArray[np.float64], z: NDArray[np.float64], g_max: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(conductance in uS, memory P) after one SET pulse. z: one standard normal per device."""
        p = memory * np.exp(-1.0 / self.memory)
        mean = self.mean_slope * g + (self.mean_offset + self.mean_memory * p)
        sd = self.sd_slope * g + (self.sd_offset + self.sd_memory * p)
        return np.clip(g + mean + sd * z, self.g_floor, g_max), p
