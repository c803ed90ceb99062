"""adc: what a column brings is read by a converter of few bits, with a range, an offset and a gain of its own."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number

Values = NDArray[np.float64]


class Adc(Effect):
    """One converter per column of a tile (or of a stack of tiles, where these accumulate before it), 2^bits codes.

        code = clip(floor(x (1 + gain z) / step + offset z' + noise z'' + 1/2), -2^(bits-1), 2^(bits-1) - 1)
        step = 2 range / 2^bits

    x: the sum of the conductances that are read at once, uS at full read amplitude, positive arms minus negative ones.
    z, z': fixed for the life of the specimen, one for each converter. z'': fresh at each conversion. offset and noise
    are in steps. What lies beyond the range is cut and counted.
    """

    name: ClassVar[str] = "adc"
    paper: ClassVar[str] = (
        "Walden, IEEE J. Sel. Areas Commun. 17, 539 (1999); ranges as in IBM/aihwkit, parameters/io.py"
    )
    bits: Annotated[Number, In("", at_least=1, at_most=24, whole=True)]
    range: Annotated[Number, In("uS", at_least=1e-6)]
    offset: Annotated[Number, In("", at_least=0)]
    gain: Annotated[Number, In("", at_least=0, at_most=0.3)]
    noise: Annotated[Number, In("", at_least=0)]

    @property
    def codes(self) -> tuple[int, int]:
        """The lowest and the highest code."""
        half = 2 ** (int(self.bits) - 1)
        return -half, half - 1

    def step(self, full_scale: float | None = None) -> float:
        """uS of one code; full_scale (uS): another range than that of the device."""
        return 2.0 * float(full_scale or self.range) / 2.0 ** int(self.bits)

    def specimen(self, stream: np.uint64, converters: NDArray[np.int64]) -> tuple[Values, Values]:
        """(factor, offset in steps) of each converter; its number on the chip is the counter of its draws."""
        z = (rng.normal(rng.subkey(stream, part), converters) for part in ("gain", "offset"))
        factor, offset = (size * draws for size, draws in zip((self.gain, self.offset), z, strict=True))
        return np.maximum(1.0 + factor, 0.0), offset

    def converted(self, x: Values, factor: Values | float = 1.0, offset: Values | float = 0.0) -> NDArray[np.int64]:
        """The codes of inputs in uS, without the noise of a conversion."""
        low, high = self.codes
        return np.clip(np.floor(x * factor / self.step() + offset + 0.5), low, high).astype(np.int64)
