"""E-prop as a rule on arrays: one hidden layer, recurrent or not, any of the published forms.

    dE/dw_ji = sum_t L_j[t] F_kappa(e_ji)[t],    L_j = sum_k B_jk error_k,    dE/dw_kj = sum_t error_k[t] F_kappa(z_j)[t]

e_ji is the eligibility trace (`reverse`), B the broadcast (`feedback`). It is the gradient of backpropagation through time
but for one path: what a spike does to other neurons through recurrent synapses, and comes back (`gradient_check`).
Firing rates are held near a target by one term more:

    "mean trace"     c (rate_j - target) mean_t e_ji             rates of each sample, in spikes per step
    "running"        c (f_j[t] - target) F_k(e_ji)[t],           f = F_k(z), F_k(x)[t] = k F_k(x)[t-1] + (1 - k) x[t]
    "in the signal"  L_j += c (rate_j - target)                  rates of the whole batch, in Hz

Source: Bellec et al., Nat. Commun. 11:3625 (2020); for the last, Demirag et al., arXiv:2108.01804.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from neurohw.learning import reverse
from neurohw.learning.batch import Batch
from neurohw.learning.cells import Cells
from neurohw.learning.conventions import CONVENTIONS, Convention
from neurohw.learning.forward import Trajectory, forward
from neurohw.learning.losses import Scored, score
from neurohw.learning.surrogate import TRIANGLE, Surrogate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rates:
    """How firing rates are held near `target` (Hz): strength c; decay k, of the running form alone."""

    strength: float = 0.0
    target: float = 10.0
    decay: float = 0.97


FREE_RATES = Rates()


@dataclass(frozen=True, eq=False)
class Rule:
    """Everything in time steps of dt ms. average: losses and gradients are means over the steps that count, not sums."""

    cells: Cells
    form: Convention = CONVENTIONS["2020"]
    surrogate: Surrogate = TRIANGLE
    rates: Rates = FREE_RATES
    average: bool = False
    dt: float = 1.0

    def run(
        self, batch: Batch, w_in: Array, w_rec: Array | None, w_out: Array, **given: Any
    ) -> tuple[Trajectory, Scored]:
        """The forward pass, or what was `given` of it (see `forward`), and its score; published weights (pre, post)."""
        x = np.concatenate(list(batch.spikes.values()), axis=2)
        found = forward(self.cells, self.surrogate, x, w_in, w_rec, w_out, **given)
        return found, score(found.y, batch, self.average)

    def gradients(
        self, found: Trajectory, scored: Scored, batch: Batch, broadcast: Array, n_in: int, recurrent: bool = True
    ) -> tuple[Array, Array | None, Array]:
        """(input, recurrent, readout) gradients (pre, post) of published weights, mean over the samples.

        broadcast: B, (hidden, outputs). The diagonal of the recurrent gradient is 0.
        """
        cells, n_samples = self.cells, len(found.z)
        signal, extra = self._signals(found, scored, batch, broadcast)
        g_in = np.zeros((n_in, cells.size))
        g_rec = np.zeros((cells.size if recurrent else 0, cells.size))
        g_out = np.zeros((cells.size, scored.error.shape[2]))
        reverse.batch(
            found.z, found.psi, found.starts, found.index, signal, extra, scored.error, cells.alpha, cells.rho,
            cells.beta * cells.rho, cells.kappa, self._gain, *cells.delays, self.form.input_trace_ahead, g_in, g_rec, g_out,
        )  # fmt: skip
        np.fill_diagonal(g_rec, 0.0)
        g_in *= cells.gain_in / n_samples
        g_rec *= cells.gain_in / n_samples
        return g_in, g_rec if recurrent else None, g_out * (cells.gain_out / n_samples)

    @property
    def couples_samples(self) -> bool:
        """Whether the gradient of a sample depends on the others of its batch."""
        return self.form.rates == "in the signal" and self.rates.strength > 0

    @property
    def _gain(self) -> float:
        return 1.0 if self.form.trace_gain == "1" else 1.0 - self.cells.kappa

    def _signals(self, found: Trajectory, scored: Scored, batch: Batch, broadcast: Array) -> tuple[Array, Array]:
        """(learning signals L, (samples, steps, hidden); what multiplies unfiltered traces, (samples, 1 or steps, hidden))."""
        signal = scored.error @ np.ascontiguousarray(broadcast.T)
        extra = np.zeros((len(found.z), 1, self.cells.size))
        c, target, k = self.rates.strength, self.rates.target * 1e-3 * self.dt, self.rates.decay
        if not c:
            return signal, extra
        share = (1.0 / batch.counted.sum(axis=1) if self.average else np.ones(len(found.z)))[:, None, None]
        steps = found.z.shape[1]
        if self.form.rates == "in the signal":
            hz = found.z.mean(axis=(0, 1)) * 1e3 / self.dt
            return signal + c * share * (hz - self.rates.target), extra
        if self.form.rates == "mean trace":
            return signal, c * share * (found.z.mean(axis=1, keepdims=True) - target) / steps
        off = lfilter([1 - k], [1, -k], found.z.astype(float), axis=1) - target
        return signal, c * share * lfilter([1 - k], [1, -k], off[:, ::-1], axis=1)[:, ::-1]
