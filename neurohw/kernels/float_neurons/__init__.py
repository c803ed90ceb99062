"""Neuron steps in floating point: what ideal devices, the analog substrate and digital neurons beside crossbars share.

All models have the same rows, one per variable, so that one compiled loop holds any mixture of populations: see `rows`.
The equations of each family stand in its module. In every step a neuron with v > threshold spikes and is reset (to
v_reset, or by threshold - v_reset), and its membrane rests for round(tau_refrac/dt) steps while its synapses go on.

Most populations have the same coefficients for all neurons (see `loops`): then the loop reads few rows instead of many,
and is two to three times as fast with the same result.

A model has a line in MODELS and a branch in `step`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.kernels.float_neurons import adaptive, alif, conductance, dpi, izhikevich, linear
from neurohw.kernels.float_neurons.rows import (
    EXC,
    I_EXT,
    INH,
    N_COEFFICIENTS,
    N_STATE,
    Rows,
    V,
    Values,
    check_step,
    refractory_steps,
)  # fmt: skip
from neurohw.network import Numerics

LINEAR, CURRENT_ALPHA, IZHIKEVICH, ALIF, DPI, CONDUCTANCE, CONDUCTANCE_ALPHA, ADAPTIVE, IZHIKEVICH_CONDUCTANCE = range(
    9
)
FIRST_OF_CONDUCTANCES = CONDUCTANCE
"""From this code on, what arrives is a conductance, which cannot be negative."""
EULER = 64
"""Added to a code: by forward Euler."""


@dataclass(frozen=True)
class FloatModel:
    """code: its branch in `step`. states: variable -> row. coefficients(parameters, dt, numerics): row -> values."""

    code: int
    states: Mapping[str, int]
    coefficients: Callable[[Values, float, Numerics], Rows]


MODELS = {
    "IF_curr_exp": FloatModel(LINEAR, linear.EXPONENTIAL, linear.exponential_coefficients),
    "IF_curr_delta": FloatModel(LINEAR, linear.DELTA, linear.delta_coefficients),
    "IF_curr_alpha": FloatModel(CURRENT_ALPHA, linear.ALPHA, linear.alpha_coefficients),
    "IF_cond_exp": FloatModel(CONDUCTANCE, conductance.EXPONENTIAL, conductance.exponential_coefficients),
    "IF_cond_alpha": FloatModel(CONDUCTANCE_ALPHA, conductance.ALPHA, conductance.alpha_coefficients),
    "EIF_cond_exp_isfa_ista": FloatModel(ADAPTIVE, adaptive.STATES, adaptive.coefficients),
    "Izhikevich": FloatModel(IZHIKEVICH, izhikevich.STEPS, izhikevich.coefficients),
    "IZK_curr_exp": FloatModel(IZHIKEVICH, izhikevich.CURRENTS, izhikevich.current_coefficients),
    "ALIF": FloatModel(ALIF, alif.STATES, alif.coefficients),
    "LI": FloatModel(LINEAR, linear.DELTA, alif.integrator_coefficients),
    "DPI_exp": FloatModel(DPI, dpi.STATES, dpi.coefficients),
    "IZK_cond_exp": FloatModel(IZHIKEVICH_CONDUCTANCE, izhikevich.CONDUCTANCES, izhikevich.conductance_coefficients),
}


def coefficients(model: str, p: Values, dt: float, numerics: Numerics) -> NDArray[np.float64]:
    """The coefficient rows of a population: (N_COEFFICIENTS, neurons), from parameters per neuron in PyNN's units.

    Raises OutOfRange where the time step is too long for the midpoint rule.
    """
    check_step(model, p, dt, numerics)
    table = np.zeros((N_COEFFICIENTS, p["i_offset"].size))
    for row, values in MODELS[model].coefficients(p, dt, numerics).items():
        table[row] = values
    return table


def step_code(model: str, numerics: Numerics) -> int:
    """Which step a model takes."""
    return MODELS[model].code + (EULER if numerics.integration == "euler" else 0)


@njit(cache=True)
def has_conductances(code):
    """Whether what arrives at neurons of this code is a conductance."""
    return code % EULER >= FIRST_OF_CONDUCTANCES


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
    """One step of the neurons first..last-1, which all have the model `code`: takes the arrivals, clears `sums`."""
    _step(code, state, sums, c, slice(first, last), slice(first, last), spiked)


@njit(cache=True)
def step_shared(code, state, sums, c, first, last, spiked):
    """The same for neurons whose coefficients are those of the first of them."""
    _step(code, state, sums, c, slice(first, last), first, spiked)


@njit(cache=True)
def _step(code, state, sums, c, w, which, spiked):
    """Of the neurons in the slice w; `which` column of the coefficients: the same slice, or the one that all share."""
    kind, euler = code % EULER, code >= EULER
    if kind == LINEAR:
        linear.step(state, sums, c, w, which, spiked)
    elif kind == CURRENT_ALPHA:
        linear.step_alpha(state, sums, c, w, which, spiked)
    elif kind == CONDUCTANCE:
        conductance.step(state, sums, c, w, which, spiked, euler)
    elif kind == CONDUCTANCE_ALPHA:
        conductance.step_alpha(state, sums, c, w, which, spiked, euler)
    elif kind == ALIF:
        alif.step(state, sums, c, w, which, spiked)
    elif kind == DPI:
        dpi.step(state, sums, c, w, which, spiked)
    elif kind == ADAPTIVE:
        adaptive.step(state, sums, c, w, which, spiked)
    else:
        izhikevich.step(state, sums, c, w, which, spiked)


__all__ = [
    "EXC", "INH", "I_EXT", "MODELS", "N_COEFFICIENTS", "N_STATE", "V", "check_step", "coefficients", "has_conductances", "loops",
    "refractory_steps", "step", "step_code", "step_shared",
]  # fmt: skip
