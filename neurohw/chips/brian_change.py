"""A changed program put into a Brian2 network that goes on: parameters, weights, delays, currents, and what is new."""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.brian import BrianNetwork, copies_needed
from neurohw.chips.brian_equations import SI
from neurohw.errors import Unsupported
from neurohw.kernels.rows import rows
from neurohw.network import Population
from neurohw.neurons import NeuronModel
from neurohw.program import Program

NUMBERS = itertools.count(100_000)
"""For the names of what is added: Brian2 wants each name once in a network."""


def change(brian: BrianNetwork, program: Program, events: tuple[NDArray, NDArray, NDArray]) -> None:
    """Let `brian` go on as `program`. events: all changes of injected current before now.

    Spikes on their way stay on their way. The network cannot be set back to its beginning after this: build it anew.
    """
    old, brian.program = brian.program, program
    _new_populations(brian)
    for name, population in program.network.neurons.items():
        if name in old.network.populations:
            if population.size != old.network.populations[name].size:
                raise Unsupported(
                    f"population {name!r} has another size than before; a run can only go on with the same neurons"
                )
            _parameters(brian, name, population)
    _currents(brian, events)
    _projections(brian)
    _traces(brian)


def _new_populations(brian: BrianNetwork) -> None:
    network = brian.program.network
    for number, (name, population) in enumerate(network.neurons.items()):
        if name not in brian.groups:
            brian.groups[name] = group = brian._group(number, name, population)
            brian.monitors[name] = brian.b2.SpikeMonitor(group, name=f"spikes_{number}")
            brian.network.add(group, brian.monitors[name])
            for state, spec in population.neuron.states.items():
                _put(group, state, network.initial(name, state, 0) * SI[spec.unit])
    for name, population in network.sources.items():
        needed = copies_needed(brian.program, name, None)
        if needed > brian.copies.get(name, 0):
            _new_generator(brian, name, population.size, needed)


def _new_generator(brian: BrianNetwork, name: str, size: int, copies: int) -> None:
    """A generator for a source, with its own synapses; one that it replaces falls silent, its last spikes arrive."""
    if name in brian.relays:
        raise Unsupported(
            f"population {name!r} has plastic synapses and now spikes up to {copies} times in one step, which its relay "
            "was not built for; give it such spikes from the beginning, or make the change after a reset"
        )
    if name in brian.generators:
        brian.generators[name].set_spikes([], [] * brian.b2.ms)
    fresh = brian.b2.SpikeGeneratorGroup(
        size * copies, [], [] * brian.b2.ms, when="start", name=f"source_{next(NUMBERS)}"
    )
    brian.generators[name], brian.copies[name] = fresh, copies
    brian.network.add(fresh)
    for projection in brian.program.network.projections.values():
        if projection.source == name and projection.name in brian.synapses:
            brian.write(projection.name, rows(brian.program.network, projection).weights)
            brian.synapses.pop(projection.name)


def _parameters(brian: BrianNetwork, name: str, population: Population) -> None:
    model, group = population.model, brian.groups[name]
    assert isinstance(model, NeuronModel)
    values = {p: brian.program.network.parameter(name, p) for p in population.parameters}
    brian.set_parameters(group, name, model, values)


def _currents(brian: BrianNetwork, events: tuple[NDArray, NDArray, NDArray]) -> None:
    """The constant current of each neuron and what has been injected up to now."""
    _, neurons, changes = events
    for name, group in brian.groups.items():
        total = brian.program.network.parameter(name, "i_offset").copy()
        local = neurons - brian.program.origin.first[name]
        mine = (local >= 0) & (local < total.size)
        np.add.at(total, local[mine], changes[mine])
        _put(group, "i_ext", total * 1e-9)
    if brian.program.network.currents and not any(thing.name == "inject" for thing in brian.network.objects):
        brian.network.add(brian.b2.NetworkOperation(brian._inject, when="before_synapses", name="inject"))


def _projections(brian: BrianNetwork) -> None:
    program = brian.program
    for name, projection in program.network.projections.items():
        made = rows(program.network, projection)
        steps = program.delays.steps(name, made.delays, program.dt)
        if projection.plasticity is not None:
            _plastic(brian, name, made.weights)
        elif name not in brian.synapses:
            columns = [made.sources, made.targets, made.weights, steps]
            brian.synapses[name] = brian._connect(next(NUMBERS), name, [columns])
            brian.network.add(brian.synapses[name])
        elif made.targets.size:
            brian.write(name, made.weights)
            lag = steps if projection.source in brian.generators else steps - 1
            copies = brian.copies.get(projection.source, 1)
            brian.synapses[name].delay = np.tile(lag, copies) * program.dt * brian.b2.ms


def _plastic(brian: BrianNetwork, name: str, weights: NDArray) -> None:
    """Plastic synapses keep their traces; only their weights can be set."""
    if name not in brian.synapses or len(brian.synapses[name]) != weights.size:
        raise Unsupported(
            f"projection {name!r}: plastic synapses cannot be added in mid-run; add them before, or reset"
        )
    if weights.size:
        brian.write(name, weights)


def _traces(brian: BrianNetwork) -> None:
    brian.network.remove(*brian.traces)
    brian.traced = [(n, v, which) for n, variables in brian.program.record.items() for v, which in variables.items()]
    brian.traces = [
        brian.b2.StateMonitor(brian.groups[n], v, record=which, when="before_groups", name=f"trace_{k}")
        for k, (n, v, which) in enumerate(brian.traced)
    ]
    brian.network.add(*brian.traces)


def _put(group: Any, variable: str, values: NDArray) -> None:
    group.variables[variable].get_value()[:] = values
