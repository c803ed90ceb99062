"""The compiled loop of analog chips: that of `float_engine`, with noise on every membrane in every step."""

import numpy as np
from numba import njit

from neurohw.kernels.background import add_background
from neurohw.kernels.compiling import step_kernel
from neurohw.kernels.delivery import collect, deliver
from neurohw.kernels.float_neurons import EXC, INH, V, loops, step, step_shared
from neurohw.kernels.float_neurons.rows import REFRACTORY
from neurohw.kernels.noise import hash64

STRIDE = 1 << 20
"""Draw number of (step, circuit) = step * STRIDE + circuit: more circuits than a machine has."""
_MASK, _S16, _S32, _S48 = np.uint64(0xFFFF), np.uint64(16), np.uint64(32), np.uint64(48)
MEAN, TO_UNIT = 2.0 * 65535.0, 1.0 / np.sqrt((2.0**32 - 1.0) / 3.0)
"""Of the sum of four whole numbers, uniform in 0..65535: its mean, and 1 / its standard deviation."""


@njit(cache=True, inline="always")
def nearly_normal(key, counter):
    """Mean 0, variance 1, excess kurtosis -0.3: the sum of four uniform numbers of 16 bits, from one hash."""
    h = hash64(key, counter)
    total = np.int64(h & _MASK) + np.int64((h >> _S16) & _MASK) + np.int64((h >> _S32) & _MASK) + np.int64(h >> _S48)
    return (np.float64(total) - MEAN) * TO_UNIT


@step_kernel
def add_noise(v, refractory, sigma, numbers, key, first_counter):
    """v += sigma z for all neurons that are not refractory."""
    for i in range(v.shape[0]):
        z = nearly_normal(key, first_counter + numbers[i])
        v[i] += sigma[i] * z if refractory[i] <= 0 else 0.0


@njit(cache=True)
def run(
    t, until, codes, firsts, lasts, state, coefficients, sums, table, weights, arriving, background, groups, spiked,
    spiked_words, sample_rows, sample_neurons, samples, n_samples, out, counts, sigma, numbers, key,
):  # fmt: skip
    """As `float_engine.run`, without injected currents, which analog chips lack; returns (t, n_samples, n_out).

    sigma: mV, what each membrane is moved by before each update, times a draw of mean 0 and variance 1; numbers: of the
    circuits, which with the step address the draw in the stream `key`.
    """
    n, n_out = state.shape[1], 0
    codes, firsts, lasts, shared = loops(codes, firsts, lasts, coefficients)
    while t < until and n_out + n <= out.shape[0]:
        events, spikes = add_background(t, *background, weights, sums)
        counts[0] += events + deliver(t, *table, weights, *arriving, sums)
        counts[1] += spikes
        if sample_rows.size:
            for m in range(sample_rows.size):
                row, i = sample_rows[m], sample_neurons[m]
                samples[n_samples, m] = state[row, i] + (sums[row - EXC, i] if EXC <= row <= INH else 0.0)
            n_samples += 1
        add_noise(state[V], state[REFRACTORY], sigma, numbers, key, t * STRIDE)
        for g in range(codes.size):
            if shared[g]:
                step_shared(codes[g], state, sums, coefficients, firsts[g], lasts[g], spiked)
            else:
                step(codes[g], state, sums, coefficients, firsts[g], lasts[g], spiked)
        n_out = collect(t, spiked, spiked_words, groups, arriving[0], arriving[1], out, n_out)
        t += 1
    return t, n_samples, n_out
