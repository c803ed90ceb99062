"""Delayed exclusive or: two cues, each high or low, apart in time; after a go signal, tell whether they differed.

Inputs in three groups of 10: low, high and go, which fire at 100 Hz while on. The first cue comes at 50 ms, the second after a
delay that is drawn in `delay`, each for 100 ms; go stands at the end for 100 ms, in which the loss counts.
The task is one of the usual ones for working memory; this is the rule that is used here.
"""

from dataclasses import dataclass

import numpy as np

from neurohw import rng
from neurohw.learning.batch import Batch


@dataclass(frozen=True)
class DelayedXor:
    """delay: shortest and longest gap between the cues, steps of 1 ms."""

    delay: tuple[int, int] = (100, 400)
    cue: int = 100
    group: int = 10
    probability: float = 0.1

    @property
    def dt(self) -> float:
        return 1.0

    @property
    def inputs(self) -> dict[str, int]:
        return {"cues": 3 * self.group}

    @property
    def outputs(self) -> int:
        return 2

    @property
    def steps(self) -> int:
        return 50 + 3 * self.cue + self.delay[1] + 50

    def batch(self, first: int, n: int, seed: int = 0) -> Batch:
        x, labels = np.empty((n, self.steps, 3 * self.group), bool), np.empty(n, np.int64)
        for k in range(n):
            stream = rng.key(seed, f"delayed_xor/{first + k}")
            a, b, gap = rng.uniform(stream, 3)
            bits = int(a < 0.5), int(b < 0.5)
            second = 50 + self.cue + self.delay[0] + int(gap * (self.delay[1] - self.delay[0] + 1))
            rates = np.zeros((self.steps, 3 * self.group))
            for begin, group in ((50, bits[0]), (second, bits[1]), (self.steps - self.cue, 2)):
                rates[begin : begin + self.cue, group * self.group : (group + 1) * self.group] = self.probability
            x[k] = rng.uniform(rng.subkey(stream, "spikes"), rates.shape) < rates
            labels[k] = bits[0] ^ bits[1]
        mask = np.repeat((np.arange(self.steps) >= self.steps - self.cue)[None], n, 0)
        return Batch({"cues": x}, labels=labels, mask=mask)
