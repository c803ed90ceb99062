"""A SpiNNaker machine whose cores may have more to do in a step than there is time for: late spikes, dropped packets.

Handling a packet interrupts the update of the neurons, which goes on in the background (`c_main.c`), so in a step

1. packets are handled as they come, those of sources first, then of neurons by number. A packet that the core has not
   begun to handle when the step ends is gone: the timer clears the queue of what is late.
2. The update takes the cycles that packets leave, and what is left of it is done in the following steps. A core that
   needs (k, k + 1] steps' worth of cycles for packets, old updates and its own update sends the spikes of this step k
   steps late. What comes to it in those later steps is not known yet and is not counted.
3. A packet carries the color of its step, by which the receiver tells how late it is: synapses with a longer delay act
   when they should, the others do not act at all. From `key_colors` steps on the color says nothing, and no synapse acts.

Packets from delay extensions take time, but are neither late nor dropped; cores of sources and extensions have time
enough. Source of the rules: sPyNNaker 7.4.1; that all packets cost the same, and their order, are assumptions.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.chips.spinnaker.engine import clamp
from neurohw.chips.spinnaker.neurons import observe, overshooting, transfer, update
from neurohw.chips.spinnaker.traffic import CORE, EVENTS, LAG, ROWS, Traffic
from neurohw.device.spinnaker import SpinnakerMachine
from neurohw.kernels.delivery import collect
from neurohw.kernels.table import BASE, BLOCK, DELAY, FIRST, GROUP, ROW, WIDTH
from neurohw.program import Program
from neurohw.report import Loss

NEVER = 2**31 - 1
SPIKES, LATE, LOST, PACKETS, DROPPED, EVENTS_LOST = range(6)
"""What is counted: spikes, those sent late, those too late for any color; packets, those dropped; synapses that did not act."""


@dataclass
class Lateness:
    """What a machine remembers of its overruns.

    backlog: cycles of update left to each unit. ahead: (step modulo, unit) cycles that delay extensions will cause.
    late, cut: (step modulo, unit), by how many steps the spikes of that step were late, and the first packet of that
    step that the unit dropped. from_sources: packets of sources in that step, which come before those of neurons.
    """

    backlog: NDArray[np.float64]
    ahead: NDArray[np.float64]
    late: NDArray[np.int32]
    cut: NDArray[np.int32]
    from_sources: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def none(cls, traffic: Traffic, depth: int) -> "Lateness":
        n = traffic.n_units
        late, cut = np.zeros((depth, n), np.int32), np.full((depth, n), NEVER, np.int32)
        ahead = np.zeros((traffic.depth, n))
        return cls(np.zeros(n), ahead, late, cut, np.zeros(depth, np.int64), np.zeros(6, np.int64))

    def losses(self) -> list[Loss]:
        """What was late or lost since the counts were last set to zero."""
        n = [int(count) for count in self.counts]
        return [
            Loss(
                "spikes late", n[LATE], n[SPIKES], "all populations of neurons",
                "their core had more to do than a step has cycles for; synapses whose delay is not longer do not act",
                "use fewer neurons per core or a larger time_scale_factor",
            ),
            Loss("spikes lost", n[LOST], n[SPIKES], "all populations of neurons", "too late for the colors of their keys"),
            Loss(
                "packets dropped", n[DROPPED], n[PACKETS], "all cores of neurons",
                "not handled by the end of their step, when the timer clears the queue",
                "use fewer neurons per core or a larger time_scale_factor",
            ),
            Loss("synaptic events lost", n[EVENTS_LOST], 0, "all projections", "of late spikes and dropped packets"),
        ]  # fmt: skip


def clockwork(program: Program, traffic: Traffic) -> tuple:
    """What `run` needs to know of the machine, in the order of its arguments."""
    machine = program.device.machine
    assert isinstance(machine, SpinnakerMachine)
    costs = [machine.cycles_per_spike, machine.cycles_per_packet, machine.cycles_per_row, machine.cycles_per_event]
    slots = machine.delay_slots(machine.neurons_per_unit(program.choices))
    return (
        traffic.starts, traffic.entries, traffic.sender, traffic.extension, traffic.reach.indptr, traffic.reach.indices,
        traffic.fixed, traffic.working, np.array(costs, np.float64), machine.budget(program.choices, program.dt), slots,
        int(machine.key_colors),
    )  # fmt: skip


@njit(cache=True)
def run(
    t, until, codes, firsts, lasts, shifts, state, coefficients, steep, offset_rows, sums, table, weights, arriving, background,
    groups, spiked, spiked_words, event_steps, event_neurons, event_values, event, sample_values, sample_neurons, sample_codes, samples, n_samples,
    out, n_out, counts, clock, lateness,
):  # fmt: skip
    """As `engine.run`, with the rules above and nothing in `background`; clock: see `clockwork`, lateness: `Lateness`."""
    n, (ring, ring_cuts, stimulus, stimulus_cuts, stimulus_first, _) = state.shape[1], arriving
    sender, slots = clock[2], clock[10]
    _, _, late, cut, from_sources, lost = lateness
    while t < until and n_out + n <= out.shape[0]:
        while event < event_steps.size and event_steps[event] <= t:
            coefficients[offset_rows[event_neurons[event]], event_neurons[event]] += event_values[event]
            event += 1
        counts[0] += _deliver(
            t, *table, weights, ring, ring_cuts, stimulus, stimulus_cuts, stimulus_first, sums, late, cut, from_sources,
            sender, slots, lost,
        )  # fmt: skip
        for receptor in range(2):
            counts[1] += clamp(sums[receptor])
        for g in range(codes.size):
            transfer(codes[g], state, coefficients, firsts[g], lasts[g], sums[0], sums[1], shifts[g, 0], shifts[g, 1])
            counts[2] += overshooting(codes[g], state, steep, firsts[g], lasts[g])
        for m in range(sample_neurons.size):
            samples[n_samples, m] = observe(sample_codes[m], state, sample_neurons[m])[sample_values[m]]
        n_samples += sample_neurons.size > 0
        for g in range(codes.size):
            update(codes[g], state, coefficients, firsts[g], lasts[g], spiked)
        sums[:] = 0
        n_out = collect(t, spiked, spiked_words, groups, ring, ring_cuts, out, n_out)
        place, cuts = t & (ring.shape[0] - 1), stimulus_cuts[t - stimulus_first]
        _judge(t, place, stimulus[cuts[0] : cuts[-1]], ring[place, : ring_cuts[place, -1]], *clock, *lateness)
        t += 1
    return t, event, n_samples, n_out


@njit(cache=True)
def _judge(
    t, place, from_outside, from_neurons, row_starts, entries, sender, extension, reach_starts, reach, fixed, working,
    costs, budget, slots, colors, backlog, ahead, late, cut, from_sources, lost,
):  # fmt: skip
    """Which packets of step t are dropped where, and how late its spikes are."""
    send, packet, row, synapse = costs
    now = t % ahead.shape[0]
    busy, own = ahead[now].copy(), fixed.copy()
    ahead[now] = 0.0
    cut[place] = NEVER
    from_sources[place] = from_outside.size
    for m in range(from_outside.size + from_neurons.size):
        outside = m < from_outside.size
        s = from_outside[m] if outside else from_neurons[m - from_outside.size]
        unit = sender[s]
        own[unit] += send
        for r in range(reach_starts[unit], reach_starts[unit + 1]):
            core = reach[r]
            if working[core]:
                lost[PACKETS] += 1
                if m < cut[place, core] and busy[core] >= budget:
                    cut[place, core] = m
                if m >= cut[place, core]:
                    lost[DROPPED] += 1
                else:
                    busy[core] += packet
        lag = 0
        for e in range(row_starts[s], row_starts[s + 1]):
            core = entries[e, CORE]
            work = row * entries[e, ROWS] + synapse * entries[e, EVENTS]
            if entries[e, LAG] != lag:
                lag = entries[e, LAG]
                unit = extension[s]
                for r in range(reach_starts[unit], reach_starts[unit + 1]):
                    ahead[(t + lag) % ahead.shape[0], reach[r]] += packet
            if lag > 0:
                ahead[(t + lag) % ahead.shape[0], core] += work
            elif m < cut[place, core]:
                busy[core] += work
    for core in range(fixed.size):
        if working[core]:
            todo = backlog[core] + own[core]
            late[place, core] = max(0, int(np.ceil((busy[core] + todo) / budget)) - 1)
            backlog[core] = max(0.0, todo - max(0.0, budget - busy[core]))
            if late[place, core] >= colors:
                late[place, core] = NEVER
    for i in from_neurons:
        lost[SPIKES] += 1
        lost[LATE] += 0 < late[place, sender[i]] < NEVER
        lost[LOST] += late[place, sender[i]] == NEVER


@njit(cache=True)
def _deliver(
    t, visits, row_visits, starts, offsets, targets, weights, ring, ring_cuts, stimulus, stimulus_cuts, stimulus_first,
    sums, late, cut, from_sources, sender, slots, lost,
):  # fmt: skip
    """As `kernels.delivery.deliver`, without what late spikes and dropped packets do not bring."""
    events, n, n_groups = 0, sums.shape[1], ring_cuts.shape[1] - 1
    for v in range(visits.shape[0]):
        first, delay, group = visits[v, ROW] // 2 * BLOCK, visits[v, DELAY], visits[v, GROUP]
        row = sums[visits[v, ROW] % 2, first : min(n, first + BLOCK)]
        when, outside = t - delay, group >= n_groups
        if when < (stimulus_first if outside else 0):
            continue
        place = when & (ring.shape[0] - 1)
        if outside:
            cuts, g = stimulus_cuts[when - stimulus_first], group - n_groups
            spikes, number = stimulus[cuts[g] : cuts[g + 1]], cuts[g] - cuts[0]
        else:
            cuts = ring_cuts[place]
            spikes, number = ring[place, cuts[group] : cuts[group + 1]], cuts[group] + from_sources[place]
        whole = delay > slots  # such synapses are reached through an extension, which drops nothing
        for m in range(spikes.size):
            i = np.int64(spikes[m])
            at = visits[v, BASE] + (i - visits[v, FIRST]) * visits[v, WIDTH]
            a, b = starts[i] + np.int64(offsets[at]), starts[i] + np.int64(offsets[at + 1])
            if not outside and late[place, sender[i]] >= delay:
                lost[EVENTS_LOST] += b - a
            else:
                events += _pull(a, b, number + m, whole, targets, weights, row, first, sender, cut[place], lost)
    return events


@njit(cache=True)
def _pull(a, b, number, whole, targets, weights, row, first, sender, cut, lost):
    """Add the synapses a..b-1 of packet `number` on those cores that did not drop it."""
    events = 0
    for j in range(a, b):
        if whole or number < cut[sender[first + targets[j]]]:
            row[targets[j]] += weights[j]
            events += 1
        else:
            lost[EVENTS_LOST] += 1
    return events
