"""The compiled loop of floating-point chips: deliver, integrate, fire, remember; many steps per call."""

from numba import njit

from neurohw.kernels.background import add_background
from neurohw.kernels.delivery import collect, deliver
from neurohw.kernels.float_neurons import EXC, I_EXT, INH, loops, step, step_shared
from neurohw.kernels.plastic_delivery import deliver_plastic


@njit(cache=True)
def run(
    t, until, codes, firsts, lasts, state, coefficients, sums, table, weights, arriving, background,
    groups, spiked, spiked_words, event_steps, event_neurons, event_values, event, sample_every, sample_rows, sample_neurons, samples, n_samples,
    out, n_out, counts, plastic_fixed=None, plastic_state=None,
):  # fmt: skip
    """Run steps t..until-1; stops early when `out` has no room for one more step. Returns (t, event, n_samples, n_out).

    codes, firsts, lasts: the populations (model code and range of neurons). table: `SynapseTable.arguments`. arriving: what
    `deliver` takes from `ring` to `segments`. background: `Background.arguments`. groups: first neurons of the table's groups. event_*: changes of injected current (nA), sorted by step.
    Every `sample_every` steps samples[k, m] = state[sample_rows[m], sample_neurons[m]] after arrivals, before the update.
    counts[0] counts synaptic events, counts[1] spikes of the background. plastic_*: see `plastic_delivery`; None where no
    synapse is plastic.
    """
    n = state.shape[1]
    codes, firsts, lasts, shared = loops(codes, firsts, lasts, coefficients)
    while t < until and n_out + n <= out.shape[0]:
        while event < event_steps.size and event_steps[event] <= t:
            state[I_EXT, event_neurons[event]] += event_values[event]
            event += 1
        events, spikes = add_background(t, *background, weights, sums)
        counts[0] += events + deliver(t, *table, weights, *arriving, sums)
        counts[1] += spikes
        if plastic_state is not None:
            counts[0] += deliver_plastic(t, plastic_fixed, plastic_state, *arriving[:5], sums)
        if sample_rows.size and t % sample_every == 0:
            for m in range(sample_rows.size):
                row, i = sample_rows[m], sample_neurons[m]
                samples[n_samples, m] = state[row, i] + (sums[row - EXC, i] if EXC <= row <= INH else 0.0)
            n_samples += 1
        for g in range(codes.size):
            if shared[g]:
                step_shared(codes[g], state, sums, coefficients, firsts[g], lasts[g], spiked)
            else:
                step(codes[g], state, sums, coefficients, firsts[g], lasts[g], spiked)
        n_out = collect(t, spiked, spiked_words, groups, arriving[0], arriving[1], out, n_out)
        t += 1
    return t, event, n_samples, n_out
