"""Evidence accumulation: cues come from left and right, and after a delay the side with more of them is to be told.

Seven cues of 100 ms, each after 50 ms of silence; a delay; recall for 150 ms, in which alone the loss counts. Four groups
of inputs fire as Poisson processes: left and right (rate f0 during their cues), recall (f0 during recall), and noise
(f0/4, always). The side of a sample is drawn first; each cue is on the other side with the probability p_other.

`read_recorded` reads the same task as it was recorded for a chip: `dataset_cueAcc_train.dat` and `dataset_cueAcc_test.dat` of
https://github.com/ChFrenkel/ReckOn (src/data; Solderpad Hardware License 2.1; Frenkel & Indiveri, ISSCC 2022).
Source: Bellec et al., Nat. Commun. 11:3625 (2020) and their published code; after Morcos & Harvey, Nat. Neurosci. 19 (2016).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.errors import BadInput
from neurohw.learning.batch import Batch

GROUPS = ("left", "right", "recall", "noise")


@dataclass(frozen=True)
class Timing:
    """Steps of each part of a sample."""

    n_cues: int = 7
    cue: int = 100
    spacing: int = 50
    delay: int = 1050
    recall: int = 150

    @property
    def steps(self) -> int:
        return self.n_cues * (self.cue + self.spacing) + self.delay + self.recall


@dataclass(frozen=True)
class Evidence:
    """The task with 10 neurons in each group; probability: of a spike per step of 1 ms at f0 = 40 Hz."""

    timing: Timing = Timing()
    neurons: int = 40
    probability: float = 0.04
    p_other: float = 0.3

    @property
    def dt(self) -> float:
        return 1.0

    @property
    def inputs(self) -> dict[str, int]:
        return {"cues": self.neurons}

    @property
    def outputs(self) -> int:
        return 2

    @property
    def steps(self) -> int:
        return self.timing.steps

    def batch(self, first: int, n: int, seed: int = 0) -> Batch:
        spikes, labels = np.empty((n, self.steps, self.neurons), bool), np.empty(n, np.int64)
        for k in range(n):
            stream = rng.key(seed, f"evidence/{first + k}")
            side, *others = rng.uniform(stream, 1 + self.timing.n_cues)
            label = int(side < 0.5)
            cues = np.where(np.array(others) < self.p_other, 1 - label, label)
            rates = probabilities(cues, self.timing, self.neurons, self.probability)
            spikes[k] = rng.uniform(rng.subkey(stream, "spikes"), rates.shape) < rates
            labels[k] = int(cues.sum() > self.timing.n_cues / 2)
        return Batch({"cues": spikes}, labels=labels, mask=recall_mask(n, self.timing))


def probabilities(cues: NDArray[np.int64], timing: Timing, neurons: int, p: float) -> NDArray[np.float64]:
    """The probability of a spike of each input in each step, (steps, neurons); cues: 0 left, 1 right."""
    size, slot = neurons // 4, timing.cue + timing.spacing
    found = np.zeros((timing.steps, neurons))
    for k, side in enumerate(cues):
        found[k * slot + timing.spacing : (k + 1) * slot, side * size : (side + 1) * size] = p
    found[timing.steps - timing.recall :, 2 * size : 3 * size] = p
    found[:, 3 * size :] = p / 4
    return found


def recall_mask(n: int, timing: Timing) -> NDArray[np.bool_]:
    """The last steps of each of n samples."""
    return np.repeat((np.arange(timing.steps) >= timing.steps - timing.recall)[None], n, 0)


def draw(
    generator: np.random.RandomState, n: int, neurons: int, timing: Timing, p_other: float, p: float
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """(spikes, labels) of n samples, drawn in the order of the published code: sides, the cues of each sample, all spikes."""
    sides = generator.choice([0, 1], n)
    chances = ((1 - p_other, p_other), (p_other, 1 - p_other))
    cues = [generator.choice([0, 1], timing.n_cues, p=chances[1 - side]) for side in sides]
    rates = np.stack([probabilities(one, timing, neurons, p) for one in cues])
    labels = np.array([int(one.sum() > timing.n_cues / 2) for one in cues])
    return generator.random_sample(rates.shape) < rates, labels


def read_recorded(path: str | Path, neurons: int = 40, steps: int = 2250, recall: int = 150) -> Batch:
    """The recorded samples of a file; raises BadInput with the line of a fault.

    First line: the number of samples. Then lines "neuron, step", in each sample closed by "-1, steps"; the line "-2, label"
    says which side is right; the last `recall` steps count.
    """
    lines = _lines(Path(path))
    n = lines[0][0]
    if not 1 <= n <= 100_000 or n * steps * neurons > 1 << 31:
        raise BadInput(f"{path}: {n} samples in line 1")
    spikes, labels, k = np.zeros((n, steps, neurons), bool), np.full(n, -1), 0
    for number, line in enumerate(lines[1:], 2):
        if k == n or len(line) != 2:
            raise BadInput(f"{path}: line {number}: {line}, where {n} samples of pairs of numbers are expected")
        neuron, at = line
        if neuron == -1:
            if labels[k] < 0:
                raise BadInput(f"{path}: line {number}: sample {k} ends without a label (a line '-2, label')")
            k += 1
        elif neuron == -2 and at in (0, 1):
            labels[k] = at
        elif 0 <= neuron < neurons and 0 <= at < steps:
            spikes[k, at, neuron] = True
        else:
            raise BadInput(f"{path}: line {number}: neuron {neuron} at {at}, of {neurons} neurons and {steps} steps")
    if k != n:
        raise BadInput(f"{path}: {k} samples, but line 1 says {n}")
    mask = np.repeat((np.arange(steps) >= steps - recall)[None], n, 0)
    return Batch({"cues": spikes}, labels=labels, mask=mask)


def _lines(path: Path) -> list[list[int]]:
    try:
        text = path.read_text(encoding="ascii")
        return [[int(part) for part in line.split(",")] for line in text.splitlines() if line.strip()] or [[0]]
    except (OSError, UnicodeError) as error:
        raise BadInput(f"{path}: not readable: {error}") from None
    except ValueError as error:
        raise BadInput(f"{path}: not lines of whole numbers: {error}") from None
