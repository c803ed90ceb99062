"""E-prop from its equations, forwards in time and synapse by synapse: NumPy, one sample, nothing shared with the package.

LIF and ALIF with a reset by subtraction, in the order of a step on a chip; all weights (post, pre).
"""

import numpy as np

SHAPES = {
    "piecewise_linear": lambda u: np.maximum(0.0, 1.0 - u),
    "exponential": lambda u: np.exp(-u),
    "fast_sigmoid_derivative": lambda u: (1.0 + u) ** -2.0,
    "arctan_derivative": lambda u: 1.0 / (1.0 + u * u),
}


def simulate(p, x, w_in, w_rec, w_out, z=None):
    """dict of z, v, psi, y over the steps. p: dict of constants, see the tests. z: spikes to follow."""
    steps, n = len(x), len(w_in)
    out = {
        "z": np.zeros((steps, n)),
        "v": np.zeros((steps, n)),
        "psi": np.zeros((steps, n)),
        "y": np.zeros((steps, len(w_out))),
    }
    v, a, left, y = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(len(w_out))
    d_in, d_rec, d_out = p["delays"]
    for t in range(steps):
        v = p["alpha"] * v + p["bias"]
        v = v + (w_in @ x[t - d_in] if t >= d_in else 0.0) + (w_rec @ out["z"][t - d_rec] if t >= d_rec else 0.0)
        a = p["rho"] * a
        level = p["threshold"] + p["beta"] * a
        out["psi"][t] = np.where(left > 0, 0.0, p["height"] * SHAPES[p["shape"]](np.abs(v - level) / p["width"]))
        spikes = (v > level) & (left <= 0) if z is None else z[t] > 0
        out["v"][t], out["z"][t] = v, spikes
        v, a = v - p["drop"] * spikes, a + spikes
        left = np.where(spikes, p["blocked"], np.maximum(left - 1, 0))
        y = p["kappa"] * y + (w_out @ out["z"][t - d_out] if t >= d_out else 0.0)
        out["y"][t] = y
    return out


def gradients(p, x, run, error, broadcast, gain=1.0, reg=None, k_reg=0.97, flat=None):
    """(in, rec, out): sum over steps of L F_kappa(e), with every trace held per synapse.

    reg: (steps, n) coefficients of the running mean of e; flat: (n,) coefficients of the sum of e.
    """
    steps, n = run["z"].shape
    d_in, d_rec, d_out = p["delays"]
    pre = np.zeros((steps, x.shape[1] + n))
    pre[d_in:, : x.shape[1]] = x[: steps - d_in]
    pre[d_rec:, x.shape[1] :] = run["z"][: steps - d_rec]
    zbar, eps = np.zeros((n, pre.shape[1])), np.zeros((n, pre.shape[1]))
    ebar, slow, g = np.zeros_like(eps), np.zeros_like(eps), np.zeros_like(eps)
    zbar_out, g_out = np.zeros(n), np.zeros((error.shape[1], n))
    own = np.zeros(eps.shape, bool)
    own[:, x.shape[1] :] = np.eye(n, dtype=bool)
    signal = np.zeros((steps + d_out, n))
    signal[:steps] = error @ broadcast.T
    for t in range(steps):
        zbar = p["alpha"][:, None] * zbar + pre[t]
        beta = (p["beta"] * p["rho"])[:, None]
        e = run["psi"][t][:, None] * (zbar - beta * eps)
        e[own] = 0.0
        eps = p["rho"][:, None] * eps + e
        ebar = p["kappa"] * ebar + gain * e
        slow = k_reg * slow + (1 - k_reg) * e
        g += signal[t + d_out][:, None] * ebar
        if reg is not None:
            g += reg[t][:, None] * slow
        if flat is not None:
            g += flat[:, None] * e
        if t + d_out < steps:
            zbar_out = p["kappa"] * zbar_out + run["z"][t]
            g_out += np.outer(error[t + d_out], zbar_out)
    return g[:, : x.shape[1]], g[:, x.shape[1] :], g_out
