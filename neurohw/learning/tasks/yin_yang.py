"""Yin-Yang: points of a disk in three classes (yin, yang, dot), told by the times of single spikes.

A point (x, y) in the unit square is kept where it lies on the disk of radius 1/2 around (1/2, 1/2); classes are drawn to
be equally frequent, by rejection. A sample is (x, y, 1 - x, 1 - y), and each value v a spike at t_early + v (t_late - t_early);
a fifth input spikes at t_bias.

    dot    |p - (r + r/2, r)| < r_small, or |p - (r/2, r)| < r_small,         r = 1/2, r_small = 1/10
    yin    not dot, and (d_right <= r_small, or r_small < d_left <= r/2, or y > r and d_right > r/2)

`points` draws with NumPy's legacy generator in the order of the published generator, so that its samples come out bit by
bit: seeds 42, 41, 40 and sizes 5000, 1000, 1000 for training, validation and test.
Source: Kriener, Goeltz & Petrovici, NICE 2022, arXiv:2102.08211, and their published generator.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput
from neurohw.learning.batch import Batch

R_BIG, R_SMALL = 0.5, 0.1
SETS = {42: 5000, 41: 1000, 40: 1000}


@dataclass(frozen=True)
class YinYang:
    """early, late, bias: spike times in steps of 1 ms; the loss counts after `late`. Seeds of SETS give the published samples."""

    early: int = 5
    late: int = 45
    bias: int = 5
    steps: int = 60

    def __post_init__(self) -> None:
        if not 0 <= self.early < self.late < self.steps or not 0 <= self.bias < self.steps:
            raise BadInput(f"yin-yang: times {self.early}, {self.late}, {self.bias} do not fit into {self.steps} steps")

    @property
    def dt(self) -> float:
        return 1.0

    @property
    def inputs(self) -> dict[str, int]:
        return {"values": 5}

    @property
    def outputs(self) -> int:
        return 3

    def batch(self, first: int, n: int, seed: int = 42) -> Batch:
        """The samples first..first+n-1 of the set with this seed, of which SETS says the published size."""
        values, classes = points(seed, max(SETS.get(seed, 0), first + n))
        at = np.rint(self.early + values[first : first + n] * (self.late - self.early)).astype(np.int64)
        at = np.concatenate([at, np.full((n, 1), self.bias)], axis=1)
        x = np.arange(self.steps)[None, :, None] == at[:, None, :]
        mask = np.repeat((np.arange(self.steps) > self.late)[None], n, 0)
        return Batch({"values": x}, labels=classes[first : first + n], mask=mask)


@cache
def points(seed: int, size: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """((x, y, 1 - x, 1 - y), class) of the published generator; classes: 0 and 1 by the equations (1: "yin" there), 2 dot."""
    draw = np.random.RandomState(seed)
    values, classes = np.empty((size, 4)), np.empty(size, np.int64)
    for k in range(size):
        wanted = draw.randint(3)
        while True:
            x, y = draw.rand(2) * 2.0 * R_BIG
            inside = np.sqrt((x - R_BIG) ** 2 + (y - R_BIG) ** 2) <= R_BIG
            if inside and class_of(x, y) == wanted:
                break
        values[k], classes[k] = (x, y, 1.0 - x, 1.0 - y), wanted
    values.flags.writeable = classes.flags.writeable = False
    return values, classes


def class_of(x: float, y: float) -> int:
    """The class of a point on the disk, as the equations above have it."""
    right = np.sqrt((x - 1.5 * R_BIG) ** 2 + (y - R_BIG) ** 2)
    left = np.sqrt((x - 0.5 * R_BIG) ** 2 + (y - R_BIG) ** 2)
    if right < R_SMALL or left < R_SMALL:
        return 2
    return int(right <= R_SMALL or R_SMALL < left <= 0.5 * R_BIG or (y > R_BIG and right > 0.5 * R_BIG))
