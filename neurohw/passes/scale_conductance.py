"""scale_conductance: the network weight of one uS, so that the largest weight takes the chosen share of the range."""

from dataclasses import replace
from typing import cast

import numpy as np

from neurohw.device.crossbar import CrossbarChoices, CrossbarMachine
from neurohw.distributions import spread
from neurohw.errors import BadInput
from neurohw.network import Projection
from neurohw.program import Program, Scaling

REQUIRES = ("routed",)
ESTABLISHES = ("scaled",)
TAIL = 4.0
"""A distribution is given the range to so many standard deviations; what lies beyond is clipped and reported."""


def scale_conductance(program: Program) -> Program:
    """unit = largest |weight| / (g_use g_max), for each projection or for all that end at one receptor of a population;
    or g_max_weight / g_max where that was chosen.

    On an ideal device the unit is rounded up to a power of two, so that weight -> conductance -> weight is exact.
    """
    machine, choices = cast(CrossbarMachine, program.device.machine), cast(CrossbarChoices, program.choices)
    g_largest = machine.g_max * choices.g_use if choices.g_use else machine.g_largest_weight
    projections = program.network.projections
    largest = {name: largest_weight(p) for name, p in projections.items()}
    if choices.weight_scaling == "per receptor":
        together: dict[tuple[str, str], float] = {}
        for name, p in projections.items():
            together[p.target, p.receptor] = max(together.get((p.target, p.receptor), 0.0), largest[name])
        largest = {name: together[p.target, p.receptor] for name, p in projections.items()}
    unit = {name: (w or 1.0) / g_largest for name, w in largest.items()}
    if program.device.is_ideal:
        unit = {name: 2.0 ** np.ceil(np.log2(u)) for name, u in unit.items()}
    unit |= {name: weight / machine.g_max for name, weight in _chosen(program).items()}
    return replace(program, scaling=Scaling(unit))


def _chosen(program: Program) -> dict[str, float]:
    """projection -> the weight that g_max was chosen to stand for."""
    chosen, projections = cast(CrossbarChoices, program.choices).g_max_weight, program.network.projections
    if chosen is None:
        return {}
    wanted = chosen if isinstance(chosen, dict) else dict.fromkeys(projections, chosen)
    for name, weight in wanted.items():
        if name not in projections:
            raise BadInput(f"choices: g_max_weight: no projection {name!r}; there are {', '.join(projections)}")
        if not weight > 0:
            raise BadInput(f"choices: g_max_weight: the weight {weight:g} of {name!r} is not > 0")
    return wanted


def largest_weight(projection: Projection) -> float:
    """The largest |weight| that a projection needs a conductance for."""
    mean, sd, low, high = spread(projection.weight)
    return max(abs(max(low, mean - TAIL * sd)), abs(min(high, mean + TAIL * sd)))
