"""weight_resolution: a synapse holds a digital code of few bits."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from neurohw.effects.effect import Effect
from neurohw.schema import In, Number


class WeightResolution(Effect):
    """Codes 0 .. 2^bits - 1; the sign of a weight is that of its row.  code = floor(|w| / unit + 1/2), cut at the top.

    The error of a weight within range is at most unit / 2; a weight below unit / 2 is lost.
    """

    name: ClassVar[str] = "weight_resolution"
    paper: ClassVar[str] = (
        "Schemmel et al., ISCAS 2010, doi:10.1109/ISCAS.2010.5536970; Pehle et al., Front. Neurosci. 16 (2022) 795876"
    )
    bits: Annotated[Number, In("", at_least=1, at_most=16)]

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

    def codes(self, weights: NDArray[np.float64], unit: NDArray[np.float64] | float) -> NDArray[np.int64]:
        """The code nearest to each weight, halves upwards. weights: network units, any sign; unit: of one code, > 0."""
        return np.minimum(np.floor(np.abs(weights) / unit + 0.5), self.top).astype(np.int64)
