"""multi_memristor: a weight is the sum of several pairs, which take the steps in turn; what is less than a step is lost."""

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from neurohw.learning.port import Port, Values
from neurohw.learning.schemes.scheme import Scheme, Written, stepped, whole


class MultiMemristor(Scheme):
    """trunc(|wanted| / (quantum * one step)) steps in the direction of `wanted`, dealt out in turn by one global counter.

    With N copies that share the range of a weight, a step is an N-th as large as with one (choice g_max_weight of a
    crossbar), which is where the resolution comes from.
    """

    name: ClassVar[str] = "multi_memristor"
    paper: ClassVar[str] = "Boybat et al., Nat. Commun. 9:2514 (2018); Demirag et al. 2021, arXiv:2108.01804"
    quantum: Annotated[float, Field(gt=0)] = 1.0

    def apply(self, port: Port, state: dict[str, Any], wanted: Values, stream: np.uint64) -> Written:
        quantum = self.quantum * port.step
        return stepped(port, whole(wanted / quantum), wanted, quantum)
