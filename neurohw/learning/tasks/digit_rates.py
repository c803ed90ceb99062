"""Handwritten digits as firing rates: 8 x 8 pixels, each an input that spikes the more regularly often the darker it is.

The images are the 1,797 of scikit-learn's `load_digits` (the test part of the UCI set of Alpaydin & Kaynak, 1998), gray
from 0 to 16.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.errors import BadInput
from neurohw.learning.batch import Batch

PIXELS, IMAGES = 64, 1797


@dataclass(frozen=True)
class DigitRates:
    """Pixel k of gray g spikes round(g/16 rate time) times, evenly, shifted by (k mod 8) half milliseconds.

    classes: the digits 0..classes-1. time: ms of a sample. rate: Hz of a black pixel. step: ms.
    The order of the images is drawn from the seed; samples beyond the last image are an error, as there are no more.
    """

    classes: int = 10
    time: float = 100.0
    rate: float = 100.0
    step: float = 0.5

    def __post_init__(self) -> None:
        if not 2 <= self.classes <= 10 or not self.time >= self.step > 0 or not self.rate > 0:
            raise BadInput("digit_rates: needs 2 <= classes <= 10, time >= step > 0 and rate > 0")

    @property
    def inputs(self) -> dict[str, int]:
        return {"pixels": PIXELS}

    @property
    def outputs(self) -> int:
        return self.classes

    @property
    def steps(self) -> int:
        return round(self.time / self.step)

    @property
    def dt(self) -> float:
        return self.step

    def batch(self, first: int, n: int, seed: int = 0) -> Batch:
        images, labels = digits()
        kept = np.flatnonzero(labels < self.classes)
        order = kept[np.argsort(rng.uniform(rng.key(seed, "digits/order"), IMAGES)[kept], kind="stable")]
        if first + n > order.size:
            raise BadInput(f"digit_rates: samples {first}..{first + n - 1} of {order.size} images of these digits")
        which = order[first : first + n]
        return Batch({"pixels": np.array([self._spikes(image) for image in images[which]])}, labels=labels[which])

    def _spikes(self, image: NDArray[np.float64]) -> NDArray[np.bool_]:
        found = np.zeros((self.steps, PIXELS), bool)
        counts = np.rint(image / 16.0 * self.rate * self.time / 1e3).astype(np.int64)
        for k in np.flatnonzero(counts):
            times = ((np.arange(counts[k]) + 0.5) * self.time / counts[k] + (k % 8) / 2) % self.time
            found[(times / self.step).astype(np.int64) % self.steps, k] = True
        return found


@lru_cache(maxsize=1)
def digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(images (1797, 64) from 0 to 16, labels). Raises BadInput where scikit-learn is not installed."""
    try:
        from sklearn.datasets import load_digits  # type: ignore[import-untyped]
    except ImportError:
        raise BadInput("the digits come with scikit-learn, which is not installed; pip install scikit-learn") from None
    images, labels = load_digits(return_X_y=True)
    return images, labels.astype(np.int64)
