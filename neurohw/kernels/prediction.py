"""What a run will take, from what it is expected to do: time and memory here, time and energy on the machine.

The one thing that cannot be known is how much the network will fire. Neurons are taken to fire at the choice
`expected_rate`, Poisson sources at their own rates while they are on, given spikes are counted.
"""

import numpy as np

from neurohw.device.analog import AnalogMachine
from neurohw.device.spinnaker import SpinnakerMachine
from neurohw.kernels.energy import spinnaker_energy
from neurohw.program import Program

Estimates = dict[str, tuple[float, str]]
SPEED = {
    # seconds per step, per neuron and step, per synaptic event: the Vogels-Abbott network on one core of a Xeon server
    "spinnaker": (2e-6, 1.5e-9, 2e-9),
    "analog": (2e-6, 2e-9, 3e-9),
    "crossbar": (2e-6, 2e-9, 5e-7),
    "reference": (1e-4, 2.5e-8, 5e-8),
}
"""Expect a factor of three either way on another computer, and more where compilation is part of the run."""
BYTES_PER_SPIKE = 32
"""Step and neuron, once in the window and once in the recording."""
JOULE, SECOND, MIB = 1e15, 1e3, 2.0**20


def prediction(program: Program, length: float) -> Estimates:
    """name -> (value, unit) for a run of `length` ms of network time; what cannot be said of a device is left out."""
    rates = expected_rates(program, length)
    spikes = {name: rate * program.network.populations[name].size * length / 1e3 for name, rate in rates.items()}
    events, steps = _events(program, spikes), length / program.dt
    per_step, per_update, per_event = SPEED.get(program.device.substrate, SPEED["analog"])
    seconds = steps * (per_step + per_update * program.origin.n_neurons) + per_event * events
    found = {
        "synaptic events": (events, ""),
        "time on this computer": (seconds, "s"),
        "memory on this computer": (_memory(program, steps, spikes) / MIB, "MiB"),
    }
    if program.device.is_unlimited:
        return found
    machine, choices = program.device.machine, program.choices
    if isinstance(machine, SpinnakerMachine):
        joule = sum(spinnaker_energy(program, length, sent(program, spikes)).values()) / JOULE
        mean, budget = busiest(program, rates), machine.budget(choices, program.dt)
        found["time on the machine"] = (length * choices.slowdown(program.dt) / SECOND, "s")
        found["energy on the machine"] = (joule, "J")
        found["mean load of the busiest core"] = (mean, f"of {budget:g} cycles a step")
    elif isinstance(machine, AnalogMachine):
        there = length / float(machine.acceleration)
        found["time on the machine"] = (there / SECOND, "s")
        if program.device.power:
            found["energy on the machine"] = (there * float(sum(program.device.power.values())) / JOULE, "J")
    elif "device_read" in program.device.energy:
        arms = 1 if choices.idle_arms == "none" and choices.empty_cells == "none" else 2
        found["energy of device reads"] = (events * arms * float(program.device.energy["device_read"]) / JOULE, "J")
    return found


def expected_rates(program: Program, length: float) -> dict[str, float]:
    """Population -> mean rate (Hz) of one of its neurons or sources over `length` ms."""
    found = dict.fromkeys(program.network.populations, float(program.choices.expected_rate))
    for name, population in program.network.sources.items():
        if population.spike_times is not None:
            n = int((population.spike_times.times < length).sum())
            found[name] = 1e3 * n / (population.size * length)
        else:
            rate, on, lasting = (program.network.parameter(name, part) for part in ("rate", "start", "duration"))
            share = np.clip(np.minimum(on + lasting, length) - on, 0.0, None) / length
            found[name] = float((rate * share).mean())
    return found


def _events(program: Program, spikes: dict[str, float]) -> float:
    """Synapses that spikes reach: those in the chip's table, where there is one, since it may hold more or fewer than were asked for."""
    table, total = getattr(program.payload, "table", None), 0.0
    for name, count in spikes.items():
        first, size = program.origin.first[name], program.network.populations[name].size
        if table is not None:
            total += count / size * float(table.starts[first + size] - table.starts[first])
        else:
            total += sum(
                count / size * program.network.expected_synapses(p.name)
                for p in program.network.projections.values()
                if p.source == name
            )
    return total


def _memory(program: Program, steps: float, spikes: dict[str, float]) -> float:
    """Bytes of table, traces and recorded spikes; those of Poisson sources are not kept."""
    traces = sum(which.size for variables in program.record.values() for which in variables.values())
    kept = sum(spikes[name] for name, p in program.network.populations.items() if not p.is_source or p.spike_times)
    table = getattr(program.payload, "table", None)
    return (table.n_bytes if table is not None else 0.0) + 8.0 * (steps + 1) * traces + BYTES_PER_SPIKE * kept


def sent(program: Program, spikes: dict[str, float]) -> np.ndarray:
    """Packets of each slice, then of each extension, which sends once for each stage that a projection needs."""
    parts, found = (*program.slices, *program.extensions), np.zeros(len(program.slices) + len(program.extensions))
    for k, part in enumerate(parts):
        found[k] = spikes[part.population] * part.size / program.network.populations[part.population].size
    return found


def busiest(program: Program, rates: dict[str, float]) -> float:
    """Cycles of a mean step on the core of a SpiNNaker machine that has most to do."""
    machine, network, reached = program.device.machine, program.network, program.routing.reached
    second, found = 1e3 / program.dt, [0.0]
    packets = np.zeros(len(program.slices) + len(program.extensions))
    np.add.at(
        packets, reached[:, 1], sent(program, {n: rates[n] * network.populations[n].size for n in rates})[reached[:, 0]]
    )
    for k, part in enumerate(program.slices):
        if network.populations[part.population].is_source:
            continue
        onto = [p for p in network.projections.values() if p.target == part.population]
        share = part.size / network.populations[part.population].size
        events = rows = 0.0
        for p in onto:
            per_source = network.expected_synapses(p.name) / network.populations[p.source].size * share
            spikes = rates[p.source] * network.populations[p.source].size
            events += spikes * per_source
            rows += spikes * -np.expm1(-per_source)  # a row is fetched where there is a synapse
        each = machine.cycles_per_neuron + machine.cycles_per_recorded * (
            1 + len(program.record.get(part.population, ()))
        )
        per_second = (
            machine.cycles_per_event * events + machine.cycles_per_row * rows + machine.cycles_per_packet * packets[k]
            + machine.cycles_per_spike * rates[part.population] * part.size
        )  # fmt: skip
        found.append(machine.cycles_per_step + part.size * each + per_second / second)
    return float(max(found))
