"""readout: membranes are seen through converters of few bits and limited rate."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number

Bits = Annotated[Number, In("", at_least=1, at_most=24, whole=True)]


class Readout(Effect):
    """Two converters: a fast one for up to `fast_membranes`, and a slower one that sees all membranes in parallel.

        code = clip(round((v - low)/lsb + offset + noise z), 0, 2^bits - 1),   lsb = (high - low)/(2^bits - 1)
        what is recorded = low + lsb code

    The fast one is used where no more than `fast_membranes` are recorded, at every time step; else the parallel one, once
    every `interval` (hardware time). low, high: mV on the standard scale. offset: sd of what is left of the differences
    between channels after their own calibration, noise: of single samples, both in codes of the parallel converter; of
    the fast one the noise is taken to be the same voltage and the offset 0.
    """

    name: ClassVar[str] = "readout"
    paper: ClassVar[str] = (
        "Pehle et al., Front. Neurosci. 16 (2022) 795876; electronicvisions/calix, test_cadc_calibration.py"
    )
    low: Annotated[Number, In("mV")]
    high: Annotated[Number, In("mV")]
    bits: Bits
    interval: Annotated[Number, In("ms", at_least=1e-9)]
    offset: Annotated[Number, In("", at_least=0)]
    noise: Annotated[Number, In("", at_least=0)]
    fast_membranes: Annotated[Number, In("", at_least=0)]
    fast_bits: Bits

    def is_fast(self, membranes: int) -> bool:
        return membranes <= self.fast_membranes

    def every(self, membranes: int, dt: float, acceleration: float) -> int:
        """Steps of dt (ms, network time) from one sample to the next."""
        return 1 if self.is_fast(membranes) else max(1, round(self.interval * acceleration / dt))

    def lsb(self, fast: bool) -> float:
        """mV of one code."""
        return (self.high - self.low) / (2.0 ** (self.fast_bits if fast else self.bits) - 1)

    def seen(
        self, v: NDArray[np.float64], fast: bool, offsets: NDArray[np.float64], z: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], int]:
        """(what is recorded of v, how many samples met an end of the range). v: mV, (samples, membranes); offsets: standard
        normal per membrane; z: standard normal per sample."""
        coarse, lsb = self.lsb(False), self.lsb(fast)
        off = coarse * (self.noise * z + (0.0 if fast else self.offset * offsets))
        codes = np.floor((v + off - self.low) / lsb + 0.5)
        top = round((self.high - self.low) / lsb)
        return self.low + lsb * np.clip(codes, 0, top), int(((codes < 0) | (codes > top)).sum())

    def noises(self, stream: np.uint64, steps: NDArray[np.int64], circuits: NDArray[np.int64]) -> NDArray[np.float64]:
        """The z of samples at these steps of these circuits: (steps, circuits)."""
        return rng.normal(stream, steps[:, None] * np.int64(1 << 20) + circuits[None, :])
