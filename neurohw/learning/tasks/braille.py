"""Braille letters read by touch: 12 taxels of a fingertip that slides over a letter, 27 letters (A..Z, Space) x 50 times.

The taxels' values (0..255, about 76 samples) become spikes where they cross levels: for each taxel and each of `levels` equally
spaced ones, one input spikes when the value rises through it and another when it falls. A sample of the sensor lasts `stretch`
steps. Training: repetitions below 40; test: the others.

The file is an .npz with X (samples, time, 12), whole numbers, rows past `length` 0; length, letter (text), repetition. It is
made of tutorial5_braille_spiking_data.pkl.gz in notebooks/data of https://github.com/fzenke/spytorch (CC BY 4.0, F. Zenke and
contributors; see Mueller-Cleve et al., Front. Neurosci. 16 (2022)). `synthetic` makes data of the same form.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.errors import BadInput
from neurohw.learning.batch import Batch

ORIGIN = "tutorial5_braille_spiking_data.pkl.gz of https://github.com/fzenke/spytorch, as an .npz with X, length, letter, repetition"
TAXELS, LETTERS, LONGEST = 12, (*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "Space"), 4096


@dataclass(frozen=True, eq=False)
class Recorded:
    """values: (samples, time, taxels); length, letter (number), repetition: (samples,)."""

    values: NDArray[np.float64]
    length: NDArray[np.int64]
    letter: NDArray[np.int64]
    repetition: NDArray[np.int64]


def read(path: str | Path) -> Recorded:
    """The data of a file. Raises BadInput, and says where such a file comes from, if there is none."""
    if not Path(path).is_file():
        raise BadInput(f"{path}: no such file. The Braille data are {ORIGIN}")
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays: dict[str, NDArray[Any]] = {name: stored[name] for name in ("X", "length", "letter", "repetition")}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise BadInput(f"{path}: not the Braille data, which are {ORIGIN} ({error})") from None
    x, letters = arrays["X"], arrays["letter"].astype(str)
    if x.ndim != 3 or x.shape[2] != TAXELS or not 1 <= x.shape[1] <= LONGEST or not np.issubdtype(x.dtype, np.integer):
        raise BadInput(
            f"{path}: X is {x.dtype} of shape {x.shape}; whole numbers (samples, time, {TAXELS}) are expected"
        )
    if any(part.shape != (len(x),) for part in (arrays["length"], letters, arrays["repetition"])):
        raise BadInput(f"{path}: length, letter and repetition need one entry for each of the {len(x)} samples")
    if strange := sorted(set(letters) - set(LETTERS)):
        raise BadInput(f"{path}: letter {str(strange[0])!r}; there are A to Z and Space")
    if (arrays["length"] < 1).any() or (arrays["length"] > x.shape[1]).any():
        raise BadInput(f"{path}: length lies outside 1..{x.shape[1]}")
    number = np.array([LETTERS.index(letter) for letter in letters])
    return Recorded(x.astype(float), arrays["length"].astype(np.int64), number, arrays["repetition"].astype(np.int64))


def synthetic(seed: int = 0, letters: int = 27, repetitions: int = 50, time: int = 77) -> Recorded:
    """Data of the same form: each letter a smooth course per taxel, each repetition shifted, scaled and noisy."""
    values, axis = np.zeros((letters * repetitions, time, TAXELS)), np.arange(time) / time
    for letter in range(letters):
        a, b = rng.normal(rng.key(seed, f"braille/letter/{letter}"), (2, 4, TAXELS))
        for repetition in range(repetitions):
            stream = rng.key(seed, f"braille/letter/{letter}/{repetition}")
            shift, scale = 0.02 * rng.normal(stream, 2)
            phase = 2 * np.pi * np.arange(1, 5)[None, :, None] * (axis[:, None, None] + shift)
            course = (a * np.sin(phase) + b * np.cos(phase)).sum(axis=1) * (1 + scale)
            noise = 2.0 * rng.normal(rng.subkey(stream, "noise"), course.shape)
            values[letter * repetitions + repetition] = np.clip(np.rint(150 + 20 * course + noise), 0, 255)
    number = np.repeat(np.arange(letters), repetitions)
    return Recorded(values, np.full(number.size, time), number, np.tile(np.arange(repetitions), letters))


@dataclass(frozen=True, eq=False)
class Braille:
    """data: a path, or what `read` or `synthetic` gave. The loss counts in the last quarter of a sample; batches go round."""

    data: Recorded | str | Path
    part: Literal["train", "test"] = "train"
    levels: int = 32
    stretch: int = 2
    _loaded: Recorded = field(init=False)

    def __post_init__(self) -> None:
        if self.part not in ("train", "test"):
            raise BadInput(f"braille: part is 'train' or 'test', got {self.part!r}")
        object.__setattr__(self, "_loaded", self.data if isinstance(self.data, Recorded) else read(self.data))

    @property
    def dt(self) -> float:
        return 1.0

    @property
    def inputs(self) -> dict[str, int]:
        return {"taxels": 2 * self.levels * TAXELS}

    @property
    def outputs(self) -> int:
        return len(LETTERS)

    @property
    def steps(self) -> int:
        return self._loaded.values.shape[1] * self.stretch

    @property
    def size(self) -> int:
        return self._kept().size

    def _kept(self) -> NDArray[np.int64]:
        """The samples of this part: the first forty repetitions are for training."""
        return np.flatnonzero((self._loaded.repetition < 40) == (self.part == "train"))

    def batch(self, first: int, n: int, seed: int = 0) -> Batch:
        """Samples in an order drawn from the seed."""
        kept = self._kept()
        if not kept.size:
            raise BadInput(f"braille: there are no samples for {self.part}")
        order = kept[np.argsort(rng.hashes(rng.key(seed, f"braille/{self.part}"), kept.size), kind="stable")]
        which = order[np.arange(first, first + n) % order.size]
        crossed = np.stack([crossings(self._loaded.values[k], self._loaded.length[k], self.levels) for k in which])
        x = np.zeros((n, self.steps, crossed.shape[2]), bool)
        x[:, :: self.stretch] = crossed
        mask = np.repeat((np.arange(self.steps) >= 3 * self.steps // 4)[None], n, 0)
        return Batch({"taxels": x}, labels=self._loaded.letter[which], mask=mask)


def crossings(values: NDArray[np.float64], length: int, levels: int) -> NDArray[np.bool_]:
    """(time, 2 levels taxels): whether each taxel rose, or fell, through each level since the sample before."""
    at = 255.0 * np.arange(1, levels + 1) / (levels + 1)
    above = values[:length, :, None] > at
    found = np.zeros((len(values), values.shape[1], levels, 2), bool)
    found[1:length, :, :, 0] = above[1:] & ~above[:-1]
    found[1:length, :, :, 1] = ~above[1:] & above[:-1]
    return found.reshape(len(values), -1)
