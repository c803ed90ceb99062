"""A batch: spikes that go in, and what should come out, for several samples of equal length.

Time: step t of a sample is step t of a run; spikes[t] are those with the time t dt. targets[t] is what the readout
should be after step t.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput, all_reasons
from neurohw.network import SpikeTimes

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples of a task, either with `targets` (regression) or with `labels` (classification).

    spikes: input population -> bool (samples, steps, neurons).
    targets: (samples, steps, outputs), or None. labels: (samples,) the right output of each sample, or, where it changes
        within a sample, (samples, steps); or None.
    mask: bool (samples, steps): the steps that count; None: all.
    Raises BadInput with every reason where shapes do not fit.
    """

    spikes: Mapping[str, Flags]
    targets: NDArray[np.float64] | None = None
    labels: NDArray[np.int64] | None = None
    mask: Flags | None = None

    def __post_init__(self) -> None:
        all_reasons(BadInput, "batch", self._faults())

    def _faults(self) -> list[str]:
        shapes = {name: np.shape(flags) for name, flags in self.spikes.items()}
        if not shapes or any(len(shape) != 3 for shape in shapes.values()):
            return [f"spikes are (samples, steps, neurons) for every input population, got {shapes or 'none'}"]
        ends = {shape[:2] for shape in shapes.values()}
        if len(ends) > 1:
            return [f"input populations differ in samples or steps: {shapes}"]
        (n, steps), reasons = ends.pop(), []
        if (self.targets is None) == (self.labels is None):
            reasons.append("give either targets (regression) or labels (classification)")
        if self.targets is not None:
            if self.targets.ndim != 3 or self.targets.shape[:2] != (n, steps):
                reasons.append(f"targets have the shape {self.targets.shape}; ({n}, {steps}, outputs) is needed")
            elif not np.isfinite(self.targets).all():
                reasons.append("targets hold NaN or infinity")
        if self.labels is not None:
            if self.labels.shape not in ((n,), (n, steps)):
                reasons.append(f"labels have the shape {self.labels.shape}; ({n},) or ({n}, {steps}) is needed")
            elif not np.issubdtype(self.labels.dtype, np.integer) or (self.labels < 0).any():
                reasons.append("labels are whole numbers >= 0")
        if self.mask is not None and self.mask.shape != (n, steps):
            reasons.append(f"mask has the shape {self.mask.shape}; ({n}, {steps}) is needed")
        elif self.mask is not None and not self.mask.any(axis=1).all():
            reasons.append("mask: a sample has no step that counts")
        return reasons

    @property
    def n_samples(self) -> int:
        return next(iter(self.spikes.values())).shape[0]

    @property
    def n_steps(self) -> int:
        return next(iter(self.spikes.values())).shape[1]

    @property
    def counted(self) -> Flags:
        """The steps that count, (samples, steps)."""
        return np.ones((self.n_samples, self.n_steps), bool) if self.mask is None else self.mask

    def samples(self, which: slice | NDArray[np.int64]) -> "Batch":
        """Some of the samples."""
        return Batch(
            {name: flags[which] for name, flags in self.spikes.items()},
            None if self.targets is None else self.targets[which],
            None if self.labels is None else self.labels[which],
            None if self.mask is None else self.mask[which],
        )

    def in_a_row(self, n: int) -> "Batch":
        """The same samples, n at a time one after the other in one: labels then change within it. 1: the batch itself.

        Raises BadInput where n does not divide their number, and where samples with labels count from their first step to
        their last: neighbors with one label would become one answer.
        """
        if n == 1:
            return self
        if n < 1 or self.n_samples % n:
            raise BadInput(f"batch: {self.n_samples} samples cannot be put in rows of {n}")
        if self.labels is not None and (self.counted[:, 0] & self.counted[:, -1]).any():
            raise BadInput("batch: samples that count from their first step to their last cannot be put in rows")
        steps, rows = n * self.n_steps, self.n_samples // n
        labels = self.labels
        if labels is not None:
            labels = np.broadcast_to(labels.reshape(self.n_samples, -1), self.counted.shape).reshape(rows, steps)
        return Batch(
            {name: flags.reshape(rows, steps, flags.shape[2]) for name, flags in self.spikes.items()},
            None if self.targets is None else self.targets.reshape(rows, steps, -1),
            labels,
            None if self.mask is None else self.mask.reshape(rows, steps),
        )

    def stimulus(self, sample: int, dt: float) -> dict[str, SpikeTimes]:
        """The spikes of one sample as `Chip.run` takes them: population -> times (ms), indices."""
        found = {}
        for name, flags in self.spikes.items():
            steps, neurons = np.nonzero(flags[sample])
            found[name] = SpikeTimes((steps * dt).astype(np.float64), neurons.astype(np.int64))
        return found
