"""row_delays: a read drives a whole row, so a delay belongs to a row; do delays get rows of their own?"""

from dataclasses import replace
from typing import cast

import numpy as np

from neurohw.device.crossbar import CrossbarChoices
from neurohw.distributions import spread
from neurohw.passes.legalize import to_steps
from neurohw.program import Program

REQUIRES = ("legal",)
ESTABLISHES: tuple[str, ...] = ()


def row_delays(program: Program) -> Program:
    """The same program, or one whose projections from one source population share their mean delay.

    What `to_conductance` then counts: a row for each (source, delay), or the synapses whose delay was merged.
    """
    choices, plan = cast(CrossbarChoices, program.choices), program.delays
    if program.device.is_ideal or choices.delays == "row per delay":
        return program
    network, allowed = program.network, dict(plan.allowed)
    for population in network.populations:
        outgoing = [p for p in network.projections.values() if p.source == population]
        synapses = np.array([network.expected_synapses(p.name) for p in outgoing])
        if not synapses.sum():
            continue
        mean = float((synapses * [spread(p.delay)[0] for p in outgoing]).sum() / synapses.sum())
        least = max(int(allowed[p.name].min() > 0) for p in outgoing)
        for p in outgoing:
            allowed[p.name] = np.maximum(to_steps([mean], program.dt), least)
    return replace(program, delays=replace(plan, allowed=allowed))
