"""read_noise: two reads of one device differ, by 1/f noise that has grown since programming, or by white noise."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.curve import Curve
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number

Values = NDArray[np.float64]


class ReadNoise(Effect):
    """A read gives clip(g + g Q(r) growth(t) x + (slope g + constant) z, floor, ceiling).

        growth = sqrt(ln((t + t_read) / (2 t_read))),   t = age + offset,   r = g_prog / g_max

    x: 1/f noise of unit variance between the frequencies 1/t and 1/t_read, which goes on in time: two reads of a device
    lie the closer, the sooner they follow each other (`neurohw.kernels.fluctuations`). Its amplitude is the curve Q over
    the relative programmed conductance (None: no such term), which a device keeps until it is programmed again. z: white,
    fresh at every read. ceiling: g_max, where `saturates`.
    """

    name: ClassVar[str] = "read_noise"
    paper: ClassVar[str] = (
        "Nandakumar et al., ICECS 2019 (IEEE 8964852); Nandakumar et al., J. Appl. Phys. 124, 152135 (2018)"
    )
    amplitude: Curve | None = None
    t_read: Annotated[Number, In("ms", at_least=1e-12)]
    offset: Annotated[Number, In("ms", at_least=0)]
    slope: Annotated[Number, In("", at_least=0)]
    constant: Annotated[Number, In("uS", at_least=0)]
    floor: Annotated[Number, In("uS", at_least=0)]
    saturates: bool

    def quality(self, g_programmed: Values, g_max: float) -> Values:
        """Q of each device, which it keeps until it is programmed again."""
        if self.amplitude is None:
            return np.zeros_like(g_programmed)
        return self.amplitude(g_programmed / g_max)

    def growth(self, age: float | Values) -> Values:
        """sqrt(ln((t + t_read) / (2 t_read))) at this age (ms)."""
        t = np.asarray(age, float) + self.offset
        return np.sqrt(np.log(np.maximum((t + self.t_read) / (2.0 * self.t_read), 1.0)))

    def white(self, g_max: float) -> Values:
        """What the compiled read takes: slope, constant (uS), floor and ceiling (uS)."""
        return np.array([self.slope, self.constant, self.floor, g_max if self.saturates else np.inf])
