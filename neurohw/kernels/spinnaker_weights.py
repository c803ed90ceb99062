"""Weights on a SpiNNaker core: 16 unsigned bits, shifted left by one number per receptor when a tick's sum is read.

    weight_scale = 2^(15 - shift) * global       global = 1024 for conductances, else 1
    raw          = rint(|weight * weight_scale|) mod 2^16
    input (s16.15) = sum of raw over the tick's spikes, at most 65535, << shift

The shift is the smallest that holds the largest sum of weights expected in one tick: given by the user, or estimated by
the tool chain from what it knows of each projection. Too small a shift saturates; too large a one rounds small weights
to zero.
Source: sPyNNaker 7.4.1 `pyNN/models/neuron/population_vertex.py` and `pyNN/utilities/running_stats.py`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

SPIKES_PER_SECOND = 30.0  # the tool chain's guess for any neuron (cfg `spikes_per_second`)
RING_BUFFER_SIGMA = 5.0  # cfg `ring_buffer_sigma`
SUMMATION_SIGMA = 3.0  # how far the sum over Poisson counts runs
LARGEST_EXPONENT = 701.0  # the estimate leaves out the spread of the weights beyond e^701
WORD = 1 << 16


@dataclass(frozen=True)
class Incoming:
    """One projection onto one receptor, in network units and magnitudes.

    in_degree: the largest number of connections onto one neuron that the rule can be expected to make.
    spikes_per_second, spikes_per_step: the source's own figures; None for a population of neurons.
    """

    weight_mean: float
    weight_sd: float
    weight_max: float
    in_degree: int
    delay_variance: float
    spikes_per_second: float | None = None
    spikes_per_step: float | None = None


@dataclass(frozen=True)
class WeightLoss:
    """What became of weights: not zero but below half a unit, or too large and reduced modulo 65536."""

    rounded_to_zero: int
    wrapped: int


def shift_for(largest_sum: float) -> int:
    """The left shift for a largest expected sum of scaled weights: the least s >= 0 with 2^s > largest_sum."""
    if largest_sum <= 0:
        return 0
    power = math.ceil(max(0.0, math.log2(largest_sum)))
    return power + 1 if 2**power <= largest_sum else power


def ring_buffer_shifts(
    receptors: Sequence[Sequence[Incoming]], dt_ms: float, scale: int, largest_sum: Sequence[float] | None = None
) -> list[int]:
    """One shift per receptor, from the projections onto it or from the user's `max_expected_summed_weight`."""
    if largest_sum is not None:
        return [shift_for(w * scale) for w in largest_sum]
    return [shift_for(expected_sum(incoming, dt_ms, scale)) for incoming in receptors]


def expected_sum(incoming: Sequence[Incoming], dt_ms: float, scale: int) -> float:
    """The largest sum of scaled weights that the tool chain expects in one tick, in O(projections).

    max(total, biggest) where all delays are equal, else max(min(bound, total), biggest), with
        total   = sum of spikes_per_step * weight_max * in_degree      (NOT scaled: too small by 1024 for conductances)
        biggest = max weight_max * scale
        bound   = `upper_bound` of the pooled weights, scaled
    """
    incoming = [p for p in incoming if p.in_degree > 0]
    if not incoming:
        return 0.0
    steps = 1000.0 / dt_ms
    total = sum(_per_step(p, steps) * p.weight_max * p.in_degree for p in incoming)
    biggest = max(p.weight_max for p in incoming) * scale
    _, delay_variance = _pooled([(0.0, p.delay_variance, p.in_degree) for p in incoming])
    if delay_variance == 0:
        return max(total, biggest)
    mean, variance = _pooled([(p.weight_mean * scale, (p.weight_sd * scale) ** 2, p.in_degree) for p in incoming])
    rate, _ = _pooled([(p.spikes_per_second or SPIKES_PER_SECOND, 0.0, p.in_degree) for p in incoming])
    spikes = sum(p.in_degree for p in incoming) * rate / steps
    return max(min(upper_bound(mean, math.sqrt(variance), spikes), total), biggest)


def upper_bound(mean: float, sd: float, spikes: float) -> float:
    """Mean plus 5 sd of a sum of Poisson-many weights: n m + 5 sqrt(n m^2 + W), n spikes per tick on average.

    W = n sd^2 e^-n (e^n Q(1 + k, n) - n^k / k!) = n sd^2 P(count < k),  k = round(n + 3 sqrt n), P of Poisson;
    left out where n^k / k! is 1 or beyond e^701 either way.
    """
    k = round(spikes + SUMMATION_SIGMA * math.sqrt(spikes))
    spread = 0.0
    if sd > 0 and spikes > 0:
        log_last = math.log(spikes) * k - math.lgamma(1 + k)
        if log_last != 0 and abs(log_last) < LARGEST_EXPONENT:
            fewer = math.fsum(math.exp(j * math.log(spikes) - math.lgamma(1 + j) - spikes) for j in range(k))
            spread = spikes * sd**2 * fewer
    return spikes * mean + RING_BUFFER_SIGMA * math.sqrt(spikes * mean**2 + spread)


def weight_scale(shift: int, scale: int) -> float:
    """What a weight in network units is multiplied with; `scale` is the model's, 1 or 1024."""
    return math.ldexp(float(scale), 15 - shift)


def to_raw(weights: ArrayLike, factor: float) -> tuple[NDArray[np.uint16], WeightLoss]:
    """Weights in network units as 16 unsigned bits, half to even, and what was lost; the receptor carries the sign."""
    w = np.asarray(weights, dtype=np.float64)
    whole = np.rint(np.abs(w * factor))
    loss = WeightLoss(int(np.count_nonzero((whole == 0) & (w != 0))), int(np.count_nonzero(whole >= WORD)))
    return np.mod(whole, WORD).astype(np.uint16), loss


def synaptic_words(
    raw: NDArray[np.uint16], delay: ArrayLike, receptor: ArrayLike, target: ArrayLike, bits: tuple[int, int, int]
) -> NDArray[np.uint32]:
    """weight << 16 | delay | receptor | target with `bits` for the latter three; a delay of 2^bits reads as 0.

    Source: sPyNNaker 7.4.1 `neuron/synapse_row.h`.
    """
    delay_bits, receptor_bits, target_bits = bits
    slot = np.asarray(delay, dtype=np.uint32) & np.uint32((1 << delay_bits) - 1)
    kind = np.asarray(receptor, dtype=np.uint32) << np.uint32(target_bits)
    place = slot << np.uint32(receptor_bits + target_bits) | kind | np.asarray(target, dtype=np.uint32)
    return np.asarray(raw, dtype=np.uint32) << np.uint32(16) | place


def _per_step(p: Incoming, steps_per_second: float) -> float:
    return max(1.0, SPIKES_PER_SECOND / steps_per_second) if p.spikes_per_step is None else p.spikes_per_step


def _pooled(groups: Sequence[tuple[float, float, int]]) -> tuple[float, float]:
    """Mean and sample variance of items of which only (mean, variance, how many) of each group are known.

    The tool chain's running form: each group brings variance * (n - 1), and the total is divided by (total - 1).
    """
    n, mean, square = 0, 0.0, 0.0
    for group_mean, variance, m in groups:
        square += variance * (m - 1.0) + (group_mean - mean) ** 2 * n * m / (n + m)
        mean = (n * mean + m * group_mean) / (n + m)
        n += m
    return mean, square / (n - 1.0) if n > 1 else 0.0
