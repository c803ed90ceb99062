"""Linear models: IF_curr_exp, IF_curr_delta, and IF_curr_alpha, whose currents rise before they fall.

One step adds the arriving weights to EXC and INH, then:

    v' = v_rest + (v - v_rest) b + sum over receptors (i p + y q) + I_EXT p_0

    IF_curr_exp     i is EXC (INH) and decays by d = exp(-dt/tau_s);  q = 0
    IF_curr_alpha   y is EXC (INH) and decays by d; i is a row of its own:  i' = d i + d (e dt/tau_s) y
    IF_curr_delta   EXC and INH are the voltage steps (mV) of this step alone: p = 1, d = 0

    exact: b = exp(-dt/tau_m),  p_0 = tau_m/cm (1 - b),  a = dt/tau_s,  c = dt/tau_m,
           p = (dt/cm) integral_0^1 exp(-a s - c (1 - s)) ds,   q = (e a dt/cm) integral_0^1 s exp(-a s - c (1 - s)) ds
    euler: b = 1 - dt/tau_m,  p_0 = p = dt/cm,  q = 0,  d = 1 - dt/tau_s,  i' = d i + (e dt/tau_s) y

Source: Rotter & Diesmann, Biol. Cybern. 81 (1999) for the exact propagators.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.kernels.compiling import at, step_kernel
from neurohw.kernels.float_neurons.rows import (
    DECAY_E,
    DECAY_I,
    EXC,
    FLUSH,
    INH,
    OWN,
    OWN_1,
    OWN_2,
    Rows,
    V,
    Values,
    at_threshold,
    common,
    fire,
    spiking,
)  # fmt: skip
from neurohw.network import Numerics

EXPONENTIAL = {"v": V, "isyn_exc": EXC, "isyn_inh": INH}
DELTA = {"v": V}
ALPHA = {"v": V, "rise_exc": EXC, "rise_inh": INH, "isyn_exc": OWN_1, "isyn_inh": OWN_2}
V_REST, DECAY_M, P_0, P_E, P_I, Q_E, Q_I, RISE_E, RISE_I = range(OWN, OWN + 9)


def exponential_coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    """Of IF_curr_exp."""
    euler = numerics.integration == "euler"
    rows = _membrane(p, dt, numerics)
    for decay, couple, tau in ((DECAY_E, P_E, p["tau_syn_E"]), (DECAY_I, P_I, p["tau_syn_I"])):
        rows[decay] = 1.0 - dt / tau if euler else np.exp(-dt / tau)
        rows[couple] = dt / p["cm"] * (1.0 if euler else mean_decay(dt / tau, dt / p["tau_m"]))
    return rows


def delta_coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    """Of IF_curr_delta."""
    return {**_membrane(p, dt, numerics), P_E: 1.0, P_I: 1.0}


def alpha_coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    """Of IF_curr_alpha."""
    euler = numerics.integration == "euler"
    rows = exponential_coefficients(p, dt, numerics)
    for decay, couple, rise, tau in ((DECAY_E, Q_E, RISE_E, p["tau_syn_E"]), (DECAY_I, Q_I, RISE_I, p["tau_syn_I"])):
        slope = np.e * dt / tau
        rows[rise] = slope if euler else slope * rows[decay]
        if not euler:
            rows[couple] = slope * dt / p["cm"] * mean_rise(dt / tau, dt / p["tau_m"])
    return rows


def _membrane(p: Values, dt: float, numerics: Numerics) -> Rows:
    euler = numerics.integration == "euler"
    rate = dt / p["tau_m"]
    rows = spiking(p, dt, p["v_thresh"], p["v_reset"], numerics.reset == "subtract")
    rows[V_REST] = p["v_rest"]
    rows[DECAY_M] = 1.0 - rate if euler else np.exp(-rate)
    rows[P_0] = dt / p["cm"] * (1.0 if euler else mean_decay(np.zeros_like(rate), rate))
    return rows


def mean_decay(a: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
    """integral_0^1 exp(-a s - c (1 - s)) ds = (exp(-a) - exp(-c)) / (c - a), smooth through a = c and safe for large ones.

    = exp(-min(a, c)) (1 - exp(-x))/x with x = |a - c|.
    """
    x = np.abs(a - c)
    small = x < 1e-8
    return np.exp(-np.minimum(a, c)) * np.where(small, 1.0 - x / 2, -np.expm1(-x) / np.where(small, 1.0, x))


def mean_rise(a: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
    """integral_0^1 s exp(-a s - c (1 - s)) ds, smooth through a = c and safe for large ones.

    = exp(-c) (1 - exp(-x) (1 + x))/x^2 for x = a - c > 0,  exp(-a) (x - 1 + exp(-x))/x^2 for x = c - a > 0; for x < 1/2,
    where these cancel, by their power series sum_n (-x)^n / (n! (n + 2)) and sum_n (-x)^n / (n + 2)!.
    """
    x = np.abs(a - c)
    falls = a > c
    small = x < 0.5
    far = np.where(small, 1.0, x)
    closed = np.where(falls, 1.0 - np.exp(-far) * (1.0 + far), far - 1.0 + np.exp(-far)) / far**2
    near, term = np.zeros_like(x), np.ones_like(x)
    for n in range(16):
        near += term * np.where(falls, 1.0 / (n + 2), 1.0 / ((n + 1) * (n + 2)))
        term = term * -x / (n + 1)
    return np.exp(-np.minimum(a, c)) * np.where(small, near, closed)


@step_kernel
def _linear(
    v, exc, inh, arrived_e, arrived_i, refractory, i_ext, v_thresh, v_reset, v_subtract, t_refrac, d_e, d_i,
    b, p_0, p_e, p_i, v_rest, spiked,
):  # fmt: skip
    for i in range(v.shape[0]):
        e, n, r, left = exc[i] + arrived_e[i], inh[i] + arrived_i[i], at(v_rest, i), refractory[i]
        arrived_e[i] = arrived_i[i] = 0.0
        new = r + (v[i] - r) * at(b, i) + e * at(p_e, i) + n * at(p_i, i) + i_ext[i] * at(p_0, i)
        new = new if left <= 0 else v[i]
        v[i], refractory[i], spiked[i] = fire(
            new, left, at(v_thresh, i), at(v_reset, i), at(v_subtract, i), at(t_refrac, i)
        )
        e *= at(d_e, i)
        n *= at(d_i, i)
        exc[i] = e if abs(e) > FLUSH else 0.0
        inh[i] = n if abs(n) > FLUSH else 0.0


@step_kernel
def _alpha(
    v, exc, inh, arrived_e, arrived_i, refractory, i_ext, v_thresh, v_reset, v_subtract, t_refrac, d_e, d_i,
    b, p_0, p_e, p_i, v_rest, i_exc, i_inh, q_e, q_i, rise_e, rise_i, spiked,
):  # fmt: skip
    for i in range(v.shape[0]):
        e, n, r, left = exc[i] + arrived_e[i], inh[i] + arrived_i[i], at(v_rest, i), refractory[i]
        ie, ii = i_exc[i], i_inh[i]
        arrived_e[i] = arrived_i[i] = 0.0
        new = r + (v[i] - r) * at(b, i) + ie * at(p_e, i) + ii * at(p_i, i) + i_ext[i] * at(p_0, i)
        new += e * at(q_e, i) + n * at(q_i, i)
        new = new if left <= 0 else v[i]
        v[i], refractory[i], spiked[i] = fire(
            new, left, at(v_thresh, i), at(v_reset, i), at(v_subtract, i), at(t_refrac, i)
        )
        ie = ie * at(d_e, i) + e * at(rise_e, i)
        ii = ii * at(d_i, i) + n * at(rise_i, i)
        e *= at(d_e, i)
        n *= at(d_i, i)
        exc[i] = e if abs(e) > FLUSH else 0.0
        inh[i] = n if abs(n) > FLUSH else 0.0
        i_exc[i] = ie if abs(ie) > FLUSH else 0.0
        i_inh[i] = ii if abs(ii) > FLUSH else 0.0


@njit(cache=True)
def step(state, sums, c, w, which, spiked):
    """One step of the IF_curr_exp or IF_curr_delta neurons in the slice w."""
    own = c[DECAY_M, which], c[P_0, which], c[P_E, which], c[P_I, which], c[V_REST, which]
    _linear(*common(state, sums, w), *at_threshold(c, which), *own, spiked[w])


@njit(cache=True)
def step_alpha(state, sums, c, w, which, spiked):
    """One step of the IF_curr_alpha neurons in the slice w."""
    own = c[DECAY_M, which], c[P_0, which], c[P_E, which], c[P_I, which], c[V_REST, which]
    rise = c[Q_E, which], c[Q_I, which], c[RISE_E, which], c[RISE_I, which]
    _alpha(*common(state, sums, w), *at_threshold(c, which), *own, state[OWN_1, w], state[OWN_2, w], *rise, spiked[w])
