"""What every substrate's machine can tell the mapping: where neurons can sit, how many, and how far it is from place to place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import Field

from neurohw import units
from neurohw.errors import BadInput
from neurohw.schema import Described, Number, Status


@dataclass(frozen=True)
class Site:
    """A place that holds neurons: unit number `unit` (core, HICANN, tile column) of the chip at (x, y)."""

    x: int
    y: int
    unit: int


class Range(Described):
    """The values that a hardware parameter can take, as text with units, under the name of the network's parameter."""

    low: str
    high: str
    source: str
    status: Status

    def limits(self, unit: str, where: str) -> "Limits":
        """The two ends in `unit`; raises BadInput naming `where`."""
        ends = (Number(units.parse_text(t, unit, where), t, self.source, self.status) for t in (self.low, self.high))
        limits = Limits(*ends)
        if limits.low > limits.high:
            raise BadInput(f"{where}: low {self.low} lies above high {self.high}")
        return limits


class Limits(NamedTuple):
    """The ends of a range, in the unit of the network's parameter."""

    low: Number
    high: Number


class Choices(Described):
    """What a mapping may choose on every device; each substrate adds its own.

    expected_rate: Hz, at which neurons are taken to fire where time, memory and energy are predicted.
    """

    expected_rate: float = Field(default=10.0, ge=0, le=1e6)


class Machine(Described):
    """The fabric of a substrate. Subclasses: one for each substrate, in the file of its name.

    unit_word: what the device's makers call a place that holds neurons.
    """

    @property
    def unit_word(self) -> str:
        raise NotImplementedError

    def sites(self) -> list[Site]:
        """All usable places, in the order in which the makers' own tool fills them."""
        raise NotImplementedError

    def for_delays(self, choices: Choices, longest: int) -> Choices:
        """The choices with what follows from the longest delay (steps); raises DoesNotFit where it cannot be held."""
        return choices

    def neurons_per_unit(self, choices: Choices) -> int:
        """How many neurons one place holds under these choices."""
        raise NotImplementedError

    def sources_per_unit(self, choices: Choices) -> int | None:
        """How many spike sources one place holds; None where spikes come from outside and take no place."""
        return None

    def hidden(self, record: Mapping[str, Mapping[str, Any]], slices: Sequence[Any]) -> str | None:
        """Why what is to be recorded (population -> variable -> neuron indices) cannot be seen; None where it can."""
        return None

    def hops(self, a: Site, b: Site) -> int:
        """Links between two places, along the shortest way."""
        return abs(a.x - b.x) + abs(a.y - b.y)
