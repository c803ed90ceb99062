"""weight_resolution: a synapse holds a digital code of few bits."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from neurohw import rng
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number


class WeightResolution(Effect):
    """Codes 0 .. 2^bits - 1; the sign of a weight is that of its row.  code = floor(|w| / unit + 1/2), cut at the top.

    The error of a weight within range is at most unit / 2; a weight below unit / 2 is lost. With `rounding: random`, code =
    floor(|w| / unit + u) with u uniform in [0, 1): right on average, and wrong by less than a unit. That is how a network is
    mapped; a weight that is written later is rounded to the nearest code.
    """

    name: ClassVar[str] = "weight_resolution"
    paper: ClassVar[str] = (
        "Schemmel et al., ISCAS 2010, doi:10.1109/ISCAS.2010.5536970; Pehle et al., Front. Neurosci. 16 (2022) 795876"
    )
    bits: Annotated[Number, In("", at_least=1, at_most=16)]
    rounding: Literal["nearest", "random"] = "nearest"

    @field_validator("bits")
    @classmethod
    def _whole(cls, number: Number) -> Number:
        if not float(number).is_integer():
            raise ValueError(f"{number.text} is not a whole number")
        return number

    @property
    def top(self) -> int:
        """The largest code."""
        return 2 ** int(self.bits) - 1

    def codes(
        self,
        weights: NDArray[np.float64],
        unit: NDArray[np.float64] | float,
        stream: np.uint64 | None = None,
        counters: NDArray[np.integer] | None = None,
    ) -> NDArray[np.int64]:
        """The code of each weight. weights: network units, any sign; unit: of one code, > 0.

        Halves upwards; with random rounding by one draw for each counter of the stream.
        """
        u: NDArray[np.float64] | float = 0.5
        if self.rounding == "random" and stream is not None and counters is not None:
            u = rng.uniform(stream, counters.astype(np.int64))
            u = np.where(np.abs(weights) / unit % 1.0 < 1e-9, 1e-6, u)  # a multiple of the unit stays what it is
        return np.minimum(np.floor(np.abs(weights) / unit + u), self.top).astype(np.int64)
