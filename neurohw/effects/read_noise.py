"""read_noise: two reads of one device differ, by 1/f noise that has grown since programming, or by white noise."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from neurohw.effects.curve import Curve
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number

Values = NDArray[np.float64]
REACH = 6.0
"""Standard deviations beyond which a clip is not felt: 1e-9 of the reads."""


class ReadNoise(Effect):
    """A read gives clip(g + sigma z, floor, ceiling), with z fresh at every read.

        sigma = g Q(r) sqrt(ln((t + t_read) / (2 t_read))) + slope g + constant,   t = age + offset,  r = g_prog / g_max

    The first term is 1/f noise between the frequencies 1/t and 1/t_read (amplitude: the curve Q over the relative
    programmed conductance; None: no such term), the others are white. ceiling: g_max, where `saturates`. Drawing 1/f
    noise afresh at every read takes it for white: its variance is right, its correlation between reads is not, so it
    averages away over many reads sooner than on a real device.
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

    def quality(self, g_programmed: NDArray[np.float64], g_max: float) -> NDArray[np.float64]:
        """Q of each device, which it keeps until it is programmed again."""
        if self.amplitude is None:
            return np.zeros_like(g_programmed)
        return self.amplitude(g_programmed / g_max)

    def growth(self, age: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """sqrt(ln((t + t_read) / (2 t_read))) at this age (ms)."""
        t = np.asarray(age, float) + self.offset
        return np.sqrt(np.log(np.maximum((t + self.t_read) / (2.0 * self.t_read), 1.0)))

    def sigma(self, g: Values, quality: Values, growth: Values) -> Values:
        """Standard deviation (uS) before the clip; g: the conductance now, after drift."""
        return (quality * growth + self.slope) * g + self.constant

    def sample(self, g: Values, quality: Values, growth: Values, z: Values, g_max: float) -> Values:
        """One read of each device (uS); z: one standard normal each."""
        high = g_max if self.saturates else np.inf
        return np.clip(g + self.sigma(g, quality, growth) * z, self.floor, high)

    def moments(self, g: Values, quality: Values, growth: Values, g_max: float) -> tuple[Values, Values]:
        """Mean (uS) and variance (uS^2) of a read, exact, clip included.

        With a = (floor - g)/s, b = (ceiling - g)/s, phi and Phi the normal density and distribution, the standardized
        read has the mean  m = a Phi(a) + b (1 - Phi(b)) + phi(a) - phi(b)  and the second moment a^2 Phi(a) + b^2 (1 -
        Phi(b)) + Phi(b) - Phi(a) + a phi(a) - b phi(b);  mean = g + s m.
        """
        s = self.sigma(g, quality, growth)
        mean, variance = np.array(g, float), s * s
        high = g_max if self.saturates else np.inf
        upper = g + REACH * s > high
        lower = (g - REACH * s < self.floor) & ~upper
        for near, ceiling in ((lower, np.inf), (upper, high)):
            if near.any():
                mean[near], variance[near] = _clipped_moments(g[near], s[near], float(self.floor), ceiling)
        return mean, variance


def _clipped_moments(mean: Values, sd: Values, low: float, high: float) -> tuple[Values, Values]:
    """Mean and variance of clip(N(mean, sd^2), low, high)."""
    sd = np.maximum(sd, 1e-12)
    a = np.maximum((low - mean) / sd, -40.0)
    below, density = ndtr(a), _density(a)
    first, second = a * below + density, a * a * below + (1.0 - below) + a * density
    if high < np.inf:
        b = np.minimum((high - mean) / sd, 40.0)
        above, density = ndtr(-b), _density(b)
        first, second = first + b * above - density, second + (b * b - 1.0) * above - b * density
    return mean + sd * first, sd * sd * np.maximum(second - first * first, 0.0)


def _density(x: Values) -> Values:
    return np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi)
