"""Handwritten digits, row by row: scikit-learn's 1797 images of 8 x 8 pixels with values 0..16.

Row r of an image is shown for `duration` steps, in which pixel c makes input c spike with probability value/16 times
`probability`; after the last row follow `pause` steps without input, in which the loss counts. Training: the images whose
number is not a multiple of 5; test: the others. The spikes of an image depend on the seed.
Data: E. Alpaydin & C. Kaynak, UCI Machine Learning Repository (1998), as scikit-learn has it (an optional dependency: `pip install 'neurohw[tasks]'`).
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.errors import BadInput
from neurohw.learning.batch import Batch


@dataclass(frozen=True)
class Digits:
    """part: of the images; batches go round."""

    part: Literal["train", "test"] = "train"
    duration: int = 10
    pause: int = 20
    probability: float = 0.5

    def __post_init__(self) -> None:
        if self.part not in ("train", "test"):
            raise BadInput(f"digits: part is 'train' or 'test', got {self.part!r}")

    @property
    def dt(self) -> float:
        return 1.0

    @property
    def inputs(self) -> dict[str, int]:
        return {"pixels": 8}

    @property
    def outputs(self) -> int:
        return 10

    @property
    def steps(self) -> int:
        return 8 * self.duration + self.pause

    @property
    def size(self) -> int:
        return self._chosen().size

    def _chosen(self) -> NDArray[np.int64]:
        """The images of this part: every fifth is for tests."""
        return np.flatnonzero((np.arange(len(dataset()[0])) % 5 == 0) == (self.part == "test"))

    def batch(self, first: int, n: int, seed: int = 0) -> Batch:
        (images, classes), chosen = dataset(), self._chosen()
        x, labels = np.zeros((n, self.steps, 8), bool), np.empty(n, np.int64)
        for k in range(n):
            image = chosen[(first + k) % chosen.size]
            rates = np.repeat(images[image], self.duration, 0) * self.probability
            stream = rng.key(seed, f"digits/{self.part}/{first + k}")
            x[k, : len(rates)] = rng.uniform(stream, rates.shape) < rates
            labels[k] = classes[image]
        mask = np.repeat((np.arange(self.steps) >= self.steps - self.pause)[None], n, 0)
        return Batch({"pixels": x}, labels=labels, mask=mask)


@cache
def dataset() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(images scaled to 0..1, (1797, 8, 8); classes)."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise BadInput(
            "the digits come with scikit-learn, which is not installed: pip install 'neurohw[tasks]'"
        ) from None
    found = load_digits()
    return found.images / 16.0, found.target.astype(np.int64)
