"""The forward pass of the network in `cells`: free, or with spikes (and membranes) that were observed on a chip."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.learning.cells import Cells
from neurohw.learning.surrogate import Surrogate, derivative

Array = NDArray[np.float64]
FREE, SPIKES_GIVEN, ALL_GIVEN = range(3)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """z: uint8 spikes; v: membranes when the threshold is tested; psi: surrogate derivatives; all (samples, steps, hidden).

    y: (samples, steps, outputs). a: adaptations as of the test. starts, index: input spikes, see `events`.
    """

    z: NDArray[np.uint8]
    v: Array
    psi: Array
    a: Array
    y: Array
    starts: NDArray[np.int64]
    index: NDArray[np.int64]


def forward(
    cells: Cells,
    surrogate: Surrogate,
    x: NDArray,
    w_in: Array,
    w_rec: Array | None,
    w_out: Array,
    z: NDArray | None = None,
    v: Array | None = None,
    y: Array | None = None,
) -> Trajectory:
    """Run all samples from rest, or follow given spikes z, with membranes v and readouts y where these are known too.

    x: (samples, steps, inputs), true or false. Weights: (pre, post), published units (see `Cells.gain_in`).
    Following spikes, the membranes are those that the weights and the given spikes make, reset where those spikes are.
    """
    n_samples, steps, _ = x.shape
    starts, index = events(np.ascontiguousarray(x).view(np.uint8) if x.dtype == bool else x.astype(np.uint8))
    shape = (n_samples, steps, cells.size)
    mode = FREE if z is None else SPIKES_GIVEN if v is None else ALL_GIVEN
    z = np.zeros(shape, np.uint8) if z is None else np.ascontiguousarray(z, np.uint8)
    v = np.zeros(shape) if v is None else np.ascontiguousarray(v, float)
    psi, a = np.zeros(shape), np.zeros(shape if cells.beta.any() else (n_samples, 0, cells.size))
    height, width = surrogate.scaled(cells.threshold)
    recurrent = np.zeros((0, cells.size)) if w_rec is None else np.ascontiguousarray(w_rec * cells.gain_in)
    _forward(
        starts, index, np.ascontiguousarray(w_in * cells.gain_in), recurrent, cells.alpha, cells.rho, cells.beta,
        cells.threshold, cells.drop, cells.reset_to, cells.blocked, cells.bias, cells.strict, *cells.delays[:2],
        surrogate.code, height, width, mode, z, v, a, psi,
    )  # fmt: skip
    if y is None:
        y = np.zeros((n_samples, steps, w_out.shape[1]))
        _readout(z, np.ascontiguousarray(w_out * cells.gain_out), cells.kappa, cells.delays[2], y)
    return Trajectory(z, v, psi, a, y, starts, index)


@njit(cache=True)
def events(x):
    """(starts, index): index[starts[s, t]:starts[s, t + 1]] are the inputs that spike in step t of sample s."""
    n_samples, steps, n = x.shape
    starts, total = np.zeros((n_samples, steps + 1), np.int64), 0
    for s in range(n_samples):
        for t in range(steps):
            starts[s, t] = total
            for i in range(n):
                total += x[s, t, i] != 0
        starts[s, steps] = total
    index, k = np.empty(total, np.int64), 0
    for s in range(n_samples):
        for t in range(steps):
            for i in range(n):
                if x[s, t, i] != 0:
                    index[k] = i
                    k += 1
    return starts, index


@njit(cache=True)
def _forward(
    starts, index, w_in, w_rec, alpha, rho, beta, threshold, drop, reset_to, blocked, bias, strict, d_in, d_rec,
    shape, height, width, mode, z, v, a, psi,
):  # fmt: skip
    n_samples, steps, n = z.shape
    holds, keeps_a, recurrent = np.isnan(drop).any(), a.shape[1] > 0, w_rec.shape[0] > 0
    for s in range(n_samples):
        vm, am, left, into = np.zeros(n), np.zeros(n), np.zeros(n, np.int64), np.empty(n)
        for t in range(steps):
            into[:] = bias
            if t >= d_in:
                for k in range(starts[s, t - d_in], starts[s, t - d_in + 1]):
                    row = w_in[index[k]]
                    for j in range(n):
                        into[j] += row[j]
            if recurrent and t >= d_rec:
                before = z[s, t - d_rec]
                for i in range(n):
                    if before[i]:
                        row = w_rec[i]
                        for j in range(n):
                            into[j] += row[j]
            for j in range(n):
                rests = holds and left[j] > 0
                new = vm[j] if rests else alpha[j] * vm[j] + into[j]
                if mode == ALL_GIVEN:
                    new = v[s, t, j]
                adapted = am[j] * rho[j]
                level = threshold[j] + beta[j] * adapted
                refractory = left[j] > (1 if holds else 0)
                psi[s, t, j] = 0.0 if refractory else height[j] * derivative(shape, abs(new - level) / width[j])
                if mode == FREE:
                    above = new > level if strict else new >= level
                    z[s, t, j] = above and left[j] <= 0
                v[s, t, j] = new
                if keeps_a:
                    a[s, t, j] = adapted
                if z[s, t, j]:
                    vm[j] = reset_to[j] if holds else new - drop[j]
                    am[j] = adapted + 1.0
                    left[j] = blocked[j]
                else:
                    vm[j] = new
                    am[j] = adapted
                    left[j] = max(left[j] - 1, 0)


@njit(cache=True)
def _readout(z, w_out, kappa, delay, y):
    n_samples, steps, n = z.shape
    for s in range(n_samples):
        for t in range(steps):
            for k in range(y.shape[2]):
                y[s, t, k] = kappa * y[s, t - 1, k] if t > 0 else 0.0
            if t >= delay:
                for j in range(n):
                    if z[s, t - delay, j]:
                        for k in range(y.shape[2]):
                            y[s, t, k] += w_out[j, k]
