"""The compiled loop of a SpiNNaker machine: deliver, clamp the ring buffers, update all cores' neurons, remember the spikes.

Where nothing is recorded the commonest models take a tick in one loop, see `fused`; the integers are the same.
"""

from numba import njit

from neurohw.chips.spinnaker.fused import RING_MAX, factors, is_fused, loops, tick
from neurohw.chips.spinnaker.neurons import observe, overshooting, transfer, update
from neurohw.chips.spinnaker.plastic import arrive, learn
from neurohw.kernels.background import add_background
from neurohw.kernels.compiling import step_kernel
from neurohw.kernels.delivery import collect, deliver


@njit(cache=True)
def arrive_at(code, state, coefficients, steep, first, last, sums, shifts, counts):
    """Clamp, transfer and clear the sums of neurons first..last-1."""
    for receptor in range(2):
        counts[1] += clamp(sums[receptor, first:last])
    transfer(code, state, coefficients, first, last, sums[0], sums[1], shifts[0], shifts[1])
    counts[2] += overshooting(code, state, steep, first, last)
    sums[:, first:last] = 0


@step_kernel
def clamp(cells):
    """Cut sums of a receptor to 16 bits; returns how many were larger."""
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
    scales = factors(firsts, lasts, shifts, n)
    joined = loops(codes, firsts, lasts, shifts, coefficients)
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
        if sample_neurons.size:
            for g in range(codes.size):
                arrive_at(codes[g], state, coefficients, steep, firsts[g], lasts[g], sums, shifts[g], counts)
            for m in range(sample_neurons.size):
                samples[n_samples, m] = observe(sample_codes[m], state, sample_neurons[m])[sample_values[m]]
            n_samples += 1
            for g in range(codes.size):
                update(codes[g], state, coefficients, firsts[g], lasts[g], spiked)
        else:
            for g in range(joined[0].size):
                code, first, last, shift, kind = joined[0][g], joined[1][g], joined[2][g], joined[3][g], joined[4][g]
                if is_fused(code, shift):
                    saturated, overshot = tick(
                        code, kind, state, coefficients, steep, first, last, sums, scales, spiked
                    )
                    counts[1] += saturated
                    counts[2] += overshot
                else:
                    arrive_at(code, state, coefficients, steep, first, last, sums, shift, counts)
                    update(code, state, coefficients, first, last, spiked)
        n_out = collect(t, spiked, spiked_words, groups, arriving[0], arriving[1], out, n_out)
        if plastic_state is not None:
            counts[0] += learn(t, plastic_fixed, plastic_state, *arriving[:5])
        t += 1
    return t, event, n_samples, n_out
