"""E-prop as a `Learner`: what a chip recorded in, gradients out.

The spikes are those that the chip fired. The surrogate derivatives need membranes: by default those of a twin in
software, which follows the observed spikes with the weights that the host believes in, so that a wrong membrane never
makes a spike; or the recorded ones. The readout is the recorded one, or the twin's.
On an ideal chip both are the same, and `simulate` gives what the chip would.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.errors import BadInput
from neurohw.learning.batch import Batch
from neurohw.learning.cells import cells_of, roles
from neurohw.learning.conventions import Convention, convention
from neurohw.learning.feedback import Feedback
from neurohw.learning.learner import Gradients, Weights
from neurohw.learning.observed import check_recordings, membranes_of, readout_of, spikes_of
from neurohw.learning.rule import FREE_RATES, Rates, Rule
from neurohw.learning.surrogate import TRIANGLE, Surrogate
from neurohw.network import Network
from neurohw.recording import Recording

Array = NDArray[np.float64]
From = Literal["recording", "twin"]
TOGETHER = 8
"""Samples that are worked out at once; the traces of more do not stay in the caches, which takes three times as long."""


class EProp:
    """E-prop for a network of inputs, one hidden population (ALIF or IF_curr_delta) and an LI readout.

    form: whose traces and rate regularization (`conventions`); with "online" the gradients are those of the loss as it is.
    feedback: "symmetric", "random" or "adaptive" (weights drawn from the network's seed, N(0, 1/hidden)), or a Feedback.
    least_delay: steps that an input takes at least: 1 on hardware, 0 on ideal chips and the reference.
    Raises Unsupported, with every reason, for networks of another kind.
    """

    def __init__(
        self,
        network: Network,
        dt: float = 1.0,
        form: Convention | str = "online",
        surrogate: Surrogate = TRIANGLE,
        feedback: Feedback | str = "symmetric",
        rates: Rates = FREE_RATES,
        average: bool = False,
        membranes: From = "twin",
        readout: From = "recording",
        least_delay: int = 1,
    ):
        for name, value in (("membranes", membranes), ("readout", readout)):
            if value not in ("recording", "twin"):
                raise BadInput(f"e-prop: {name} come from 'recording' or 'twin', got {value!r}")
        self.network, self.roles = network, roles(network)
        form = convention(form) if isinstance(form, str) else form
        self.rule = Rule(cells_of(network, self.roles, dt, least_delay), form, surrogate, rates, average, dt)
        self.membranes, self.readout = membranes, readout
        self.feedback = feedback if isinstance(feedback, Feedback) else self._drawn(feedback)
        self.rest = {name: network.parameter(name, "v_rest") for name in (self.roles.hidden, self.roles.readout)}

    def _drawn(self, kind: str) -> Feedback:
        if kind == "symmetric":
            return Feedback(kind)
        shape = self.roles.shape(self.roles.out)
        stream = rng.key(self.network.seed, f"{self.roles.readout}/feedback")
        return Feedback(kind, rng.normal(stream, shape) / np.sqrt(shape[0]))

    @property
    def record(self) -> dict[str, list[str]]:
        wanted = {self.roles.readout: self.readout, self.roles.hidden: self.membranes}
        return {name: ["v"] for name, where in wanted.items() if where == "recording"}

    @property
    def decay(self) -> dict[str, float]:
        return {self.roles.out: self.feedback.decay} if self.feedback.decay else {}

    def duration(self, batch: Batch) -> float:
        return batch.n_steps * self.rule.dt

    def gradients(self, recordings: Sequence[Recording], batch: Batch, weights: Weights) -> Gradients:
        dt, steps = self.rule.dt, batch.n_steps
        check_recordings(recordings, batch.n_samples, steps, dt)
        z = spikes_of(recordings, self.roles.hidden, steps, dt)
        given: dict[str, NDArray] = {"z": z}
        if self.membranes == "recording":
            hidden = self.roles.hidden
            given["v"] = membranes_of(recordings, hidden, z, self.rest[hidden], self.rule.cells)
        if self.readout == "recording":
            given["y"] = readout_of(recordings, self.roles.readout, steps, self.rest[self.roles.readout])
        return self._gradients(batch, weights, given)

    def simulate(self, batch: Batch, weights: Weights) -> Gradients:
        """The gradients of the network in software: what an ideal chip's recordings give."""
        return self._gradients(batch, weights, {})

    def _gradients(self, batch: Batch, weights: Weights, given: Mapping[str, NDArray]) -> Gradients:
        together = batch.n_samples if self.rule.couples_samples else TOGETHER
        parts = [slice(k, k + together) for k in range(0, batch.n_samples, together)]
        found = [self._part(batch.samples(p), weights, {n: x[p] for n, x in given.items()}) for p in parts]
        return found[0] if len(found) == 1 else _joined(found)

    def _part(self, batch: Batch, weights: Weights, given: Mapping[str, NDArray]) -> Gradients:
        part = self.roles
        batch, w_in, w_rec, w_out = self.stacked(batch, weights)
        found, scored = self.rule.run(batch, w_in, w_rec, w_out, **given)
        broadcast, recurrent = self.feedback.of(w_out), w_rec is not None
        g_in, g_rec, g_out = self.rule.gradients(found, scored, batch, broadcast, len(w_in), recurrent)
        ends = np.cumsum([part.sizes[name] for name in part.inputs])[:-1]
        gradients = dict(zip(part.inputs.values(), np.split(g_in, ends), strict=True))
        if part.recurrent is not None and g_rec is not None:
            gradients[part.recurrent] = g_rec
        gradients[part.out] = g_out
        rate = found.z.mean(axis=(1, 2)) * 1e3 / self.rule.dt
        return Gradients(gradients, scored.loss, scored.outputs, {**scored.metrics, "rate": rate})

    def stacked(self, batch: Batch, weights: Weights) -> tuple[Batch, Array, Array | None, Array]:
        """(batch, input, recurrent, readout weights) as the rule takes them: inputs in the order of its projections.

        Raises BadInput where batch, weights and network do not fit.
        """
        part, weights = self.roles, {name: np.asarray(w, float) for name, w in weights.items()}
        part.check(weights)
        if missing := [name for name in part.inputs if name not in batch.spikes]:
            raise BadInput(f"batch: no spikes for {missing[0]!r}; there are {', '.join(batch.spikes)}")
        inputs = {name: batch.spikes[name] for name in part.inputs}
        for name, flags in inputs.items():
            if flags.shape[2] != part.sizes[name]:
                raise BadInput(f"batch: {flags.shape[2]} inputs where {name!r} has {part.sizes[name]}")
        w_in = np.concatenate([weights[name] for name in part.inputs.values()])
        w_rec = weights[part.recurrent] if part.recurrent else None
        return Batch(inputs, batch.targets, batch.labels, batch.mask), w_in, w_rec, weights[part.out]

    def applied(self, changes: Weights) -> None:
        self.feedback.applied(np.asarray(changes[self.roles.out], float))

    def state(self) -> dict[str, Any]:
        return self.feedback.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self.feedback.restore(state)


def _joined(parts: Sequence[Gradients]) -> Gradients:
    """The gradients of a batch from those of its parts: means over all samples."""
    sizes = [len(part.outputs) for part in parts]
    shares = np.array(sizes) / sum(sizes)
    mean = {name: sum(s * p.weights[name] for s, p in zip(shares, parts, strict=True)) for name in parts[0].weights}
    metrics = {name: np.concatenate([part.metrics[name] for part in parts]) for name in parts[0].metrics}
    loss = float(sum(s * p.loss for s, p in zip(shares, parts, strict=True)))
    return Gradients(mean, loss, np.concatenate([part.outputs for part in parts]), metrics)
