"""legalize: parameters into the device's ranges, delays to what it can do; what had to move is reported."""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import norm

from neurohw.distributions import Value, spread
from neurohw.network import Network, Projection
from neurohw.program import DelayPlan, Program
from neurohw.report import Loss

REQUIRES = ("valid",)
ESTABLISHES = ("legal",)
CHANCE = 0.01


def legalize(program: Program) -> Program:
    """A program whose network the device can hold, with a plan of the delays it will use."""
    network, losses = _parameters(program)
    numerics = network.numerics
    if numerics.integration not in program.device.supports.integration:
        has = program.device.supports.integration[0]
        losses.append(f"integration: the network asks for {numerics.integration!r}, {program.device.name} does {has!r}")
        network = replace(network, numerics=replace(numerics, integration=has))
    if numerics.made_for is not None and abs(numerics.made_for - program.dt) > 1e-9:
        losses.append(
            f"time step: the weights were made for {numerics.made_for:g} ms, the program runs at {program.dt:g} ms"
        )
    losses += _off_grid(network, program.dt)
    plan, moved = delay_plan(replace(program, network=network))
    if program.device.supports.delays == "fixed":
        moved = []  # `fix_delays` will say where they go, once it is known how far apart the neurons are
    return program.with_(*losses, *moved, network=network, requested=program.network, delays=plan)


def _off_grid(network: Network, dt: float) -> list[Loss]:
    """Given spikes that do not fall on a step; they are moved to the beginning of the one they fall into."""
    found = []
    for name, population in network.sources.items():
        if population.spike_times is not None:
            steps = population.spike_times.times / dt
            off = int((np.abs(steps - np.round(steps)) > 1e-5).sum())
            why = f"they do not fall on the time step of {dt:g} ms and act from the beginning of theirs on"
            found.append(Loss("stimulus spikes moved", off, steps.size, name, why, "use a smaller time step"))
    return found


def _parameters(program: Program) -> tuple[Network, list]:
    network, losses = program.network, []
    populations = dict(network.populations)
    for name, population in populations.items():
        values = dict(population.parameters)
        for parameter, limits in program.device.outside(population).items():
            given = network.parameter(name, parameter)
            clipped = np.clip(given, limits.low, limits.high)
            values[parameter] = clipped if np.ptp(clipped) else float(clipped[0])
            unit = population.model.parameters[parameter].unit
            losses.append(
                Loss(
                    "parameters clipped",
                    int((clipped != given).sum()),
                    given.size,
                    f"{name}.{parameter}",
                    f"{program.device.name} has {limits.low:g} to {limits.high:g} {unit}",
                    "choose a value inside the range",
                )
            )
        populations[name] = replace(population, parameters=values)
    return replace(network, populations=populations), losses


def delay_plan(program: Program) -> tuple[DelayPlan, list]:
    """The steps that each projection may use on a device with programmable delays, and what had to be moved to them.

    Neurons need at least one step; a source may reach its target in the step in which it spikes, on ideal devices and
    the reference only. The longest delay is the device's, and a network that asks for more is refused by `partition`.
    """
    allowed, moved = {}, []
    for name, projection in program.network.projections.items():
        least = 0 if program.device.is_unlimited and program.network.populations[projection.source].is_source else 1
        steps = steps_of(projection, program.dt)
        allowed[name] = np.unique(np.maximum(steps, least))
        loss = moved_delays(program, projection, least)
        moved += [loss] if loss else []
    return DelayPlan(allowed), moved


def steps_of(projection: Projection, dt: float) -> np.ndarray:
    """Every step delay that a projection may ask for, without making its synapses."""
    delay: Value = projection.delay
    if isinstance(delay, np.ndarray):
        return np.unique(to_steps(delay, dt))
    mean, sd, low, high = spread(delay)
    low, high = max(low, mean - 8.5 * sd, 0.0), min(high, mean + 8.5 * sd)
    return np.arange(to_steps(low, dt), to_steps(high, dt) + 1)


def likely_longest(program: Program, projection: str) -> int:
    """The longest delay (steps) that a projection is likely to draw: a longer one has a probability of 1 % in the network.

    Constants and arrays exactly. This is what the makers' tool chain plans ring buffers by.
    """
    asked = program.network.projections[projection]
    if isinstance(asked.delay, np.ndarray):
        return max(1, int(to_steps(asked.delay.max(initial=0.0), program.dt)))
    mean, sd, _, high = spread(asked.delay)
    tail = norm.isf(CHANCE / max(program.network.expected_synapses(projection), 1.0)) * sd
    return max(1, int(to_steps(min(high, mean + tail), program.dt)))


def to_steps(delay: Any, dt: float) -> Any:
    """Whole steps, halves upwards."""
    return np.floor(np.asarray(delay) / dt + 0.5 + 1e-9).astype(np.int64)


def moved_delays(program: Program, projection: Projection, least: int) -> Loss | None:
    """The loss entry for delays that do not fall on a step, if any: exact for constants and arrays, expected for rules."""
    synapses = program.network.expected_synapses(projection.name)
    delay = projection.delay
    where, dt = projection.name, program.dt
    if isinstance(delay, np.ndarray | float):
        values = np.atleast_1d(np.asarray(delay, float))
        change = np.maximum(to_steps(values, dt), least) * dt - values
        share = float((np.abs(change) > 1e-9).mean()) if values.size else 0.0
        why = f"the largest change is {np.abs(change).max() if values.size else 0:.3g} ms on a time step of {dt:g} ms"
    else:
        share, why = 1.0, f"drawn delays are rounded to the time step of {dt:g} ms"
    if share == 0.0:
        return None
    return Loss("delays moved", round(share * synapses), round(synapses), where, why, "use a smaller time step")
