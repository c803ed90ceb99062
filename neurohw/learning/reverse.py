"""E-prop's gradient of a whole batch without a trace per synapse: filters run backwards in time over the signals instead.

With eligibility traces e_ji = psi_j (zbar_i - beta_j eps_ji), eps_ji[t+1] = rho_j eps_ji[t] + e_ji[t] and
zbar_i = F_alpha(s_i), s the spikes that act on j, the gradient is linear in s:

    dE/dw_ji = sum_t L_j[t] F_kappa(e_ji)[t] = sum_t d_j[t] s_i[t]

    l[t] = kappa l[t+1] + g L[t]                          g = 1 or 1 - kappa
    c[t] = alpha c[t+1] + psi[t] (l[t] + m[t+1])          d = c
    m[t] = (rho - beta psi[t]) m[t+1] - beta psi[t] l[t]

which takes O(steps neurons) memory, and for each spike one row to be added. That F_kappa(e), contracted with L, may be
read from its end is the adjoint of a linear filter; `tests/oracles/eprop.py` does it forwards, synapse by synapse.
Source: Bellec et al., Nat. Commun. 11:3625 (2020), eq. 13, 22 to 25, for what is computed.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def reversed_signal(psi, signal, extra, alpha, rho, beta, kappa, gain, lag, d):
    """d[t, j], from one sample's learning signals signal[t, j] and `extra`, what is added to l unfiltered (1 or T rows).

    lag: steps from a spike to the readout. beta: as in e-prop's equations (that of the cells times rho).
    """
    steps, n = psi.shape
    low, m, c = np.zeros(n), np.zeros(n), np.zeros(n)
    for t in range(steps - 1, -1, -1):
        more, p, now = extra[min(t, extra.shape[0] - 1)], psi[t], d[t]
        if t + lag < steps:
            there = signal[t + lag]
            for j in range(n):
                low[j] = kappa * low[j] + gain * there[j]
        for j in range(n):
            total, later = low[j] + more[j], m[j]
            c[j] = alpha[j] * c[j] + p[j] * (total + later)
            m[j] = rho[j] * later - beta[j] * p[j] * (later + total)
            now[j] = c[j]


@njit(cache=True)
def add_inputs(starts, index, d, lag, g):
    """g[i] += d[t] for every input spike i that acts at step t: of one sample, starts (steps + 1)."""
    steps, n = d.shape
    for t in range(steps):
        if 0 <= t - lag < steps:
            row = d[t]
            for k in range(starts[t - lag], starts[t - lag + 1]):
                into = g[index[k]]
                for j in range(n):
                    into[j] += row[j]


@njit(cache=True)
def add_spikes(z, d, lag, g):
    """g[i] += d[t] for every hidden spike i that acts at step t, `lag` steps after its own."""
    steps, n = d.shape
    for t in range(lag, steps):
        row, spiked = d[t], z[t - lag]
        for i in range(spiked.shape[0]):
            if spiked[i]:
                into = g[i]
                for j in range(n):
                    into[j] += row[j]


@njit(cache=True)
def reversed_error(error, kappa, out):
    """out[t] = kappa out[t+1] + error[t], of one sample: what a spike that reaches the readout at t changes."""
    steps, n = error.shape
    for k in range(n):
        last = 0.0
        for t in range(steps - 1, -1, -1):
            last = kappa * last + error[t, k]
            out[t, k] = last


@njit(cache=True)
def batch(
    z, psi, starts, index, signal, extra, error, alpha, rho, beta, kappa, gain, d_in, d_rec, d_out, ahead, g_in, g_rec, g_out
):  # fmt: skip
    """Add the gradients of all samples to g_in, g_rec (may have no rows) and g_out, each (pre, post)."""
    d, backward = np.empty(psi.shape[1:]), np.empty(error.shape[1:])
    for s in range(z.shape[0]):
        reversed_signal(psi[s], signal[s], extra[s], alpha, rho, beta, kappa, gain, d_out, d)
        add_inputs(starts[s], index, d, d_in - ahead, g_in)
        if g_rec.shape[0]:
            add_spikes(z[s], d, d_rec, g_rec)
        reversed_error(error[s], kappa, backward)
        add_spikes(z[s], backward, d_out, g_out)
