"""One network on several threads, to the bit what one thread computes: `chip.threads = 2`.

This pays for large networks alone, and only where every thread has a core to itself: they meet twice in each step, so if
one has to wait for its turn, all wait. Below 65,536 neurons two threads share delivery, further ones do not; each thread
draws the random bits of the whole background, and remembers all spikes in memory of its own. Runs that record state
variables, learn, or follow `overruns: late` take one thread.

A step has two halves, and all threads meet after each. First every thread adds up the synapses due in its own rows of sums
(excitation, inhibition; of blocks of 65,536 neurons), then it updates its own neurons and their background. Which thread has
which rows follows the events of the windows before, and no result depends on it.
"""

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.chips.spinnaker.engine import arrive_at
from neurohw.chips.spinnaker.fused import factors, is_fused, loops, tick
from neurohw.chips.spinnaker.neurons import update
from neurohw.kernels.background import add_part
from neurohw.kernels.delivery import collect, deliver_row, scratch
from neurohw.kernels.gate import gate, leave_open, meet

ALIGNED = 64
"""Neurons after whose multiples a thread's part may end: whole cache lines, also of flags."""


def run(
    n_threads, row_events, t, until, populations, state, coefficients, steep, offset_rows, sums, table, weights, arriving,
    background, groups, spiked, spiked_words, events, event, out, counts,
):  # fmt: skip
    """`engine.run` where nothing is recorded and nothing learns; returns (t, event, n_out).

    row_events: of each row of sums; they grow. populations: codes, firsts, lasts, shifts; events: steps, neurons, values.
    """
    n, door = state.shape[1], gate()
    edges = [min(n, round(n * k / n_threads / ALIGNED) * ALIGNED) for k in range(n_threads)] + [n]
    rows, done = shares(row_events, n_threads), np.zeros((n_threads, 7 + len(row_events)), np.int64)
    ring, cuts, *stimulus, segments = arriving
    bits, tallies = 4, 5
    jobs = []
    for k in range(n_threads):
        mine = (ring, cuts, *stimulus, segments) if k == 0 else (*_copied(ring, cuts), *stimulus, scratch())
        drawn = tuple(one.copy() if i in (bits, tallies) else one for i, one in enumerate(background))
        jobs.append((
            n_threads, door, edges[k], edges[k + 1], rows == k, t, until, *populations, state,
            coefficients, steep, offset_rows, sums, table, weights, mine, drawn, groups, spiked, spiked_words, *events, event,
            out if k == 0 else np.empty_like(out), done[k],
        ))  # fmt: skip
    if not _run.signatures:  # a thread that still compiles lets the others wait
        _run(*jobs[0][:6], t, *jobs[0][7:])
    together(_run, jobs, door)
    counts += done[:, :4].sum(axis=0)
    row_events += done[:, 7:].sum(axis=0)
    return tuple(done[0, 4:7].tolist())


def together(part: Callable[..., None], jobs: Sequence[tuple], door: NDArray[np.int64]) -> None:
    """Each job by a thread of its own, the first by this one; raises what any of them raised, once all have ended.

    A thread that ends before its time leaves the gate open, so that no other waits for it.
    """
    failures: list[BaseException] = []

    def one(job: tuple) -> None:
        try:
            part(*job)
        except BaseException as error:
            failures.append(error)
            leave_open(door)

    others = [threading.Thread(target=one, args=(job,), daemon=True) for job in jobs[1:]]
    started = []
    try:
        for other in others:
            other.start()
            started.append(other)
    except RuntimeError as error:  # no more threads can be started
        failures.append(error)
        leave_open(door)
    else:
        one(jobs[0])
    for other in started:
        other.join()
    if failures:
        raise failures[0]


def shares(events: NDArray[np.int64], n_threads: int) -> NDArray[np.int64]:
    """The thread of each row: the rows with most events first, each to the thread that has least so far."""
    found, load = np.zeros(events.size, np.int64), np.zeros(n_threads, np.int64)
    for row in np.argsort(-events, kind="stable"):
        found[row] = np.argmin(load)
        load[found[row]] += events[row] + 1
    return found


@njit(cache=True)
def _copied(ring, cuts):
    """The spikes remembered, in memory of one's own."""
    own = np.empty_like(ring)
    for place in range(ring.shape[0]):
        for m in range(cuts[place, -1]):
            own[place, m] = ring[place, m]
    return own, cuts.copy()


@njit(cache=True, nogil=True)
def _run(
    n_threads, door, begin, end, rows, t, until, codes, firsts, lasts, shifts, state, coefficients, steep, offset_rows,
    sums, table, weights, arriving, background, groups, spiked, spiked_words, event_steps, event_neurons, event_values, event,
    out, done,
):  # fmt: skip
    """A thread's part: the neurons begin..end-1, and those rows of sums.

    done: what `counts` gets, (t, event, n_out), synaptic events of each row.
    """
    n, n_out, times, synapses = state.shape[1], 0, 1, np.zeros(rows.size, np.int64)
    counts = np.zeros(4, np.int64)
    scales = factors(firsts, lasts, shifts, n)
    joined = loops(codes, firsts, lasts, shifts, coefficients)
    while t < until and n_out + n <= out.shape[0]:
        while event < event_steps.size and event_steps[event] <= t:
            i = event_neurons[event]
            if begin <= i < end:
                coefficients[offset_rows[i], i] += event_values[event]
            event += 1
        for row in range(rows.size):
            if rows[row]:
                synapses[row] += deliver_row(row, t, *table, weights, *arriving, sums)
        times = meet(door, n_threads, times)
        events, spikes = add_part(t, *background, weights, sums, begin, end)
        counts[0] += events
        counts[3] += spikes
        for g in range(joined[0].size):
            code, shift, first, last = joined[0][g], joined[3][g], max(begin, joined[1][g]), min(end, joined[2][g])
            if first >= last:
                continue
            if is_fused(code, shift):
                saturated, overshot = tick(
                    code, joined[4][g], state, coefficients, steep, first, last, sums, scales, spiked
                )
                counts[1] += saturated
                counts[2] += overshot
            else:
                arrive_at(code, state, coefficients, steep, first, last, sums, shift, counts)
                update(code, state, coefficients, first, last, spiked)
        times = meet(door, n_threads, times)
        n_out = collect(t, spiked, spiked_words, groups, arriving[0], arriving[1], out, n_out)
        t += 1
    counts[0] += synapses.sum()
    done[:4] = counts
    done[4], done[5], done[6] = t, event, n_out
    done[7:] = synapses
