"""What a write scheme is: how a wanted change of weights becomes what a chip can do, and what becomes of the rest.

    given = applied + lost + (carried after - carried before)

holds for every weight at every update; for tiki_taka, whose carry is an array of devices, on average. A scheme that carries
loses nothing; one that does not says what it lost.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import OutOfRange
from neurohw.learning.port import Counts, Port, Values
from neurohw.schema import Described


@dataclass(frozen=True, eq=False)
class Written:
    """What one update did to one projection.

    applied: the change that the chip was asked for (network units, as if each step were the nominal one). lost: what of
    the wanted change was given up. pulses: steps asked for, in all. quanta_carried: what waits in the accumulator, as
    the mean over synapses of |carried| in steps.
    """

    applied: Values
    lost: Values
    pulses: int = 0
    quanta_carried: float = 0.0


class Scheme(Described):
    """The parameters of a scheme; what changes while learning is in the `state` that it is given.

    name: as mapping files have it. accumulates: whether what is not applied is carried to the next update. needs_aside:
    whether it works on an array that acts on nothing.
    """

    name: ClassVar[str]
    paper: ClassVar[str]
    accumulates: ClassVar[bool] = False
    needs_aside: ClassVar[bool] = False

    def start(self, port: Port) -> dict[str, Any]:
        """The state for one projection: arrays and numbers by name. Raises Unsupported where the chip cannot do it."""
        port.step  # noqa: B018  a scheme of steps needs a chip that has them
        return {}

    def apply(self, port: Port, state: dict[str, Any], wanted: Values, stream: np.uint64) -> Written:
        """Change the weights of a port by about `wanted` (network units, flat); `stream`: for its own draws."""
        raise NotImplementedError


def stepped(port: Port, counts: Counts, wanted: Values, quantum: float) -> Written:
    """Send steps of a scheme that carries nothing."""
    port.pulse(counts)
    applied = (counts * quantum).astype(np.float64)
    return Written(applied, wanted - applied, int(np.abs(counts).sum()))


def whole(quanta: NDArray[np.float64]) -> Counts:
    """Towards zero. Not floor: that would turn every tiny negative number into a step down, on half of all synapses."""
    if not (np.abs(quanta) < 2.0**62).all():
        raise OutOfRange("a wanted change of a weight is beyond 2^62 steps, or no number; take a smaller learning rate")
    return np.trunc(quanta).astype(np.int64)
