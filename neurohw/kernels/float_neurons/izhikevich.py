"""Izhikevich's neuron with voltage steps, currents or conductances, by the midpoint rule.

    v' = 0.04 v^2 + 5 v + 140 - u + s (E (k_E - g v) + I (k_I - g v) + I_EXT),   u' = a (b v - u)
    at v > 30: v = c, u += d

    Izhikevich      s = 1000 (nA per pF), k = 0; EXC and INH are the voltage steps (mV) of this step, added after it
    IZK_curr_exp    s = 1 (nA per nF), k = 1, g = 0: EXC and INH are currents
    IZK_cond_exp    s = 1, k = e_rev, g = 1: they are conductances

One step adds the arriving weights to EXC and INH, then leads all variables x to x + dt f(x + half dt f(x)), half = 1/2
(0: forward Euler).
"""

from numba import njit

from neurohw.kernels.compiling import at, step_kernel
from neurohw.kernels.float_neurons.rows import (
    EXC,
    FLUSH,
    INH,
    OWN,
    OWN_1,
    Rows,
    V,
    Values,
    at_threshold,
    common,
    fire,
    midpoint,
    spiking,
)  # fmt: skip
from neurohw.network import Numerics

STEPS = {"v": V, "u": OWN_1}
CURRENTS = {**STEPS, "isyn_exc": EXC, "isyn_inh": INH}
CONDUCTANCES = {**STEPS, "gsyn_exc": EXC, "gsyn_inh": INH}
HALF, HALF_E, HALF_I, DT, SCALE, K_E, K_I, G, JUMP, A, B, D = range(OWN, OWN + 12)
THRESHOLD = 30.0


def coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    """Of Izhikevich."""
    rows = spiking(p, dt, THRESHOLD, p["c"]) | midpoint(p, dt, numerics, HALF, HALF_E, HALF_I)
    return rows | {DT: dt, SCALE: 1000.0, JUMP: 1.0, A: p["a"] * dt, B: p["b"], D: p["d"]}


def current_coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    """Of IZK_curr_exp."""
    return coefficients(p, dt, numerics) | {SCALE: 1.0, K_E: 1.0, K_I: 1.0, JUMP: 0.0}


def conductance_coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    """Of IZK_cond_exp."""
    return coefficients(p, dt, numerics) | {SCALE: 1.0, K_E: p["e_rev_E"], K_I: p["e_rev_I"], G: 1.0, JUMP: 0.0}


@njit(cache=True, inline="always")
def _slope_of_v(v, u, e, n, i_ext, scale, k_e, k_i, g):
    into = e * (k_e - g * v) + n * (k_i - g * v) + i_ext
    return 0.04 * v * v + 5.0 * v + 140.0 - u + scale * into


@step_kernel
def _izhikevich(
    v, exc, inh, arrived_e, arrived_i, refractory, i_ext, v_thresh, v_reset, v_subtract, t_refrac, d_e, d_i,
    u, half, h_e, h_i, dt, scale, k_e, k_i, g, jump, a, b, d, spiked,
):  # fmt: skip
    for i in range(v.shape[0]):
        e, n, vi, ui = exc[i] + arrived_e[i], inh[i] + arrived_i[i], v[i], u[i]
        arrived_e[i] = arrived_i[i] = 0.0
        now = at(half, i) * at(dt, i)
        slope = _slope_of_v(vi, ui, e, n, i_ext[i], at(scale, i), at(k_e, i), at(k_i, i), at(g, i))
        middle, middle_u = vi + now * slope, ui + at(half, i) * at(a, i) * (at(b, i) * vi - ui)
        slope = _slope_of_v(
            middle, middle_u, e * at(h_e, i), n * at(h_i, i), i_ext[i], at(scale, i), at(k_e, i), at(k_i, i), at(g, i)
        )
        new = vi + at(dt, i) * slope + at(jump, i) * (e + n)
        v[i], refractory[i], hit = fire(
            new, refractory[i], at(v_thresh, i), at(v_reset, i), at(v_subtract, i), at(t_refrac, i)
        )
        u[i] = ui + at(a, i) * (at(b, i) * middle - middle_u) + (at(d, i) if hit else 0.0)
        spiked[i] = hit
        e *= at(d_e, i)
        n *= at(d_i, i)
        exc[i] = e if abs(e) > FLUSH else 0.0
        inh[i] = n if abs(n) > FLUSH else 0.0


@njit(cache=True)
def step(state, sums, c, w, which, spiked):
    """One step of the neurons in the slice w."""
    halves = c[HALF, which], c[HALF_E, which], c[HALF_I, which]
    into = c[DT, which], c[SCALE, which], c[K_E, which], c[K_I, which], c[G, which], c[JUMP, which]
    own = c[A, which], c[B, which], c[D, which]
    _izhikevich(*common(state, sums, w), *at_threshold(c, which), state[OWN_1, w], *halves, *into, *own, spiked[w])
