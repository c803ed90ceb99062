"""Back-propagation through firing rates, with the rates that the chip has: a feed-forward classifier in the loop.

The chip runs, and only its spikes come back: n_l spikes of every neuron of layer l in the sample. The host's model of the
chip is that a neuron integrates what it is given without leak, and is set back by u = v_thresh - v_reset for each spike,

    n_l = max(0, g sum w n_(l-1)),      g = tau_syn / (cm u)  for a current of exponential shape (weights in nA), 1 / u for
                                        a weight that is a step of the voltage (mV)

and with p = softmax(n_out / temperature) and the cross entropy -ln p[label] as loss the gradient is the usual one,

    d_out = (p - onehot) / temperature,   d_(l-1) = h(n_(l-1)) sum_l g w d_l,   dLoss/dw = g n_(l-1) d_l

with h = 1 where the neuron spiked and `silent` where it did not, so that silent neurons can be woken. The model is wrong in
every detail of a real specimen. That does not matter as long as the sign of its derivatives is right, since the counts
themselves, and so the error, are measured: this is why training in the loop makes up for a chip's mismatch.
Source: Schmitt et al., IJCNN 2017, arXiv:1703.01909.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput, OutOfRange
from neurohw.learning.batch import Batch
from neurohw.learning.learner import Gradients, Weights
from neurohw.network import Network
from neurohw.recording import Recording

Values = NDArray[np.float64]


class RateCode:
    """The learner of a feed-forward classifier whose code is the number of spikes.

    layers: the trained projections, from the input to the output, each all to all. dt: ms, a step of the batches. temperature: spikes; a lead of so many
    is a likelihood ratio of e. silent: the derivative assumed for a neuron without spikes, 0 to 1. rest: ms that a sample
    goes on after its last input.
    """

    record: Mapping[str, Sequence[str]] = {}
    decay: Mapping[str, float] = {}

    def __init__(
        self,
        network: Network,
        layers: Sequence[str],
        dt: float,
        temperature: float = 2.0,
        silent: float = 0.2,
        rest: float = 10.0,
    ):
        if not layers or any(name not in network.projections for name in layers):
            raise BadInput(
                f"rate code: layers are projections of the network, such as {', '.join(network.projections)}"
            )
        chain = [network.projections[name] for name in layers]
        if any(a.target != b.source for a, b in itertools.pairwise(chain)):
            raise BadInput(
                f"rate code: {', '.join(layers)} are no chain; each layer starts where the one before it ends"
            )
        if not temperature > 0 or not 0 <= silent <= 1 or rest < 0:
            raise BadInput("rate code: needs temperature > 0, 0 <= silent <= 1 and rest >= 0")
        self.layers, self.temperature, self.silent, self.rest = tuple(layers), temperature, silent, rest
        self.populations = (chain[0].source, *(p.target for p in chain))
        self.sizes = {name: network.populations[name].size for name in self.populations}
        self.gain = {name: _gain(network, p.target) for name, p in zip(layers, chain, strict=True)}
        self.dt = dt

    def duration(self, batch: Batch) -> float:
        """The steps of a sample, and `rest`."""
        return batch.n_steps * self.dt + self.rest

    def gradients(self, recordings: Sequence[Recording], batch: Batch, weights: Weights) -> Gradients:
        """The mean gradient of the batch; see the module. Metrics: error, rate (Hz, of the hidden neurons)."""
        labels = self._labels(batch)
        counts = [np.array([self._counts(one, name) for one in recordings]) for name in self.populations]
        top = counts[-1] / self.temperature
        odds = np.exp(top - top.max(1, keepdims=True))
        p = odds / odds.sum(1, keepdims=True)
        loss = -float(np.log(np.maximum(p[np.arange(labels.size), labels], 1e-300)).mean())
        if not np.isfinite(loss):
            raise OutOfRange("the loss is not finite; lower the learning rate")
        back = (p - np.eye(p.shape[1])[labels]) / (self.temperature * labels.size)
        found: dict[str, Values] = {}
        for name, below in zip(reversed(self.layers), reversed(counts[:-1]), strict=True):
            found[name] = self.gain[name] * below.T @ back
            back = np.where(below > 0, 1.0, self.silent) * (self.gain[name] * back @ weights[name].T)
        hidden = np.concatenate(counts[1:-1], axis=1) if len(counts) > 2 else counts[-1]
        rates = hidden.mean(1) * 1e3 / np.array([one.duration for one in recordings])
        metrics = {"error": (counts[-1].argmax(1) != labels).astype(float), "rate": rates}
        return Gradients(found, loss, p[:, None, :], metrics)

    def _labels(self, batch: Batch) -> NDArray[np.int64]:
        labels, most = batch.labels, self.sizes[self.populations[-1]]
        if labels is None or labels.ndim != 1:
            raise BadInput(
                "rate code: it needs one label for each sample; targets over time need another rule, such as eprop"
            )
        if labels.max(initial=0) >= most:
            raise BadInput(f"rate code: label {labels.max()} but there are {most} output neurons, 0..{most - 1}")
        return labels

    def _counts(self, recording: Recording, population: str) -> Values:
        return np.bincount(recording.spikes[population][1], minlength=self.sizes[population]).astype(float)

    def applied(self, changes: Weights) -> None:
        """Nothing follows the weights."""

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """There is nothing to take back."""


def _gain(network: Network, population: str) -> float:
    """Spikes for each unit of weight and spike that comes in, of a neuron without leak."""
    model, values = network.populations[population].model.name, network.populations[population].parameters
    numbers = {name: float(np.mean(network.parameter(population, name))) for name in values}
    if model not in ("IF_curr_exp", "IF_curr_delta"):
        raise BadInput(f"rate code: {population!r} is a {model}; IF_curr_exp and IF_curr_delta can be trained by rates")
    jump = numbers["v_thresh"] - numbers["v_reset"]
    if jump <= 0:
        raise BadInput(f"rate code: {population!r}: v_thresh must lie above v_reset")
    return 1.0 / jump if model == "IF_curr_delta" else numbers["tau_syn_E"] / (numbers["cm"] * jump)
