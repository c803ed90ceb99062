"""DPI_exp, the neuron of DYNAP chips: see `neurohw.neurons.dpi_exp`. All currents in units of the leak I_tau.

    v' = max(u_t/(kappa tau_m) (f + (g (x - 1) - m (1 + h))/(m + g)), -v/tau_m)
    m = I/I_tau = m_0 exp(kappa v/u_t),   f = m_0 exp(kappa^2/(kappa + 1) v/u_t),   v kept to 0..v_thresh in both
    x = max(p_E isyn_exc + p_I isyn_inh + I_EXT/I_tau, m_0) - h,   h = i_ahp/I_tau;    at a spike i_ahp += b

One step adds the arriving weights to EXC and INH, then takes all variables by the midpoint rule (half = 0: forward Euler).
"""

import numpy as np
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

STATES = {"v": V, "isyn_exc": EXC, "isyn_inh": INH, "i_ahp": OWN_1}
HALF, HALF_E, HALF_I, SPEED, TO_F, TO_M, LEAST, GAIN = range(OWN, OWN + 8)
PULSE_E, PULSE_I, PER_LEAK, DT_OVER_TAU, B, DT_OVER_TAU_AHP = range(OWN + 8, OWN + 14)


def coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    leak = p["cm"] * p["u_t"] / (p["kappa"] * p["tau_m"])
    rows = spiking(p, dt, p["v_thresh"], p["v_reset"]) | midpoint(p, dt, numerics, HALF, HALF_E, HALF_I)
    rows |= {SPEED: dt * p["u_t"] / (p["kappa"] * p["tau_m"]), TO_M: p["kappa"] / p["u_t"]}
    rows |= {TO_F: p["kappa"] ** 2 / (p["kappa"] + 1.0) / p["u_t"], LEAST: p["i_0"] / leak, GAIN: p["gain_m"]}
    for row, gain, tau in ((PULSE_E, "gain_E", "tau_syn_E"), (PULSE_I, "gain_I", "tau_syn_I")):
        rows[row] = -p[gain] * np.expm1(-p["t_pulse"] / p[tau]) / leak
    return rows | {PER_LEAK: 1.0 / leak, DT_OVER_TAU: dt / p["tau_m"], B: p["b"], DT_OVER_TAU_AHP: dt / p["tau_ahp"]}


@njit(cache=True, inline="always")
def _change_of_v(v, into, ahp, v_thresh, speed, to_f, to_m, least, gain, dt_tau):
    """dt v'; into, ahp: in units of the leak."""
    kept = min(max(v, 0.0), v_thresh)
    m = least * exp(to_m * kept)
    drive = gain * (max(into, least) - ahp - 1.0) - m * (1.0 + ahp)
    return max(speed * (least * exp(to_f * kept) + drive / (m + gain)), -v * dt_tau)


@step_kernel
def _dpi(
    v, exc, inh, arrived_e, arrived_i, refractory, i_ext, v_thresh, v_reset, v_subtract, t_refrac, d_e, d_i,
    w, half, h_e, h_i, speed, to_f, to_m, least, gain, pulse_e, pulse_i, per_leak, dt_tau, b, dt_tau_ahp, spiked,
):  # fmt: skip
    for i in range(v.shape[0]):
        e, n, vi, wi, left = exc[i] + arrived_e[i], inh[i] + arrived_i[i], v[i], w[i], refractory[i]
        arrived_e[i] = arrived_i[i] = 0.0
        from_e, from_i, ext = e * at(pulse_e, i), n * at(pulse_i, i), i_ext[i] * at(per_leak, i)
        change = _change_of_v(
            vi, from_e + from_i + ext, wi * at(per_leak, i), at(v_thresh, i), at(speed, i), at(to_f, i), at(to_m, i),
            at(least, i), at(gain, i), at(dt_tau, i),
        )  # fmt: skip
        middle = vi + at(half, i) * (change if left <= 0 else 0.0)
        middle_w = wi * (1.0 - at(half, i) * at(dt_tau_ahp, i))
        change = _change_of_v(
            middle, from_e * at(h_e, i) + from_i * at(h_i, i) + ext, middle_w * at(per_leak, i), at(v_thresh, i),
            at(speed, i), at(to_f, i), at(to_m, i), at(least, i), at(gain, i), at(dt_tau, i),
        )  # fmt: skip
        new = vi + (change if left <= 0 else 0.0)
        v[i], refractory[i], hit = fire(new, left, at(v_thresh, i), at(v_reset, i), at(v_subtract, i), at(t_refrac, i))
        wi += -at(dt_tau_ahp, i) * middle_w + (at(b, i) if hit else 0.0)
        w[i] = wi if abs(wi) > FLUSH else 0.0
        spiked[i] = hit
        e *= at(d_e, i)
        n *= at(d_i, i)
        exc[i] = e if abs(e) > FLUSH else 0.0
        inh[i] = n if abs(n) > FLUSH else 0.0


@njit(cache=True)
def step(state, sums, c, w, which, spiked):
    """One step of the neurons in the slice w."""
    own = c[HALF, which], c[HALF_E, which], c[HALF_I, which], c[SPEED, which], c[TO_F, which], c[TO_M, which]
    more = c[LEAST, which], c[GAIN, which], c[PULSE_E, which], c[PULSE_I, which], c[PER_LEAK, which]
    last = c[DT_OVER_TAU, which], c[B, which], c[DT_OVER_TAU_AHP, which]
    _dpi(*common(state, sums, w), *at_threshold(c, which), state[OWN_1, w], *own, *more, *last, spiked[w])
