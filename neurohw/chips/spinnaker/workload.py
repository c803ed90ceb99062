"""What a run would have been for a real board: every core's work step by step against its clock, and the load of the links."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.spinnaker.traffic import LAG, Traffic, tally, times
from neurohw.device.spinnaker import SpinnakerMachine
from neurohw.program import Program, Slice

Mean = tuple[int, int, NDArray[np.float32], NDArray[np.float32]]
"""(first step, last step, work (unit, 2), packets (unit)) of a constant stream of spikes."""


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


@dataclass
class Pending:
    """What the delay extensions will send in the steps to come: work (lag - 1, unit, 2), sent (lag - 1, unit)."""

    work: NDArray[np.int32]
    sent: NDArray[np.int32]

    @classmethod
    def none(cls, traffic: Traffic) -> "Pending":
        shape = (traffic.depth - 1, traffic.n_units)
        return cls(np.zeros((*shape, 2), np.int32), np.zeros(shape, np.int32))


def mean(program: Program, t: Traffic, name: str) -> Mean:
    """What a population of Poisson sources alike means in a step."""
    network, dt = program.network, program.dt
    rate, on, length = (float(network.parameter(name, part)[0]) for part in ("rate", "start", "duration"))
    first, size = program.origin.first[name], network.populations[name].size
    work, sent = np.zeros((1, t.n_units, 2), np.int32), np.zeros((1, t.n_units), np.int32)
    one = t.entries.copy()
    one[:, LAG] = 0  # a constant stream comes at the same rate later
    each = np.arange(first, first + size)
    tally(np.zeros(size, np.int64), each, 0, t.starts, one, t.stand, t.sender, t.extension, work, sent)
    per_step = np.float32(1e-3 * rate * dt)
    begin, end = (min(int(np.ceil(at / dt - 1e-6)), 2**62) for at in (on, min(on + length, 1e15)))
    return begin, end, work[0] * per_step, sent[0] * per_step


class Workload:
    """Counts of one run, window by window.

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
        self.over = np.zeros(n, np.int64)
        self.events, self.rows, self.received, self.sent = np.zeros((4, n))
        self.cycles, self.peak, self.most_packets = np.zeros((3, n))
        self.carried, self.most_carried = np.zeros((2, links))
        self.means = means

    def add(self, first: int, last: int, steps: NDArray, ids: NDArray, pending: Pending) -> None:
        """Count the spikes (steps, presynaptic numbers) of the steps first..last-1, and what was pending from before."""
        t, n, ahead = self.traffic, last - first, pending.sent.shape[0]
        work, sent = np.zeros((n + ahead, t.n_units, 2), np.int32), np.zeros((n + ahead, t.n_units), np.int32)
        work[:ahead], sent[:ahead] = pending.work, pending.sent
        tally(steps, ids, first, t.starts, t.entries, t.stand, t.sender, t.extension, work, sent)
        pending.work, pending.sent = work[n:].copy(), sent[n:].copy()
        if not self.means:
            self._book(work[:n, :, 0], work[:n, :, 1], sent[:n].astype(np.float32))
            return
        mean_work, mean_sent = work[:n].astype(np.float32), sent[:n].astype(np.float32)
        for begin, end, work_each, sent_each in self.means:
            mean_work[max(0, begin - first) : max(0, end - first)] += work_each
            mean_sent[max(0, begin - first) : max(0, end - first)] += sent_each
        self._book(mean_work[..., 0], mean_work[..., 1], mean_sent)

    def _book(self, events: NDArray, rows: NDArray, sent: NDArray[np.float32]) -> None:
        machine, t = self.machine, self.traffic
        received, carried = times(sent, t.reach), times(sent, t.crossing)
        cycles = t.fixed + (
            float(machine.cycles_per_event) * events
            + float(machine.cycles_per_row) * rows
            + float(machine.cycles_per_packet) * received
            + float(machine.cycles_per_spike) * sent
        )
        self.n_steps += sent.shape[0]
        for total, part in ((self.events, events), (self.rows, rows), (self.received, received), (self.sent, sent)):
            total += part.sum(axis=0, dtype=np.float64)
        self.cycles += cycles.sum(axis=0)
        self.over += (cycles > self.budget).sum(axis=0) * t.working
        self.carried += carried.sum(axis=0, dtype=np.float64)
        for most, part in ((self.peak, cycles), (self.most_packets, received), (self.most_carried, carried)):
            np.maximum(most, part.max(axis=0, initial=0), out=most)

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
            synaptic_events=round(self.events[k]),
            rows=round(self.rows[k]),
            packets_received=round(self.received[k]),
            packets_sent=round(self.sent[k]),
            mean_cycles=float(self.cycles[k]) / steps if works else np.nan,
            peak_cycles=float(self.peak[k]) if works else np.nan,
            budget=self.budget,
            steps_over_budget=int(self.over[k]),
            most_packets_in_a_step=round(self.most_packets[k]),
        )

    def links(self) -> list[LinkLoad]:
        """Every link that a packet may take, busiest first."""
        order = np.argsort(-self.carried, kind="stable")
        found = []
        for k in order:
            x, y, link = self.traffic.ways[k]
            found.append(LinkLoad(x, y, link, round(self.carried[k]), round(self.most_carried[k]), self.link_limit))
        return found
