"""The compiled account of a board's work: what the spikes of each step cost every core and bring to every link."""

import numpy as np
from numba import njit

from neurohw.chips.spinnaker.traffic import CORE, EVENTS, LAG, ROWS
from neurohw.kernels.compiling import step_kernel

SYNAPSES, FETCHED, SENT, RECEIVED = range(4)
"""Rows of a step's counts: synapses added up, rows fetched, packets sent, packets received; the first three may be due later."""


@njit(cache=True)
def book(
    first, last, outside, inside, lines, reach, crossing, queue, constant, constant_links, costs, fixed, budget,
    totals, cycles, peak, most, over, carried, most_carried,
):  # fmt: skip
    """Count the steps first..last-1.

    outside, inside: (steps, presynaptic numbers) of the spikes of sources and of neurons, ascending steps from `first` on.
    lines, reach, crossing: of `Traffic`. queue[row, step modulo, unit]: counts that are due, those of delay extensions some
    steps ahead; taken away when counted. constant[row, unit], constant_links: what comes in every step besides. costs: cycles
    of one of each row. totals[row, unit] grow, and what follows it: see `Workload`.
    """
    when_outside, from_outside = outside
    starts, entries, stand, sender, extension = lines
    when_inside, from_inside = inside
    depth, n_units, a, b = queue.shape[1], queue.shape[2], 0, 0
    received, links = np.empty(n_units, np.int32), np.empty(carried.size)
    for t in range(first, last):
        while a < when_outside.size and when_outside[a] == t:
            _spike(t, np.int64(from_outside[a]), starts, entries, stand, sender, extension, queue)
            a += 1
        while b < when_inside.size and when_inside[b] == t:
            _spike(t, np.int64(from_inside[b]), starts, entries, stand, sender, extension, queue)
            b += 1
        now = t % depth
        synapses, fetched, sent = queue[SYNAPSES, now], queue[FETCHED, now], queue[SENT, now]
        received[:], links[:] = 0, constant_links
        for unit in range(n_units):
            if sent[unit]:
                for r in range(reach[0][unit], reach[0][unit + 1]):
                    received[reach[1][r]] += sent[unit]
                for r in range(crossing[0][unit], crossing[0][unit + 1]):
                    links[crossing[1][r]] += sent[unit]
        _units(
            synapses, fetched, sent, received, constant[SYNAPSES], constant[FETCHED], constant[SENT], constant[RECEIVED],
            costs[SYNAPSES], costs[FETCHED], costs[SENT], costs[RECEIVED], fixed, budget,
            totals[SYNAPSES], totals[FETCHED], totals[SENT], totals[RECEIVED], cycles, peak, most, over,
        )  # fmt: skip
        for link in range(links.size):
            carried[link] += links[link]
            most_carried[link] = max(most_carried[link], links[link])


@njit(cache=True, inline="always")
def _spike(t, s, starts, entries, stand, sender, extension, queue):
    """Put what a spike of s means into the queue."""
    now, lag = t % queue.shape[1], 0
    queue[SENT, now, sender[s]] += 1
    synapses, fetched = queue[SYNAPSES, now], queue[FETCHED, now]
    for e in range(starts[stand[s]], starts[stand[s] + 1]):
        if entries[e, LAG] != lag:
            lag = entries[e, LAG]
            now = (t + lag) % queue.shape[1]
            queue[SENT, now, extension[s]] += 1
            synapses, fetched = queue[SYNAPSES, now], queue[FETCHED, now]
        core = np.uint64(entries[e, CORE])
        synapses[core] += entries[e, EVENTS]
        fetched[core] += entries[e, ROWS]


@step_kernel
def _units(
    synapses, fetched, sent, received, more_synapses, more_fetched, more_sent, more_received,
    per_synapse, per_row, per_spike, per_packet, fixed, budget,
    all_synapses, all_fetched, all_sent, all_received, cycles, peak, most, over,
):  # fmt: skip
    """A step of all units: its counts into the totals, its cycles against the budget; clears what was due."""
    for k in range(fixed.shape[0]):
        n, rows = synapses[k] + more_synapses[k], fetched[k] + more_fetched[k]
        out, into = sent[k] + more_sent[k], received[k] + more_received[k]
        now = fixed[k] + (per_synapse * n + per_row * rows + per_packet * into + per_spike * out)
        all_synapses[k] += n
        all_fetched[k] += rows
        all_sent[k] += out
        all_received[k] += into
        cycles[k] += now
        peak[k] = max(peak[k], now)
        most[k] = max(most[k], into)
        over[k] += now > budget
        synapses[k] = fetched[k] = sent[k] = np.int32(0)
