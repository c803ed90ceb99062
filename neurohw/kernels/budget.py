"""What a run will take, estimated before it begins: what this computer cannot hold or finish is refused, not begun."""

from collections.abc import Collection
from typing import Any

import numpy as np

from neurohw import units
from neurohw.errors import BadInput, DoesNotFit, OutOfRange
from neurohw.memory import available_bytes
from neurohw.program import Program

LONGEST = 30 * 86400.0
"""A run that must take more than 30 days is taken for a slip of the pen."""
BYTES_PER_STEP, BYTES_PER_INPUT = 32, 64
"""The index of stimulus spikes by step; and of each of these spikes its step, source, order and time."""
SECONDS_PER_STEP, SECONDS_PER_UPDATE = 2e-7, 1e-9
"""The least that any chip takes for a step, and in it for a neuron."""
MAX_MEAN = 500.0
"""Poisson counts are looked up in tables of that length."""
LONGEST_WINDOW = 10_000
"""Steps for which a chip lists stimulus spikes at a time, at most."""


def steps_of(program: Program, duration: Any, window: int = LONGEST_WINDOW, drawn: Collection[str] = ()) -> int:
    """How many time steps a run of `duration` (ms or text) has.

    The run needs at least 8 (n + 1) bytes for each trace, 32 n for n steps, 64 for each given stimulus spike and for each
    Poisson spike of one window of steps, except in the populations `drawn` where their spikes are added.
    Raises BadInput for less than one step, DoesNotFit for more than half of the memory that is free or more than 30
    days, OutOfRange for a Poisson rate beyond 500 spikes in one interval of the stimulus grid.
    """
    length = units.parse(duration, "ms", "duration")
    n_steps = round(length / program.dt)
    if n_steps < 1:
        raise BadInput(f"duration {length:g} ms is shorter than one time step of {program.dt:g} ms; make it longer")
    traces = sum(which.size for variables in program.record.values() for which in variables.values())
    trace_bytes = 8.0 * (n_steps + 1) * traces
    needed = (
        trace_bytes
        + BYTES_PER_STEP * n_steps
        + BYTES_PER_INPUT * stimulus_spikes(program, min(length, window * program.dt), drawn)
    )
    if needed > available_bytes() / 2:
        what, less = "a run of", ""
        if trace_bytes > needed / 2:
            what, less = f"recording {traces} traces over", "record fewer neurons, or "
        raise DoesNotFit(
            f"duration {length:g} ms: {what} {n_steps:.4g} steps needs {needed / 2**30:.3g} GiB, more than half of the "
            f"{available_bytes() / 2**30:.3g} GiB that are free; {less}run in shorter pieces"
        )
    refuse_endless(seconds(program, n_steps), f"duration {length:g} ms: {n_steps:.4g} steps")
    return n_steps


def seconds(program: Program, n_steps: int) -> float:
    """The least time that a run can take; synaptic events come on top."""
    return n_steps * (SECONDS_PER_STEP + SECONDS_PER_UPDATE * program.origin.n_neurons)


def refuse_endless(least: float, what: str) -> None:
    if least > LONGEST:
        raise DoesNotFit(
            f"{what} take at least {units.pretty(1e3 * least, 'ms')}; make the duration shorter or the time step longer"
        )


def stimulus_spikes(program: Program, length: float, drawn: Collection[str] = ()) -> float:
    """How many spikes are given in all, or expected of Poisson sources in `length` ms, without those `drawn` in place."""
    network, total = program.network, 0.0
    for name, population in network.sources.items():
        if population.spike_times is not None:
            total += population.spike_times.times.size
            continue
        rate, lasting = network.parameter(name, "rate"), network.parameter(name, "duration")
        per_interval = 1e-3 * float(rate.max()) * network.numerics.stimulus_grid
        if per_interval > MAX_MEAN:
            raise OutOfRange(
                f"population {name!r}: {rate.max():g} Hz are {per_interval:g} spikes per interval of the stimulus grid; "
                f"at most {MAX_MEAN:g} can be drawn. Take more sources with a lower rate"
            )
        if name not in drawn:
            total += float((1e-3 * rate * np.minimum(lasting, length)).sum())
    return total
