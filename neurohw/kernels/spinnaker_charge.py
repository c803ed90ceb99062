"""IF_curr_delta on SpiNNaker: the core takes a weight for a charge, so a voltage step has to be asked for as one.

The core turns an arriving value w into the current w / dt for one step, and so moves the membrane by

    dV = (w / dt) R (1 - exp(-dt / tau_m)),   R = tau_m / cm          (= w / cm for dt << tau_m)

so a step of W mV is written as w = W * dt / (R (1 - exp(-dt / tau_m))).
Source: sPyNNaker 7.4.1 `neuron/input_types/input_type_delta.h`, `neuron/models/neuron_model_lif_impl.h`.
"""

import numpy as np
from numpy.typing import NDArray

from neurohw.program import Program


def charge_factors(program: Program) -> NDArray[np.float64]:
    """What a weight onto each neuron is multiplied with before it becomes a word: 1 for all models but IF_curr_delta."""
    factors = np.ones(program.origin.n_neurons)
    for name, population in program.network.neurons.items():
        if population.model.name == "IF_curr_delta":
            tau, cm = program.network.parameter(name, "tau_m"), program.network.parameter(name, "cm")
            first = program.origin.first[name]
            factors[first : first + population.size] = program.dt / (tau / cm * -np.expm1(-program.dt / tau))
    return factors
