"""Conductance models with a linear membrane: IF_cond_exp, and IF_cond_alpha, whose conductances rise before they fall.

One step adds the arriving weights to EXC and INH; the conductances g of its beginning stay as they are over it:

    A = 1/tau_m + (g_E + g_I)/cm,   v_inf = (v_rest/tau_m + (g_E e_E + g_I e_I + I_EXT)/cm) / A
    v' = v_inf + (v - v_inf) exp(-A dt)     (exponential Euler);   euler: v' = v + dt A (v_inf - v)

    IF_cond_exp     g is EXC (INH) and decays by d = exp(-dt/tau_s)
    IF_cond_alpha   y is EXC (INH) and decays by d; g is a row of its own:  g' = d g + d (e dt/tau_s) y
    euler: d = 1 - dt/tau_s,  g' = d g + (e dt/tau_s) y

Error. Sampling g at the beginning of each step gives one spike dt/(2 tau_s) too much charge for exponentials, 1 % at
0.1 and 5 ms. Alpha functions begin at zero, which leaves (dt/tau_s)^2/12: 0.9 % at 0.1 and 0.3 ms.
"""

import numpy as np
from numba import njit

from neurohw.kernels.compiling import at, step_kernel
from neurohw.kernels.elementary import exp
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

EXPONENTIAL = {"v": V, "gsyn_exc": EXC, "gsyn_inh": INH}
ALPHA = {"v": V, "rise_exc": EXC, "rise_inh": INH, "gsyn_exc": OWN_1, "gsyn_inh": OWN_2}
V_REST, E_REV_E, E_REV_I, LEAK_DT, DT_OVER_C, RISE_E, RISE_I = range(OWN, OWN + 7)


def exponential_coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    """Of IF_cond_exp."""
    euler = numerics.integration == "euler"
    rows = spiking(p, dt, p["v_thresh"], p["v_reset"], numerics.reset == "subtract")
    rows |= {V_REST: p["v_rest"], LEAK_DT: dt / p["tau_m"], DT_OVER_C: dt / p["cm"]}
    rows |= {E_REV_E: p["e_rev_E"], E_REV_I: p["e_rev_I"]}
    for decay, tau in ((DECAY_E, p["tau_syn_E"]), (DECAY_I, p["tau_syn_I"])):
        rows[decay] = 1.0 - dt / tau if euler else np.exp(-dt / tau)
    return rows


def alpha_coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    """Of IF_cond_alpha."""
    rows = exponential_coefficients(p, dt, numerics)
    for decay, rise, tau in ((DECAY_E, RISE_E, p["tau_syn_E"]), (DECAY_I, RISE_I, p["tau_syn_I"])):
        slope = np.e * dt / tau
        rows[rise] = slope if numerics.integration == "euler" else slope * rows[decay]
    return rows


@njit(cache=True, inline="always")
def _membrane(v, g_e, g_i, i_ext, v_rest, e_e, e_i, leak_dt, dt_c, euler):
    """v one step later, with the conductances held."""
    ge, gi = g_e * dt_c, g_i * dt_c
    a = leak_dt + ge + gi
    v_inf = (leak_dt * v_rest + ge * e_e + gi * e_i + i_ext * dt_c) / a
    return v_inf + (v - v_inf) * ((1.0 - a) if euler else exp(-a))


@step_kernel
def _exponential(
    v, exc, inh, arrived_e, arrived_i, refractory, i_ext, v_thresh, v_reset, v_subtract, t_refrac, d_e, d_i,
    v_rest, e_e, e_i, leak_dt, dt_c, euler, spiked,
):  # fmt: skip
    for i in range(v.shape[0]):
        e, n, left = exc[i] + arrived_e[i], inh[i] + arrived_i[i], refractory[i]
        arrived_e[i] = arrived_i[i] = 0.0
        new = _membrane(v[i], e, n, i_ext[i], at(v_rest, i), at(e_e, i), at(e_i, i), at(leak_dt, i), at(dt_c, i), euler)
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
    v_rest, e_e, e_i, leak_dt, dt_c, euler, g_exc, g_inh, rise_e, rise_i, spiked,
):  # fmt: skip
    for i in range(v.shape[0]):
        e, n, ge, gi, left = exc[i] + arrived_e[i], inh[i] + arrived_i[i], g_exc[i], g_inh[i], refractory[i]
        arrived_e[i] = arrived_i[i] = 0.0
        new = _membrane(
            v[i], ge, gi, i_ext[i], at(v_rest, i), at(e_e, i), at(e_i, i), at(leak_dt, i), at(dt_c, i), euler
        )
        new = new if left <= 0 else v[i]
        v[i], refractory[i], spiked[i] = fire(
            new, left, at(v_thresh, i), at(v_reset, i), at(v_subtract, i), at(t_refrac, i)
        )
        ge = ge * at(d_e, i) + e * at(rise_e, i)
        gi = gi * at(d_i, i) + n * at(rise_i, i)
        e *= at(d_e, i)
        n *= at(d_i, i)
        exc[i] = e if abs(e) > FLUSH else 0.0
        inh[i] = n if abs(n) > FLUSH else 0.0
        g_exc[i] = ge if abs(ge) > FLUSH else 0.0
        g_inh[i] = gi if abs(gi) > FLUSH else 0.0


@njit(cache=True)
def step(state, sums, c, w, which, spiked, euler):
    """One step of the IF_cond_exp neurons in the slice w."""
    own = c[V_REST, which], c[E_REV_E, which], c[E_REV_I, which], c[LEAK_DT, which], c[DT_OVER_C, which]
    _exponential(*common(state, sums, w), *at_threshold(c, which), *own, euler, spiked[w])


@njit(cache=True)
def step_alpha(state, sums, c, w, which, spiked, euler):
    """One step of the IF_cond_alpha neurons in the slice w."""
    own = c[V_REST, which], c[E_REV_E, which], c[E_REV_I, which], c[LEAK_DT, which], c[DT_OVER_C, which]
    rise = state[OWN_1, w], state[OWN_2, w], c[RISE_E, which], c[RISE_I, which]
    _alpha(*common(state, sums, w), *at_threshold(c, which), *own, euler, *rise, spiked[w])
