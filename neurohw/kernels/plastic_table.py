"""Plastic synapses, apart from the packed table of the static ones: their weights change, so they are found by place.

They stand in segments: the synapses of one projection and one source that a spike of it reaches after the same wait. A
segment is what shares a trace of pre spikes; its synapses stand side by side, in the order of the projection's rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput, all_reasons
from neurohw.kernels.lowering import Block
from neurohw.kernels.rows import rows
from neurohw.network import RECEPTORS, Projection
from neurohw.program import Program

Waits = Callable[[Projection, NDArray[np.int64]], NDArray[np.int64]]
"""(projection, delays in steps) -> the steps from a spike to when its synapses are processed."""


@dataclass(frozen=True, eq=False)
class PlasticTable:
    """starts[g]..starts[g + 1] - 1 are the synapses of segment g.

    Of each segment: `sources` (presynaptic numbering), `waits` (steps), `projections` (number among all of the network).
    Of each synapse: `targets` (neuron numbering), `receptors` (0, 1), `delays` (steps, the wait included), `weights`
    (magnitudes: network units, or what the chip holds). places: projection -> where its synapses lie, in row order.
    """

    starts: NDArray[np.int64]
    sources: NDArray[np.int64]
    waits: NDArray[np.int64]
    projections: NDArray[np.int64]
    targets: NDArray[np.int64]
    receptors: NDArray[np.int64]
    delays: NDArray[np.int64]
    weights: NDArray[Any]
    places: dict[str, NDArray[np.int64]]

    @property
    def segments(self) -> NDArray[np.int64]:
        """The segment of each synapse."""
        return np.repeat(np.arange(self.sources.size), np.diff(self.starts))

    @property
    def of_synapse(self) -> NDArray[np.int64]:
        """The projection of each synapse."""
        return self.projections[self.segments]

    def fits(self, program: Program) -> list[str]:
        """Why a compiled loop would read beyond its end, as a table from a file may let it; nothing for a sound one."""
        origin, n = program.origin, self.targets.size
        sizes = (self.receptors.size, self.delays.size, self.weights.size)
        per_segment = (self.waits.size, self.projections.size, self.starts.size - 1)
        reasons = []
        if set(sizes) != {n} or set(per_segment) != {self.sources.size} or n == 0:
            return ["plastic synapses: columns of unequal length"]
        if self.starts[0] != 0 or self.starts[-1] != n or (np.diff(self.starts) < 0).any():
            reasons.append("plastic synapses: segments that do not follow each other")
        for name, column, end in (
            ("sources", self.sources, origin.n_presynaptic),
            ("targets", self.targets, origin.n_neurons),
            ("receptors", self.receptors, len(RECEPTORS)),
            ("projections", self.projections, len(program.network.projections)),
        ):
            if column.min() < 0 or column.max() >= end:
                reasons.append(f"plastic synapses: {name} must lie in 0..{end - 1}")
        longest = int(program.delays.slots.max()) if program.delays else 0
        waits = np.repeat(self.waits, np.diff(self.starts)) if not reasons else self.delays
        if (waits < 0).any() or (waits > self.delays).any() or self.delays.max() > longest:
            reasons.append(f"plastic synapses: delays must lie between their waits and {longest} steps")
        joined = np.sort(np.concatenate([np.empty(0, np.int64), *self.places.values()]))
        if set(self.places) != set(program.network.plastic) or not np.array_equal(joined, np.arange(n)):
            reasons.append("plastic synapses: places must name every synapse of the plastic projections once")
        return reasons

    def checked_for(self, program: Program) -> "PlasticTable":
        """This table; raises BadInput where it is not one for this program."""
        all_reasons(BadInput, "plastic synapses", self.fits(program))
        return self


def plastic_table(program: Program, waits: Waits, column: Callable[..., NDArray[Any]]) -> PlasticTable | None:
    """All plastic synapses of a program; None where there are none.

    column(projection, rows): what is held for each weight.
    """
    network, origin = program.network, program.origin
    order = {name: k for k, name in enumerate(network.projections)}
    parts: list[tuple[Any, ...]] = []
    places, segments, first = {}, [], 0
    for name, p in network.plastic.items():
        made = rows(network, p)
        steps = program.delays.steps(name, made.delays, program.dt)
        wait, sources = waits(p, steps), made.sources + origin.first[p.source]
        arranged = np.lexsort((wait, sources))  # stable: in a segment in row order
        n = arranged.size
        where = np.empty(n, np.int64)
        where[arranged] = first + np.arange(n)
        places[name], first = where, first + n
        targets, receptor = made.targets + origin.first[p.target], RECEPTORS.index(p.receptor)
        parts.append((
            targets[arranged], np.full(n, receptor), steps[arranged], column(p, made)[arranged],
        ))  # fmt: skip
        key = np.stack((sources[arranged], wait[arranged], np.full(n, order[name])))
        segments.append(key)
    if not parts or first == 0:
        return None
    keys = np.concatenate(segments, axis=1)
    begins = np.flatnonzero(np.append(True, (np.diff(keys) != 0).any(axis=0)))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return PlasticTable(np.append(begins, first), *keys[:, begins], *columns, places)  # type: ignore[call-arg]


def static_only(program: Program) -> Callable[[Block], NDArray[np.bool_]] | None:
    """Which synapses of a block belong into the packed table; None where all do."""
    network = program.network
    if not network.plastic:
        return None
    static = np.array([p.plasticity is None for p in network.projections.values()])
    return lambda block: static[block.projections]


def index_by(slots: NDArray[np.int64], owners: NDArray[np.int64], n: int):
    """(values, starts, members): members[starts[k, i]:starts[k, i + 1]] belong to owner i and have slots == values[k]."""
    values = np.unique(slots)
    starts = np.zeros((values.size, n + 1), np.int64)
    members, base = [np.empty(0, np.int64)], 0
    for k, value in enumerate(values):
        mine = np.flatnonzero(slots == value)
        starts[k] = base + np.searchsorted(np.sort(owners[mine]), np.arange(n + 1))
        members.append(mine[np.argsort(owners[mine], kind="stable")])
        base += mine.size
    return values, starts, np.concatenate(members)
