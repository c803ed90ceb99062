"""Plastic projections in Brian2: the pair rule as event-driven equations, each spike seen where it reaches the soma.

A spike's synapse lies f d before the soma. Pre and post spikes are both taken f d later than they are at the synapse, so
that the weight stands as it was when the spike left, without a queue of weights; see `neurohw.synapses.stdp`. A synapse
without a dendrite sees post spikes one step after their own, when they are known, and counts the step back (`late`).

A source may spike several times in one step, and Brian2's generators once: a source with plastic synapses is given a
relay, a group of cells whose k-th event says that there was a (k + 1)-th spike. All of them act on the same synapses.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.brian_equations import DIMENSIONS, SI
from neurohw.network import Projection
from neurohw.neurons import NeuronModel
from neurohw.program import Program

MODEL = """
weight : {unit}
direction : 1 (constant)
late : second (constant)
dx/dt = -x/tau_plus : 1 (event-driven)
dy/dt = -y/tau_minus : 1 (event-driven)
"""
POTENTIATE = {
    "additive": "raised = weight + A_plus*x*exp(late/tau_plus)\n"
    "weight = int(raised > w_max)*w_max + int(raised <= w_max)*raised",
    "multiplicative": "weight += A_plus*(w_max - weight)*x*exp(late/tau_plus)",
}
DEPRESS = {
    "additive": "lowered = weight - A_minus*y\nweight = int(lowered < w_min)*w_min + int(lowered >= w_min)*lowered",
    "multiplicative": "weight -= A_minus*(weight - w_min)*y",
}
FIRST = -2
"""Post spikes come before the pre spikes of a step, whose order is -1 in Brian2."""


def relay(b2: Any, number: int, size: int, copies: int) -> Any:
    """Cells that stand for a source: `count` spikes in a step make the events arrival_0 .. arrival_(count - 1)."""
    events = {f"arrival_{k}": f"count > {k}" for k in range(copies)}
    cells = b2.NeuronGroup(size, "count : integer", events=events, name=f"relay_{number}")
    for event in events:
        cells.set_event_schedule(event, when="before_synapses")
    return cells


def connect(b2: Any, program: Program, name: str, source: Any, target: Any, columns: list[NDArray], label: str) -> Any:
    """The synapses of a plastic projection. columns: pre, post, weights (network units), steps of delay."""
    projection = program.network.projections[name]
    rule, post_model = projection.plasticity, program.network.populations[projection.target].model
    assert rule is not None
    assert isinstance(post_model, NeuronModel)
    unit = SI[post_model.weight_unit]
    weight = unit * getattr(b2, DIMENSIONS[post_model.weight_unit])
    amplitude = 1.0 if rule.multiplicative else weight
    numbers = {
        "w_min": rule.w_min * weight,
        "w_max": rule.w_max * weight,
        "A_plus": rule.A_plus * amplitude,
        "A_minus": rule.A_minus * amplitude,
        "tau_plus": rule.tau_plus * b2.ms,
        "tau_minus": rule.tau_minus * b2.ms,
    }
    arrivals = [event for event in source.events if event != "spike"]
    events = {f"pre_{k}": event for k, event in enumerate(arrivals or ["spike"])}
    state = "jump" if post_model.weight_unit == "mV" else post_model.receptors[projection.receptor]
    on_pre = f"{DEPRESS[rule.weight_dependence]}\nx += 1\n{state}_post += direction*weight"
    synapses = b2.Synapses(
        source, target, MODEL.format(unit=DIMENSIONS[post_model.weight_unit]),
        on_pre=dict.fromkeys(events, on_pre), on_post={"post": f"{POTENTIATE[rule.weight_dependence]}\ny += exp(-late/tau_minus)"},
        on_event={**events, "post": "spike"}, namespace=numbers, name=label,
    )  # fmt: skip
    synapses.post.order = FIRST
    pre, post, weights, steps = columns
    synapses.connect(i=pre, j=post)
    dendrite = rule.dendritic_steps(steps)
    seen = dendrite * (1 + rule.backprop_delay)
    values = {"weight": np.abs(weights) * unit, "direction": np.full(pre.size, _sign(program, projection))}
    values["late"] = (dendrite == 0) * program.dt * 1e-3
    for variable, value in values.items():
        synapses.variables[variable].get_value()[:] = value
    for event in events:
        getattr(synapses, event).delay = (steps if arrivals else steps - 1) * program.dt * b2.ms
    synapses.post.delay = np.maximum(seen - 1, 0) * program.dt * b2.ms
    return synapses


def _sign(program: Program, projection: Projection) -> float:
    model = program.network.populations[projection.target].neuron
    return float(model.inhibitory_sign) if projection.receptor == "inhibitory" else 1.0
