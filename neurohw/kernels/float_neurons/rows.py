"""The rows that all float neurons share, and the formulas that several of their steps need.

state: V, EXC, INH (what arriving weights are added to), REFRACTORY (steps left), I_EXT (nA: i_offset + injected),
       and two that each family uses for itself (OWN_1, OWN_2)
coefficients: the common ones below; from OWN on each family has its own
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.errors import OutOfRange
from neurohw.network import Numerics
from neurohw.neurons import NEURONS, NeuronModel

V, EXC, INH, REFRACTORY, I_EXT, OWN_1, OWN_2 = range(7)
N_STATE = 7
V_THRESH, V_RESET, V_SUBTRACT, T_REFRAC, DECAY_E, DECAY_I, OWN = range(7)
N_COEFFICIENTS = 24
FLUSH = 1e-30
"""Synaptic state below this is set to zero, long before it becomes subnormal and slow."""

Values = dict[str, NDArray[np.float64]]
Rows = dict[int, NDArray[np.float64] | float]


def spiking(
    p: Values, dt: float, threshold: NDArray[np.float64] | float, reset: NDArray[np.float64], subtract: bool = False
) -> Rows:
    """The coefficients of threshold, reset and refractoriness."""
    rows: Rows = {V_THRESH: threshold, V_RESET: reset}
    if subtract:
        rows[V_SUBTRACT] = threshold - reset
    if "tau_refrac" in p:
        rows[T_REFRAC] = refractory_steps(p["tau_refrac"], dt)
    return rows


def refractory_steps(tau_refrac: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
    """Whole steps that a refractory period lasts, rounded half up."""
    return np.floor(tau_refrac / dt + 0.5 + 1e-9)


def midpoint(p: Values, dt: float, numerics: Numerics, half: int, half_e: int, half_i: int) -> Rows:
    """The rows `half`, `half_e`, `half_i` and the decay of the synapses by the midpoint rule; half = 0 makes it forward
    Euler.

    x' = x + dt f(x + half dt f(x)): with f = -x/tau the factor is 1 - dt/tau + half (dt/tau)^2, and 1 - half dt/tau to
    the middle.
    """
    share = 0.0 if numerics.integration == "euler" else 0.5
    rows: Rows = {half: share}
    for middle, decay, tau in ((half_e, DECAY_E, "tau_syn_E"), (half_i, DECAY_I, "tau_syn_I")):
        if tau in p:
            rows[middle] = 1.0 - share * dt / p[tau]
            rows[decay] = 1.0 - dt / p[tau] * rows[middle]
    return rows


def check_step(model: str, p: Values, dt: float, numerics: Numerics) -> None:
    """Raise OutOfRange where a model is solved by the midpoint rule and that diverges: for a decay with tau <= dt/2."""
    kind = NEURONS[model]
    if not isinstance(kind, NeuronModel) or kind.method != "midpoint" or numerics.integration == "euler":
        return
    for name, values in p.items():
        if name.startswith("tau_") and name != "tau_refrac" and values.min() <= dt / 2:
            raise OutOfRange(
                f"{model}: {name} of {values.min():g} ms is too short for a time step of {dt:g} ms, which must be less "
                f"than twice as long; use a time step below {2 * values.min():g} ms"
            )


@njit(cache=True)
def common(state, sums, w):
    """What the step of every family takes: v, exc, inh, arrived_e, arrived_i, refractory, i_ext."""
    return state[V, w], state[EXC, w], state[INH, w], sums[0, w], sums[1, w], state[REFRACTORY, w], state[I_EXT, w]


@njit(cache=True)
def at_threshold(c, which):
    """The coefficients of `fire`, and the decay of the synapses: v_thresh, v_reset, v_subtract, t_refrac, d_e, d_i."""
    fire = c[V_THRESH, which], c[V_RESET, which], c[V_SUBTRACT, which], c[T_REFRAC, which]
    return *fire, c[DECAY_E, which], c[DECAY_I, which]


@njit(cache=True, inline="always")
def fire(new, left, v_thresh, v_reset, v_subtract, t_refrac):
    """(v, refractory steps left, whether it spiked) where the membrane came to `new`."""
    hit = new > v_thresh and left <= 0
    down = new - v_subtract if v_subtract > 0 else v_reset
    return down if hit else new, t_refrac if hit else max(left - 1, 0), hit
