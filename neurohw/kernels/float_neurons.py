"""Neuron steps in floating point: what ideal devices, the analog substrate and digital neurons beside crossbars share.

All models have the same rows, one per variable, so that one compiled loop holds any mixture of populations:

    state: V, EXC, INH (synaptic current nA or conductance uS), REFRACTORY (steps left), I_EXT (nA: i_offset + injected)
    coefficients: see the names below; made by `coefficients` from PyNN's parameters and the time step

One step adds the sums of the arriving weights to EXC and INH, then:

    linear models   v' = v_rest + (v - v_rest) b + EXC p_E + INH p_I + I_EXT p_0
        exact: b = exp(-dt/tau_m), p_0 = tau_m/cm (1 - b), p_s = tau_m tau_s / (cm (tau_m - tau_s)) (exp(-dt/tau_m) - exp(-dt/tau_s))
        euler: b = 1 - dt/tau_m,   p_0 = p_s = dt/cm
        IF_curr_delta: EXC and INH hold the voltage steps (mV) of this step alone, p_s = 1, and are gone after it
    IF_cond_exp     exponential Euler: A = 1/tau_m + (g_E + g_I)/cm,  v_inf = (v_rest/tau_m + (g_E e_E + g_I e_I + I_EXT)/cm) / A
                    v' = v_inf + (v - v_inf) exp(-A dt);   euler: v' = v + dt A (v_inf - v)
    then EXC, INH decay by exp(-dt/tau_s) (euler: 1 - dt/tau_s); a neuron with v' > v_thresh spikes, is reset (v_reset, or v' minus
    v_thresh - v_reset), and its membrane rests for round(tau_refrac/dt) steps while its synapses go on.

Most populations have the same coefficients for all neurons (see `loops`): then the loop reads seven rows instead of eighteen,
and is two to three times as fast with the same result.

Source: Rotter & Diesmann, Biol. Cybern. 81 (1999) for the exact propagators.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.kernels.compiling import at, step_kernel
from neurohw.network import Numerics

V, EXC, INH, REFRACTORY, I_EXT = range(5)
N_STATE = 5
DECAY_M, DECAY_E, DECAY_I, P_E, P_I, P_0, V_REST, V_THRESH, V_RESET, V_SUBTRACT, T_REFRAC = range(11)
E_REV_E, E_REV_I, LEAK_DT, DT_OVER_C = range(11, 15)
N_COEFFICIENTS = 15
LINEAR, CONDUCTANCE, CONDUCTANCE_EULER = range(3)
STEPS = {"IF_curr_exp": LINEAR, "IF_curr_delta": LINEAR, "IF_cond_exp": CONDUCTANCE}
STATE_ROWS = {"v": V, "isyn_exc": EXC, "gsyn_exc": EXC, "isyn_inh": INH, "gsyn_inh": INH}
_FLUSH = 1e-30


def coefficients(model: str, p: dict[str, NDArray[np.float64]], dt: float, numerics: Numerics) -> NDArray[np.float64]:
    """The coefficient rows of a population: (N_COEFFICIENTS, neurons), from parameters per neuron in PyNN's units."""
    euler = numerics.integration == "euler"
    table = np.zeros((N_COEFFICIENTS, p["v_rest"].size))
    with np.errstate(divide="ignore"):
        rate = 1.0 / p["tau_m"]
    table[DECAY_M] = 1.0 - dt * rate if euler else np.exp(-dt * rate)
    table[P_0] = dt / p["cm"] if euler else -np.expm1(-dt * rate) / np.where(rate > 0, rate * p["cm"], 1.0)
    table[P_0] = np.where(rate > 0, table[P_0], dt / p["cm"])
    if model == "IF_curr_delta":
        table[P_E] = table[P_I] = 1.0
    else:
        for decay, couple, tau in ((DECAY_E, P_E, p["tau_syn_E"]), (DECAY_I, P_I, p["tau_syn_I"])):
            table[decay] = 1.0 - dt / tau if euler else np.exp(-dt / tau)
            table[couple] = dt / p["cm"] if euler else _propagator(rate, tau, p["cm"], dt)
    table[V_REST], table[V_THRESH], table[V_RESET] = p["v_rest"], p["v_thresh"], p["v_reset"]
    if numerics.reset == "subtract":
        table[V_SUBTRACT] = p["v_thresh"] - p["v_reset"]
    table[T_REFRAC] = refractory_steps(p["tau_refrac"], dt)
    table[LEAK_DT], table[DT_OVER_C] = dt * rate, dt / p["cm"]
    if model == "IF_cond_exp":
        table[E_REV_E], table[E_REV_I] = p["e_rev_E"], p["e_rev_I"]
    return table


def refractory_steps(tau_refrac: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
    """Whole steps that a refractory period lasts, rounded half up."""
    return np.floor(tau_refrac / dt + 0.5 + 1e-9)


def _propagator(rate, tau_s, cm, dt):
    """Effect on v after dt of a current that starts at 1 nA and decays with tau_s; the limit where tau_m = tau_s included.

    (dt/cm) exp(-dt/tau_s) * (1 - exp(-y))/y with y = dt (1/tau_m - 1/tau_s): one form, smooth through y = 0.
    """
    y = dt * (rate - 1.0 / tau_s)
    small = np.abs(y) < 1e-8
    ratio = np.where(small, 1.0 - y / 2, -np.expm1(-y) / np.where(small, 1.0, y))
    return dt / cm * np.exp(-dt / tau_s) * ratio


@step_kernel
def step_linear(
    v, exc, inh, arrived_e, arrived_i, refractory, i_ext, b, d_e, d_i, p_e, p_i, p_0, v_rest, v_thresh, v_reset, v_subtract, t_refrac, spiked
):
    for i in range(v.shape[0]):
        e, n, vi, r, left = exc[i] + arrived_e[i], inh[i] + arrived_i[i], v[i], at(v_rest, i), refractory[i]
        arrived_e[i] = arrived_i[i] = 0.0
        new = r + (vi - r) * at(b, i) + e * at(p_e, i) + n * at(p_i, i) + i_ext[i] * at(p_0, i)
        new = new if left <= 0 else vi
        hit = new > at(v_thresh, i) and left <= 0
        down = new - at(v_subtract, i) if at(v_subtract, i) > 0 else at(v_reset, i)
        v[i] = down if hit else new
        refractory[i] = at(t_refrac, i) if hit else max(left - 1, 0)
        spiked[i] = hit
        e *= at(d_e, i)
        n *= at(d_i, i)
        exc[i] = e if abs(e) > _FLUSH else 0.0
        inh[i] = n if abs(n) > _FLUSH else 0.0


@step_kernel
def step_conductance(
    v, exc, inh, arrived_e, arrived_i, refractory, i_ext, d_e, d_i, v_rest, e_e, e_i, leak_dt, dt_c, euler,
    v_thresh, v_reset, v_subtract, t_refrac, spiked,
):  # fmt: skip
    for i in range(v.shape[0]):
        e, n, vi, left = exc[i] + arrived_e[i], inh[i] + arrived_i[i], v[i], refractory[i]
        arrived_e[i] = arrived_i[i] = 0.0
        ge, gi = e * at(dt_c, i), n * at(dt_c, i)
        a = at(leak_dt, i) + ge + gi
        v_inf = (at(leak_dt, i) * at(v_rest, i) + ge * at(e_e, i) + gi * at(e_i, i) + i_ext[i] * at(dt_c, i)) / a
        new = v_inf + (vi - v_inf) * ((1.0 - a) if euler else _exp_minus(a))
        new = new if left <= 0 else vi
        hit = new > at(v_thresh, i) and left <= 0
        down = new - at(v_subtract, i) if at(v_subtract, i) > 0 else at(v_reset, i)
        v[i] = down if hit else new
        refractory[i] = at(t_refrac, i) if hit else max(left - 1, 0)
        spiked[i] = hit
        e *= at(d_e, i)
        n *= at(d_i, i)
        exc[i] = e if abs(e) > _FLUSH else 0.0
        inh[i] = n if abs(n) > _FLUSH else 0.0


@njit(cache=True, inline="always")
def _exp_minus(x):
    """exp(-x) for 0 <= x, to 1e-15 relative: a loop over it vectorizes, which one over the C library's exp does not.

    x = k ln 2 - y, |y| <= (ln 2)/2; exp(-x) = 2^-k exp(y), exp(y) by its Taylor sum to order 12 (next term 2e-16).
    2^-k is made of its bits: 1023 - k is the exponent of a float64.
    """
    x = min(x, 700.0)
    k = np.floor(x * 1.4426950408889634 + 0.5)
    y = k * 0.6931471803691238 - x + k * 1.9082149292705877e-10
    z = 1.0 + y * (1.0 / 12.0)
    z = 1.0 + y * (1.0 / 11.0) * z
    z = 1.0 + y * (1.0 / 10.0) * z
    z = 1.0 + y * (1.0 / 9.0) * z
    z = 1.0 + y * (1.0 / 8.0) * z
    z = 1.0 + y * (1.0 / 7.0) * z
    z = 1.0 + y * (1.0 / 6.0) * z
    z = 1.0 + y * (1.0 / 5.0) * z
    z = 1.0 + y * (1.0 / 4.0) * z
    z = 1.0 + y * (1.0 / 3.0) * z
    z = 1.0 + y * (1.0 / 2.0) * z
    z = 1.0 + y * z
    return z * np.int64((1023 - np.int64(k)) << 52).view(np.float64)


def step_code(model: str, numerics: Numerics) -> int:
    """Which step kernel a model runs on."""
    code = STEPS[model]
    return CONDUCTANCE_EULER if code == CONDUCTANCE and numerics.integration == "euler" else code


@njit(cache=True)
def loops(codes, firsts, lasts, c):
    """(codes, firsts, lasts, shared) of as few loops over neurons as do the same: neighbors of one model become one.

    shared: whether all neurons of the loop have the same coefficients.
    """
    n = 0
    code, begin, end, shared = codes.copy(), firsts.copy(), lasts.copy(), np.zeros(codes.size, np.bool_)
    for g in range(codes.size):
        first, last = firsts[g], lasts[g]
        alike = _alike(c, first, last)
        neighbor = n > 0 and code[n - 1] == codes[g] and end[n - 1] == first and shared[n - 1] == alike
        if neighbor and (not alike or np.array_equal(c[:, first], c[:, begin[n - 1]])):
            end[n - 1] = last
        else:
            code[n], begin[n], end[n], shared[n] = codes[g], first, last, alike
            n += 1
    return code[:n], begin[:n], end[:n], shared[:n]


@njit(cache=True)
def _alike(c, first, last):
    for row in range(c.shape[0]):
        values, other = c[row, first:last], 0
        for i in range(values.shape[0]):  # to the end, as a loop that may break off does not vectorize
            other += values[i] != values[0]
        if other:
            return False
    return True


@njit(cache=True)
def step(code, state, sums, c, first, last, spiked):
    """One step of the neurons first..last-1, which all have the model `code`; takes what is in `sums` and clears it."""
    w = slice(first, last)
    own = state[V, w], state[EXC, w], state[INH, w], sums[0, w], sums[1, w], state[REFRACTORY, w], state[I_EXT, w]
    fire = c[V_THRESH, w], c[V_RESET, w], c[V_SUBTRACT, w], c[T_REFRAC, w]
    decay = c[DECAY_E, w], c[DECAY_I, w]
    if code == LINEAR:
        step_linear(*own, c[DECAY_M, w], *decay, c[P_E, w], c[P_I, w], c[P_0, w], c[V_REST, w], *fire, spiked[w])
    else:
        into = c[E_REV_E, w], c[E_REV_I, w], c[LEAK_DT, w], c[DT_OVER_C, w]
        step_conductance(*own, *decay, c[V_REST, w], *into, code == CONDUCTANCE_EULER, *fire, spiked[w])


@njit(cache=True)
def step_shared(code, state, sums, c, first, last, spiked):
    """The same for neurons whose coefficients are those of the first of them."""
    w, k = slice(first, last), first
    own = state[V, w], state[EXC, w], state[INH, w], sums[0, w], sums[1, w], state[REFRACTORY, w], state[I_EXT, w]
    fire = c[V_THRESH, k], c[V_RESET, k], c[V_SUBTRACT, k], c[T_REFRAC, k]
    decay = c[DECAY_E, k], c[DECAY_I, k]
    if code == LINEAR:
        step_linear(*own, c[DECAY_M, k], *decay, c[P_E, k], c[P_I, k], c[P_0, k], c[V_REST, k], *fire, spiked[w])
    else:
        into = c[E_REV_E, k], c[E_REV_I, k], c[LEAK_DT, k], c[DT_OVER_C, k]
        step_conductance(*own, *decay, c[V_REST, k], *into, code == CONDUCTANCE_EULER, *fire, spiked[w])
