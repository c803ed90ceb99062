"""Optimizers: gradients to weight changes.

    gradient descent   dw = -rate g
    Adam               m = b1 m + (1 - b1) g,   s = b2 s + (1 - b2) g^2,   k = 1, 2, ... updates
                       dw = -rate sqrt(1 - b2^k)/(1 - b1^k) m/(sqrt(s) + epsilon)

    rate = rate_0 2^(-updates/half_life)                         where a half-life is given, for both

This is the form of Adam's own paper with epsilon outside of the correction, as TensorFlow 1 and NEST have it.
Source: Kingma & Ba, arXiv:1412.6980, section 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput, OutOfRange

Arrays = Mapping[str, NDArray[np.float64]]
Rate = float | Mapping[str, float]
LARGEST_RATE = 1e200
"""Beyond it weights could not even be told from infinity after one update."""


@dataclass
class GradientDescent:
    """rate: of all, or per projection. half_life: updates in which the rate falls by half; None: it stays."""

    rate: Rate
    half_life: float | None = None
    updates: int = 0

    def __post_init__(self) -> None:
        check_rate(self.rate)
        check_half_life(self.half_life)

    def changes(self, gradients: Arrays) -> dict[str, NDArray[np.float64]]:
        """What is added to the weights. Raises OutOfRange for a gradient that is not finite."""
        check_finite(gradients)
        left = left_of(self.half_life, self.updates)
        self.updates += 1
        return {name: -left * rate_of(self.rate, name) * g for name, g in gradients.items()}

    def state(self) -> dict[str, Any]:
        return {"updates": self.updates}

    def restore(self, state: Mapping[str, Any]) -> None:
        if strange := [name for name in state if name != "updates"]:
            raise BadInput(f"gradient descent: the state holds {', '.join(strange)}, which is none of its own")
        self.updates = int(state.get("updates", 0))


@dataclass
class Adam:
    """rate: of all, or per projection. beta_1, beta_2, epsilon: as in the paper. half_life: as of GradientDescent."""

    rate: Rate
    half_life: float | None = None
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    updates: int = 0
    moments: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_rate(self.rate)
        check_half_life(self.half_life)

    def changes(self, gradients: Arrays) -> dict[str, NDArray[np.float64]]:
        """What is added to the weights. Raises OutOfRange for a gradient that is not finite."""
        check_finite(gradients)
        left = left_of(self.half_life, self.updates)
        self.updates += 1
        correction = left * np.sqrt(1 - self.beta_2**self.updates) / (1 - self.beta_1**self.updates)
        found = {}
        for name, g in gradients.items():
            m, s = self.moments.get(name, (np.zeros_like(g), np.zeros_like(g)))
            m = self.beta_1 * m + (1 - self.beta_1) * g
            s = self.beta_2 * s + (1 - self.beta_2) * g**2
            self.moments[name] = m, s
            found[name] = -rate_of(self.rate, name) * correction * m / (np.sqrt(s) + self.epsilon)
        return found

    def state(self) -> dict[str, Any]:
        """Counter and moments, as arrays by name."""
        kept: dict[str, Any] = {"updates": self.updates}
        for name, (m, s) in self.moments.items():
            kept |= {f"{name}/m": m, f"{name}/s": s}
        return kept

    def restore(self, state: Mapping[str, Any]) -> None:
        names = {name.rsplit("/", 1)[0] for name in state if name.endswith(("/m", "/s"))}
        try:
            moments = {name: (np.array(state[f"{name}/m"]), np.array(state[f"{name}/s"])) for name in names}
            self.updates, self.moments = int(state["updates"]), moments
        except KeyError as missing:
            raise BadInput(f"Adam: the state lacks {missing}") from None


OPTIMIZERS = {"gradient_descent": GradientDescent, "adam": Adam}


def left_of(half_life: float | None, updates: int) -> float:
    """The share of the rate that is left after so many updates."""
    return 1.0 if half_life is None else float(0.5 ** (updates / half_life))


def check_half_life(half_life: Any) -> None:
    """Raise BadInput for a half-life that is no number > 0."""
    if half_life is not None and not (isinstance(half_life, int | float) and 0 < half_life < np.inf):
        raise BadInput(f"optimizer: half_life {half_life!r} is not a number of updates > 0")


def check_rate(rate: Any) -> None:
    """Raise BadInput for a learning rate that is no finite number >= 0."""
    for one in rate.values() if isinstance(rate, Mapping) else (rate,):
        if isinstance(one, bool) or not isinstance(one, int | float) or not 0 <= one <= LARGEST_RATE:
            raise BadInput(f"optimizer: rate {one!r} is not a number from 0 to {LARGEST_RATE:g}")


def rate_of(rate: Rate, projection: str) -> float:
    """The learning rate of a projection; raises BadInput where none is given."""
    if not isinstance(rate, Mapping):
        return rate
    if projection not in rate:
        raise BadInput(f"no learning rate for projection {projection!r}; there are {', '.join(rate) or 'none'}")
    return rate[projection]


def check_finite(gradients: Arrays) -> None:
    """Raise OutOfRange for a gradient with NaN or infinity in it."""
    for name, g in gradients.items():
        if not np.isfinite(g).all():
            raise OutOfRange(
                f"the gradient of projection {name!r} holds NaN or infinity; lower the learning rate, or clip gradients"
            )
