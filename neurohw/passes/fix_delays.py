"""fix_delays: where the substrate decides how long a spike travels, plan those delays instead of what is asked for."""

from dataclasses import replace
from typing import cast

import numpy as np

from neurohw.device.analog import AnalogMachine
from neurohw.errors import Unsupported
from neurohw.kernels.lowering import blocks
from neurohw.passes.legalize import to_steps
from neurohw.program import DelayPlan, Program
from neurohw.report import Loss

REQUIRES = ("routed",)
ESTABLISHES: tuple[str, ...] = ()


def fix_delays(program: Program) -> Program:
    """delay = delay_base + delay_per_hop * hops, at least one step; a spike from outside has delay_base.

    A synapse that is given a delay more than half a step from the one it asks for is counted as moved.
    Does nothing where delays are programmable, so on ideal devices.
    """
    if program.device.supports.delays != "fixed":
        return program
    assert program.routing is not None
    machine = cast(AnalogMachine, program.device.machine)
    within = machine.delay_base + machine.delay_per_hop * program.routing.hops
    between = np.vstack([within, np.full((1, within.shape[1]), float(machine.delay_base))])
    steps = np.maximum(np.unique(to_steps(between, program.dt)), 1)
    plan = DelayPlan(dict.fromkeys(program.network.projections, np.unique(steps)), between)
    return _reported(replace(program, delays=plan))


def _reported(program: Program) -> Program:
    names = list(program.network.projections)
    count, moved, wanted, given = np.zeros((4, len(names)))
    for block in blocks(program):
        steps = block.steps * program.dt
        which = block.projections
        count += np.bincount(which, minlength=len(names))
        moved += np.bincount(which, np.abs(steps - block.delays) > program.dt / 2 * (1 + 1e-9), len(names))
        wanted += np.bincount(which, block.delays, len(names))
        given += np.bincount(which, steps, len(names))
    if getattr(program.choices, "delays", "given") == "refuse" and moved.any():
        k = int(np.argmax(moved))
        raise Unsupported(
            f"projection {names[k]!r}: asks for delays of {wanted[k] / count[k]:.3g} ms on average, and {program.device.title} "
            f"gives {given[k] / count[k]:.3g} ms, which cannot be set; ask for that, or choose delays: given"
        )
    losses = [
        Loss(
            "delays moved", moved[k], count[k], name,
            f"{program.device.name} fixes delays by distance: {wanted[k] / count[k]:.3g} ms asked for on average, "
            f"{given[k] / count[k]:.3g} ms given",
            "compare with the reference run at these delays, to see what they alone change",
        )
        for k, name in enumerate(names)
        if count[k]
    ]  # fmt: skip
    return program.with_(*losses)
