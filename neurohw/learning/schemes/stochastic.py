"""stochastic: a step with a probability in proportion to the gradient."""

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from neurohw import rng
from neurohw.learning.port import Port, Values
from neurohw.learning.schemes.scheme import Scheme, Written, stepped


class Stochastic(Scheme):
    """At most one step, with the probability |wanted| / (quantum * one step); right on average as far as that is <= 1.

    quantum: the change, in steps, that one pulse is taken for.
    """

    name: ClassVar[str] = "stochastic"
    paper: ClassVar[str] = "Demirag et al. 2021, arXiv:2108.01804"
    quantum: Annotated[float, Field(gt=0)] = 1.0

    def apply(self, port: Port, state: dict[str, Any], wanted: Values, stream: np.uint64) -> Written:
        quantum = self.quantum * port.step
        fires = rng.uniform(stream, wanted.size) < np.abs(wanted) / quantum
        return stepped(port, (np.sign(wanted) * fires).astype(np.int64), wanted, quantum)
