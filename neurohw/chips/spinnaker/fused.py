"""A whole tick of the commonest models in one loop over neurons, where nothing is recorded: the same integers as `neurons`.

    clamp the ring-buffer sums -> transfer -> current -> membrane, threshold, reset -> decay; clear the sums

A neuron's state is read and written once instead of in every part of the tick; CURRENT is left as it was, since only
`neurons.update` reads it. Where all neurons of a population have the same coefficients the loop takes those of the first;
i_offset may differ, as injected currents change it.
"""

import numpy as np
from numba import njit

from neurohw.chips.spinnaker.arithmetic import Fraction, Whole, decay, multiply, times, wrap
from neurohw.chips.spinnaker.neurons import IF_COND_EXP, IF_CURR_EXP, V
from neurohw.kernels.compiling import at, high_word, step_kernel

RING_MAX = np.uint32(65535)
(
    V_REST,
    RESISTANCE,
    EXP_TC,
    I_OFFSET,
    V_RESET,
    T_REFRACT,
    V_THRESH,
    DECAY_E,
    INITIAL_E,
    DECAY_I,
    INITIAL_I,
    E_REV_E,
    E_REV_I,
) = range(13)
REFRACTORY, EXC, INH = 2, 3, 4
"""Rows of the coefficients and of the state, see `models`."""


PER_NEURON, SHARED, SIMPLE = range(3)
"""Kinds of loops: every neuron has its own coefficients, or all the same; SIMPLE: a `Whole` resistance, a `Fraction` exp_tc."""


@njit(cache=True)
def is_fused(code, shifts):
    """Whether `tick` has this model; a sum of 16 bits must be positive when it is shifted."""
    return (code == IF_CURR_EXP or code == IF_COND_EXP) and shifts.max() < 16


@njit(cache=True)
def loops(codes, firsts, lasts, shifts, c):
    """(codes, firsts, lasts, shifts, kinds) of as few loops as do the same: neighbors of one fused model become one.

    In loops that are not PER_NEURON i_offset may differ; in all that are fused, the shifts.
    """
    n = 0
    code, begin, end, shift = codes.copy(), firsts.copy(), lasts.copy(), shifts.copy()
    kinds = np.zeros(codes.size, np.int64)
    for g in range(codes.size):
        first, last = firsts[g], lasts[g]
        fused = is_fused(codes[g], shifts[g])
        alike = fused and _alike(c, first, last, first)
        m = n - 1
        neighbor = n > 0 and fused and code[m] == codes[g] and end[m] == first and (kinds[m] != PER_NEURON) == alike
        if neighbor and (not alike or _alike(c, first, first + 1, begin[m])):
            end[m] = last
        else:
            code[n], begin[n], end[n], shift[n] = codes[g], first, last, shifts[g]
            kinds[n] = _kind(c[:, first]) if alike else PER_NEURON
            n += 1
    return code[:n], begin[:n], end[:n], shift[:n], kinds[:n]


@njit(cache=True)
def _alike(c, first, last, example):
    for row in range(c.shape[0]):
        if row != I_OFFSET:
            for i in range(first, last):
                if c[row, i] != c[row, example]:
                    return False
    return True


@njit(cache=True)
def _kind(c):
    return SIMPLE if c[RESISTANCE] & 32767 == 0 and 0 <= c[EXP_TC] < 32768 else SHARED


@njit(cache=True)
def factors(firsts, lasts, shifts, n):
    """(receptor, neuron): 2^shift; a product stays 32 bits wide where a shift does not, and one loop serves several shifts."""
    found = np.zeros((2, n), np.uint32)
    for g in range(firsts.size):
        for receptor in range(2):
            found[receptor, firsts[g] : lasts[g]] = 1 << min(shifts[g, receptor], 15)
    return found


@njit(cache=True)
def tick(code, kind, state, c, steep, first, last, sums, scales, spiked):
    """A tick of the neurons first..last-1; scales: see `factors`.

    Returns how many ring-buffer cells were saturated, and overshooting steps.
    """
    w = slice(first, last)
    if kind == SIMPLE:
        whole, fraction = Whole(c[RESISTANCE, first] >> 15), Fraction(wrap(c[EXP_TC, first] << 17))
        return _tick(code, state, c, whole, fraction, steep, w, first, sums, scales, spiked)
    if kind == SHARED:
        return _tick(code, state, c, c[RESISTANCE, first], c[EXP_TC, first], steep, w, first, sums, scales, spiked)
    return _tick(code, state, c, c[RESISTANCE, w], c[EXP_TC, w], steep, w, w, sums, scales, spiked)


@njit(cache=True)
def _tick(code, state, c, resistance, exp_tc, steep, w, which, sums, scales, spiked):
    """Of the neurons in the slice w; `which` column of the coefficients: the same slice, or the one that all share."""
    own = state[V, w], state[REFRACTORY, w], state[EXC, w], state[INH, w], sums[0, w], sums[1, w]
    membrane = (
        c[I_OFFSET, w], c[V_REST, which], resistance, exp_tc, c[V_RESET, which], c[T_REFRACT, which],
        c[V_THRESH, which], c[DECAY_E, which], c[INITIAL_E, which], c[DECAY_I, which], c[INITIAL_I, which],
    )  # fmt: skip
    if code == IF_CURR_EXP:
        return _current(*own, scales[0, w], scales[1, w], *membrane, spiked[w]), 0
    reversals = c[E_REV_E, which], c[E_REV_I, which]
    return _conductance(*own, scales[0, w], scales[1, w], *membrane, *reversals, steep[w], spiked[w])


@njit(cache=True, inline="always")
def _part(x, fraction):
    """`decay` of x >= 0."""
    return np.int32(high_word(np.uint32(x), np.uint32(fraction)))


@njit(cache=True, inline="always")
def _fire(v, refractory, goal, exp_tc, v_reset, t_refract, v_thresh):
    """(v, refractory, spiked): `neurons._lif` with the membrane's goal A."""
    free = refractory <= 0
    now = wrap(goal - times(wrap(goal - v), exp_tc)) if free else v
    left = refractory if free else wrap(refractory - 1)
    fired = now >= v_thresh
    return v_reset if fired else now, t_refract if fired else left, fired


@step_kernel
def _current(
    v, refractory, exc, inh, ring_e, ring_i, scale_e, scale_i, i_offset, v_rest, resistance, exp_tc, v_reset,
    t_refract, v_thresh, decay_e, initial_e, decay_i, initial_i, spiked,
):  # fmt: skip
    saturated = np.uint32(0)
    for i in range(v.shape[0]):
        re, ri = ring_e[i], ring_i[i]
        saturated = np.uint32(saturated + np.uint32(re > RING_MAX) + np.uint32(ri > RING_MAX))
        ring_e[i] = ring_i[i] = np.uint32(0)
        e = wrap(exc[i] + _part(min(re, RING_MAX) * scale_e[i], at(initial_e, i)))
        n = wrap(inh[i] + _part(min(ri, RING_MAX) * scale_i[i], at(initial_i, i)))
        into = wrap(e - n)
        goal = wrap(times(wrap(into + i_offset[i]), at(resistance, i)) + at(v_rest, i))
        v[i], refractory[i], spiked[i] = _fire(
            v[i], refractory[i], goal, at(exp_tc, i), at(v_reset, i), at(t_refract, i), at(v_thresh, i)
        )
        exc[i], inh[i] = decay(e, at(decay_e, i)), decay(n, at(decay_i, i))
    return saturated


@step_kernel
def _conductance(
    v, refractory, exc, inh, ring_e, ring_i, scale_e, scale_i, i_offset, v_rest, resistance, exp_tc, v_reset,
    t_refract, v_thresh, decay_e, initial_e, decay_i, initial_i, e_rev_e, e_rev_i, steep, spiked,
):  # fmt: skip
    saturated = np.uint32(0)
    overshot = 0
    for i in range(v.shape[0]):
        re, ri = ring_e[i], ring_i[i]
        saturated = np.uint32(saturated + np.uint32(re > RING_MAX) + np.uint32(ri > RING_MAX))
        ring_e[i] = ring_i[i] = np.uint32(0)
        e = wrap(exc[i] + _part(min(re, RING_MAX) * scale_e[i], at(initial_e, i)))
        n = wrap(inh[i] + _part(min(ri, RING_MAX) * scale_i[i], at(initial_i, i)))
        overshot += np.int64(np.int64(e) + np.int64(n) > steep[i])  # type: ignore[assignment]
        inward = multiply(e >> 10, wrap(at(e_rev_e, i) - v[i]))
        outward = multiply(-(n >> 10), wrap(at(e_rev_i, i) - v[i]))
        into = wrap(inward - outward)
        goal = wrap(times(wrap(into + i_offset[i]), at(resistance, i)) + at(v_rest, i))
        v[i], refractory[i], spiked[i] = _fire(
            v[i], refractory[i], goal, at(exp_tc, i), at(v_reset, i), at(t_refract, i), at(v_thresh, i)
        )
        exc[i], inh[i] = decay(e, at(decay_e, i)), decay(n, at(decay_i, i))
    return saturated, overshot
