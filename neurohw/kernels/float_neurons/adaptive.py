"""EIF_cond_exp_isfa_ista, the adaptive exponential neuron.

    cm v'    = g_L (v_rest - v) + g_L delta_T exp((min(v, v_spike) - v_thresh)/delta_T)
               + g_E (e_E - v) + g_I (e_I - v) + I_EXT - w                                   g_L = cm/tau_m
    tau_w w' = a (v - v_rest) - w,    g' = -g/tau_s;    at a spike w += b

One step adds the arriving weights to EXC and INH, then takes all variables x together by the midpoint rule,

    x' = x + dt f(x + half dt f(x)),   half = 1/2;   half = 0 gives forward Euler

and while the neuron is refractory v stays.
"""

from numba import njit

from neurohw.kernels.compiling import at, step_kernel
from neurohw.kernels.elementary import exp
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

STATES = {"v": V, "gsyn_exc": EXC, "gsyn_inh": INH, "w": OWN_1}
HALF, HALF_E, HALF_I, V_REST, E_REV_E, E_REV_I, LEAK_DT, DT_OVER_C = range(OWN, OWN + 8)
SOFT, DELTA, V_SPIKE, A, B, DT_OVER_TAU_W = range(OWN + 8, OWN + 14)


def coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    rows = spiking(p, dt, p["v_spike"], p["v_reset"])
    rows |= midpoint(p, dt, numerics, HALF, HALF_E, HALF_I)
    rows |= {V_REST: p["v_rest"], E_REV_E: p["e_rev_E"], E_REV_I: p["e_rev_I"]}
    rows |= {LEAK_DT: dt / p["tau_m"], DT_OVER_C: dt / p["cm"], DT_OVER_TAU_W: dt / p["tau_w"]}
    rows |= {SOFT: p["v_thresh"], DELTA: p["delta_T"], V_SPIKE: p["v_spike"]}
    return rows | {A: p["a"] * 1e-3, B: p["b"]}  # a in uS


@njit(cache=True, inline="always")
def _change_of_v(v, w, ge, gi, i_ext, v_rest, e_e, e_i, leak_dt, dt_c, soft, delta, v_spike):
    """dt v', the synaptic conductances being dt g / cm."""
    exploding = delta * exp((min(v, v_spike) - soft) / delta)
    return leak_dt * (v_rest - v + exploding) + ge * (e_e - v) + gi * (e_i - v) + (i_ext - w) * dt_c


@step_kernel
def _adaptive(
    v, exc, inh, arrived_e, arrived_i, refractory, i_ext, v_thresh, v_reset, v_subtract, t_refrac, d_e, d_i,
    w, half, h_e, h_i, v_rest, e_e, e_i, leak_dt, dt_c, soft, delta, v_spike, a, b, dt_tau_w, spiked,
):  # fmt: skip
    for i in range(v.shape[0]):
        e, n, vi, wi, left = exc[i] + arrived_e[i], inh[i] + arrived_i[i], v[i], w[i], refractory[i]
        arrived_e[i] = arrived_i[i] = 0.0
        ge, gi, rest, step_of_w = e * at(dt_c, i), n * at(dt_c, i), at(v_rest, i), at(dt_tau_w, i)
        change = _change_of_v(
            vi, wi, ge, gi, i_ext[i], rest, at(e_e, i), at(e_i, i), at(leak_dt, i), at(dt_c, i), at(soft, i),
            at(delta, i), at(v_spike, i),
        )  # fmt: skip
        middle = vi + at(half, i) * (change if left <= 0 else 0.0)
        middle_w = wi + at(half, i) * (step_of_w * (at(a, i) * (vi - rest) - wi))
        change = _change_of_v(
            middle, middle_w, ge * at(h_e, i), gi * at(h_i, i), i_ext[i], rest, at(e_e, i), at(e_i, i), at(leak_dt, i),
            at(dt_c, i), at(soft, i), at(delta, i), at(v_spike, i),
        )  # fmt: skip
        new = vi + (change if left <= 0 else 0.0)
        v[i], refractory[i], hit = fire(new, left, at(v_thresh, i), at(v_reset, i), at(v_subtract, i), at(t_refrac, i))
        w[i] = wi + step_of_w * (at(a, i) * (middle - rest) - middle_w) + (at(b, i) if hit else 0.0)
        spiked[i] = hit
        e *= at(d_e, i)
        n *= at(d_i, i)
        exc[i] = e if abs(e) > FLUSH else 0.0
        inh[i] = n if abs(n) > FLUSH else 0.0


@njit(cache=True)
def step(state, sums, c, w, which, spiked):
    """One step of the neurons in the slice w."""
    halves = c[HALF, which], c[HALF_E, which], c[HALF_I, which]
    into = c[V_REST, which], c[E_REV_E, which], c[E_REV_I, which], c[LEAK_DT, which], c[DT_OVER_C, which]
    own = c[SOFT, which], c[DELTA, which], c[V_SPIKE, which], c[A, which], c[B, which], c[DT_OVER_TAU_W, which]
    _adaptive(*common(state, sums, w), *at_threshold(c, which), state[OWN_1, w], *halves, *into, *own, spiked[w])
