"""tiki_taka: gradients go by chance onto a fast analog array, are read from it, filtered, and stepped onto the slow one."""

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from neurohw import rng
from neurohw.errors import Unsupported
from neurohw.learning.port import Port, Values
from neurohw.learning.schemes.scheme import Scheme, Written, whole

POLICY = "reset_and_rewrite"


class TikiTaka(Scheme):
    """Tiki-taka v2 with a chopper, with pairs of devices as arrays.

    at each update        A gets a step in the direction of c wanted, with the probability |wanted| gain / step, at most one
    every `every` updates h <- h + c rate (A - r) / gain,  A and r: this read of the array, and the one before;   c <- -c
                          n = trunc(h / step);   C gets n steps;   h <- h - (1 - momentum) n step

    C is the weight that the network has; A acts on nothing (`Layout.aside`). The host keeps h, c and r alone. An offset of A
    cancels in A - r, and drift of what A holds changes sign with c. SET pulses only add, so every `refresh_every` transfers
    the chip restores pairs of A that are full, and r is read anew (null: never, on chips without a refresh).
    gain: has to bring a step of h well above the noise of a read, which enters twice, as A and, with the other c, as r: with
    two devices of 0.13 uS and steps of 0.75 uS, gain >> 0.5 sqrt(transfers). What exceeds step / gain has no probability
    above 1 and is lost, as the report says. The rest is given on average only: A's pulses are drawn, and momentum m hands
    a share m of what was stepped to C on to the next transfer, so that C gets 1 / (1 - m) of it in the end.

    Unlike in the published schemes a whole array is read at a time, A's pulses are drawn for each device, not for rows and
    columns, and c changes with every transfer, so that the reference is the last read instead of a running mean.
    """

    name: ClassVar[str] = "tiki_taka"
    paper: ClassVar[str] = (
        "Gokmen, Front. Artif. Intell. 4:699148 (2021); chopper and reference: Rasch, Carta, Fagbohungbe & Gokmen, "
        "arXiv:2303.04721; BufferedTransferCompound and ChoppedTransferCompound in IBM/aihwkit"
    )
    needs_aside: ClassVar[bool] = True
    every: Annotated[int, Field(ge=1)] = 1
    gain: Annotated[float, Field(gt=0)] = 30.0
    rate: Annotated[float, Field(gt=0)] = 1.0
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.1
    refresh_every: Annotated[int, Field(ge=1)] | None = 10

    def start(self, port: Port) -> dict[str, Any]:
        super().start(port)
        if self.refresh_every:
            _aside(port).refresh(POLICY)  # nothing is full yet; a chip without it says so now
        return {"h": np.zeros(port.size), "reference": _aside(port).read(), "sign": 1, "updates": 0}

    def apply(self, port: Port, state: dict[str, Any], wanted: Values, stream: np.uint64) -> Written:
        array, step, state["updates"] = _aside(port), port.step, state["updates"] + 1
        likely = np.abs(wanted) * self.gain / step
        fires = rng.uniform(stream, wanted.size) < likely
        fast = (state["sign"] * np.sign(wanted) * fires).astype(np.int64)
        array.pulse(fast)
        counts = np.zeros_like(fast)
        if state["updates"] % self.every == 0:
            self._transfer(array, state)
            counts = whole(state["h"] / step)
            state["h"] = state["h"] - (1.0 - self.momentum) * counts * step
            port.pulse(counts)
        return Written(
            (counts * step).astype(np.float64), np.sign(wanted) * np.maximum(likely - 1.0, 0.0) * step / self.gain, int(np.abs(fast).sum() + np.abs(counts).sum()),
            float(np.abs(state["h"]).mean() / step),
        )  # fmt: skip

    def _transfer(self, array: Port, state: dict[str, Any]) -> None:
        """Move what the fast array gained since the last read into h, and turn the chopper."""
        read = array.read()
        state["h"] = state["h"] + state["sign"] * self.rate * (read - state["reference"]) / self.gain
        if self.refresh_every and state["updates"] // self.every % self.refresh_every == 0:
            array.refresh(POLICY)
            read = array.read()
        state["reference"], state["sign"] = read, -state["sign"]


def _aside(port: Port) -> Port:
    if port.aside is None:
        raise Unsupported(f"{port.name!r}: tiki_taka needs an array set aside; lay the network out with aside=True")
    return port.aside
