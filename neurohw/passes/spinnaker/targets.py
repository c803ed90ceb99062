"""Which cores a core's spikes are for on SpiNNaker, as the tool chain sees it before any synapse exists.

A projection with a random rule is taken to connect every core of its source with every core of its target. Only
OneToOne (the same neurons) and FromList (the listed pairs) leave cores out. Projections between the same two
populations share one edge. An edge from a population goes to the cores of the target also where all its delays pass
through the extension, and the tree goes to all chips of a target, also to those without a core that needs it.
"""

from dataclasses import dataclass

import numpy as np

from neurohw.connections import FromList, OneToOne
from neurohw.network import Projection
from neurohw.passes.spinnaker.extend_delays import stages_of
from neurohw.passes.spinnaker.keys import Zone, units_of
from neurohw.program import Program, Slice


@dataclass(frozen=True)
class Edge:
    """Where a zone's spikes go at one target. needs: target core -> indices of its sources in the zone; None: all."""

    to_itself: bool
    needs: dict[int, tuple[int, ...] | None]


def edges(program: Program, zone: Zone) -> list[Edge]:
    """The targets of a zone in the order of the first projection to each; the extension of a population comes last."""
    projections = [p for p in program.network.projections.values() if p.source == zone.population]
    found = []
    for target in dict.fromkeys(p.target for p in projections):
        mine = [p for p in projections if p.target == target]
        if zone.stages and not any(stages_of(program, p.name) for p in mine):
            continue
        found.append(Edge(target == zone.population and not zone.stages, _needs(program, zone, target, mine)))
    extension = () if zone.stages else units_of(program, zone.population, extension=True)
    if extension:
        found.append(Edge(False, {unit: (index,) for index, unit in enumerate(extension)}))
    return found


def _needs(
    program: Program, zone: Zone, target: str, projections: list[Projection]
) -> dict[int, tuple[int, ...] | None]:
    units = units_of(program, target)
    everyone = (*program.slices, *program.extensions)
    connected = np.zeros((len(zone.units), len(units)), bool)
    for p in projections:
        connected |= _connected(p, [everyone[k] for k in zone.units], [everyone[k] for k in units])
    if connected.all():
        return dict.fromkeys(units)
    return {unit: tuple(np.flatnonzero(column).tolist()) for unit, column in zip(units, connected.T, strict=True)}


def _connected(projection: Projection, sources: list[Slice], targets: list[Slice]) -> np.ndarray:
    """(source core, target core): whether the tool chain connects them."""
    rule, shape = projection.rule, (len(sources), len(targets))
    if isinstance(rule, OneToOne):
        return np.array([[a.first < b.last and b.first < a.last for b in targets] for a in sources])
    if isinstance(rule, FromList):
        found = np.zeros(shape, bool)
        source, target = (np.array([part.last for part in parts]) for parts in (sources, targets))
        found[np.searchsorted(source, rule.pre, "right"), np.searchsorted(target, rule.post, "right")] = True
        return found
    return np.ones(shape, bool)
