"""What a run would have been for a real board: every core's work step by step against its clock, and the load of the links."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.spinnaker.account import FETCHED, RECEIVED, SENT, SYNAPSES, book
from neurohw.chips.spinnaker.traffic import CORE, EVENTS, ROWS, Traffic
from neurohw.device.spinnaker import SpinnakerMachine
from neurohw.program import Program, Slice

Spikes = tuple[NDArray[np.int64], NDArray[np.integer]]
"""Steps, ascending, and the presynaptic numbers that spike in them."""


@dataclass(frozen=True, eq=False)
class Mean:
    """A constant stream of spikes from step `first` to before step `last`: counts (row, unit), see `account`; links: packets."""

    first: int
    last: int
    counts: NDArray[np.float64]
    links: NDArray[np.float64]


class CoreLoad(NamedTuple):
    """What one core, which holds the neurons first..last, did in a run. Cycles are those of a step, against `budget`; NaN for sources and delay extensions."""

    population: str
    first: int
    last: int
    x: int
    y: int
    core: int
    neuron_updates: int
    synaptic_events: int
    rows: int
    packets_received: int
    packets_sent: int
    mean_cycles: float
    peak_cycles: float
    budget: float
    steps_over_budget: int
    most_packets_in_a_step: int


class LinkLoad(NamedTuple):
    """What one link between two chips carried in a run; `limit`: what it could in a step."""

    x: int
    y: int
    link: int
    packets: int
    most_in_a_step: int
    limit: float


def queue(traffic: Traffic) -> NDArray[np.int32]:
    """Nothing due; (row, step modulo, unit), see `account`: what the delay extensions will send in the steps to come."""
    return np.zeros((3, traffic.depth, traffic.n_units), np.int32)


def mean(program: Program, t: Traffic, name: str) -> Mean:
    """What a population of Poisson sources alike means in a step."""
    network, dt, n = program.network, program.dt, t.n_units
    rate, on, length = (float(network.parameter(name, part)[0]) for part in ("rate", "start", "duration"))
    first, size = program.origin.first[name], network.populations[name].size
    lines = t.lines(
        np.arange(first, first + size)
    )  # their lags do not matter: a constant stream comes at the same rate later
    counts = np.zeros((4, n))
    counts[SYNAPSES], counts[FETCHED] = (np.bincount(lines[:, CORE], lines[:, part], n) for part in (EVENTS, ROWS))
    counts[SENT] = np.bincount(t.sender[first : first + size], minlength=n)
    counts[RECEIVED], links = counts[SENT] @ t.reach, counts[SENT] @ t.crossing
    begin, end = (min(int(np.ceil(at / dt - 1e-6)), 2**62) for at in (on, min(on + length, 1e15)))
    per_step = 1e-3 * rate * dt
    return Mean(begin, end, per_step * counts, per_step * links)


class Workload:
    """Counts of one run, window by window.

    totals (row, unit): see `account`. cycles, peak, over: sum and largest of the steps' cycles, steps beyond the budget; most:
    packets received in a step; carried, most_carried: packets of each link, and in a step.
    Poisson sources that are drawn in place (see `kernels.background`) are no spikes to count: they come in at their mean,
    `means`.
    """

    def __init__(self, program: Program, traffic: Traffic, means: Sequence[Mean] = ()):
        machine = program.device.machine
        assert isinstance(machine, SpinnakerMachine)
        self.machine, self.program, self.traffic = machine, program, traffic
        self.budget = machine.budget(program.choices, program.dt)
        self.link_limit = float(machine.link_rate) * program.dt * program.choices.slowdown(program.dt)
        n, links = traffic.n_units, len(traffic.ways)
        self.n_steps = 0
        self.totals = np.zeros((4, n))
        self.cycles, self.peak, self.most = np.zeros((3, n))
        self.over = np.zeros(n, np.int64)
        self.carried, self.most_carried = np.zeros((2, links))
        self.means = means

    @property
    def sent(self) -> NDArray[np.float64]:
        """Packets of each unit."""
        return self.totals[SENT]

    def add(self, first: int, last: int, outside: Spikes, inside: Spikes, due: NDArray[np.int32]) -> None:
        """Count the steps first..last-1. outside, inside: (steps, presynaptic numbers) of sources and of neurons, by step;
        due: see `queue`."""
        t, machine = self.traffic, self.machine
        costs = np.zeros(4)
        costs[[SYNAPSES, FETCHED, SENT, RECEIVED]] = [
            machine.cycles_per_event, machine.cycles_per_row, machine.cycles_per_spike, machine.cycles_per_packet
        ]  # fmt: skip
        ends = {end for one in self.means for end in (one.first, one.last) if first < end < last}
        for begin, end in pairwise(sorted({first, last} | ends)):
            active = [one for one in self.means if one.first <= begin < one.last]
            constant = sum((one.counts for one in active), np.zeros((4, t.n_units)))
            links = sum((one.links for one in active), np.zeros(len(t.ways)))
            book(
                begin, end, _between(outside, begin, end), _between(inside, begin, end),
                (t.starts, t.entries, t.stand, t.sender, t.extension), (t.reach.indptr, t.reach.indices),
                (t.crossing.indptr, t.crossing.indices), due, constant, links, costs, t.fixed, self.budget,
                self.totals, self.cycles, self.peak, self.most, self.over, self.carried, self.most_carried,
            )  # fmt: skip
        self.n_steps += last - first

    def cores(self) -> list[CoreLoad]:
        """One row per unit, in the order of the program's slices, then its extensions."""
        program, steps = self.program, max(1, self.n_steps)
        return [self._core(k, part, steps) for k, part in enumerate((*program.slices, *program.extensions))]

    def _core(self, k: int, part: Slice, steps: int) -> CoreLoad:
        site, works = part.site, bool(self.traffic.working[k])
        return CoreLoad(
            population=part.population,
            first=part.first,
            last=part.last - 1,
            x=site.x,
            y=site.y,
            core=site.unit,
            neuron_updates=part.size * self.n_steps if works else 0,
            synaptic_events=round(self.totals[SYNAPSES, k]),
            rows=round(self.totals[FETCHED, k]),
            packets_received=round(self.totals[RECEIVED, k]),
            packets_sent=round(self.totals[SENT, k]),
            mean_cycles=float(self.cycles[k]) / steps if works else np.nan,
            peak_cycles=float(self.peak[k]) if works else np.nan,
            budget=self.budget,
            steps_over_budget=int(self.over[k]) if works else 0,
            most_packets_in_a_step=round(self.most[k]),
        )

    def links(self) -> list[LinkLoad]:
        """Every link that a packet may take, busiest first."""
        order = np.argsort(-self.carried, kind="stable")
        found = []
        for k in order:
            x, y, link = self.traffic.ways[k]
            found.append(LinkLoad(x, y, link, round(self.carried[k]), round(self.most_carried[k]), self.link_limit))
        return found


def _between(spikes: Spikes, first: int, last: int) -> Spikes:
    lo, hi = np.searchsorted(spikes[0], (first, last))
    return spikes[0][lo:hi], spikes[1][lo:hi]
