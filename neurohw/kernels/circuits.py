"""Synapses and the circuits that realize them: who comes first where several compete, and who has found a circuit."""

from typing import cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.device.analog import AnalogChoices, AnalogMachine
from neurohw.kernels.lowering import Block
from neurohw.program import LOST, Program


@njit(cache=True)
def ordinals(order, targets, groups, seen):
    """The ordinal of each synapse among those of the same (target, group); seen[target, group] counts on over calls.

    order: the order in which synapses are counted. Counting stops at 65,535, which is more than any array of rows can
    hold.
    """
    found = np.empty(order.size, np.int64)
    for i in order:
        count = seen[targets[i], groups[i]]
        found[i] = count
        if count < np.iinfo(np.uint16).max:
            seen[targets[i], groups[i]] = count + 1
    return found


def circuit_of(program: Program, block: Block) -> NDArray[np.uint32]:
    """The circuit of each synapse of a block; 0 on ideal devices, which have none."""
    found = np.zeros(block.sources.size, np.uint32)
    circuits = program.routing.circuits if program.routing else None
    if circuits:
        for k, name in enumerate(program.network.projections):
            mine = block.projections == k
            found[mine] = circuits[name][block.rank[mine]]
    return found


def realized(program: Program, block: Block) -> NDArray[np.bool_]:
    """Which synapses of a block have a circuit."""
    return circuit_of(program, block) != LOST


def neuron_circuits(program: Program) -> NDArray[np.int64]:
    """The number on the machine of each neuron's first circuit."""
    machine, origin = cast(AnalogMachine, program.device.machine), program.origin
    choices = cast(AnalogChoices, program.choices)
    found = np.empty(origin.n_neurons, np.int64)
    for part in program.slices:
        first = origin.first[part.population]
        found[first + part.first : first + part.last] = machine.first_circuits(part.site, part.size, choices)
    return found
