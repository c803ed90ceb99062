"""A whole tick of the commonest models in one loop over neurons, where nothing is recorded: the same integers as `neurons`.

    clamp the ring-buffer sums -> transfer -> current -> membrane, threshold, reset -> decay; clear the sums

CURRENT is left as it was, since only `neurons.update` reads it. A neuron's state is read and written once instead of
in every part of the tick. Where all neurons of a population have the
same coefficients the loop takes those of the first; i_offset may differ, as injected currents change it.
"""

import numpy as np
from numba import njit

from neurohw.chips.spinnaker.arithmetic import decay, multiply, wrap
from neurohw.chips.spinnaker.neurons import IF_COND_EXP, IF_CURR_EXP, V
from neurohw.kernels.compiling import at, step_kernel

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


@njit(cache=True)
def is_fused(code):
    """Whether `tick` has this model."""
    return code == IF_CURR_EXP or code == IF_COND_EXP


@njit(cache=True)
def loops(codes, firsts, lasts, shifts, c):
    """(codes, firsts, lasts, shifts, shared) of as few loops as do the same: neighbors of one fused model become one.

    shared: whether all neurons of the loop have the same coefficients, but for i_offset.
    """
    n = 0
    code, begin, end, shift = codes.copy(), firsts.copy(), lasts.copy(), shifts.copy()
    shared = np.zeros(codes.size, np.bool_)
    for g in range(codes.size):
        first, last = firsts[g], lasts[g]
        alike = is_fused(codes[g]) and _alike(c, first, last, first)
        m = n - 1
        neighbor = n > 0 and is_fused(codes[g]) and code[m] == codes[g] and end[m] == first and shared[m] == alike
        if neighbor and np.array_equal(shift[m], shifts[g]) and (not alike or _alike(c, first, first + 1, begin[m])):
            end[m] = last
        else:
            code[n], begin[n], end[n], shift[n], shared[n] = codes[g], first, last, shifts[g], alike
            n += 1
    return code[:n], begin[:n], end[:n], shift[:n], shared[:n]


@njit(cache=True)
def _alike(c, first, last, example):
    for row in range(c.shape[0]):
        if row != I_OFFSET:
            for i in range(first, last):
                if c[row, i] != c[row, example]:
                    return False
    return True


@njit(cache=True)
def factors(shifts):
    """2^shift of each loop and receptor: a product with a factor stays 32 bits wide where a shift does not."""
    found = np.empty(shifts.shape, np.uint32)
    for g in range(shifts.shape[0]):
        for receptor in range(shifts.shape[1]):
            found[g, receptor] = 1 << shifts[g, receptor] if shifts[g, receptor] < 32 else 0
    return found


@njit(cache=True)
def tick(code, shared, state, c, steep, first, last, sums, scales, spiked):
    """A tick of the neurons first..last-1; scales: see `factors`. Returns how many ring-buffer cells were saturated, and overshooting steps."""
    if shared:
        return _tick(code, state, c, steep, slice(first, last), first, sums, scales, spiked)
    return _tick(code, state, c, steep, slice(first, last), slice(first, last), sums, scales, spiked)


@njit(cache=True)
def _tick(code, state, c, steep, w, which, sums, scales, spiked):
    """Of the neurons in the slice w; `which` column of the coefficients: the same slice, or the one that all share."""
    own = state[V, w], state[REFRACTORY, w], state[EXC, w], state[INH, w], sums[0, w], sums[1, w]
    membrane = (
        c[I_OFFSET, w], c[V_REST, which], c[RESISTANCE, which], c[EXP_TC, which], c[V_RESET, which], c[T_REFRACT, which],
        c[V_THRESH, which], c[DECAY_E, which], c[INITIAL_E, which], c[DECAY_I, which], c[INITIAL_I, which],
    )  # fmt: skip
    if code == IF_CURR_EXP:
        return _current(*own, scales[0], scales[1], *membrane, spiked[w]), 0
    reversals = c[E_REV_E, which], c[E_REV_I, which]
    return _conductance(*own, scales[0], scales[1], *membrane, *reversals, steep[w], spiked[w])


@njit(cache=True, inline="always")
def _fire(v, refractory, goal, exp_tc, v_reset, t_refract, v_thresh):
    """(v, refractory, spiked): `neurons._lif` with the membrane's goal A."""
    free = refractory <= 0
    now = wrap(goal - multiply(wrap(goal - v), exp_tc)) if free else v
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
        e = wrap(exc[i] + decay(wrap(min(re, RING_MAX) * scale_e), at(initial_e, i)))
        n = wrap(inh[i] + decay(wrap(min(ri, RING_MAX) * scale_i), at(initial_i, i)))
        into = wrap(e - n)
        goal = wrap(multiply(wrap(into + i_offset[i]), at(resistance, i)) + at(v_rest, i))
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
        e = wrap(exc[i] + decay(wrap(min(re, RING_MAX) * scale_e), at(initial_e, i)))
        n = wrap(inh[i] + decay(wrap(min(ri, RING_MAX) * scale_i), at(initial_i, i)))
        overshot += np.int64(np.int64(e) + np.int64(n) > steep[i])  # type: ignore[assignment]
        inward = multiply(e >> 10, wrap(at(e_rev_e, i) - v[i]))
        outward = multiply(-(n >> 10), wrap(at(e_rev_i, i) - v[i]))
        into = wrap(inward - outward)
        goal = wrap(multiply(wrap(into + i_offset[i]), at(resistance, i)) + at(v_rest, i))
        v[i], refractory[i], spiked[i] = _fire(
            v[i], refractory[i], goal, at(exp_tc, i), at(v_reset, i), at(t_refract, i), at(v_thresh, i)
        )
        exc[i], inh[i] = decay(e, at(decay_e, i)), decay(n, at(decay_i, i))
    return saturated, overshot
