"""E-prop while the network runs, in O(synapses) memory, whatever the length: one set of traces per synapse, no history.

    zbar_i = alpha zbar_i + s_i,   e_ji = psi_j (zbar_i - beta_j eps_ji),   eps_ji = rho_j eps_ji + e_ji
    ebar_ji = kappa ebar_ji + g e_ji,   r_ji = k r_ji + (1 - k) e_ji
    increment_ji = L_j ebar_ji + c (f_j - target) r_ji;   of the readout: error_k zbar_j

Either the increments are summed up, which gives the gradients of `reverse` to rounding, or the weights change as the
network runs, in the way of NEST's online models: a synapse takes a new weight when a presynaptic spike comes to it at
step t, made of all increments up to step t - 2; the optimizer is applied for each step, or once for each such spike.
`cutoff`: steps after its last presynaptic spike in which a synapse has increments; its traces decay on.

Source: Bellec et al., Nat. Commun. 11:3625 (2020); NEST 3.10, documentation of eprop_iaf and eprop_synapse.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import Unsupported
from neurohw.learning import online_kernel
from neurohw.learning.batch import Batch
from neurohw.learning.online_kernel import ADAM, DESCENT, LAG, NONE
from neurohw.learning.rule import Rule

Array = NDArray[np.float64]


@dataclass(frozen=True)
class WhileRunning:
    """How weights change as the network runs: by gradient descent, or Adam, for each step, or once for each presynaptic spike.

    limits: least and largest weight (mV). cutoff: see above. clock: steps that Adam has counted before the first, plus one.
    """

    rate: float
    adam: bool = False
    each_step: bool = True
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    limits: tuple[float, float] = (-np.inf, np.inf)
    cutoff: int = 1 << 40
    clock: int = 1


@dataclass(frozen=True, eq=False)
class Online:
    """z, v (when the threshold is tested), psi: (samples, steps, hidden); y: (samples, steps, outputs); or without steps, if not kept.

    gradients: (input, recurrent, readout), summed over samples. weights: those at the end. loss: of each sample.
    """

    z: NDArray[np.uint8]
    v: Array
    psi: Array
    y: Array
    gradients: tuple[Array, Array, Array]
    weights: tuple[Array, Array, Array]
    loss: Array


def run(
    rule: Rule,
    batch: Batch,
    w_in: Array,
    w_rec: Array | None,
    w_out: Array,
    broadcast: Array,
    change: WhileRunning | None = None,
    trace_decay: float | None = None,
    keep: bool = True,
) -> Online:
    """Run the samples of a batch one after the other, each from rest (weights that change go on).

    trace_decay: kappa of the traces, by default that of the readout. Weights in published units, (pre, post).
    keep: whether spikes, membranes and readouts of all steps are kept; without, memory does not grow with their number.
    Raises Unsupported for what needs the whole sample first: another rate regularization than "running".
    """
    cells, rates = rule.cells, rule.rates
    if rates.strength and rule.form.rates != "running":
        raise Unsupported(f"online e-prop: rates by {rule.form.rates!r} are known only at the end; take 'running'")
    if np.ptp(cells.alpha) > 0 or cells.delays[2] > LAG or rule.form.input_trace_ahead:
        raise Unsupported("online e-prop: one tau_m for all, a readout delay of at most 2 steps, and traces in step")
    x = np.concatenate(list(batch.spikes.values()), axis=2).astype(np.uint8)
    n_samples, steps, n_in = x.shape
    n, n_out = w_out.shape
    recurrent = w_rec if w_rec is not None else np.zeros((0, n))
    w = np.ascontiguousarray(np.concatenate([w_in, recurrent]) * cells.gain_in)
    out = np.ascontiguousarray(w_out * cells.gain_out)
    height, width = rule.surrogate.scaled(cells.threshold)
    records = (n_samples, steps) if keep else (1, LAG + max(cells.delays) + 1)
    z, v, psi = np.zeros((*records, n), np.uint8), np.zeros((*records, n)), np.zeros((*records, n))
    y, g, g_out, loss = np.zeros((*records, n_out)), np.zeros_like(w), np.zeros_like(out), np.zeros(n_samples)
    target, classes = _targets(batch, n_out)
    how = change or WhileRunning(0.0)
    kind = NONE if change is None else ADAM if change.adam else DESCENT
    kappa = cells.kappa if trace_decay is None else trace_decay
    gain = 1.0 if rule.form.trace_gain == "1" else 1.0 - kappa
    share = 1.0 / batch.counted.sum(axis=1) if rule.average else np.ones(n_samples)
    online_kernel.run(
        x, target, batch.counted * share[:, None], classes, w, out, broadcast, cells.alpha[0], cells.rho, cells.beta,
        cells.threshold, cells.drop, cells.reset_to, cells.blocked, cells.bias, cells.strict, cells.kappa, kappa, gain,
        *cells.delays, rule.surrogate.code, height, width, rates.strength * share, rates.target * 1e-3 * rule.dt,
        rates.decay, kind, how.rate, how.each_step, how.beta_1, how.beta_2, how.epsilon, *how.limits, how.cutoff, how.clock,
        z, v, psi, y, g, g_out, loss,
    )  # fmt: skip
    np.fill_diagonal(g[n_in:], 0.0)
    gradients = g[:n_in] * cells.gain_in, g[n_in:] * cells.gain_in, g_out * cells.gain_out
    weights = w[:n_in] / cells.gain_in, w[n_in:] / cells.gain_in, out / cells.gain_out
    z, v, psi, y = (part if keep else part[:, :0] for part in (z, v, psi, y))
    return Online(z, v, psi, y, gradients, weights, loss)


def _targets(batch: Batch, n_out: int) -> tuple[Array, bool]:
    if batch.targets is not None:
        return np.ascontiguousarray(batch.targets, float), False
    assert batch.labels is not None
    labels = np.broadcast_to(batch.labels.reshape(batch.n_samples, -1), (batch.n_samples, batch.n_steps))
    return (labels[:, :, None] == np.arange(n_out)).astype(float), True
