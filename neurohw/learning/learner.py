"""What a learning rule is to whoever trains with it: recordings in, gradients out, and a state that can be saved.

batch = task.batch(key, samples)
recordings = [chip.run(learner.duration(batch), stimulus=batch.stimulus(k, dt)) for k in range(batch.n_samples)]
found = learner.gradients(recordings, batch, weights)
... the weights change by some scheme, somewhere ...
learner.applied(changes)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from neurohw.learning.batch import Batch
from neurohw.recording import Recording

Weights = Mapping[str, NDArray[np.float64]]
"""projection -> (pre, post) in network units; flattened it has the order in which `Chip.write` and `read` take them."""


@dataclass(frozen=True, eq=False)
class Gradients:
    """What a learner makes of the recordings of a batch.

    weights: projection -> dLoss/dw, (pre, post), w in network units; a weight learns by going against it.
    loss: what is minimized, as the mean over samples, without regularization. outputs: the readout after each step (for
    classes: their probabilities), (samples, steps, outputs).
    metrics: name -> (samples,), such as mse (over the steps that count), error (1: wrong class), rate (Hz, of all hidden
    neurons).
    """

    weights: Weights
    loss: float
    outputs: NDArray[np.float64]
    metrics: Mapping[str, NDArray[np.float64]]


@runtime_checkable
class Learner(Protocol):
    """A learning rule with its state. It sees recordings and weights, never a chip."""

    @property
    def record(self) -> Mapping[str, Sequence[str]]:
        """What it needs recorded beside spikes, as `map_network` takes it: population -> variables."""

    @property
    def decay(self) -> Mapping[str, float]:
        """projection -> the share of every weight that leaves at each update, beside what the gradient does."""

    def duration(self, batch: Batch) -> float:
        """How long (ms) a sample of this batch must run."""

    def gradients(self, recordings: Sequence[Recording], batch: Batch, weights: Weights) -> Gradients:
        """The gradients of a batch: recordings[k] is that of its sample k, run with `weights`.

        Raises BadInput where recordings, batch and weights do not fit each other, OutOfRange where the loss is not finite.
        """

    def applied(self, changes: Weights) -> None:
        """The weights were changed by this much (decay left out): for rules with feedback weights that follow them."""

    def state(self) -> dict[str, Any]:
        """What changes while learning, as arrays and numbers by name, for `restore`."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
