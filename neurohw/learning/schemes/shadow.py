"""shadow: the host keeps every weight in float64 and writes them all after each update."""

from typing import Any, ClassVar

import numpy as np

from neurohw.learning.port import Port, Values
from neurohw.learning.schemes.scheme import Scheme, Written


class Shadow(Scheme):
    """w <- clip(w + wanted, limits) on the host; the chip is given w, and rounds, programs and verifies it as it can.

    On an ideal chip this is learning in floating point. On a real one it costs a write of the whole array per update,
    and the chip never has more precision than a write.
    """

    name: ClassVar[str] = "shadow"
    paper: ClassVar[str] = (
        "Courbariaux, Bengio & David, NeurIPS 2015, arXiv:1511.00363 (weights kept beside coarse ones)"
    )
    accumulates: ClassVar[bool] = True

    def start(self, port: Port) -> dict[str, Any]:
        return {"weights": port.read()}

    def apply(self, port: Port, state: dict[str, Any], wanted: Values, stream: np.uint64) -> Written:
        low, high = port.limits
        new = state["weights"] + wanted
        state["weights"] = np.clip(new, low, high)
        if wanted.any():
            port.write(state["weights"])
        lost = new - state["weights"]
        return Written(wanted - lost, lost)
