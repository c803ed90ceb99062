"""Which bus carries which source, where an array's rows hang on several buses: fixed for neurons, chosen for inputs.

BrainScaleS-2: the drivers of each half of the chip hang on four PADI buses, of 64 rows each. A neuron sends to the bus
of its event output, 64 neurons side by side having one; a source outside the chip can be sent to any. A row serves one
receptor and lets every neuron pick the sources it listens to by label, so a bus needs as many rows as the neediest
neuron has synapses from it, for each receptor.
Source: electronicvisions/grenade at 6ac13f3a, routing_constraints.cpp.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from neurohw.device.analog import AnalogMachine
from neurohw.kernels.circuits import neuron_circuits
from neurohw.kernels.lowering import blocks
from neurohw.program import Program


def row_buses(program: Program, machine: AnalogMachine) -> NDArray[np.int64]:
    """The bus of every presynaptic neuron.

    Inputs are put one after the other on the bus where the fullest array needs fewest rows with it, those with most
    synapses first; then once more in their own order, and the better of the two is taken.
    """
    n, n_buses = program.origin.n_neurons, int(machine.row_buses or 1)
    circuit = neuron_circuits(program)
    column = circuit % int(machine.circuits_per_array)
    bus = np.zeros(program.origin.n_presynaptic, np.int64)
    bus[:n] = column // int(machine.circuits_per_output or machine.circuits_per_array) % n_buses
    arrays, array = np.unique(circuit // int(machine.circuits_per_array), return_inverse=True)
    members = [np.flatnonzero(array == a) for a in range(arrays.size)]
    load = np.zeros((n_buses, 2, n), np.int64)
    inputs: dict[int, NDArray[np.int64]] = {}
    for block in blocks(program):
        own = block.sources < n
        np.add.at(load, (bus[block.sources[own]], block.receptors[own], block.targets[own]), 1)
        outside = np.flatnonzero(~own)
        for part in np.split(outside, np.flatnonzero(np.diff(block.sources[outside])) + 1) if outside.size else []:
            place = block.receptors[part] * n + block.targets[part]
            source = int(block.sources[part[0]])
            inputs[source] = np.concatenate((inputs.get(source, np.empty(0, np.int64)), place))

    def needed(found: NDArray[np.int64]) -> NDArray[np.int64]:
        """(buses, arrays): rows."""
        return np.stack([found[:, :, mine].max(axis=2, initial=0).sum(axis=1) for mine in members], axis=1)

    by_size = sorted(inputs, key=lambda source: (-inputs[source].size, source))
    tried = [_spread(inputs, order, load, needed) for order in (by_size, sorted(inputs))]
    best = min(tried, key=lambda chosen_and_rows: int(chosen_and_rows[1]))[0]
    for source, one in best.items():
        bus[source] = one
    return bus


def _spread(
    inputs: dict[int, NDArray[np.int64]],
    order: list[int],
    load: NDArray[np.int64],
    needed: Callable[[NDArray[np.int64]], NDArray[np.int64]],
) -> tuple[dict[int, int], int]:
    """(source -> bus, rows of the fullest bus)."""
    load, chosen = load.copy(), dict[int, int]()
    n_buses = load.shape[0]
    for source in order:
        mine = np.bincount(inputs[source], minlength=load[0].size).reshape(load.shape[1:])
        rows, total = needed(load + mine), load.sum(axis=(1, 2))
        bus = min(range(n_buses), key=lambda b: (int(rows[b].max(initial=0)), int(total[b]), b))
        load[bus] += mine
        chosen[source] = bus
    return chosen, int(needed(load).max(initial=0))
