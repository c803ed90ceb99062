"""Spike-timing-dependent plasticity on a SpiNNaker core: the pair rule, additive or multiplicative.

Every neuron keeps its last 15 spikes with their traces, every row the time and trace of its last pre spike; traces are
s4.11 (1.0 = 2048) and decay by table:

    trace' = (trace * table[dt] >> 11) + 2048       table[i] = floor(2048 e^(-i dt/tau)), 0 beyond its end

Nothing happens to a weight at a post spike. A pre spike at t first potentiates for every post spike that reached the
synapse since the last pre spike (`lag` steps after it happened; 0 if backprop_delay is False), then depresses for the
latest that ever did:

    additive          w <- min(w + A_plus p, w_max)            w <- max(w - A_minus p, w_min)
    multiplicative    w <- w + ((w_max - w) A_plus) p          w <- w - ((w - w_min) A_minus) p    (no limit)

with w in s16.15 = weight << shift, and p = trace * table[time between the two spikes] >> 11.
Source: sPyNNaker 7.4.1 `neuron/plasticity/stdp/`: `timing_dependence/timing_pair_impl.h`, `post_events.h`,
`weight_dependence/*_one_term_impl.h`, `synapse_dynamics_stdp_mad_impl.c`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.chips.spinnaker.arithmetic import encode, multiply, wrap
from neurohw.errors import OutOfRange

TRACE_ONE = 2048
HISTORY = 16  # entry 0 stands for "never", at time 0 with trace 0
Q = 4  # from s4.11 to s16.15


@dataclass(frozen=True, eq=False)
class PairRule:
    """The rule's parameters as the core holds them: s16.15 words, s4.11 tables, the ring buffer's shift."""

    multiplicative: bool
    backprop_delay: bool
    shift: int
    w_min: int
    w_max: int
    a_plus: int
    a_minus: int
    table_plus: NDArray[np.int16]
    table_minus: NDArray[np.int16]

    @property
    def numbers(self) -> tuple[int, int, int, int, int, int]:
        """What `pre_spike` wants to know."""
        return (int(self.multiplicative), self.shift, self.w_min, self.w_max, self.a_plus, self.a_minus)


def pair_rule(
    multiplicative: bool, w_min: float, w_max: float, a_plus: float, a_minus: float, tau_plus: float, tau_minus: float,
    dt_ms: float, shift: int, scale: int, backprop_delay: bool = True,
) -> PairRule:  # fmt: skip
    """The rule from PyNN's parameters; `scale` is the model's weight scale (1, or 1024 for conductances).

    The additive A is a weight and scaled like one, not relative to w_max; the multiplicative A is a pure number.
    """
    step = 1 if multiplicative else scale
    low, high, up, down = encode([w_min * scale, w_max * scale, a_plus * step, a_minus * step], "STDP weight").tolist()
    tables = decay_table(tau_plus, dt_ms), decay_table(tau_minus, dt_ms)
    return PairRule(multiplicative, backprop_delay, shift, low, high, up, down, *tables)


def decay_table(tau: float, dt_ms: float) -> NDArray[np.int16]:
    """floor(2048 e^(-i dt/tau)) up to where it is 0, an even number of entries."""
    if not tau > 0:
        raise OutOfRange(f"an STDP time constant must be positive, not {tau:g} ms")
    rate = dt_ms / tau  # divided first, as the tool chain does: a floor can hang on it
    pairs = math.ceil(math.log(TRACE_ONE) / rate / 2)
    return np.floor(np.exp(np.arange(2 * pairs) * -rate) * TRACE_ONE).astype(np.int16)


def empty_history(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]:
    """(entries used, times, traces) of n neurons that never spiked."""
    return np.ones(n, np.int64), np.zeros((n, HISTORY), np.int64), np.zeros((n, HISTORY), np.int16)


@njit(cache=True)
def grown(trace, elapsed, table):
    """A trace at a spike, `elapsed` steps after the last one; wraps at 16 bits."""
    return np.int16(faded(trace, elapsed, table) + TRACE_ONE)


@njit(cache=True)
def faded(trace, elapsed, table):
    """trace * table[elapsed], s4.11, floor; 0 beyond the table and for a negative time (unsigned: beyond the table)."""
    if elapsed < 0 or elapsed >= table.shape[0]:
        return np.int64(0)
    return np.int64(trace) * np.int64(table[elapsed]) >> 11


@njit(cache=True)
def post_spike(i, t, used, times, traces, table_minus):
    """Neuron i spikes at step t; of more than 15 spikes the oldest is forgotten."""
    last = used[i] - 1
    trace = grown(traces[i, last], t - times[i, last], table_minus)
    if used[i] == HISTORY:
        for e in range(1, HISTORY - 1):
            times[i, e], traces[i, e] = times[i, e + 1], traces[i, e + 1]
    else:
        used[i] += 1
    times[i, used[i] - 1], traces[i, used[i] - 1] = t, trace


@njit(cache=True)
def pre_spike(t, last_t, last_trace, weights, targets, lags, used, times, traces, table_plus, table_minus, numbers):
    """Update the weights (uint16) of one row at a pre spike in step t; returns the row's new trace.

    lags: steps by which the target's spikes are delayed on their way to each synapse; 0 if backprop_delay is False.
    """
    multiplicative, shift, w_min, w_max, a_plus, a_minus = numbers
    for j in range(weights.shape[0]):
        i, lag = targets[j], lags[j]
        begin, end = max(last_t - lag, 0), max(t - lag, 0)
        w = np.int64(weights[j]) << shift
        latest = 0
        for e in range(1, used[i]):
            if times[i, e] > end:
                break
            latest = e
            if times[i, e] > begin:
                p = wrap(faded(last_trace, times[i, e] + lag - last_t, table_plus) << Q)
                if multiplicative:
                    w = wrap(w + multiply(multiply(wrap(w_max - w), a_plus), p))
                else:
                    w = min(wrap(w + multiply(a_plus, p)), w_max)
        if latest > 0:
            p = wrap(faded(traces[i, latest], t - times[i, latest] - lag, table_minus) << Q)
            if multiplicative:
                w = wrap(w - multiply(multiply(wrap(w - w_min), a_minus), p))
            else:
                w = max(wrap(w - multiply(a_minus, p)), w_min)
        weights[j] = np.uint16(w >> shift)
    return grown(last_trace, t - last_t, table_plus)
