"""A port: the weights of one projection on a chip, reached through the chip's public face alone.

Weights are in network units, flat, in the order of the rows (source-major). What a port can do follows from the chip's
capabilities: single steps where the chip takes them ("pulses", "lsb"), else writing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import Unsupported
from neurohw.learning.layout import Parts
from neurohw.program import Chip

Values = NDArray[np.float64]
Counts = NDArray[np.int64]


class Port:
    """The weights of one projection: the sum of its `parts` on the chip.

    size: synapses. pair: the parts are an excitatory and an inhibitory one. aside: the port of an array that acts on
    nothing, where there is one. scale: what the chip has for a weight of 1. turn: which of several parts takes the next pulse (round robin; the only state).
    """

    def __init__(
        self,
        chip: Chip,
        name: str,
        parts: Parts,
        size: int,
        pair: bool = False,
        aside: "Port | None" = None,
        scale: float = 1.0,
    ):
        self.chip, self.name, self.parts, self.size, self.pair, self.aside = chip, name, parts, size, pair, aside
        self.scale = scale
        self.turn = 0
        self.capabilities = chip.capabilities
        if not self.capabilities.writable:
            raise Unsupported(f"{name!r}: this chip cannot be written, so it cannot be trained; take one that can")

    @property
    def step(self) -> float:
        """The change of weight that one step is meant to make; raises Unsupported where there is none."""
        step = self.capabilities.weight_step.get(self.parts[0], 0.0)
        if self.capabilities.updates == "none" or not step:
            raise Unsupported(
                f"{self.name!r}: this chip takes no single steps of weight, so a scheme that counts them has nothing to "
                "count; use the scheme shadow, which writes"
            )
        return float(step) / self.scale

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest weight that the chip can hold."""
        ranges = [self.capabilities.weight_range[part] for part in self.parts]
        return sum(low for low, _ in ranges) / self.scale, sum(high for _, high in ranges) / self.scale

    def read(self) -> Values:
        """The weights as the hardware reads them; where a synapse was lost, 0."""
        return np.sum([np.nan_to_num(self.chip.read(part)) for part in self.parts], axis=0) / self.scale

    def write(self, weights: Values) -> int:
        """Program all weights, cut to the limits; returns how many were cut."""
        low, high = self.limits
        cut = np.clip(weights, low, high)
        held = cut * self.scale
        if self.pair:
            self.chip.write(self.parts[0], np.maximum(held, 0.0))
            self.chip.write(self.parts[1], np.minimum(held, 0.0))
        else:
            for part in self.parts:
                self.chip.write(part, held / len(self.parts))
        return int((cut != weights).sum())

    def pulse(self, counts: Counts) -> None:
        """Change each weight by so many steps, spread in turn over the parts; a pair is read, and written anew."""
        if not counts.any():
            return
        if self.pair or self.capabilities.updates == "exact":
            self.write(self.read() + counts * self.step)
            return
        n = len(self.parts)
        for k, part in enumerate(self.parts):
            mine = counts
            if n > 1:
                whole, rest = np.divmod(np.abs(counts), n)
                mine = np.sign(counts) * (whole + (rest > (k - self.turn) % n))
            if mine.any():
                self.chip.update(part, mine)
        self.turn = (self.turn + 1) % n

    def refresh(self, policy: str) -> None:
        for part in self.parts:
            self.chip.refresh(part, policy)

    def state(self) -> dict[str, Any]:
        return {"turn": self.turn, "aside": self.aside.turn if self.aside else 0}

    def restore(self, state: Any) -> None:
        self.turn = int(state["turn"])
        if self.aside:
            self.aside.turn = int(state["aside"])
