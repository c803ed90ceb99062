"""The compiled loop of a SpiNNaker machine: deliver, clamp the ring buffers, update all cores' neurons, remember the spikes."""

import numpy as np
from numba import njit

from neurohw.chips.spinnaker.neurons import observe, overshooting, transfer, update
from neurohw.chips.spinnaker.plastic import arrive, learn
from neurohw.kernels.background import add_background
from neurohw.kernels.compiling import step_kernel
from neurohw.kernels.delivery import collect, deliver

RING_MAX = np.uint32(65535)


@step_kernel
def clamp(cells):
    """Cut the sums of a receptor to 16 bits; returns how many were larger."""
    n = 0
    for i in range(cells.shape[0]):
        n += cells[i] > RING_MAX
        cells[i] = min(cells[i], RING_MAX)
    return n


@njit(cache=True)
def run(
    t, until, codes, firsts, lasts, shifts, state, coefficients, steep, offset_rows, sums, table, weights, arriving, background,
    groups, spiked, spiked_words, event_steps, event_neurons, event_values, event, sample_values, sample_neurons, sample_codes, samples, n_samples,
    out, n_out, counts, plastic_fixed=None, plastic_state=None,
):  # fmt: skip
    """Run ticks t..until-1; stops early when `out` has no room for one more. Returns (t, event, n_samples, n_out).

    sums: uint32 (receptor, neuron), what the 16-bit ring buffers would hold if they did not saturate; clamped at 65535 when
    read, which gives the saturated sum since no weight is negative. table, arriving, background, groups: see
    `neurohw.kernels.float_engine`. counts: synaptic events, saturated cells, neuron-steps whose conductance is above
    `steep` (see `overshooting`), spikes of the background.
    plastic_*: see `BoardPlasticity`; None where no synapse is plastic.
    samples[k, m] = V, gsyn_exc or gsyn_inh (sample_values[m] = 0, 1, 2) of a neuron, s16.15.
    """
    n = state.shape[1]
    while t < until and n_out + n <= out.shape[0]:
        while event < event_steps.size and event_steps[event] <= t:
            i = event_neurons[event]
            coefficients[offset_rows[i], i] += event_values[event]
            event += 1
        events, spikes = add_background(t, *background, weights, sums)
        counts[0] += events + deliver(t, *table, weights, *arriving, sums)
        counts[3] += spikes
        if plastic_state is not None:
            arrive(t, plastic_state, sums)
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
        n_out = collect(t, spiked, spiked_words, groups, arriving[0], arriving[1], out, n_out)
        if plastic_state is not None:
            counts[0] += learn(t, plastic_fixed, plastic_state, *arriving[:5])
        t += 1
    return t, event, n_samples, n_out
