"""tiki_taka: gradients go by chance onto a fast analog array, are read from it, filtered, and stepped onto the slow one."""

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from neurohw import rng
from neurohw.errors import Unsupported
from neurohw.learning.port import Port, Values
from neurohw.learning.schemes.scheme import Scheme, Written, whole


class TikiTaka(Scheme):
    """Tiki-taka v2 (buffered transfer), with pairs of devices as arrays.

    at each update        A gets steps with the probability |wanted| gain / step, at most one
    every `every` updates h <- h + rate read(A) / gain;   n = trunc(h / step);   C gets n steps;   h <- h - (1 - momentum) n step
                          A is RESET where `resets` (devices that only a RESET lowers saturate without it)

    C is the weight that the network has; A acts on nothing (`Layout.aside`). The host keeps h alone. Unlike in the
    published scheme a whole array is read at a time, and A's pulses are drawn for each device, not for rows and columns.
    """

    name: ClassVar[str] = "tiki_taka"
    paper: ClassVar[str] = "Gokmen, Front. Artif. Intell. 4:699148 (2021); BufferedTransferCompound in IBM/aihwkit"
    needs_aside: ClassVar[bool] = True
    every: Annotated[int, Field(ge=1)] = 10
    gain: Annotated[float, Field(gt=0)] = 1.0
    rate: Annotated[float, Field(gt=0)] = 1.0
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.1
    resets: bool = True

    def start(self, port: Port) -> dict[str, Any]:
        super().start(port)
        _aside(port)
        return {"h": np.zeros(port.size), "updates": 0}

    def apply(self, port: Port, state: dict[str, Any], wanted: Values, stream: np.uint64) -> Written:
        array, step, state["updates"] = _aside(port), port.step, state["updates"] + 1
        fires = rng.uniform(stream, wanted.size) < np.abs(wanted) * self.gain / step
        fast = (np.sign(wanted) * fires).astype(np.int64)
        array.pulse(fast)
        n_fast, applied = int(np.abs(fast).sum()), np.zeros_like(wanted)
        if state["updates"] % self.every:
            return Written(applied, np.zeros_like(wanted), n_fast, float(np.abs(state["h"]).mean() / step))
        state["h"] = state["h"] + self.rate * array.read() / self.gain
        if self.resets:
            array.write(np.zeros(port.size))
        counts = whole(state["h"] / step)
        state["h"] = state["h"] - (1.0 - self.momentum) * counts * step
        port.pulse(counts)
        return Written(
            (counts * step).astype(np.float64),
            np.zeros_like(wanted),
            n_fast + int(np.abs(counts).sum()),
            float(np.abs(state["h"]).mean() / step),
        )


def _aside(port: Port) -> Port:
    if port.aside is None:
        raise Unsupported(f"{port.name!r}: tiki_taka needs an array set aside; lay the network out with aside=True")
    return port.aside
