"""parameter_codes: a parameter of a neuron circuit is set by a digital code, and what the code does differs by circuit."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.effect import Effect
from neurohw.schema import Described, In, Number

Codes = NDArray[np.float64]
Top = Annotated[Number, In("", at_least=1, at_most=65_535, whole=True)]
Code = Annotated[Number, In("", at_least=1, at_most=65_535)]


class Cell(Described):
    """A memory cell of each neuron circuit that sets one parameter.

    parameter: of the network's neurons (`threshold`: whatever its model compares v with; `gain_E`, `gain_I`: the
    strength of its synaptic inputs, 1 being what weights mean). top: the largest code. code: the one with which a
    typical circuit has the reference value. A circuit has it with a code of its own, called `own` below.
    """

    parameter: str
    top: Top
    code: Code

    def value(self, codes: Codes, own: Codes) -> NDArray[np.float64]:
        """The value that these codes give."""
        raise NotImplementedError

    def wanted(self, values: NDArray[np.float64], own: Codes) -> Codes:
        """The codes (not rounded, not clipped) that give these values: the inverse of `value`."""
        raise NotImplementedError

    def own(self, codes: Codes, values: NDArray[np.float64]) -> Codes:
        """What a measurement (values found with these codes) says of each circuit: the third side of `value`."""
        raise NotImplementedError

    def rounded(self, codes: Codes) -> NDArray[np.int64]:
        """The nearest codes that there are."""
        return np.clip(np.floor(codes + 0.5), 0, self.top).astype(np.int64)

    @property
    def rises(self) -> bool:
        """Whether a larger code gives a larger value."""
        return True

    @property
    def at_code(self) -> float:
        """The reference value."""
        raise NotImplementedError

    @property
    def unit(self) -> str:
        return ""


class VoltageCell(Cell):
    """value = at + step (code - own)   (mV on the standard scale)"""

    at: Annotated[Number, In("mV")]
    step: Annotated[Number, In("mV", at_least=1e-9)]

    def value(self, codes: Codes, own: Codes) -> NDArray[np.float64]:
        return self.at + self.step * (codes - own)

    def wanted(self, values: NDArray[np.float64], own: Codes) -> Codes:
        return own + (values - self.at) / self.step

    def own(self, codes: Codes, values: NDArray[np.float64]) -> Codes:
        return codes - (values - self.at) / self.step

    @property
    def at_code(self) -> float:
        return float(self.at)

    @property
    def unit(self) -> str:
        return "mV"


class TimeCell(Cell):
    """value = at own / code   (ms): the code sets a bias current, and the time constant is its inverse; code 0 counts as 1"""

    at: Annotated[Number, In("ms", at_least=1e-9)]

    def value(self, codes: Codes, own: Codes) -> NDArray[np.float64]:
        return self.at * own / np.maximum(codes, 1)

    def wanted(self, values: NDArray[np.float64], own: Codes) -> Codes:
        return self.at * own / values

    def own(self, codes: Codes, values: NDArray[np.float64]) -> Codes:
        return np.maximum(codes, 1) * values / self.at

    @property
    def rises(self) -> bool:
        return False

    @property
    def at_code(self) -> float:
        return float(self.at)

    @property
    def unit(self) -> str:
        return "ms"


class GainCell(Cell):
    """value = code / own   (a factor on the weights of one receptor)"""

    def value(self, codes: Codes, own: Codes) -> NDArray[np.float64]:
        return codes / own

    def wanted(self, values: NDArray[np.float64], own: Codes) -> Codes:
        return values * own

    def own(self, codes: Codes, values: NDArray[np.float64]) -> Codes:
        return codes / np.maximum(values, 1e-9)

    @property
    def at_code(self) -> float:
        return 1.0


class ParameterCodes(Effect):
    """The cells by the makers' names. Without this effect parameters are set exactly, in the network's units.

    The laws are first order: a code that is twice as large is taken to give twice the current. Of the spread of the
    codes that a calibration found, `own` of each circuit is drawn; see `mismatch`.
    """

    name: ClassVar[str] = "parameter_codes"
    paper: ClassVar[str] = (
        "Pehle et al., Front. Neurosci. 16 (2022) 795876; Hock et al., ECCTD 2013 (analog parameter storage)"
    )
    voltages: dict[str, VoltageCell] = {}
    times: dict[str, TimeCell] = {}
    gains: dict[str, GainCell] = {}

    @property
    def cells(self) -> Mapping[str, Cell]:
        return {**self.voltages, **self.times, **self.gains}

    def of_model(self, threshold: str | float, parameters: Mapping[str, object]) -> dict[str, tuple[str, Cell]]:
        """name of the cell -> (parameter, cell): the cells that a model with these parameters and this threshold uses."""
        named = {
            name: (str(threshold) if c.parameter == "threshold" else c.parameter, c) for name, c in self.cells.items()
        }
        return {n: (p, c) for n, (p, c) in named.items() if p in parameters or isinstance(c, GainCell)}
