"""All synapses of a network in the order of the packed table: presynaptic populations in order, a block of sources at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.kernels.rows import Rows, rows, sources_at_a_time
from neurohw.kernels.table import SynapseTable, TableBuilder
from neurohw.network import RECEPTORS
from neurohw.program import Program


@dataclass(frozen=True, eq=False)
class Block:
    """Synapses of consecutive sources from all projections of one population; one entry per synapse.

    sources (presynaptic numbering), targets (neuron numbering), receptors (0, 1), projections (index in network order),
    weights (network units), delays (ms), steps, rank (place of the synapse among its projection's rows).
    """

    first: int
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    receptors: NDArray[np.int64]
    projections: NDArray[np.int64]
    weights: NDArray[np.float64]
    delays: NDArray[np.float64]
    steps: NDArray[np.int64]
    rank: NDArray[np.int64]


def blocks(program: Program) -> Iterator[Block]:
    """Every synapse of the program's network, once, with its delay in steps; sources ascend over the blocks."""
    network, origin = program.network, program.origin
    order = {name: k for k, name in enumerate(network.projections)}
    ranks = dict.fromkeys(network.projections, 0)
    for population in origin.first:
        outgoing = [p for p in network.projections.values() if p.source == population]
        size = network.populations[population].size
        per_source = sum(network.expected_synapses(p.name) for p in outgoing) / size
        step = sources_at_a_time(outgoing, per_source)
        for first in range(0, size if outgoing else 0, step):
            made = [rows(network, p, first, min(first + step, size)) for p in outgoing]
            ends = np.cumsum([0, *(part.targets.size for part in made)])
            block = Block(origin.first[population] + first, *_columns(int(ends[-1])))
            for p, part, begin, end in zip(outgoing, made, ends, ends[1:], strict=False):
                w = slice(begin, end)
                block.sources[w] = part.sources
                block.sources[w] += origin.first[population]
                np.add(part.targets, origin.first[p.target], out=block.targets[w])
                block.receptors[w], block.projections[w] = RECEPTORS.index(p.receptor), order[p.name]
                block.weights[w], block.delays[w], block.steps[w] = (
                    part.weights, part.delays, _steps(program, p.name, part),
                )  # fmt: skip
                block.rank[w] = np.arange(ranks[p.name], ranks[p.name] + end - begin)
                ranks[p.name] += int(end - begin)
            yield block


def _columns(n: int) -> Iterator[NDArray]:
    """Room for the columns of a block of n synapses."""
    return (np.empty(n, np.float64 if field.name in ("weights", "delays") else np.int64) for field in fields(Block)[1:])


def source_groups(program: Program) -> NDArray[np.int64]:
    """The first source of each group of neighbors that use the same receptors and delays, and the number of all.

    Neurons and spike sources are in groups of their own.
    """
    network, origin, plan = program.network, program.origin, program.delays
    firsts, before = [], None
    for name, first in origin.first.items():
        outgoing = [p for p in network.projections.values() if p.source == name]
        kind = (
            network.populations[name].is_source,
            frozenset((p.receptor, plan.allowed[p.name].tobytes()) for p in outgoing),
        )
        if kind != before:
            firsts.append(first)
        before = kind
    return np.array([*firsts, origin.n_presynaptic], np.int64)


def _steps(program: Program, projection: str, made: Rows) -> NDArray[np.int64]:
    plan = program.delays
    delays = made.delays
    if plan.between is not None:
        p = program.network.projections[projection]
        source, target = slice_of(program, p.source), slice_of(program, p.target)
        delays = plan.between[source[made.sources], target[made.targets]]
    allowed = plan.allowed[projection]
    if allowed.size == 1 or not delays.size:
        return plan.steps(projection, delays, program.dt)
    longest = int(allowed[-1])
    nearest = plan.steps(projection, np.arange(longest + 1, dtype=np.float64) * program.dt, program.dt)
    return _looked_up(delays, program.dt, nearest)


@njit(cache=True, error_model="numpy")
def _looked_up(delays, dt, nearest):
    """`DelayPlan.steps` of many delays: nearest[whole steps], and the longest beyond."""
    found = np.empty(delays.shape[0], np.int64)
    for i in range(delays.shape[0]):
        wanted = np.int64(np.floor(delays[i] / dt + 0.5 + 1e-9))
        found[i] = nearest[max(0, min(wanted, nearest.shape[0] - 1))]
    return found


def slice_of(program: Program, population: str) -> NDArray[np.int64]:
    """For each neuron of a population the number of its slice; -1 (the last row of a matrix) where it has no place."""
    found = np.full(program.network.populations[population].size, -1)
    for number, part in enumerate(program.slices):
        if part.population == population:
            found[part.first : part.last] = number
    return found


def assemble(
    program: Program, columns: dict[str, np.dtype], fill: Callable[[Block], dict[str, NDArray]]
) -> SynapseTable:
    """The packed table of a program; `fill` gives for each block what every synapse carries (or drops it with `keep`).

    fill returns the columns by name; if it returns also "keep" (bool per synapse), only those synapses enter the table.
    """
    origin = program.origin
    expected = sum(program.network.expected_synapses(name) for name in program.network.projections)
    builder = TableBuilder(
        origin.n_presynaptic, origin.n_neurons, program.delays.slots, columns, source_groups(program),
        int(expected + 6 * np.sqrt(expected)),
    )  # fmt: skip
    for block in blocks(program):
        filled = fill(block)
        keep = filled.pop("keep", slice(None))
        builder.append(
            block.first,
            block.sources[keep],
            block.targets[keep],
            block.receptors[keep],
            block.steps[keep],
            **{name: column[keep] for name, column in filled.items()},
        )
    return builder.build()


def locate(
    program: Program, projection: str, keep: Callable[[Block], NDArray[np.bool_]] | None = None
) -> NDArray[np.int64]:
    """Where the synapses of a projection (in the order of its rows) lie in the packed table; -1 for those left out of it."""
    wanted = list(program.network.projections).index(projection)
    ranks, places = [], []
    for block, place in placed(program, keep):
        mine = block.projections == wanted
        ranks.append(block.rank[mine])
        places.append(place[mine])
    joined = np.empty(sum(part.size for part in ranks), np.int64)
    joined[np.concatenate(ranks)] = np.concatenate(places)
    return joined


def placed(
    program: Program, keep: Callable[[Block], NDArray[np.bool_]] | None = None
) -> Iterator[tuple[Block, NDArray[np.int64]]]:
    """Every block of synapses, with the place of each in the packed table; -1 for those left out of it."""
    slots, n_targets, base = program.delays.slots, program.origin.n_neurons, 0
    for block in blocks(program):
        kept = np.flatnonzero(keep(block)) if keep else np.arange(block.sources.size)
        builder = TableBuilder(program.origin.n_presynaptic, n_targets, slots, {})
        order = kept[
            builder.append(
                block.first, block.sources[kept], block.targets[kept], block.receptors[kept], block.steps[kept]
            )
        ]
        place = np.full(block.sources.size, -1)
        place[order] = base + np.arange(order.size)
        base += order.size
        yield block, place
