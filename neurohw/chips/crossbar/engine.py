"""The compiled loop of a crossbar chip: read the rows of the neurons that spiked, draw the read noise, integrate, fire.

Only rows of spiking sources are read. What arrives at a column in a step is the sum over the devices of those rows of
their noisy reads. Instead of one draw per device there is one per column,

    sum = sum_k mean_k + sqrt(sum_k variance_k) z,    z normal, addressed by (trial, step, receptor, neuron),

which has exactly the distribution of the sum of the single draws as long as the noise of the devices is Gaussian,
unclipped, independent between devices and fresh at every read: sums of independent Gaussians are Gaussian. Where reads
are clipped (conductances near zero, or near g_max) mean and variance are those of the clipped read, so the first two
moments stay exact and the shape is that of the central limit theorem. It is not exact for noise that is correlated
between devices or steps, for two columns that share a device's noise, or for a converter that quantizes each row alone.
"""

from math import sqrt

import numpy as np
from numba import njit

from neurohw.kernels.delivery import collect, due
from neurohw.kernels.float_neurons import EXC, I_EXT, INH, has_conductances, step
from neurohw.kernels.noise import normal
from neurohw.kernels.table import BLOCK

EVENTS, ROW_READS, CLIPPED = range(3)
"""What counts[] counts: pairs read, rows read, conductances of a neuron that noise had made negative."""


@njit(cache=True)
def deliver(
    t, visits, row_visits, starts, offsets, targets, weights, delays, rows,
    ring, ring_cuts, stimulus, stimulus_cuts, stimulus_first, segments, sums, variances, counts,
):  # fmt: skip
    """Add the reads due at step t: weights[k] = (mean, variance) of a pair to sums and variances[receptor, neuron].

    The rest as in `neurohw.kernels.delivery.deliver`. delays: of every slot. rows[source, slot]: rows driven.
    """
    n = sums.shape[1]
    for slot in range(delays.size):
        when = t - delays[slot]
        if when >= 0 and delays[slot] > 0:
            place = when & (ring.shape[0] - 1)
            for m in range(ring_cuts[place, -1]):
                counts[ROW_READS] += rows[ring[place, m], slot]
        if when >= stimulus_first:
            cuts = stimulus_cuts[when - stimulus_first]
            for m in range(cuts[0], cuts[-1]):
                counts[ROW_READS] += rows[stimulus[m], slot]
    for r in range(row_visits.size - 1):
        first, last = r // 2 * BLOCK, min(n, (r // 2 + 1) * BLOCK)
        m, found = due(
            t, visits[row_visits[r] : row_visits[r + 1]], starts, offsets, ring, ring_cuts,
            stimulus, stimulus_cuts, stimulus_first, segments,
        )  # fmt: skip
        _read(found[:m], targets, weights, sums[r % 2, first:last], variances[r % 2, first:last], counts)


@njit(cache=True)
def _read(segments, targets, weights, mean, variance, counts):
    for m in range(segments.shape[0]):
        for j in range(segments[m, 0], segments[m, 1]):
            mean[targets[j]] += weights[j, 0]
            variance[targets[j]] += weights[j, 1]
        counts[EVENTS] += segments[m, 1] - segments[m, 0]


@njit(cache=True)
def add_noise(t, key, sums, variances):
    """sums += sqrt(variances) z, and variances = 0; the counter of a draw is (t * 2 + receptor) * neurons + neuron."""
    n = sums.shape[1]
    for receptor in range(2):
        mean, variance = sums[receptor], variances[receptor]
        for i in range(n):
            if variance[i] > 0.0:
                mean[i] += sqrt(variance[i]) * normal(key, (np.int64(t) * 2 + receptor) * n + i)
                variance[i] = 0.0


@njit(cache=True)
def arrive(codes, firsts, lasts, state, sums, counts):
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


@njit(cache=True)
def run(
    t, until, codes, firsts, lasts, state, coefficients, sums, variances, key, table, weights, delays, rows, arriving,
    groups, spiked, spiked_words, event_steps, event_neurons, event_values, event, sample_every, sample_rows, sample_neurons, samples, n_samples,
    out, n_out, counts,
):  # fmt: skip
    """Run steps t..until-1; stops early when `out` has no room for one more step. Returns (t, event, n_samples, n_out).

    As `neurohw.kernels.float_engine.run`, with reads in place of weights; key: the stream of this trial's read noise.
    """
    while t < until and n_out + state.shape[1] <= out.shape[0]:
        while event < event_steps.size and event_steps[event] <= t:
            state[I_EXT, event_neurons[event]] += event_values[event]
            event += 1
        deliver(t, *table, weights, delays, rows, *arriving, sums, variances, counts)
        add_noise(t, key, sums, variances)
        arrive(codes, firsts, lasts, state, sums, counts)
        if sample_rows.size and t % sample_every == 0:
            for m in range(sample_rows.size):
                samples[n_samples, m] = state[sample_rows[m], sample_neurons[m]]
            n_samples += 1
        for g in range(codes.size):
            step(codes[g], state, sums, coefficients, firsts[g], lasts[g], spiked)
        n_out = collect(t, spiked, spiked_words, groups, arriving[0], arriving[1], out, n_out)
        t += 1
    return t, event, n_samples, n_out
