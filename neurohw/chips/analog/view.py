"""What a bench sees of an analog chip, and where in its table the synapses of each neuron lie."""

from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw import rng
from neurohw.kernels.table import BASE, BLOCK, FIRST, GROUP, ROW, WIDTH, SynapseTable
from neurohw.recording import Recording
from neurohw.report import Loss


def seen(chip: Any, recording: Recording, begin: int, trial: int) -> Recording:
    """The recording with its membranes as the chip's converters show them."""
    program, readout = chip.loaded, chip.readout
    membranes = sum(which.size for variables in program.record.values() for which in variables.values())
    every = readout.every(membranes, program.dt, float(chip.machine.acceleration))
    stream = rng.subkey(chip.key("readout/noise"), f"trial/{trial}")
    traces: dict[str, dict[str, NDArray[Any]]] = {}
    times: dict[str, dict[str, NDArray[Any]]] = {}
    losses = []
    for name, variables in recording.traces.items():
        scale, shift = program.payload.volts.get(name, (1.0, 0.0))
        numbers = program.payload.neurons[program.origin.first[name] + program.record[name]["v"]]
        first = -begin % every
        v = variables["v"][first::every] * scale + shift
        steps = np.arange(begin, begin + variables["v"].shape[0])[first::every]
        z = readout.noises(stream, steps, numbers)
        offsets = rng.normal(chip.key("readout/offset"), numbers)
        shown, beyond = readout.seen(v, readout.is_fast(membranes), offsets, z)
        traces[name] = {"v": (shown - shift) / scale}
        times[name] = {"v": recording.times[name]["v"][first::every]}
        why = f"the converters see {readout.low:.4g} to {readout.high:.4g} mV on the standard scale"
        losses.append(Loss("samples clipped", beyond, v.size, f"{name}.v", why))
    return replace(recording, traces=traces, times=times, report=recording.report.add(*losses))


def gain_places(table: SynapseTable) -> NDArray[np.int64]:
    """receptor * n_targets + target of each synapse of the table: where its neuron's gain stands."""
    places = np.empty(table.n_synapses, np.int64)
    _gain_places(table.visits, table.firsts, table.starts, table.offsets, table.targets, table.n_targets, places)
    return places


@njit(cache=True)
def _gain_places(visits, firsts, starts, offsets, targets, n_targets, places):
    for v in range(visits.shape[0]):
        row, group = visits[v, ROW], visits[v, GROUP]
        first = row % 2 * n_targets + row // 2 * BLOCK
        for s in range(firsts[group], firsts[group + 1]):
            at = visits[v, BASE] + (s - visits[v, FIRST]) * visits[v, WIDTH]
            for j in range(starts[s] + np.int64(offsets[at]), starts[s] + np.int64(offsets[at + 1])):
                places[j] = first + targets[j]
