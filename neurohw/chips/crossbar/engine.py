"""The compiled loop of a crossbar chip: read the rows of the neurons that spiked, convert, integrate, fire.

Only rows of spiking sources are read. What a read brings flows into *lines*: a column of a tile where there are
converters, else a neuron's input straight away. Read noise is drawn in one of two ways.

Once per line. Of pairs whose noise is Gaussian and out of reach of any clip only mean and variance are added up, and

    sum = sum_k mean_k + sqrt(sum_k variance_k) z,    z normal, addressed by (trial, step, line).

This has exactly the distribution of the sum of single draws under one condition: the noise of the reads is Gaussian
(unclipped), independent between devices, and fresh at every read; sums of independent Gaussians are Gaussian.

Once per device. Where a clip is within reach (conductances near zero, or near g_max) a variance of -1 marks the pair,
and each arm is drawn for itself, addressed by (trial, step, physical pair, how often it is read in this step), and
clipped. So every read has the distribution of the effect. The choice `read_noise: per column` gives such pairs the mean
and the variance of the clipped read instead: the first two moments stay exact, the shape becomes that of a Gaussian.
"""

from math import floor, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.kernels.delivery import collect, due
from neurohw.kernels.elementary import cos_turns, ln
from neurohw.kernels.float_neurons import EXC, I_EXT, INH, has_conductances, step
from neurohw.kernels.noise import hash64, normal, uniform
from neurohw.kernels.words import hold

EVENTS, SINGLE, CLIPPED = range(3)
"""What counts[] counts: pairs read, pairs drawn singly, conductances of a neuron that noise had made negative."""
READS, CONVERSIONS, SATURATED = range(3)
"""What tile_counts[:, tile] counts: rows read, columns converted, conversions that met the end of the range."""
MEAN, SD = 0, 1
REPEATS = 64
"""Reads of one row within a step before the addresses of their draws would repeat."""


class Reads(NamedTuple):
    """What is read where.

    weights: (pairs, 2) mean and variance of a read, network units; variance -1: see `arms`. line: of each pair.
    arms: (pairs or 0, 2 + 4 n): network units per uS of both arms, then center and deviation (uS) of a read of each of the
        n devices of the first and of the second arm; deviation < 0: no device. cell: physical place of each pair.
    row_starts, row_tiles: (sources * slots + 1) and tiles of the rows that a source's spike drives.
    low, high: where a read of an arm is clipped, uS.
    """

    weights: NDArray[np.float32]
    line: NDArray[np.int32]
    arms: NDArray[np.float32]
    cell: NDArray[np.int64]
    row_starts: NDArray[np.int64]
    row_tiles: NDArray[np.int64]
    low: float
    high: float


class Converters(NamedTuple):
    """One converter per line; lines g * width .. (g + 1) * width - 1 belong to group g (a tile, or a stack of tiles).

    group: of each tile. into: receptor * neurons + neuron, or -1 for a line that nobody reads. step: network units of
    one code; 0: there are no converters, and lines are the neurons' inputs themselves.
    """

    width: int
    group: NDArray[np.int32]
    into: NDArray[np.int32]
    step: NDArray[np.float64]
    factor: NDArray[np.float64]
    offset: NDArray[np.float64]
    noise: float
    low: float
    high: float


@njit(cache=True)
def drive(source, slot, slots, reads, touched, tile_counts):
    """Count the rows that a spike reads and mark their tiles."""
    k = source * slots + slot
    for r in range(reads.row_starts[k], reads.row_starts[k + 1]):
        tile_counts[READS, reads.row_tiles[r]] += 1
        touched[reads.row_tiles[r]] = True


@njit(cache=True)
def deliver(
    t, key, visits, row_visits, starts, offsets, targets, delays, reads,
    ring, ring_cuts, stimulus, stimulus_cuts, stimulus_first, segments, mean, variance, touched, tile_counts, counts,
):  # fmt: skip
    """Add the reads due at step t to mean and variance of their lines.

    key: of the single draws of a step. delays: of every slot. The rest as in `neurohw.kernels.delivery.deliver`.
    """
    slots = delays.size
    for slot in range(slots):
        when = t - delays[slot]
        if when >= 0 and delays[slot] > 0:
            place = when & (ring.shape[0] - 1)
            for m in range(ring_cuts[place, -1]):
                drive(ring[place, m], slot, slots, reads, touched, tile_counts)
        if when >= stimulus_first:
            cuts = stimulus_cuts[when - stimulus_first]
            for m in range(cuts[0], cuts[-1]):
                drive(stimulus[m], slot, slots, reads, touched, tile_counts)
    for r in range(row_visits.size - 1):
        m, found = due(
            t, visits[row_visits[r] : row_visits[r + 1]], starts, offsets, ring, ring_cuts,
            stimulus, stimulus_cuts, stimulus_first, segments,
        )  # fmt: skip
        again = 0
        for k in range(m):  # a source that spikes twice in a step stands there twice, one after the other
            again = again + 1 if k > 0 and found[k, 0] == found[k - 1, 0] else 0
            _read(found[k, 0], found[k, 1], again, key, reads, mean, variance, counts)


@njit(cache=True, inline="always")
def _read(first, last, again, key, reads, mean, variance, counts):
    for j in range(first, last):
        line, v = reads.line[j], reads.weights[j, SD]
        mean[line] += reads.weights[j, MEAN]
        if v >= 0.0:
            variance[line] += v
        else:
            mean[line] += single(key, reads.cell[j] * REPEATS + again, reads.arms, j, reads.low, reads.high)
            counts[SINGLE] += 1
    counts[EVENTS] += last - first


@njit(cache=True)
def single(key, counter, arms, j, low, high):
    """One read of all devices of a pair, each clipped; two normals come of one radius (Box and Muller), for both arms."""
    n, total = (arms.shape[1] - 2) // 4, 0.0
    for k in range(n):
        draw = 2 * (counter * n + k)
        radius, turn = sqrt(-2.0 * ln(1.0 - uniform(key, draw))), uniform(key, draw + 1)
        a, b = 2 + 2 * k, 2 + 2 * (n + k)
        if arms[j, a + 1] >= 0.0:
            total += arms[j, 0] * min(max(arms[j, a] + arms[j, a + 1] * radius * cos_turns(turn), low), high)
        if arms[j, b + 1] >= 0.0:
            total += arms[j, 1] * min(max(arms[j, b] + arms[j, b + 1] * radius * cos_turns(turn - 0.25), low), high)
    return total


@njit(cache=True)
def add_noise(t, key, mean, variance):
    """mean += sqrt(variance) z, and variance = 0; the counter of a draw is t * lines + line."""
    n = mean.size
    for i in range(n):
        if variance[i] > 0.0:
            mean[i] += sqrt(variance[i]) * normal(key, np.int64(t) * n + i)
            variance[i] = 0.0


@njit(cache=True)
def convert(t, key, converters, mean, variance, touched, driven, sums, tile_counts):
    """Read out the lines of every group of which a row was driven, through their converters, into the neurons' inputs.

    touched: tiles with a driven row; driven: groups, cleared like touched. Counted at the first tile of a group.
    """
    n, width = mean.size, converters.width
    for tile in range(touched.size):
        if not touched[tile]:
            continue
        touched[tile] = False
        group = converters.group[tile]
        if driven[group] == t + 1:
            continue
        driven[group] = t + 1
        for line in range(group * width, (group + 1) * width):
            into, step_ = converters.into[line], converters.step[line]
            if into >= 0:
                v = variance[line] + (converters.noise * step_) ** 2
                x = mean[line]
                if v > 0.0:
                    x += sqrt(v) * normal(key, np.int64(t) * n + line)
                code = floor(x * converters.factor[line] / step_ + converters.offset[line] + 0.5)
                if code < converters.low or code > converters.high:
                    tile_counts[SATURATED, tile] += 1
                    code = min(max(code, converters.low), converters.high)
                sums[into] += code * step_
                tile_counts[CONVERSIONS, tile] += 1
            mean[line] = 0.0
            variance[line] = 0.0


@njit(cache=True)
def arrive(codes, firsts, lasts, state, sums, words, counts):
    """Add the sums to the synaptic state and clear them; a conductance that noise made negative is 0, and counted."""
    for g in range(codes.size):
        positive = has_conductances(codes[g])
        for receptor in range(2):
            row, arrived = state[EXC if receptor == 0 else INH], sums[receptor]
            for i in range(firsts[g], lasts[g]):
                new = row[i] + arrived[i]
                if new < 0.0 and positive:
                    counts[CLIPPED] += 1
                    new = 0.0
                row[i] = new
                arrived[i] = 0.0
            if words.lsb.size:
                hold(words, g, state, EXC if receptor == 0 else INH, firsts[g], lasts[g])


@njit(cache=True)
def run(
    t, until, codes, firsts, lasts, state, coefficients, sums, gains, words, key,
    table, delays, reads, converters, mean, variance, touched, driven, tile_counts, arriving,
    groups, spiked, spiked_words, event_steps, event_neurons, event_values, event, sample_every, sample_rows,
    sample_neurons, samples, n_samples,
    out, n_out, counts,
):  # fmt: skip
    """Run steps t..until-1; stops early when `out` has no room for one more step. Returns (t, event, n_samples, n_out).

    As `neurohw.kernels.float_engine.run`, with reads in place of weights. key: the stream of this trial's read noise.
    gains: (receptors, neurons), the digital factor behind each column; empty: all are 1. words: of the neurons' state.
    """
    n = state.shape[1]
    inputs = sums.reshape(2 * n)
    converting = converters.step.size > 0
    lines = mean if converting else inputs
    while t < until and n_out + n <= out.shape[0]:
        while event < event_steps.size and event_steps[event] <= t:
            state[I_EXT, event_neurons[event]] += event_values[event]
            event += 1
        deliver(
            t, hash64(key, -1 - t), *table, delays, reads, *arriving, lines, variance,
            touched, tile_counts, counts,
        )  # fmt: skip
        if converting:
            convert(t, key, converters, mean, variance, touched, driven, inputs, tile_counts)
        else:
            add_noise(t, key, inputs, variance)
        if gains.size:
            for receptor in range(2):
                for i in range(n):
                    sums[receptor, i] *= gains[receptor, i]
        arrive(codes, firsts, lasts, state, sums, words, counts)
        if sample_rows.size and t % sample_every == 0:
            for m in range(sample_rows.size):
                samples[n_samples, m] = state[sample_rows[m], sample_neurons[m]]
            n_samples += 1
        for g in range(codes.size):
            step(codes[g], state, sums, coefficients, firsts[g], lasts[g], spiked)
            if words.lsb.size:
                for row in range(state.shape[0]):
                    hold(words, g, state, row, firsts[g], lasts[g])
        n_out = collect(t, spiked, spiked_words, groups, arriving[0], arriving[1], out, n_out)
        t += 1
    return t, event, n_samples, n_out
