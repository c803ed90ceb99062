"""Weights that a SpiNNaker core takes for charges: those of IF_curr_delta and IF_curr_alpha have to be asked for as such.

IF_curr_delta. The core turns an arriving value w into the current w / dt for one step, and so moves the membrane by

    dV = (w / dt) R (1 - exp(-dt / tau_m)),   R = tau_m / cm          (= w / cm for dt << tau_m)

so a step of W mV is written as w = W * dt / (R (1 - exp(-dt / tau_m))).

IF_curr_alpha. The core's alpha function (w / tau) (t / tau) exp(-t / tau) carries the charge w, PyNN's has the peak W at
t = tau: the same function for w = W e tau (tau in ms).
Source: sPyNNaker 7.4.1 `neuron/input_types/input_type_delta.h`, `neuron/synapse_types/synapse_types_alpha_impl.h`,
`neuron/models/neuron_model_lif_impl.h`.
"""

import numpy as np
from numpy.typing import NDArray

from neurohw.network import RECEPTORS
from neurohw.program import Program

TAU = {"excitatory": "tau_syn_E", "inhibitory": "tau_syn_I"}


def charge_factors(program: Program) -> NDArray[np.float64]:
    """What a weight is multiplied with before it becomes a word: (receptors, neurons), 1 for all other models."""
    network, factors = program.network, np.ones((len(RECEPTORS), program.origin.n_neurons))
    for name, population in network.neurons.items():
        first = program.origin.first[name]
        mine = factors[:, first : first + population.size]
        if population.model.name == "IF_curr_delta":
            tau, cm = network.parameter(name, "tau_m"), network.parameter(name, "cm")
            mine[:] = program.dt / (tau / cm * -np.expm1(-program.dt / tau))
        if population.model.name == "IF_curr_alpha":
            mine[:] = [np.e * network.parameter(name, TAU[receptor]) for receptor in RECEPTORS]
    return factors
