"""Poisson input that is given to each neuron by a source of its own, drawn where it is added instead of as a list of spikes.

A population of Poisson sources of one rate, connected one to one and to nothing else, all with one delay, needs no events:
at each step the counts of all sources, that many steps ago, times their weights are added to the sums. The counts are those
that `neurohw.kernels.stimulus` would draw; integer sums are the same to the bit, sums of floats up to rounding.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.connections import OneToOne
from neurohw.kernels.compiling import aligned_zeros, step_kernel
from neurohw.kernels.poisson import count, draw, levels, random_bits
from neurohw.kernels.stimulus import intervals, stream
from neurohw.kernels.table import SynapseTable
from neurohw.network import RECEPTORS, Network, Population, Projection
from neurohw.program import Program

SOURCES, RECEPTOR, TARGET, DELAY, BEGIN, END, WEIGHT, LEVELS = range(8)
"""The columns of `Background.lines`: number of sources that have a target, receptor, first target, steps, first and last
interval in which they spike, place of the first weight, how many levels to compare with."""


FEW = 4
"""How many levels `_add_few` compares with; draws that pass more of them are counted by `count`."""


@dataclass(frozen=True, eq=False)
class Background:
    """The populations drawn so, and the lines of numbers by which the compiled loop draws them.

    sizes: sources of each. levels: (population, k), see `neurohw.kernels.poisson`.
    """

    names: tuple[str, ...]
    lines: NDArray[np.int64]
    sizes: NDArray[np.int64]
    levels: NDArray[np.uint32]

    def keys(self, trial: int) -> NDArray[np.uint64]:
        """The streams of a trial."""
        return np.array([stream(name, trial) for name in self.names], np.uint64)

    def arguments(self, trial: int, program: Program, back: int, last: int):
        """What the compiled functions take for steps whose input was drawn in the steps back..last-1."""
        grid = program.network.numerics.stimulus_grid
        most = int(self.sizes.max(initial=0))
        return (
            self.keys(trial), self.lines, self.sizes, self.levels, aligned_zeros((most,), np.uint32), aligned_zeros((most,), np.uint32),
            intervals(grid, program.dt, back, last), back,
        )  # fmt: skip

    def on_their_way(self, t: int, trial: int, program: Program) -> int:
        """Spikes emitted before step t that have not arrived by then."""
        back = max(0, t - int(self.lines[:, DELAY].max(initial=0)))
        return int(_on_their_way(t, *self.arguments(trial, program, back, t)))


def background(program: Program, table: SynapseTable | None) -> Background:
    """The Poisson populations of a program that can be drawn so; none without a table."""
    network, origin = program.network, program.origin
    names, lines, means = [], [], []
    for name, population in network.sources.items() if table else ():
        outgoing = [p for p in network.projections.values() if p.source == name]
        if len(outgoing) != 1 or not _is_uniform(population) or not _is_simple(program, outgoing[0]):
            continue
        p, first = outgoing[0], origin.first[name]
        n = min(population.size, network.populations[p.target].size)
        counts = table.per_source()[first : first + population.size]
        if not (counts[:n] == 1).all() or counts[n:].any():
            continue
        names.append(name)
        means.append(float(network.parameter(name, "rate")[0]) * 1e-3 * network.numerics.stimulus_grid)
        on, off = _active(network, name)
        lines.append([
            n, RECEPTORS.index(p.receptor), origin.first[p.target], program.delays.allowed[p.name][0], on, off,
            table.starts[first], levels(means[-1]).shape[0],
        ])  # fmt: skip
    sizes = np.array([network.populations[name].size for name in names], np.int64)
    found = np.array(lines, np.int64).reshape(-1, LEVELS + 1)
    return Background(tuple(names), found, sizes, np.ascontiguousarray(levels(means).T))


def _is_uniform(population: Population) -> bool:
    """Whether all sources of a population are Poisson processes with the same rate, start and duration."""
    return population.spike_times is None and all(isinstance(value, float) for value in population.parameters.values())


def _is_simple(program: Program, p: Projection) -> bool:
    plan = program.delays
    return isinstance(p.rule, OneToOne) and plan.between is None and plan.allowed[p.name].size == 1


def _active(network: Network, name: str) -> tuple[int, int]:
    """First and last interval of the grid in which a population may spike, as `stimulus.poisson_spikes` has it."""
    grid = network.numerics.stimulus_grid
    on, length = (float(network.parameter(name, part)[0]) for part in ("start", "duration"))
    return int(np.ceil(on / grid - 1e-6)), int(np.ceil(min(on + length, 1e12) / grid - 1e-6))


@njit(cache=True)
def add_background(t, keys, lines, sizes, levels, bits, counts, steps, back, weights, sums):
    """Add to sums what the background that is due at step t weighs; returns the numbers of synaptic events and of spikes."""
    return add_part(t, keys, lines, sizes, levels, bits, counts, steps, back, weights, sums, 0, sums.shape[1])


@njit(cache=True)
def add_part(t, keys, lines, sizes, levels, bits, counts, steps, back, weights, sums, first, last):
    """As `add_background`, for the neurons first..last-1; sources without a target count with the last that has one."""
    events, spikes = 0, 0
    for b in range(keys.size):
        when, target, n = t - lines[b, DELAY], lines[b, TARGET], lines[b, SOURCES]
        lo, hi = max(first - target, 0), min(last - target, n)
        if when < 0 or lo >= hi:
            continue
        row = sums[lines[b, RECEPTOR], target + lo : target + hi]
        weight = weights[lines[b, WEIGHT] + lo : lines[b, WEIGHT] + hi]
        end = sizes[b] if hi == n else hi
        mine = counts[lo:end]
        for interval in range(steps[when - back], steps[when - back + 1]):
            if lines[b, BEGIN] <= interval < lines[b, END]:
                highest, passed = random_bits(keys[b], interval, bits[: sizes[b]]), levels[b, : lines[b, LEVELS]]
                random = bits[lo:end]
                if highest <= passed[FEW] and end == hi:
                    events += _add_few(passed[0], passed[1], passed[2], passed[3], random, weight, row)
                    continue
                count(passed, highest, random, mine)
                events += _add(mine[: row.size], weight, row)
                spikes += mine[row.size :].sum()
    return events, events + np.int64(spikes)


@step_kernel
def _add(counts, weights, row):
    events = np.uint32(0)
    for i in range(row.shape[0]):
        row[i] += weights[i] * counts[i]
        events = np.uint32(events + counts[i])
    return np.int64(events)


@step_kernel
def _add_few(a, b, c, d, bits, weights, row):
    """As `_add`, of counts that are made on the way: most bits pass no level, hardly any pass FEW."""
    events = np.uint32(0)
    for i in range(row.shape[0]):
        r = bits[i]
        counts = np.uint32(np.uint32(r > a) + np.uint32(r > b) + np.uint32(r > c) + np.uint32(r > d))
        row[i] += weights[i] * counts
        events = np.uint32(events + counts)
    return np.int64(events)


@njit(cache=True)
def _on_their_way(t, keys, lines, sizes, levels, bits, counts, steps, back):
    total = 0
    for b in range(keys.size):
        mine = counts[: sizes[b]]
        for interval in range(steps[max(0, t - lines[b, DELAY]) - back], steps[t - back]):
            if lines[b, BEGIN] <= interval < lines[b, END]:
                draw(keys[b], interval, levels[b, : lines[b, LEVELS]], bits, mine)
                total += int(mine.sum())
    return total
