"""dac: a row is driven with a read amplitude of few bits, and no two drivers are alike."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number

Values = NDArray[np.float64]


class Dac(Effect):
    """The read amplitude of a row: a code of `bits` bits, times a factor 1 + gain z of its own driver.

        code = floor(a top + 1/2),  top = 2^bits - 1,   amplitude = code / top (1 + gain z)

    a: the amplitude asked for, relative to the largest, in [0, 1]: 1 for a spike, unless projections are scaled for
    themselves, which gives the rows of a weak one a smaller amplitude. z: fixed for the life of the specimen.
    """

    name: ClassVar[str] = "dac"
    paper: ClassVar[str] = "Rasch et al., Nat. Commun. 14 (2023) 5282; IBM/aihwkit, parameters/io.py (inp_res)"
    bits: Annotated[Number, In("", at_least=1, at_most=24, whole=True)]
    gain: Annotated[Number, In("", at_least=0, at_most=0.3)]

    def codes(self, amplitude: Values) -> NDArray[np.int64]:
        """The code of each amplitude; raises nothing: the mapping sees to it that amplitudes lie in [0, 1]."""
        return np.floor(np.asarray(amplitude, float) * self.top + 0.5).astype(np.int64)

    @property
    def top(self) -> int:
        return 2 ** int(self.bits) - 1

    def amplitudes(self, wanted: Values, stream: np.uint64, rows: NDArray[np.int64]) -> Values:
        """What the drivers give; rows: their numbers on the chip, the counters of their draws."""
        return self.codes(wanted) / self.top * np.maximum(1.0 + self.gain * rng.normal(stream, rows), 0.0)
