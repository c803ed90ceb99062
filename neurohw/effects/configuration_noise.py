"""configuration_noise: the same setting gives slightly other parameters each time that it is written to the chip."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number


class ConfigurationNoise(Effect):
    """Parameters are set anew for each trial, and each time each one is off by

        p' = p (1 + s_p z) for those in `relative`,    p' = p + s_p z for those in `absolute` (mV)
        code' = code + codes z   for parameters that are set by a code

    with one standard normal z for each (specimen, trial, parameter, circuit). So two trials on one specimen differ in
    this, two runs of one trial do not.
    """

    name: ClassVar[str] = "configuration_noise"
    paper: ClassVar[str] = "Petrovici et al., PLoS ONE 9 (2014) e108590: trial-to-trial variability; Srowig et al. 2007"
    relative: dict[str, Annotated[Number, In("", at_least=0)]] = {}
    absolute: dict[str, Annotated[Number, In("mV", at_least=0)]] = {}
    codes: Annotated[Number, In("", at_least=0)] | None = None

    def off(
        self, parameter: str, values: NDArray[np.float64], stream: np.uint64, circuits: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """The values as this configuration made them."""
        if parameter in self.relative:
            return values * np.maximum(1.0 + self.relative[parameter] * rng.normal(stream, circuits), 0.05)
        if parameter in self.absolute:
            return values + self.absolute[parameter] * rng.normal(stream, circuits)
        return values

    def off_codes(
        self, codes: NDArray[np.int64], stream: np.uint64, circuits: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """The codes that this configuration amounts to."""
        return codes + float(self.codes or 0.0) * rng.normal(stream, circuits)
