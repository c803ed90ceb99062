"""Learning with the chip in the loop: run, compare, change the weights, and again. The chip is known by its public face alone.

One update: every sample of a batch is run; the learner makes gradients of the recordings; the optimizer makes wanted changes
of them; the scheme makes writes or pulses of these; and the chip is given time, or a refresh.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.errors import BadInput, OutOfRange
from neurohw.learning.batch import Batch
from neurohw.learning.checkpoint import Checkpoint, load_checkpoint
from neurohw.learning.layout import Layout
from neurohw.learning.learner import Gradients, Learner, Weights
from neurohw.learning.plan import Plan
from neurohw.learning.port import Port
from neurohw.learning.schemes import Scheme, Written
from neurohw.program import Chip, Ledger
from neurohw.report import Loss, Report

Course = Callable[[int], Sequence[Batch]]
"""epoch -> its batches: one update each."""
Progress = Callable[[str, float], None]
Change = dict[str, NDArray[np.float64]]


class Optimizer(Protocol):
    """Gradients to wanted changes of weights; see `neurohw.learning.optimizers`."""

    def changes(self, gradients: Weights) -> Change: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of a training.

    history: name -> one number per update: loss, every metric of the learner, pulses (asked for), carried (mean |carried|
    in steps), energy (fJ) and so on. epochs: the epoch of each update. weights: as the host believes them. stopped: why.
    """

    history: Mapping[str, NDArray[np.float64]]
    epochs: NDArray[np.int64]
    weights: Weights
    ledger: Ledger
    stopped: str
    report: Report = Report()

    def per_epoch(self, name: str) -> NDArray[np.float64]:
        """The mean over the updates of each epoch."""
        return np.bincount(self.epochs, self.history[name]) / np.bincount(self.epochs)

    def last(self, name: str, epochs: int = 10) -> float:
        """The mean over the last epochs."""
        return float(self.per_epoch(name)[-epochs:].mean())


@dataclass
class Trainer:
    """A training under way. weights: those on the chip after loading, projection -> (pre, post); they name what is trained.

    dt: the time step of the chip's program (ms). identity: hash of everything else that determines the training, kept in its checkpoints. seed: of the schemes' draws
    and, from trial seed * 2^32 on, of what the chip draws in its runs.
    """

    chip: Chip
    learner: Learner
    course: Course
    scheme: Scheme
    optimizer: Optimizer
    plan: Plan
    weights: Change
    layout: Layout | None = None
    dt: float = 1.0
    identity: str = ""
    seed: int = 0
    epoch: int = 0
    updates: int = 0
    runs: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layout = self.layout or Layout({name: (name,) for name in self.weights})
        if missing := [name for name in self.weights if name not in layout.parts]:
            raise BadInput(f"layout: nothing is said of {missing[0]!r}; there are {', '.join(layout.parts)}")
        self.weights = {name: np.array(w, float) for name, w in self.weights.items()}
        self.ports = {name: self._port(name, layout) for name in self.weights}
        self.schemes = {name: self.scheme.start(port) for name, port in self.ports.items()}

    def _port(self, name: str, layout: Layout) -> Port:
        size, twin = self.weights[name].size, layout.aside.get(name)
        aside = Port(self.chip, twin, (twin,), size) if twin else None
        return Port(self.chip, name, layout.parts[name], size, name in layout.pairs, aside, layout.scale.get(name, 1.0))

    def begin(self, initial: Weights) -> None:
        """Bring initial weights onto a chip that holds others, by the scheme itself; they count as update 0."""
        changes = {name: initial[name] - self.weights[name] for name in self.ports}
        self._apply(changes)

    def train(self, progress: Progress | None = None, checkpoint: Path | None = None) -> Trained:
        """Train to the end of the plan, from where the training stands.

        checkpoint: written every `save_every` epochs. Raises OutOfRange where the loss is not finite, naming the last
        checkpoint.
        """
        show, saved, why = progress or (lambda what, share: None), 0, "all epochs done"
        while self.epoch < self.plan.epochs:
            try:
                for batch in self.course(self.epoch):
                    self._update(batch)
            except OutOfRange as error:
                raise OutOfRange(self._after_a_fault(error, checkpoint, saved)) from None
            self.epoch += 1
            why = self._reason_to_stop()
            if checkpoint and (why or self.epoch % self.plan.save_every == 0 or self.epoch == self.plan.epochs):
                self.save(checkpoint)
                saved = self.epoch
            show(self._status(), self.epoch / self.plan.epochs)
            if why:
                break
        return self.result(why or "all epochs done")

    def look(self, batch: Batch) -> Gradients:
        """Run a batch and have its gradients made, without learning from it."""
        recordings, duration = [], self.learner.duration(batch)
        for k in range(batch.n_samples):
            trial = (self.seed << 32) + self.runs
            recordings.append(self.chip.run(duration, trial=trial, stimulus=batch.stimulus(k, self.dt)))
            self.runs += 1
        return self.learner.gradients(recordings, batch, self.weights)

    def _update(self, batch: Batch) -> None:
        found = self.look(batch)
        changes = self.optimizer.changes(self._clipped(found.weights))
        for name, share in self.learner.decay.items():
            changes[name] = changes[name] - share * self.weights[name]
        written = self._apply(changes)
        self.learner.applied({name: w.applied.reshape(self.weights[name].shape) for name, w in written.items()})
        self._look_after()
        self._note(found, written)

    def _clipped(self, gradients: Weights) -> Weights:
        limit = self.plan.clip
        return gradients if limit is None else {name: np.clip(g, -limit, limit) for name, g in gradients.items()}

    def _apply(self, changes: Weights) -> dict[str, Written]:
        """Give the wanted changes to the scheme, projection by projection, and believe what it says."""
        written = {}
        for name, port in self.ports.items():
            wanted = np.ascontiguousarray(changes[name], float).ravel()
            if wanted.size != port.size:
                raise BadInput(f"{name!r}: {wanted.size} changes for {port.size} weights")
            if not np.isfinite(wanted).all():
                raise OutOfRange(f"the wanted change of {name!r} holds NaN or infinity; lower the learning rate")
            stream = rng.key(self.seed, f"scheme/{name}/{self.updates}")
            written[name] = self.scheme.apply(port, self.schemes[name], wanted, stream)
            self.weights[name] = self.weights[name] + written[name].applied.reshape(self.weights[name].shape)
        self.updates += 1
        return written

    def _look_after(self) -> None:
        """What the plan has between two updates: time, a refresh, a look at the weights."""
        plan = self.plan
        if plan.refresh_every and self.updates % plan.refresh_every == 0:
            for port in self.ports.values():
                port.refresh(plan.refresh_policy)
        if plan.pause:
            self.chip.wait(plan.pause)
        if plan.read_every and self.updates % plan.read_every == 0:
            self.weights = {name: port.read().reshape(self.weights[name].shape) for name, port in self.ports.items()}

    def _note(self, found: Gradients, written: Mapping[str, Written]) -> None:
        given = sum(float(np.abs(w.applied + w.lost).sum()) for w in written.values())
        lost = sum(float(np.abs(w.lost).sum()) for w in written.values())
        ledger, size = self.chip.ledger, sum(port.size for port in self.ports.values())
        row = {
            "epoch": self.epoch, "loss": found.loss, **{name: float(np.mean(m)) for name, m in found.metrics.items()},
            "pulses_asked": sum(w.pulses for w in written.values()),
            "carried": sum(w.quanta_carried * self.ports[name].size for name, w in written.items()) / size,
            "lost": lost, "given": given, "pulses": ledger.pulses, "resets": ledger.resets, "energy": ledger.energy,
        }  # fmt: skip
        for name, value in row.items():
            self.history.setdefault(name, []).append(float(value))

    def _of_epoch(self, name: str, back: int = 1) -> float:
        """The mean over the updates of one of the last epochs; NaN where there is none."""
        which = np.array(self.history.get("epoch", [])) == self.epoch - back
        return float(np.mean(np.array(self.history[name])[which])) if which.any() else float("nan")

    def _status(self) -> str:
        rate = f", {self._of_epoch('rate'):.3g} Hz" if "rate" in self.history else ""
        pulses = f", {self.history['pulses'][-1]:.0f} pulses" if self.history["pulses"][-1] else ""
        return f"epoch {self.epoch} of {self.plan.epochs}: loss {self._of_epoch('loss'):.4g}{rate}{pulses}"

    def _reason_to_stop(self) -> str:
        plan, loss = self.plan, self._of_epoch("loss")
        if plan.stop_below is not None and loss < plan.stop_below:
            return f"the loss of epoch {self.epoch}, {loss:.4g}, is below {plan.stop_below:g}"
        if plan.patience is not None and self.epoch > plan.patience:
            losses = np.bincount(np.array(self.history["epoch"], int), self.history["loss"])
            counts = np.bincount(np.array(self.history["epoch"], int))
            means = losses / counts
            if means[-plan.patience :].min() >= means[: -plan.patience].min():
                return f"no better loss for {plan.patience} epochs"
        return ""

    def _after_a_fault(self, error: OutOfRange, checkpoint: Path | None, saved: int) -> str:
        kept = (
            f"the last good state, of epoch {saved}, is in {checkpoint}" if checkpoint and saved else "none was saved"
        )
        return f"epoch {self.epoch + 1}, update {self.updates + 1}: {error}; training stopped, {kept}"

    def result(self, stopped: str) -> Trained:
        """The training as it stands."""
        history = {name: np.array(values) for name, values in self.history.items()}
        epochs = history.pop("epoch", np.empty(0)).astype(np.int64)
        lost, given = (float(history[name].sum()) if name in history else 0.0 for name in ("lost", "given"))
        why = f"the scheme {self.scheme.name} keeps nothing of what it does not apply"
        loss = Loss("gradient lost", lost, given, "all trained projections", why, "use the scheme mixed_precision")
        report = Report().add(loss, f"stopped after {self.epoch} epochs: {stopped}")
        return Trained(history, epochs, dict(self.weights), replace(self.chip.ledger), stopped, report)

    def save(self, path: Path) -> None:
        """Write a checkpoint, all or nothing."""
        parts = {
            "learner": self.learner.state(), "optimizer": self.optimizer.state(), "schemes": self.schemes,
            "ports": {name: port.state() for name, port in self.ports.items()}, "weights": dict(self.weights),
            "counts": {"updates": self.updates, "runs": self.runs},
        }  # fmt: skip
        history = {name: np.array(values) for name, values in self.history.items()}
        Checkpoint(self.identity, self.epoch, self.chip.snapshot(), parts, history).save(path)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint: everything from here on is what it would have been, bit for bit.

        Raises BadInput where the checkpoint is of another training.
        """
        found = load_checkpoint(path, self.identity)
        self.chip.restore(found.chip)
        parts, self.epoch = found.parts, found.epoch
        self.learner.restore(parts["learner"])
        self.optimizer.restore(parts["optimizer"])
        self.schemes, self.weights = parts["schemes"], parts["weights"]
        for name, port in self.ports.items():
            port.restore(parts["ports"][name])
        self.updates, self.runs = parts["counts"]["updates"], parts["counts"]["runs"]
        self.history = {name: list(values) for name, values in found.history.items()}
