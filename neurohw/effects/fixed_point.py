"""fixed_point: digital neurons hold their state in words of few bits."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from neurohw.effects.effect import Effect
from neurohw.schema import In, Number

Values = NDArray[np.float64]
Bits = Annotated[Number, In("", at_least=0, at_most=32, whole=True)]
Kind = Literal["voltage", "current", "conductance", "number"]
UNITS: dict[str, Kind] = {"mV": "voltage", "mV/ms": "voltage", "nA": "current", "uS": "conductance", "": "number"}
"""What a state variable is, by its unit."""


class FixedPoint(Effect):
    """State variables are words of a sign, `integer_bits` and `fraction_bits`: s16.15 has 16 and 15.

        word = clip(floor(x / lsb + 1/2), -2^(i+f), 2^(i+f) - 1),   lsb = one 2^-f      (rounding `down`: without the 1/2)

    one: what the number 1 stands for, the voltage, current or conductance of the same name (1 for a pure number). Rounded and
    cut at both ends is what is stored: what arrives at a neuron added to its synaptic state, and all state at the end of a
    step. Within a step sums and products have all their digits, as in a wide accumulator. Coefficients are words of i + f
    significant bits, each with a binary point of its own, as a multiplier with a shift has them; they are rounded to the
    nearest. The refractory time is counted in whole steps as it is.

    Counted are words that rounding changed, words that it made zero, and words cut at an end of the range.
    """

    name: ClassVar[str] = "fixed_point"
    paper: ClassVar[str] = (
        "Hopkins & Furber, Neural Comput. 27 (2015) 2148 (s16.15 on ARM cores); ISO/IEC TR 18037:2008 (s16.15: accum)"
    )
    integer_bits: Bits
    fraction_bits: Bits
    rounding: Literal["nearest", "down"]
    voltage: Annotated[Number, In("mV", at_least=1e-9)]
    current: Annotated[Number, In("nA", at_least=1e-9)]
    conductance: Annotated[Number, In("uS", at_least=1e-9)]

    @model_validator(mode="after")
    def _some_bits(self) -> "FixedPoint":
        if self.significant < 1:
            raise ValueError("integer_bits and fraction_bits are both 0; a word needs at least one")
        return self

    @property
    def significant(self) -> int:
        """Bits of a word without its sign."""
        return int(self.integer_bits) + int(self.fraction_bits)

    @property
    def codes(self) -> tuple[float, float]:
        """The lowest and the highest word, in lsb."""
        return -(2.0**self.significant), 2.0**self.significant - 1.0

    @property
    def half(self) -> float:
        """What is added before the floor is taken."""
        return 0.5 if self.rounding == "nearest" else 0.0

    def lsb(self, unit: str) -> float:
        """The step of state variables of this unit (mV, nA, uS, or "")."""
        kind = UNITS[unit]
        return (1.0 if kind == "number" else float(getattr(self, kind))) * 2.0 ** -float(self.fraction_bits)

    def held(self, x: Values, unit: str) -> Values:
        """What words hold of state variables."""
        lsb = self.lsb(unit)
        return np.clip(np.floor(x / lsb + self.half), *self.codes) * lsb

    def coefficients(self, c: Values) -> Values:
        """Coefficients to their significant bits; infinities stay."""
        mantissa, exponent = np.frexp(c)
        whole = np.ldexp(mantissa, self.significant)
        return np.where(np.isfinite(c), np.ldexp(np.rint(whole), exponent - self.significant), c)
