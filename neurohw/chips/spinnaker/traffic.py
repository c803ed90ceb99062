"""Whose spikes mean what work for whom: rows of synapses, packets and links of every sender, from a program.

A spike of a neuron is a packet to every core that its slice's routing key leads to. Each of them looks the key up and, if
the neuron has synapses there, fetches a row for every projection that has some, and adds the row's synapses to its ring
buffers; bit fields keep it from fetching empty rows. Synapses with more delay than the ring buffers hold come later, in a
packet of the delay extension for each of its stages: lag = stage * slots steps after the spike.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from neurohw.device.spinnaker import SpinnakerMachine
from neurohw.kernels.lowering import slice_of
from neurohw.kernels.plastic_table import PlasticTable
from neurohw.kernels.table import BASE, BLOCK, DELAY, FIRST, GROUP, ROW, WIDTH
from neurohw.program import Program

Way = tuple[int, int, int]
"""A link: (x, y) of the chip that it leaves, and its number."""
CORE, LAG, EVENTS, ROWS = range(4)
"""What the columns of `Traffic.entries` are."""
SHORT = 2**16
"""Lines whose numbers are all below this are kept in 16 bits."""
MOST_LINES = 4_000_000
"""Lines of `Traffic.entries` beyond which not every source has its own."""
LONG_ROW = 256
"""Synapses of a source from which on a neighbor's lines may stand for its own."""


@dataclass(frozen=True, eq=False)
class Traffic:
    """Units are the numbers of a program's slices, then its extensions.

    starts, entries: for source s the lines starts[s]..starts[s + 1] - 1, by lag: (a core, after how many steps, how many
    synapses, how many rows). stand: the source whose lines stand for those of each; itself, but in networks with more than
    MOST_LINES: there only some sources with long rows have lines, which stand for the neighbors in their population, so that
    sums over many spikes are right and memory does not grow with (sources, cores). sender, extension: the unit of each source, and that of its delay extension
    (-1: none). reach: (sender, receiver), crossing: (sender, link), both 0 or 1. ways: the links, column by column.
    fixed: cycles of each unit in every step. working: units that hold neurons, whose cycles are known.
    """

    starts: NDArray[np.int64]
    entries: NDArray[np.int32] | NDArray[np.uint16]
    sender: NDArray[np.int32]
    extension: NDArray[np.int32]
    reach: sparse.csr_matrix
    crossing: sparse.csr_matrix
    ways: list[Way]
    fixed: NDArray[np.float64]
    working: NDArray[np.bool_]
    stand: NDArray[np.int64]

    @property
    def n_units(self) -> int:
        return self.fixed.size

    @property
    def depth(self) -> int:
        """One more than the longest lag."""
        return int(self.entries[:, LAG].max(initial=0)) + 1

    def lines(self, sources: NDArray[np.int64]) -> NDArray[np.integer]:
        """The lines of these sources."""
        stand = self.stand[sources]
        first, n = self.starts[stand], self.starts[stand + 1] - self.starts[stand]
        ends = np.cumsum(n)
        return self.entries[np.repeat(first - ends + n, n) + np.arange(n.sum())]


def stands_for(program: Program, cores: NDArray[np.int64], exact: bool) -> NDArray[np.int64]:
    """The source whose lines stand for those of each source. cores: how many each population sends to."""
    origin, synapses = program.origin, program.payload.table.per_source()
    found, lines = np.arange(origin.n_presynaptic), 0
    for n_cores, (name, first) in zip(cores.tolist(), origin.first.items(), strict=True):
        lines += int(np.minimum(synapses[first : first + origin.size[name]], n_cores).sum())
    every = -(-lines // MOST_LINES)
    if exact or every <= 1:
        return found
    for name, first in origin.first.items():
        mine = slice(first, first + origin.size[name])
        kept = first + (found[mine] - first) // every * every
        alike = (synapses[mine] >= LONG_ROW) & (synapses[kept] >= LONG_ROW)
        found[mine] = np.where(alike, kept, found[mine])
    return found


def traffic(program: Program, exact: bool = False) -> Traffic:
    """The traffic of a program, in one pass over its synapses. exact: every source has its own lines, however many."""
    machine, network, origin = program.device.machine, program.network, program.origin
    assert isinstance(machine, SpinnakerMachine)
    table, units = program.payload.table, (*program.slices, *program.extensions)
    sender, extension = np.full(origin.n_presynaptic, -1, np.int32), np.full(origin.n_presynaptic, -1, np.int32)
    population = np.zeros(origin.n_presynaptic, np.int64)
    for number, (name, first) in enumerate(origin.first.items()):
        mine = slice(first, first + origin.size[name])
        sender[mine], population[mine] = slice_of(program, name), number
    for number, part in enumerate(program.extensions):
        first = origin.first[part.population]
        extension[first + part.first : first + part.last] = len(program.slices) + number
    names, fixed = list(origin.first), np.zeros(len(units))
    projections = np.zeros((len(names), len(units)), np.int32)
    for number, part in enumerate(program.slices):
        if not network.populations[part.population].is_source:
            recorded = float(machine.cycles_per_recorded) * (1 + len(program.record.get(part.population, ())))
            fixed[number] = machine.cycles_per_step + part.size * (machine.cycles_per_neuron + recorded)
        for p in network.projections.values():
            projections[names.index(p.source), number] += p.plasticity is None and p.target == part.population
    slots = machine.delay_slots(machine.neurons_per_unit(program.choices))
    visits = table.visits[np.argsort(table.visits[:, GROUP], kind="stable")]
    cuts = np.searchsorted(visits[:, GROUP], np.arange(table.firsts.size))
    stand = stands_for(program, (projections > 0).sum(axis=1), exact)
    starts, entries = _entries(
        table.firsts, visits, cuts, np.maximum(visits[:, DELAY] - 1, 0) // slots, table.starts, table.offsets,
        table.targets, sender[: origin.n_neurons], population, projections, stand,
    )  # fmt: skip
    entries[:, LAG] *= slots
    if program.payload.plastic is not None:
        starts, entries = _with_plastic(program.payload.plastic, sender, starts, entries)
    if entries.max(initial=0) < SHORT:  # half the memory, and half the wait for it
        entries = entries.astype(np.uint16)
    links = program.routing.crossed
    ways, number_of = np.unique(links[:, 1:], axis=0, return_inverse=True)
    return Traffic(
        starts, entries, sender, extension,
        _marks(program.routing.reached[:, 0], program.routing.reached[:, 1], (len(units), len(units))),
        _marks(links[:, 0], number_of.ravel(), (len(units), len(ways))),
        [(int(x), int(y), int(link)) for x, y, link in ways], fixed, fixed > 0, stand,
    )  # fmt: skip


def _marks(row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(row.size, np.float32), (row, column)), shape=shape)


@njit(cache=True)
def _entries(firsts, visits, cuts, stages, starts, offsets, targets, core_of, population, projections, stand):
    """(starts, entries) of the traffic of every source, with the stage for the lag; see `Traffic`.

    visits[cuts[g]:cuts[g + 1]]: those of group g, see `SynapseTable.visits`; stages: of each of these visits.
    """
    n_units, n_stages = projections.shape[1], 1
    for v in range(stages.size):
        n_stages = max(n_stages, stages[v] + 1)
    counts = np.zeros((n_stages, n_units), np.int32)
    first = np.zeros(starts.size, np.int64)
    found = np.empty((1024, 4), np.int32)
    n, g = 0, 0
    for s in range(starts.size - 1):
        while s >= firsts[g + 1]:
            g += 1
        first[s + 1] = n
        if stand[s] != s:
            continue
        for v in range(cuts[g], cuts[g + 1]):
            base, at = visits[v, ROW] // 2 * BLOCK, visits[v, BASE] + (s - visits[v, FIRST]) * visits[v, WIDTH]
            for j in range(starts[s] + np.int64(offsets[at]), starts[s] + np.int64(offsets[at + 1])):
                counts[stages[v], core_of[base + targets[j]]] += 1
        if n + n_stages * n_units > found.shape[0]:
            found = np.concatenate((found, np.empty((n_stages * n_units + found.shape[0] // 2, 4), np.int32)))
        for stage in range(n_stages):
            for core in range(n_units):
                if counts[stage, core]:
                    found[n, CORE], found[n, LAG], found[n, EVENTS] = core, stage, counts[stage, core]
                    found[n, ROWS] = min(counts[stage, core], projections[population[s], core])
                    counts[stage, core] = 0
                    n += 1
        first[s + 1] = n
    return first, found[:n].copy()


def _with_plastic(
    plastic: PlasticTable, sender: NDArray[np.int32], starts: NDArray[np.int64], entries: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """(starts, entries) with those of plastic rows, a line for each segment and core that it reaches."""
    pairs, counts = np.unique(np.stack((plastic.segments, sender[plastic.targets])), axis=1, return_counts=True)
    segment, core = pairs
    lines = np.column_stack((core, plastic.waits[segment], counts, np.ones_like(counts))).astype(np.int32)
    owner = np.concatenate((np.repeat(np.arange(starts.size - 1), np.diff(starts)), plastic.sources[segment]))
    joined = np.concatenate((entries, lines))
    order = np.lexsort((joined[:, LAG], owner))
    return np.searchsorted(owner[order], np.arange(starts.size)), joined[order]
