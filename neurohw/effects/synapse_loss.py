"""synapse_loss: synapses that a network asks for and the chip does not realize."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number


class SynapseLoss(Effect):
    """Two ways to lose a synapse: none of the chip's synapse circuits can be routed to, or the circuit itself is dead.

    The first is decided when a network is mapped (`neurohw.passes.assign_synapses`), from the rows and drivers that the
    machine has; without this effect it has as many as are asked for. The second is a property of the specimen: each
    circuit is dead with probability `dead`, independently. A dead circuit keeps its code and transmits nothing.
    """

    name: ClassVar[str] = "synapse_loss"
    paper: ClassVar[str] = "Vogginger & Mayr, arXiv:2610.07321; Petrovici et al., PLoS ONE 9 (2014) e108590"
    dead: Annotated[Number, In("", at_least=0, at_most=1)]

    def alive(self, stream: np.uint64, circuits: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which synapse circuits transmit; `circuits`, the number on the chip, is the counter of the draw."""
        return rng.uniform(stream, circuits.astype(np.int64)) >= self.dead
