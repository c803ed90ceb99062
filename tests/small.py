"""Small networks that every chip can hold, for any neuron model, and what is mapped and run of them."""

from dataclasses import replace
from functools import cache

import numpy as np

from neurohw import data_files, workbench
from neurohw.connections import AllToAll, FixedProbability, FromList
from neurohw.device import load_device
from neurohw.distributions import Normal, Uniform
from neurohw.network import Network, Numerics
from neurohw.neurons import NEURONS, NeuronModel

MODELS = [name for name, model in NEURONS.items() if isinstance(model, NeuronModel)]
DEVICES = data_files.names("devices")
WEIGHT = {"nA": 0.5, "uS": 0.008, "mV": 1.6}
"""About 1.5 mV of depolarization by one spike, with PyNN's default membrane."""
DRIVE = {"Izhikevich": 0.02, "IZK_curr_exp": 20.0, "IZK_cond_exp": 20.0, "DPI_exp": 2.0}
"""The constant current that does what 1 nA does to PyNN's default membrane, for models whose membrane has another
size."""
SYNAPSES = {"tau_syn_E": 5.0, "tau_syn_I": 5.0}
"""The same for all models, and slow enough for a time step of 1 ms."""
NUMERICS = {"exact": Numerics(), "euler, subtract": Numerics(integration="euler", reset="subtract")}


def weights(model: str) -> tuple[float, float]:
    """(excitatory, inhibitory) weight onto a model, the second with the sign that it takes there."""
    kind = NEURONS[model]
    return WEIGHT[kind.weight_unit], 2 * kind.inhibitory_sign * WEIGHT[kind.weight_unit]


def chosen(name: str, model: str) -> Numerics:
    """NUMERICS[name], with a reset that the model has."""
    found = NUMERICS[name]
    return found if found.reset in NEURONS[model].resets else replace(found, reset=NEURONS[model].resets[0])


def own(model: str, **parameters) -> dict:
    """Those of these parameters that a model has."""
    return {name: value for name, value in parameters.items() if name in NEURONS[model].parameters}


def feed_forward(model: str, seed: int = 1, numerics: Numerics = NUMERICS["exact"]) -> Network:
    """Given and Poisson spikes onto nine neurons that differ; a source may spike twice in a step of 1 ms."""
    excitatory, inhibitory = weights(model)
    train = ([1.0, 1.2, 4.0, 9.0, 9.0, 15.0, 22.0, 23.5], [0, 0, 1, 2, 2, 0, 1, 2])
    network = Network("feed forward", seed, numerics=numerics)
    network = network.population("given", 3, "SpikeSourceArray", spike_times=train)
    network = network.population("poisson", 12, "SpikeSourcePoisson", {"rate": 100.0})
    tau_m, i_offset = np.linspace(10.0, 30.0, 9), np.linspace(0.0, 0.3, 9) * DRIVE.get(model, 1.0)
    parameters = own(model, tau_m=tau_m, i_offset=i_offset, tau_refrac=2.0, **SYNAPSES)
    network = network.population("cells", 9, model, parameters, initial={"v": Uniform(-65.0, -55.0)})
    pairs = FromList(np.arange(9) % 3, np.arange(9))
    network = network.project("given", "cells", pairs, 3 * excitatory * np.linspace(0.5, 1.5, 9), delay=1.0)
    network = network.project("poisson", "cells", FixedProbability(0.7), excitatory, delay=Uniform(1.0, 4.0))
    return network.project(
        "poisson", "cells", FixedProbability(0.2), inhibitory, delay=2.0, receptor="inhibitory", name="inhibition"
    )


def recurrent_short(model: str, seed: int = 1, numerics: Numerics = NUMERICS["exact"]) -> Network:
    """Sixteen neurons, excitatory and inhibitory, that excite and inhibit each other, driven by Poisson sources."""
    excitatory, inhibitory = weights(model)
    network = Network("recurrent", seed, numerics=numerics)
    network = network.population("drive", 10, "SpikeSourcePoisson", {"rate": 150.0})
    for name, size in (("e", 12), ("i", 4)):
        start = {"v": Normal(-60.0, 3.0, -65.0, -51.0)}
        parameters = own(model, tau_refrac=1.0, i_offset=0.2 * DRIVE.get(model, 1.0), **SYNAPSES)
        network = network.population(name, size, model, parameters, initial=start)
        network = network.project("drive", name, AllToAll(), excitatory, delay=1.0)
    for name in ("e", "i"):
        network = network.project("e", name, FixedProbability(0.4, False), excitatory, delay=Uniform(1.0, 5.0))
        network = network.project("i", name, FixedProbability(0.5, False), inhibitory, delay=1.0, receptor="inhibitory")
    return network


NETWORKS = {"feed forward": feed_forward, "recurrent": recurrent_short}


@cache
def device(name: str, ideal: bool = False):
    loaded = load_device(name)
    return loaded.ideal() if ideal else loaded


def models_of(name: str) -> list[str]:
    """The neuron models that a device has."""
    return [model for model in MODELS if model in device(name).supports.neurons]


@cache
def program(name: str, network: str, model: str, ideal: bool = False, dt: float | None = None, numerics: str = "exact"):
    """A small network mapped onto a device, with v of one neuron (which every device can show) or, if ideal, of all."""
    made = NETWORKS[network](model, numerics=chosen(numerics, model))
    which = "all" if ideal or name == "reference" else 1
    record = {population: {"v": which} for population in made.neurons}
    return workbench.map_network(made, device(name, ideal), dt=dt, record=record)


def same(a, b) -> bool:
    """Whether two recordings hold the same spikes and traces, bit for bit."""
    return (
        a.spikes.keys() == b.spikes.keys()
        and all(np.array_equal(a.spikes[p][k], b.spikes[p][k]) for p in a.spikes for k in (0, 1))
        and a.traces.keys() == b.traces.keys()
        and all(np.array_equal(a.traces[p][v], b.traces[p][v]) for p in a.traces for v in a.traces[p])
    )


def joined(a, b):
    """(spikes, traces) of a run and the run that went on from it; the last sample of the first has no arrivals yet."""
    spikes = {p: tuple(np.concatenate((a.spikes[p][k], b.spikes[p][k])) for k in (0, 1)) for p in a.spikes}
    traces = {p: {v: np.concatenate((a.traces[p][v][:-1], b.traces[p][v])) for v in a.traces[p]} for p in a.traces}
    return spikes, traces
