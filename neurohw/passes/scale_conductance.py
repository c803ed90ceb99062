"""scale_conductance: the network weight of one uS, so that the largest weight takes the chosen share of the range."""

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from neurohw.device.crossbar import CrossbarChoices, CrossbarMachine
from neurohw.distributions import spread
from neurohw.errors import BadInput
from neurohw.kernels.lowering import blocks
from neurohw.network import Projection
from neurohw.program import Program, Scaling

REQUIRES = ("routed",)
ESTABLISHES = ("scaled",)
TAIL = 4.0
"""A distribution is given the range to so many standard deviations; what lies beyond is clipped and reported."""


def scale_conductance(program: Program) -> Program:
    """unit = largest |weight| / (reach g_largest), for each projection or for all that end at one receptor of a population;
    or g_max_weight / (reach g_max) where that was chosen.

    reach: what the pairs of a synapse can hold together, relative to one (choices pairs_per_synapse, significance).
    Where tiles or columns are scaled for themselves, `columns` holds the largest weight of each relative to that of
    its population. On an ideal device the unit is rounded up to a power of two, so that weight -> conductance -> weight
    is exact.
    """
    machine, choices = cast(CrossbarMachine, program.device.machine), cast(CrossbarChoices, program.choices)
    ideal = program.device.is_ideal
    g_largest = machine.largest(choices) * (1.0 if ideal else choices.reach)
    projections = program.network.projections
    largest = {name: largest_weight(p) for name, p in projections.items()}
    if choices.weight_scaling != "per projection":
        together: dict[tuple[str, str], float] = {}
        for name, p in projections.items():
            together[p.target, p.receptor] = max(together.get((p.target, p.receptor), 0.0), largest[name])
        largest = {name: together[p.target, p.receptor] for name, p in projections.items()}
    unit = {name: (w or 1.0) / g_largest for name, w in largest.items()}
    if ideal:
        unit = {name: 2.0 ** np.ceil(np.log2(u)) for name, u in unit.items()}
    g_max = machine.g_max * (1.0 if ideal else choices.reach)
    unit |= {name: weight / g_max for name, weight in _chosen(program).items()}
    own = not ideal and choices.weight_scaling in ("per tile", "per column")
    columns = (
        _columns(program, {name: u * g_largest for name, u in unit.items()}, choices.weight_scaling == "per tile")
        if own
        else None
    )
    return replace(program, scaling=Scaling(unit, columns=columns))


def _columns(program: Program, largest: dict[str, float], together: bool) -> NDArray[np.float64]:
    """(receptors, neurons): the largest weight onto a column, or onto a stack of tiles, over that of its population."""
    shape = (2, program.origin.n_neurons)
    found, of_all = np.zeros(shape), np.array([largest[name] for name in program.network.projections])
    for block in blocks(program):
        np.maximum.at(found, (block.receptors, block.targets), np.abs(block.weights) / of_all[block.projections])
    if together:
        for part in program.slices:
            mine = slice(*(program.origin.first[part.population] + k for k in (part.first, part.last)))
            found[:, mine] = found[:, mine].max(axis=1, keepdims=True)
    return np.where(found > 0, np.minimum(found, 1.0), 1.0)


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
