"""How near a learning rule's gradients are to the true ones: backpropagation through time of the same run, and what e-prop leaves out.

The true gradient, with the surrogate psi for dz/dv and no gradient through the reset, by the adjoint of the recursion:

    gz[t] = sum_k W_out[., k] r_k[t] + W_rec gv[t + d_rec] + rho ga[t + 1],    r[t] = kappa r[t + 1] + error[t]
    gv[t] = alpha gv[t + 1] + psi[t] gz[t],    ga[t] = rho ga[t + 1] - beta psi[t] gz[t],    dE/dw_ji = sum_t gv_j[t] s_i[t]

Without the term of W_rec (`detached`: spikes that reach other neurons carry no gradient) it is e-prop with symmetric
feedback, to rounding. And it factorizes, to rounding (Bellec et al. 2020, eq. 1): dE/dw_ji = sum_t (dE/dz_j[t]) e_ji[t], where z
is the spike that is sent; the one that raises its own threshold is a node of its own, and its path is in e.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurohw.learning import reverse
from neurohw.learning.batch import Batch
from neurohw.learning.cells import Cells
from neurohw.learning.conventions import CONVENTIONS
from neurohw.learning.eprop import EProp
from neurohw.learning.learner import Weights
from neurohw.learning.rule import Rule

Array = NDArray[np.float64]
Three = tuple[Array, Array | None, Array]


@dataclass(frozen=True)
class Likeness:
    """Of one gradient to the true one: cosine of the angle, ratio of lengths, largest difference over the largest true entry."""

    cosine: float
    ratio: float
    largest: float

    def __str__(self) -> str:
        return f"cosine {self.cosine:.4f}, length {self.ratio:.3f}, largest difference {self.largest:.1e}"


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """`rule`: the rule's gradients beside backpropagation's, by matrix. `detached`, `factorized`: identities, exact to rounding."""

    rule: dict[str, Likeness]
    detached: dict[str, Likeness]
    factorized: dict[str, Likeness]

    def __str__(self) -> str:
        parts = {
            "this rule": self.rule,
            "e-prop, symmetric, beside detached backpropagation": self.detached,
            "factorized backpropagation (eq. 1)": self.factorized,
        }
        return "\n".join(f"{what}: {name}: {one}" for what, found in parts.items() for name, one in found.items())


def check(
    rule: Rule, batch: Batch, w_in: Array, w_rec: Array | None, w_out: Array, broadcast: Array | None = None
) -> GradientCheck:
    """A rule's gradients beside the true ones of the same run; broadcast: B, by default symmetric.

    Rate regularization is part of the rule's, but not of the true gradient: leave it out to compare alone the paths.
    """
    found, scored = rule.run(batch, w_in, w_rec, w_out)
    x = np.concatenate(list(batch.spikes.values()), axis=2).astype(float)
    n_in, recurrent = len(w_in), w_rec is not None
    runs = [Run(rule.cells, x[s], found.z[s] + 0.0, found.psi[s], scored.error[s]) for s in range(batch.n_samples)]
    true, detached = (_mean([run.backpropagated(w_rec, w_out, cut) for run in runs]) for cut in (False, True))
    whole = _mean([run.factorized(w_rec, w_out) for run in runs])
    ours = rule.gradients(found, scored, batch, w_out if broadcast is None else broadcast, n_in, recurrent)
    plain = Rule(rule.cells, CONVENTIONS["online"], rule.surrogate, average=rule.average, dt=rule.dt)
    tied = plain.gradients(found, scored, batch, w_out * rule.cells.gain_out, n_in, recurrent)
    return GradientCheck(_alike(ours, true), _alike(tied, detached), _alike(whole, true))


@dataclass(frozen=True, eq=False)
class Run:
    """One sample: inputs x, spikes z and surrogate derivatives psi (steps, neurons), error dE/dy (steps, outputs).

    Gradients are (pre, post), of published weights. Spikes may be any numbers, such as those of a smooth threshold.
    """

    cells: Cells
    x: Array
    z: Array
    psi: Array
    error: Array

    def backpropagated(self, w_rec: Array | None, w_out: Array, detached: bool = False) -> Three:
        """By the adjoint above. detached: without what passes through recurrent synapses."""
        _, gv = self._adjoint(None if detached or w_rec is None else w_rec * self.cells.gain_in, w_out)
        return self._of_weights(gv, w_rec is not None)

    def factorized(self, w_rec: Array | None, w_out: Array) -> Three:
        """sum_t dE/dz_j[t] e_ji[t], dE/dz from backpropagation, e from the eligibility traces of `reverse`."""
        c = self.cells
        sent, _ = self._adjoint(None if w_rec is None else w_rec * c.gain_in, w_out)
        d, nothing = np.empty_like(self.psi), np.zeros_like(self.psi)
        reverse.reversed_signal(self.psi, nothing, sent, c.alpha, c.rho, c.beta * c.rho, 0.0, 1.0, 0, d)
        return self._of_weights(d, w_rec is not None)

    def _adjoint(self, w_rec: Array | None, w_out: Array) -> tuple[Array, Array]:
        """(dE/dz of the spikes that are sent, gv), each (steps, neurons); w_rec in mV."""
        c, (steps, n) = self.cells, self.z.shape
        _, d_rec, d_out = c.delays
        back = self._readout_adjoint() @ (w_out * c.gain_out).T
        sent, gv, ga = np.zeros((steps, n)), np.zeros((steps + d_rec, n)), np.zeros(n)
        for t in range(steps - 1, -1, -1):
            sent[t] = back[t + d_out] if t + d_out < steps else 0.0
            if w_rec is not None:
                sent[t] += w_rec @ gv[t + d_rec]
            gz = sent[t] + c.rho * ga
            gv[t] = c.alpha * gv[t + 1] + self.psi[t] * gz
            ga = c.rho * ga - c.beta * self.psi[t] * gz
        return sent, gv[:steps]

    def _readout_adjoint(self) -> Array:
        """r[t] = kappa r[t + 1] + error[t]."""
        found = np.empty_like(self.error)
        reverse.reversed_error(self.error, self.cells.kappa, found)
        return found

    def _of_weights(self, gv: Array, recurrent: bool) -> Three:
        c, steps = self.cells, len(self.z)
        d_in, d_rec, d_out = c.delays
        g_in = self.x[: steps - d_in].T @ gv[d_in:] * c.gain_in
        g_rec = self.z[: steps - d_rec].T @ gv[d_rec:] * c.gain_in
        np.fill_diagonal(g_rec, 0.0)
        g_out = self.z[: steps - d_out].T @ self._readout_adjoint()[d_out:] * c.gain_out
        return g_in, g_rec if recurrent else None, g_out


def check_learner(learner: EProp, batch: Batch, weights: Weights) -> GradientCheck:
    """The same for a learner of a network, with its own feedback."""
    stacked, w_in, w_rec, w_out = learner.stacked(batch, weights)
    return check(learner.rule, stacked, w_in, w_rec, w_out, learner.feedback.of(w_out))


def _mean(parts: list[Three]) -> Three:
    g_in, g_rec, g_out = zip(*parts, strict=True)
    return sum(g_in) / len(parts), None if g_rec[0] is None else sum(g_rec) / len(parts), sum(g_out) / len(parts)


def _alike(ours: Three, true: Three) -> dict[str, Likeness]:
    names = ("input", "recurrent", "readout")
    return {n: likeness(a, b) for n, a, b in zip(names, ours, true, strict=True) if a is not None and b is not None}


def likeness(ours: Array, true: Array) -> Likeness:
    """How alike two gradients are; 0 and 0 are alike."""
    lengths, largest = (float(np.linalg.norm(ours)), float(np.linalg.norm(true))), float(np.abs(true).max())
    if not all(lengths):
        same = lengths[0] == lengths[1]
        return Likeness(float(same), float(same), 0.0 if same else np.inf)
    cosine = float((ours * true).sum() / (lengths[0] * lengths[1]))
    return Likeness(cosine, lengths[0] / lengths[1], float(np.abs(ours - true).max()) / largest)
