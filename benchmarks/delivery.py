"""Delivery of synaptic events alone: neurohw's pulled rows beside a flat loop into a ring buffer, in one run.

    python benchmarks/delivery.py [--neurons 77000] [--synapses 3900] [--steps 300]

Both deliver the same spikes (3.5 Hz, a step of 0.1 ms) over the same random synapses with the delays of the cortical
microcircuit, and saturate at 16 bits as SpiNNaker does: the flat loop at every addition into a uint16 ring of 64 slots (words of
target, weight and delay, 7 bytes), neurohw once for every cell of a step. Counted is CPU time; the lists of spikes are new in
every repetition. The sums of the last step of each are compared.
"""

import argparse
import time

import numpy as np
from numba import njit

from neurohw.chips.spinnaker.engine import clamp
from neurohw.kernels.delivery import cut, deliver, scratch, spike_ring
from neurohw.kernels.table import TableBuilder

SLOTS, RATE, SOURCES = 64, 3.5e-4, 64
AIM = 3.5


@njit
def flat(t, spikes, starts, targets, weights, delays, ring):
    """Add the synapses of spikes of step t to ring[(t + delay) % 64, target], saturating."""
    events = 0
    for s in spikes:
        for j in range(starts[s], starts[s + 1]):
            slot, target = (t + delays[j]) & (SLOTS - 1), targets[j]
            total = np.uint32(ring[slot, target]) + np.uint32(weights[j])
            ring[slot, target] = min(total, np.uint32(65535))
        events += starts[s + 1] - starts[s]
    return events


@njit
def flat_steps(first, spikes, cuts, starts, targets, weights, delays, ring):
    events = 0
    for k in range(cuts.size - 1):
        ring[(first + k) & (SLOTS - 1)] = 0  # the neurons have read it
        events += flat(first + k, spikes[cuts[k] : cuts[k + 1]], starts, targets, weights, delays, ring)
    return events


@njit
def pulled_steps(first, spikes, cuts, table, weights, arriving, groups, sums):
    events = 0
    for k in range(cuts.size - 1):
        t = first + k
        sums[:] = 0
        events += deliver(t, *table, weights, *arriving, sums)
        for receptor in range(2):
            clamp(sums[receptor])
        place, n = t & (arriving[0].shape[0] - 1), cuts[k + 1] - cuts[k]
        arriving[0][place, :n] = spikes[cuts[k] : cuts[k + 1]]
        cut(arriving[0][place, :n], groups, arriving[1][place])
    return events


def synapses(n: int, each: int):
    """The flat words, source by source, and the table of the same synapses; weights that saturate now and then."""
    draw = np.random.default_rng(1)
    delays = np.clip(np.rint(draw.normal(15, 7.5, 1 << 16)), 1, SLOTS - 1).astype(np.uint8)
    starts = np.arange(n + 1) * each
    flat_columns = np.empty(n * each, np.int32), np.empty(n * each, np.uint16), np.empty(n * each, np.uint8)
    builder = TableBuilder(n, n, np.arange(1, SLOTS), {"weight": np.dtype(np.uint16)}, capacity=n * each)
    for first in range(0, n, SOURCES):
        last = min(first + SOURCES, n)
        w = slice(first * each, last * each)
        target, weight = draw.integers(0, n, (last - first) * each), draw.integers(500, 20_000, (last - first) * each)
        delay = delays[draw.integers(0, delays.size, (last - first) * each)]
        for column, values in zip(flat_columns, (target, weight, delay), strict=True):
            column[w] = values
        receptor = np.zeros(target.size, np.int64)
        builder.append(
            first, np.repeat(np.arange(first, last), each), target, receptor, delay.astype(np.int64), weight=weight
        )
    return (starts, *flat_columns), builder.build()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, default=77_000)
    parser.add_argument("--synapses", type=int, default=3900)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    n = given.neurons
    columns, table = synapses(n, given.synapses)
    ring, sums = np.zeros((SLOTS, n), np.uint16), np.zeros((2, n), np.uint32)
    groups = np.array([0, n])
    lists, cuts = spike_ring(SLOTS, n, 1)
    arriving = lists, cuts, np.empty(0, np.int32), np.zeros((1, 1), np.int64), 1 << 60, scratch()
    speeds = {"flat ring": [], "neurohw": []}
    draw, first = np.random.default_rng(2), 0
    for repetition in range(given.repeat + 1):
        spikes = [np.flatnonzero(draw.random(n) < RATE) for _ in range(given.steps)]
        ends, joined = np.cumsum([0, *(one.size for one in spikes)]), np.concatenate(spikes).astype(np.int32)
        rows = table.arguments, table.columns["weight"], arriving, groups, sums
        for name, run, what in (("flat ring", flat_steps, (*columns, ring)), ("neurohw", pulled_steps, rows)):
            begin = time.process_time()
            events = run(first, joined, ends, *what)
            if repetition:
                speeds[name].append(1e-6 * events / (time.process_time() - begin))
        first += given.steps
    last = pulled_steps(first, joined[:0], np.array([0, 0]), *rows)
    same = np.array_equal(sums[0], ring[first & (SLOTS - 1)])
    print(f"{n} neurons with {given.synapses} synapses each, {table.n_bytes / table.n_synapses:.2f} bytes per synapse")
    for name, values in speeds.items():
        print(f"{name}: {np.median(values):.0f} million events per CPU second (highest {max(values):.0f})")
    ratio = np.median(speeds["neurohw"]) / np.median(speeds["flat ring"])
    print(
        f"ratio of the medians {ratio:.1f}, of the highest {max(speeds['neurohw']) / max(speeds['flat ring']):.1f}; the aim is {AIM:g}"
    )
    print(f"the sums of the next step ({last} events) are {'equal' if same else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
