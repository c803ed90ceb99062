"""ALIF, whose threshold adapts, and LI, which never spikes: what arrives are voltage steps (mV).

    v' = v_rest + (v - v_rest) b + EXC + INH + I_EXT p_0,    a' = a rho;    a spike where v' > v_thresh + beta a';  then a += 1

    exact: b = exp(-dt/tau_m), p_0 = tau_m/cm (1 - b), rho = exp(-dt/tau_a);   euler: b = 1 - dt/tau_m, rho = 1 - dt/tau_a

The membrane goes on while the neuron is refractory. LI is the linear step with an infinite threshold.
"""

import numpy as np
from numba import njit

from neurohw.kernels.compiling import at, step_kernel
from neurohw.kernels.float_neurons import linear
from neurohw.kernels.float_neurons.rows import FLUSH, OWN, OWN_1, Rows, V, Values, at_threshold, common, fire
from neurohw.network import Numerics

STATES = {"v": V, "a": OWN_1}
RHO, BETA = OWN + 9, OWN + 10
"""Behind the rows of the linear models."""


def coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    """Of ALIF."""
    rate = dt / p["tau_a"]
    rho = 1.0 - rate if numerics.integration == "euler" else np.exp(-rate)
    return {**linear.delta_coefficients(p, dt, numerics), RHO: rho, BETA: p["beta"]}


def integrator_coefficients(p: Values, dt: float, numerics: Numerics) -> Rows:
    """Of LI."""
    never = {"v_thresh": np.full_like(p["v_rest"], np.inf), "v_reset": p["v_rest"]}
    return linear.delta_coefficients({**p, **never}, dt, numerics)


@step_kernel
def _alif(
    v, exc, inh, arrived_e, arrived_i, refractory, i_ext, v_thresh, v_reset, v_subtract, t_refrac, d_e, d_i,
    b, p_0, v_rest, a, rho, beta, spiked,
):  # fmt: skip
    for i in range(v.shape[0]):
        r, adapted, jump = at(v_rest, i), a[i] * at(rho, i), (exc[i] + arrived_e[i]) + (inh[i] + arrived_i[i])
        arrived_e[i] = arrived_i[i] = exc[i] = inh[i] = 0.0
        new = r + (v[i] - r) * at(b, i) + jump + i_ext[i] * at(p_0, i)
        threshold = at(v_thresh, i) + at(beta, i) * adapted
        v[i], refractory[i], hit = fire(
            new, refractory[i], threshold, at(v_reset, i), at(v_subtract, i), at(t_refrac, i)
        )
        spiked[i] = hit
        adapted = adapted if adapted > FLUSH else 0.0
        a[i] = adapted + 1.0 if hit else adapted


@njit(cache=True)
def step(state, sums, c, w, which, spiked):
    """One step of the neurons in the slice w."""
    own = c[linear.DECAY_M, which], c[linear.P_0, which], c[linear.V_REST, which]
    adaptation = state[OWN_1, w], c[RHO, which], c[BETA, which]
    _alif(*common(state, sums, w), *at_threshold(c, which), *own, *adaptation, spiked[w])
