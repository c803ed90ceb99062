"""Store and recall: remember the bit that was shown with "store" until "recall" asks for it.

A sample is a sequence of 12 characters of 200 ms. In each, one of the bits 0 and 1 is shown, unless it is recalled: groups
"0", "1", "store" and "recall" of 25 inputs each fire at 50 Hz while on. "store" comes with probability 1/5 as long as nothing is
stored anew, "recall" with 1/5 once something is; sequences without a recall are drawn again. The loss counts in recall alone.
Source: Bellec et al., NeurIPS 2018 (LSNN) and their published tutorial; the character rule here is as stated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.learning.batch import Batch

SYMBOLS = ("0", "1", "store", "recall")
STORE, RECALL = 2, 3


@dataclass(frozen=True)
class StoreRecall:
    """duration: steps of a character (1 ms each); chance: of store and of recall per character."""

    characters: int = 12
    duration: int = 200
    neurons: int = 100
    probability: float = 0.05
    chance: float = 0.2

    @property
    def dt(self) -> float:
        return 1.0

    @property
    def inputs(self) -> dict[str, int]:
        return {"symbols": self.neurons}

    @property
    def outputs(self) -> int:
        return 2

    @property
    def steps(self) -> int:
        return self.characters * self.duration

    def batch(self, first: int, n: int, seed: int = 0) -> Batch:
        x, labels = np.zeros((n, self.steps, self.neurons), bool), np.zeros((n, self.steps), np.int64)
        mask = np.zeros((n, self.steps), bool)
        for k in range(n):
            stream = rng.key(seed, f"store_recall/{first + k}")
            shown, answers = self.sequence(stream)
            rates = np.repeat(np.repeat(shown, self.duration, 0), self.neurons // len(SYMBOLS), 1) * self.probability
            x[k, :, : rates.shape[1]] = rng.uniform(rng.subkey(stream, "spikes"), rates.shape) < rates
            labels[k] = np.repeat(np.maximum(answers, 0), self.duration)
            mask[k] = np.repeat(answers >= 0, self.duration)
        return Batch({"symbols": x}, labels=labels, mask=mask)

    def sequence(self, stream: np.uint64) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """(shown, answers): symbols of each character, (characters, 4); the bit to recall, or -1."""
        attempt = 0
        while True:
            drawn = rng.uniform(rng.subkey(stream, f"attempt {attempt}"), (self.characters, 2))
            shown, answers, stored = np.zeros((self.characters, 4), bool), np.full(self.characters, -1), -1
            for k, (which, bit) in enumerate(drawn):
                if stored >= 0 and which < self.chance:
                    shown[k, RECALL], answers[k], stored = True, stored, -1
                    continue
                value = int(bit < 0.5)
                shown[k, value] = True
                if self.chance <= which < 2 * self.chance:
                    shown[k, STORE], stored = True, value
            if (answers >= 0).any():
                return shown, answers
            attempt += 1
