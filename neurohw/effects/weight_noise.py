"""weight_noise: the same code gives each synapse circuit another strength, for the life of the specimen."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number


class WeightNoise(Effect):
    """A fixed pattern of factors, one for each synapse circuit:  factor = max(0, 1 + sigma z),  z standard normal.

    The clip leaves  P(factor = 0) = Phi(-1/sigma)  dead synapses and raises the mean to
    E = 1 + sigma (phi(1/sigma) - Phi(-1/sigma)/sigma):  2.28 % and 1.0042 at sigma = 0.5.
    """

    name: ClassVar[str] = "weight_noise"
    paper: ClassVar[str] = "electronicvisions/ess, anncore_behav.cpp; Petrovici et al., PLoS ONE 9 (2014) e108590"
    sigma: Annotated[Number, In("", at_least=0)]

    def factors(self, stream: np.uint64, circuits: NDArray[np.integer]) -> NDArray[np.float64]:
        """The factor of each synapse circuit; `circuits`, its number on the chip, is the counter of its draw."""
        return np.maximum(0.0, 1.0 + self.sigma * rng.normal(stream, circuits.astype(np.int64)))
