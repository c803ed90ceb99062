"""Values as firing rates: an input spikes the more often, evenly, the larger its value is. For rules that count spikes.

Input k of value v in 0..1 spikes round(v spikes) times in a sample of `steps` steps, evenly spread, shifted by k mod 8 steps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.errors import BadInput
from neurohw.learning.batch import Batch
from neurohw.learning.tasks.digits import dataset
from neurohw.learning.tasks.yin_yang import SETS, points


@dataclass(frozen=True)
class Rates:
    """spikes: of an input of value 1. step: ms."""

    steps: int = 200
    spikes: int = 10
    step: float = 0.5

    def __post_init__(self) -> None:
        if not 1 <= self.spikes <= self.steps:
            raise BadInput(f"a task of rates needs 1 <= spikes <= steps, got {self.spikes} and {self.steps}")

    @property
    def dt(self) -> float:
        return self.step

    def coded(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Spikes (samples, steps, inputs) of values (samples, inputs)."""
        found = np.zeros((len(values), self.steps, values.shape[1]), bool)
        counts = np.rint(values * self.spikes).astype(np.int64)
        for sample, k in np.argwhere(counts):
            times = (np.arange(counts[sample, k]) + 0.5) * self.steps / counts[sample, k] + k % 8
            found[sample, times.astype(np.int64) % self.steps, k] = True
        return found


@dataclass(frozen=True)
class DigitRates(Rates):
    """scikit-learn's 1797 digits (see `digits`), all 64 pixels at once. classes: the digits 0..classes-1.

    The order of the images is drawn from the seed, so that training and test samples differ; beyond the last it is an error.
    """

    classes: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.classes <= 10:
            raise BadInput(f"digit_rates: 2 to 10 classes, got {self.classes}")

    @property
    def inputs(self) -> dict[str, int]:
        return {"pixels": 64}

    @property
    def outputs(self) -> int:
        return self.classes

    @property
    def size(self) -> int:
        return int((dataset()[1] < self.classes).sum())

    def batch(self, first: int, n: int, seed: int = 0) -> Batch:
        images, labels = dataset()
        kept = np.flatnonzero(labels < self.classes)
        order = kept[np.argsort(rng.uniform(rng.key(seed, "digits/order"), len(labels))[kept], kind="stable")]
        if first + n > order.size:
            raise BadInput(f"digit_rates: there are {order.size} images of these digits, {first + n} are asked for")
        which = order[first : first + n]
        return Batch({"pixels": self.coded(images[which].reshape(n, 64))}, labels=labels[which])


@dataclass(frozen=True)
class YinYangRates(Rates):
    """The points of `yin_yang` as x, y, 1 - x, 1 - y, and a fifth input that is always 1. Seeds as there."""

    @property
    def inputs(self) -> dict[str, int]:
        return {"values": 5}

    @property
    def outputs(self) -> int:
        return 3

    def batch(self, first: int, n: int, seed: int = 42) -> Batch:
        values, classes = points(seed, max(SETS.get(seed, 0), first + n))
        which = slice(first, first + n)
        return Batch({"values": self.coded(np.column_stack([values[which], np.ones(n)]))}, labels=classes[which])
