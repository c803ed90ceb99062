"""sign: one step for every gradient that is large enough, in its direction."""

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from neurohw.learning.port import Port, Values
from neurohw.learning.schemes.scheme import Scheme, Written, stepped


class Sign(Scheme):
    """One step in the direction of `wanted` where |wanted| > threshold * (one step); below it learning stops.

    Source: the sign scheme of Demirag et al. 2021, whose threshold stands on the gradient itself.
    """

    name: ClassVar[str] = "sign"
    paper: ClassVar[str] = "Demirag et al. 2021, arXiv:2108.01804"
    threshold: Annotated[float, Field(ge=0)] = 1.0

    def apply(self, port: Port, state: dict[str, Any], wanted: Values, stream: np.uint64) -> Written:
        step = port.step
        counts = (np.sign(wanted) * (np.abs(wanted) > self.threshold * step)).astype(np.int64)
        return stepped(port, counts, wanted, step)
