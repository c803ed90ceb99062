"""How errors reach the hidden neurons: L_j = sum_k B_jk error_k, with B tied to the readout, fixed, or following it.

symmetric   B = W_out, always the present one
random      B is drawn once and stays
adaptive    B is drawn, and changes by the same increments as W_out; both lose a share of themselves at each update,
            so that they meet (Kolen & Pollack, IEEE ICNN 1994)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput, OutOfRange

KINDS = ("symmetric", "random", "adaptive")


@dataclass
class Feedback:
    """weights: (hidden, outputs), for all kinds but symmetric. decay: the share that leaves at an update (adaptive)."""

    kind: str
    weights: NDArray[np.float64] | None = None
    decay: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"feedback: no kind {self.kind!r}; there are {', '.join(KINDS)}")
        if (self.kind == "symmetric") != (self.weights is None):
            raise BadInput(f"feedback: {self.kind} takes {'no' if self.kind == 'symmetric' else 'its'} weights")
        if not 0 <= self.decay < 1 or (self.decay and self.kind != "adaptive"):
            raise OutOfRange(f"feedback: decay {self.decay} must lie in 0..1, and only adaptive feedback has one")

    def of(self, w_out: NDArray[np.float64]) -> NDArray[np.float64]:
        """B, (hidden, outputs); raises BadInput where its shape is another than the readout's."""
        if self.weights is None:
            return w_out
        if self.weights.shape != w_out.shape:
            raise BadInput(f"feedback weights have the shape {self.weights.shape}, the readout has {w_out.shape}")
        return self.weights

    def applied(self, change: NDArray[np.float64]) -> None:
        """The readout's weights were changed by this much, their decay left out."""
        if self.kind == "adaptive":
            assert self.weights is not None
            self.weights = (1.0 - self.decay) * self.weights + change

    def state(self) -> dict[str, Any]:
        return {} if self.weights is None else {"feedback": self.weights.copy()}

    def restore(self, state: Mapping[str, Any]) -> None:
        if self.weights is not None:
            kept = np.array(state.get("feedback", ()), float)
            if kept.shape != self.weights.shape:
                raise BadInput(f"feedback: the state holds no weights of the shape {self.weights.shape}")
            self.weights = kept
