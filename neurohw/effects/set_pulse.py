"""set_pulse: a SET pulse adds a random amount, the less the higher the conductance and the more pulses came before."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.drift import Drawn
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
    drift_exponent: when a device is given the deviation of its drift exponent from the mean of its state.
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

    drift_exponent: Drawn

    def numbers(self) -> NDArray[np.float64]:
        """What the compiled pulse reads: exp(-1/memory), the slopes and offsets of mean and sd in order, the floor."""
        mean = (self.mean_slope, self.mean_offset, self.mean_memory)
        sd = (self.sd_slope, self.sd_offset, self.sd_memory)
        return np.array([np.exp(-1.0 / self.memory), *mean, *sd, self.g_floor])


def constant_step(step: float) -> NDArray[np.float64]:
    """The numbers of a pulse that always adds `step` (uS): the pulse of a device whose set_pulse is switched off."""
    return np.array([1.0, 0.0, step, 0.0, 0.0, 0.0, 0.0, 0.0])
