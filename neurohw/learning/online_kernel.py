"""The compiled loop of online e-prop: network, traces and weights, step by step. The equations stand in `online`.

Rows of weights and traces: the inputs, then the hidden neurons. Traces run LAG steps behind the network: by then every
signal that a step's increments need is there, and a spike finds the increments that it is to apply.

What is recorded lies in arrays with a place for every step, or in rings that hold the last few: step t at t modulo their length.
"""

import numpy as np
from numba import njit

from neurohw.learning.surrogate import derivative

NONE, DESCENT, ADAM = range(3)
LAG = 2


@njit(cache=True)
def run(
    x, target, share, classes, w, w_out, broadcast, alpha, rho, beta, threshold, drop, reset_to, blocked, bias, strict,
    kappa_out, kappa, gain, d_in, d_rec, d_out, shape, height, width, c_reg, f_target, k_reg,
    kind, rate, each_step, beta_1, beta_2, epsilon, low, high, cutoff, clock, z, v, psi, y, g, g_out, loss,
):  # fmt: skip
    """Run all samples; g and g_out take the gradients that are not used up by a change of weights, loss that of each sample.

    z, v, psi, y: (samples or 1, steps or a few, neurons).
    """
    (n_samples, steps), depth = x.shape[:2], z.shape[1]
    n_pre, n, n_out = w.shape[0], w.shape[1], w_out.shape[1]
    holds = np.isnan(drop).any()
    later, later_out = w.copy(), w_out.copy()
    m, s2, m_out, s2_out = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w_out), np.zeros_like(w_out)
    done, done_out = np.zeros(n_pre, np.int64), np.zeros(n, np.int64)
    adam = (rate, beta_1, beta_2, epsilon, low, high)
    for s in range(n_samples):
        vm, am, left, into = np.zeros(n), np.zeros(n), np.zeros(n, np.int64), np.empty(n)
        zbar, zbar_out, age = np.zeros(n_pre), np.zeros(n), np.full(n_pre, cutoff)
        age_out, mean = np.full(n, cutoff), np.zeros(n)
        eps, ebar, er = np.zeros((n_pre, n)), np.zeros((n_pre, n)), np.zeros((n_pre, n))
        signal, error, reg = np.zeros((LAG + 1, n)), np.zeros((LAG + 1, n_out)), np.zeros((LAG + 1, n))
        record = s % z.shape[0]
        zs, vs, psis, ys = z[record], v[record], psi[record], y[record]
        for t in range(steps + LAG):
            past, now, ring = t - LAG, t % depth, t % (LAG + 1)
            signal[ring], error[ring] = 0.0, 0.0
            if past >= 0:
                _traces(
                    past, steps, x[s], zs, d_in, d_rec, alpha, kappa_out, kappa, gain, k_reg, rho, beta, psis[past % depth],
                    signal[(past + d_out) % (LAG + 1)], reg[past % (LAG + 1)], error[(past + d_out) % (LAG + 1)], zbar, zbar_out, age, age_out, cutoff, eps, ebar, er,
                    g, g_out, kind, each_step, adam, clock + s * steps + past, later, later_out, m, s2, m_out, s2_out,
                    done, done_out,
                )  # fmt: skip
            if t >= steps:
                continue
            into[:] = bias
            for i in range(n_pre):
                if _acts(x[s], zs, t, i, d_in, d_rec):
                    _take(i, w, later, g, kind, each_step, adam, clock + s * steps + t - LAG, m, s2, done)
                    row = w[i]
                    for j in range(n):
                        into[j] += row[j]
            for j in range(n):
                rests = holds and left[j] > 0
                new = vm[j] if rests else alpha * vm[j] + into[j]
                adapted = am[j] * rho[j]
                level = threshold[j] + beta[j] * adapted
                refractory = left[j] > (1 if holds else 0)
                psis[now, j] = 0.0 if refractory else height[j] * derivative(shape, abs(new - level) / width[j])
                above = new > level if strict else new >= level
                hit = above and left[j] <= 0
                vs[now, j], zs[now, j] = new, hit
                vm[j] = (reset_to[j] if holds else new - drop[j]) if hit else new
                am[j] = adapted + 1.0 if hit else adapted
                left[j] = blocked[j] if hit else max(left[j] - 1, 0)
                mean[j] = k_reg * mean[j] + (1.0 - k_reg) * hit
                reg[ring, j] = c_reg[s] * (mean[j] - f_target)
            for k in range(n_out):
                ys[now, k] = kappa_out * ys[(t - 1) % depth, k] if t > 0 else 0.0
            if t >= d_out:
                for i in range(n):
                    if zs[(t - d_out) % depth, i]:
                        when = clock + 1 + s * steps + t - LAG
                        _take(i, w_out, later_out, g_out, kind, each_step, adam, when, m_out, s2_out, done_out)
                        for k in range(n_out):
                            ys[now, k] += w_out[i, k]
            loss[s] += _error(ys[now], target[s, t], share[s, t], classes, error[ring])
            for j in range(n):
                for k in range(n_out):
                    signal[ring, j] += broadcast[j, k] * error[ring, k]


@njit(cache=True)
def _error(y, target, share, classes, error):
    """Put share (readout - target) into `error`, the readout being a softmax for classes; returns share times the loss."""
    if share == 0.0:
        return 0.0
    if classes:
        p = np.exp(y - y.max())
        p /= p.sum()
        error[:] = share * (p - target)
        return -share * np.log((p * target).sum())
    error[:] = share * (y - target)
    return 0.5 * share * ((y - target) ** 2).sum()


@njit(cache=True)
def _acts(x, z, t, i, d_in, d_rec):
    """Whether a spike comes at step t to the synapses of row i: of input i, or of hidden neuron i - inputs."""
    steps, n_in = x.shape
    if i < n_in:
        return d_in <= t < steps + d_in and x[t - d_in, i] > 0
    return d_rec <= t < steps + d_rec and z[(t - d_rec) % z.shape[0], i - n_in] > 0


@njit(cache=True)
def _traces(
    t, steps, x, z, d_in, d_rec, alpha, kappa_out, kappa, gain, k_reg, rho, beta, psi, signal, reg, error, zbar, zbar_out,
    age, age_out, cutoff, eps, ebar, er, g, g_out, kind, each_step, adam, count, later, later_out, m, s2, m_out, s2_out,
    done, done_out,
):  # fmt: skip
    """Lead the traces through step t, and add its increments."""
    n_in, n = x.shape[1], z.shape[1]
    for i in range(zbar.size):
        came = _acts(x, z, t, i, d_in, d_rec)
        zbar[i] = alpha * zbar[i] + came
        age[i] = 0 if came else age[i] + 1
        if zbar[i] == 0.0:
            continue
        counts = age[i] < cutoff - 1 or _acts(x, z, t + 1, i, d_in, d_rec)
        zi, ep, eb, r, into = zbar[i], eps[i], ebar[i], er[i], g[i]
        for j in range(n):
            e = psi[j] * (zi - beta[j] * rho[j] * ep[j]) if counts and i - n_in != j else 0.0
            ep[j] = rho[j] * ep[j] + e
            eb[j] = kappa * eb[j] + gain * e
            r[j] = k_reg * r[j] + (1.0 - k_reg) * e
            if counts:
                into[j] += signal[j] * eb[j] + reg[j] * r[j]
        if kind != NONE and each_step and counts:
            _optimize(i, later, g, kind, adam, count, m, s2, done)
    for i in range(n):
        spiked = z[t % z.shape[0], i]
        zbar_out[i] = kappa_out * zbar_out[i] + spiked
        age_out[i] = 0 if spiked else age_out[i] + 1
        counts = age_out[i] < cutoff - 1 or (t + 1 < steps and z[(t + 1) % z.shape[0], i])
        if zbar_out[i] != 0.0 and counts:
            for k in range(g_out.shape[1]):
                g_out[i, k] += error[k] * zbar_out[i]
            if kind != NONE and each_step:
                _optimize(i, later_out, g_out, kind, adam, count + 1, m_out, s2_out, done_out)


@njit(cache=True)
def _take(i, w, later, g, kind, each_step, adam, count, m, s2, done):
    """A spike comes to the synapses of row i: they take their new weights."""
    if kind == NONE:
        return
    if not each_step:
        _optimize(i, later, g, kind, adam, count, m, s2, done)
    w[i] = later[i]


@njit(cache=True)
def _optimize(i, w, g, kind, adam, count, m, s2, done):
    """Lead the optimizer of row i to step `count` of time; its gradients are used up.

    Adam makes one step for each step of time; of those missed since the last, the first takes the gradient. Before the
    first gradient they change nothing.
    """
    rate, beta_1, beta_2, epsilon, low, high = adam
    if kind == DESCENT:
        for j in range(w.shape[1]):
            w[i, j] = min(max(w[i, j] - rate * g[i, j], low), high)
            g[i, j] = 0.0
        return
    done[i] = count - 1 if done[i] == 0 else done[i]
    while done[i] < count:
        done[i] += 1
        correction = np.sqrt(1.0 - beta_2 ** done[i]) / (1.0 - beta_1 ** done[i])
        for j in range(w.shape[1]):
            m[i, j] = beta_1 * m[i, j] + (1.0 - beta_1) * g[i, j]
            s2[i, j] = beta_2 * s2[i, j] + (1.0 - beta_2) * g[i, j] * g[i, j]
            w[i, j] -= rate * correction * m[i, j] / (np.sqrt(s2[i, j]) + epsilon)
            g[i, j] = 0.0
    for j in range(w.shape[1]):
        w[i, j] = min(max(w[i, j], low), high)
