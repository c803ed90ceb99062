"""A recorded run of e-prop, computed again from its initial weights, inputs and targets."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurohw.learning import online
from neurohw.learning.batch import Batch
from neurohw.learning.cells import published
from neurohw.learning.conventions import CONVENTIONS
from neurohw.learning.forward import Trajectory
from neurohw.learning.optimizers import Adam, GradientDescent
from neurohw.learning.rule import Rates, Rule
from neurohw.learning.surrogate import Surrogate
from neurohw.study.eprop_cases import Arrays, BatchConfig, OnlineConfig

Array = NDArray[np.float64]
NEST_CLOCK = 3
"""NEST's Adam counts its steps from the beginning of the simulation, which the network's first step lies behind."""


@dataclass(frozen=True, eq=False)
class Iteration:
    """One batch: what the network did, its loss as the files have it, the weights after it, [post, pre]."""

    found: Trajectory
    readout: Array
    loss: float
    weights: dict[str, Array]


def rule_of(c: BatchConfig) -> Rule:
    """The rule of a case of the first family."""
    beta = np.concatenate([np.zeros(c.n_reg), np.full(c.n_ad, c.beta_a)])
    cells = published(
        "2020", c.n_rec, tau_m=c.tau_m, tau_out=c.tau_out, v_th=c.v_th, t_ref=c.t_ref, tau_a=c.tau_a, beta=beta,
        regular=(c.regular_rec, c.regular_out),
    )  # fmt: skip
    surrogate = Surrogate(c.surrogate, c.height, c.width)
    return Rule(cells, CONVENTIONS["2020"], surrogate, Rates(c.c_reg, c.f_target), c.average_gradient)


def batches(c: BatchConfig, arrays: Arrays) -> Iterator[Iteration]:
    """The iterations of a case of the first family."""
    rule, names = rule_of(c), ("W_in", "W_rec", "W_out")
    weights = {name: arrays[f"{name}0"].astype(float).T for name in names}
    broadcast = weights["W_out"].copy() if c.feedback == "symmetric" else arrays["B"].astype(float)
    optimizer = Adam(c.eta, epsilon=c.eps) if c.optimizer == "adam" else GradientDescent(c.eta)
    for k in range(c.n_iter):
        batch = _batch(c, arrays, slice(k * c.batch, (k + 1) * c.batch))
        found, scored = rule.run(batch, *weights.values())
        g_in, g_rec, g_out = rule.gradients(found, scored, batch, broadcast, c.n_in)
        assert g_rec is not None
        changes = optimizer.changes(dict(zip(names, (g_in, g_rec, g_out), strict=True)))
        weights = {name: weights[name] + changes[name] for name in names}
        classes = c.task == "classification"
        readout = np.where(batch.counted[:, :, None], scored.outputs, 0.0) if classes else scored.outputs
        loss = scored.loss * (c.learning_window if c.average_gradient else 1)
        loss /= c.learning_window if classes else c.n_out
        yield Iteration(found, readout, loss, {name: w.T for name, w in weights.items()})


def _batch(c: BatchConfig, arrays: Arrays, which: slice) -> Batch:
    x = arrays["X"][which]
    mask = np.zeros(x.shape[:2], bool)
    mask[:, c.T - c.learning_window :] = True
    if c.task == "classification":
        return Batch({"in": x}, labels=arrays["Y"][which].argmax(axis=1), mask=mask)
    return Batch({"in": x}, np.repeat(arrays["Y"][None].astype(float), len(x), 0), mask=mask)


def continuous(c: OnlineConfig, arrays: Arrays) -> online.Online:
    """A case of the second family; v after the reset, and the readout one step late, as they were recorded."""
    sets, adapts = "psc_delta" in c.model, c.model.endswith("adapt")
    cells = published(
        "online", c.n_rec, tau_m=c.tau_m, tau_out=c.tau_out, v_th=c.v_th, t_ref=c.t_ref,
        tau_a=c.tau_a, beta=c.beta_a if adapts else 0.0, v_reset=c.v_reset if sets else None,
    )  # fmt: skip
    surrogate = Surrogate(c.surrogate, c.height, c.width)
    rule = Rule(cells, CONVENTIONS["online"], surrogate, Rates(c.c_reg, c.f_target, c.kappa_reg))
    y = arrays["Y"].astype(float)
    batch = Batch({"in": arrays["X"]}, np.concatenate([y[1:], y[-1:]])[None])
    w_in, w_rec, w_out = (arrays[f"{name}0"].astype(float).T for name in ("W_in", "W_rec", "W_out"))
    change = online.WhileRunning(
        c.eta, c.optimizer == "adam", c.each_step, limits=(-100.0, 100.0), cutoff=int(c.cutoff), clock=NEST_CLOCK
    )
    found = online.run(rule, batch, w_in, w_rec, w_out, arrays["B"].astype(float), change, c.kappa)
    after = np.where(found.z > 0, cells.reset_to if sets else found.v - cells.drop, found.v)
    late = np.concatenate([np.zeros((1, 1, c.n_out)), found.y[:, :-1]], axis=1)
    return replace(found, v=after, y=late)
