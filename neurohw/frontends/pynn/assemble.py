"""From PyNN's populations, projections and current sources, as they stand, to one neurohw Network.

Connectivity is taken over as PyNN's own connectors drew it, pair by pair: a script gives the same network as on any
other simulator.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.connections import FromList
from neurohw.frontends.pynn.plasticity import note_amplitudes, synapse_of
from neurohw.network import MAX_NAME, Network, Numerics, SpikeTimes

Indices = NDArray[np.int64]


def assemble(state: Any, first: int, last: int, trial: int) -> tuple[Network, list[str]]:
    """(network, notes) for a run over the steps first..last-1; the notes say what is not as the script has it."""
    numerics = Numerics(stimulus_grid=min(Numerics().stimulus_grid, state.dt))
    network, notes = Network("PyNN script", numerics=numerics), list[str]()
    taken = {p.network_name for p in state.populations if p.network_name}
    for population in state.populations:
        if not population.network_name:
            population.network_name = _free_name(population.label, taken)
            taken.add(population.network_name)
        network = _add_population(network, population, state.dt, notes)
    for projection in state.projections:
        projection.parts = {}
        for source, target, which, pre, post in _parts(state, projection):
            network = network.project(
                source.network_name,
                target.network_name,
                FromList(pre, post),
                weight=_simple(projection.values["weight"][which]),
                delay=_simple(projection.values["delay"][which]),
                receptor=projection.receptor_type,
                synapse=synapse_of(projection, which),
                name=(name := _free_name(projection.label or "projection", set(network.projections))),
            )
            projection.parts[name] = np.flatnonzero(which)[np.argsort(pre, kind="stable")]
    note_amplitudes(network, notes)
    for source in state.current_sources:
        times, amplitudes = source.schedule(first, last, trial)
        for population, neurons in source.targets():
            network = network.inject(population.network_name, times, amplitudes, neurons)
    return network, notes


def _add_population(network: Network, population: Any, dt: float, notes: list[str]) -> Network:
    model, name = type(population.celltype).__name__, population.network_name
    if model == "SpikeSourceArray":
        times = population.all_spike_times()
        _note_off_grid(name, times.times, dt, notes)
        return network.population(name, population.size, model, spike_times=times)
    parameters = {key: _simple(values) for key, values in population.parameters.items()}
    initial = {key: _simple(values) for key, values in population.initial.items()}
    return network.population(name, population.size, model, parameters, initial)


def _note_off_grid(name: str, times: NDArray[np.float64], dt: float, notes: list[str]) -> None:
    off = int((np.abs(times / dt - np.round(times / dt)) > 1e-6).sum())
    if off:
        notes.append(
            f"{name}: {off} of {times.size} spike times lie between time steps; each acts in the step that holds it"
        )


def _simple(values: NDArray[np.float64]) -> Any:
    """One number where all are the same."""
    return float(values[0]) if values.size and (values == values[0]).all() else values


def _parts(state: Any, projection: Any) -> Iterator[tuple[Any, Any, NDArray[np.bool_], Indices, Indices]]:
    """The projection between whole populations: (source, target, which synapses, pre, post) for each pair with any.

    The ends of a PyNN projection may be views and assemblies; the ids of the cells tell what they are made of.
    """
    starts = np.array([int(p.first_id) for p in state.populations])
    ends = []
    for side, indices in ((projection.pre, projection.pre_indices), (projection.post, projection.post_indices)):
        ids = side.all_cells.astype(np.int64)[indices]
        number = np.searchsorted(starts, ids, side="right") - 1
        ends.append((number, ids - starts[number]))
    (source, pre), (target, post) = ends
    pair = source * starts.size + target
    for code in np.unique(pair):
        which = pair == code
        a, b = divmod(int(code), starts.size)
        yield state.populations[a], state.populations[b], which, pre[which], post[which]


def _free_name(label: str, taken: set[str]) -> str:
    """`label` as a name that neurohw accepts and that is not taken yet."""
    clean = "".join(c if c.isprintable() and c != "/" else "_" for c in str(label)).strip()[: MAX_NAME - 8] or "unnamed"
    name, number = clean, 1
    while name in taken:
        number += 1
        name = f"{clean} ({number})"
    return name


def spike_times(lists: list[NDArray[np.float64]]) -> SpikeTimes:
    """One array of times per neuron, as one sorted list of spikes."""
    times = np.concatenate(lists) if lists else np.empty(0)
    indices = np.repeat(np.arange(len(lists)), [part.size for part in lists])
    order = np.lexsort((indices, times))
    return SpikeTimes(times[order], indices[order])
