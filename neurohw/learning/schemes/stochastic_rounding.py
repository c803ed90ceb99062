"""stochastic_rounding: weights of few bits and nothing beside them; each change is rounded to whole steps by chance."""

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from neurohw import rng
from neurohw.learning.port import Port, Values
from neurohw.learning.schemes.scheme import Scheme, Written, stepped


class StochasticRounding(Scheme):
    """n = floor(x + u), x = wanted / (quantum * one step), u uniform in [0, 1): E n = x, Var n = f (1 - f), f = x - floor(x).

    What digital chips with weights of 8 or 16 bits do: no accumulator, right on average.
    """

    name: ClassVar[str] = "stochastic_rounding"
    paper: ClassVar[str] = (
        "Gupta et al., ICML 2015, arXiv:1502.02551; Hopkins et al., Phil. Trans. R. Soc. A 378 (2020) 20190052"
    )
    quantum: Annotated[float, Field(gt=0)] = 1.0

    def apply(self, port: Port, state: dict[str, Any], wanted: Values, stream: np.uint64) -> Written:
        quantum = self.quantum * port.step
        counts = np.floor(wanted / quantum + rng.uniform(stream, wanted.size)).astype(np.int64)
        return stepped(port, counts, wanted, quantum)
