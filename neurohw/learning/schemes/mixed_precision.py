"""mixed_precision: gradients add up in a digital accumulator until they are worth a step of the device."""

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from neurohw.learning.port import Port, Values
from neurohw.learning.schemes.scheme import Scheme, Written, whole


class MixedPrecision(Scheme):
    """chi <- chi + wanted;  n = trunc(chi / q), at most `most`;  chi <- chi - n q;  n steps are sent,  q = quantum * one step.

    Truncated, not floored: with floor every tiny negative chi is a step down (the published code changed its meaning
    when its library's floor_divide did, and diverges since). Nothing is lost: the steps sent times q, and chi, are what
    was given. most: steps per synapse and update, so that one wild gradient cannot saturate a device.
    """

    name: ClassVar[str] = "mixed_precision"
    paper: ClassVar[str] = (
        "Nandakumar et al., Front. Neurosci. 14:406 (2020); Demirag et al. 2021, arXiv:2108.01804; chi as in IBM/aihwkit"
    )
    accumulates: ClassVar[bool] = True
    quantum: Annotated[float, Field(gt=0)] = 1.0
    most: Annotated[int, Field(ge=1)] | None = None

    def start(self, port: Port) -> dict[str, Any]:
        super().start(port)
        return {"chi": np.zeros(port.size)}

    def apply(self, port: Port, state: dict[str, Any], wanted: Values, stream: np.uint64) -> Written:
        quantum = self.quantum * port.step
        state["chi"] = state["chi"] + wanted
        counts = whole(state["chi"] / quantum)
        if self.most is not None:
            counts = np.clip(counts, -self.most, self.most)
        state["chi"] = state["chi"] - counts * quantum
        port.pulse(counts)
        carried = float(np.abs(state["chi"]).mean() / quantum) if counts.size else 0.0
        return Written((counts * quantum).astype(np.float64), np.zeros_like(wanted), int(np.abs(counts).sum()), carried)
