"""The six neuron models of a SpiNNaker core, composed as the C code composes them: synapse, input, neuron, threshold.

A population is two tables of int32, state[row, neuron] and coef[row, neuron]; `models.py` makes them and names the rows
(u0.32 rows hold the bits as int32). A tick is

    transfer    ring-buffer sums (uint32, clamped at 65535) << shift into the synapses
    observe     what PyNN records, on the ticks that record
    update      synapses -> current -> membrane -> threshold and reset -> synapses decay; sets spiked[i]

and `advance` is transfer and update in one call. New input acts undecayed in the tick in which it arrives. Populations
of all models may share two wide tables: each takes the columns first..last-1 and as many rows as it needs.
Sources: sPyNNaker 7.4.1 `neuron/implementations/neuron_impl_standard.h`, `neuron/models/*`, `neuron/synapse_types/*`.
"""

import numpy as np
from numba import njit

from neurohw.chips.spinnaker.arithmetic import ONE, decay, multiply, wrap
from neurohw.kernels.compiling import step_kernel

IF_CURR_EXP, IF_COND_EXP, IF_CURR_ALPHA, IF_CURR_DELTA, IZK_CURR_EXP, IZK_COND_EXP = range(6)

V, CURRENT = 0, 1  # the first two rows of every state; CURRENT is the tick's exc - inh
IZK_MAGIC, IZK_FIVE, IZK_140 = 1311, 5 * ONE, 140 * ONE  # 0.04 v^2 + 5 v + 140; 1311 is 0.040008...
IZK_THRESHOLD, IZK_AFTER_SPIKE = 30 * ONE, 60620  # 1.85: the step after a spike is longer
ALPHA_ONE_SQUARED = float(ONE * ONE)


# --- synapse types --------------------------------------------------------------------------------


@step_kernel
def _add_exp(x, initial, ring, shift):
    """x += input * initial, where initial = tau/dt (1 - e^(-dt/tau)) spreads the input over the tick."""
    for i in range(x.shape[0]):
        x[i] = wrap(x[i] + decay(wrap(np.int64(ring[i]) << shift), initial[i]))


@step_kernel
def _decay_exp(x, factor):
    for i in range(x.shape[0]):
        x[i] = decay(x[i], factor[i])


@step_kernel
def _add_alpha(lin, exp, q, factor, dt_tau2, ring, shift):
    """The alpha function as lin * exp: an input restarts exp and rescales lin so that the product is continuous."""
    for i in range(lin.shape[0]):
        x = wrap(np.int64(ring[i]) << shift)
        grown = wrap(decay(exp[i], factor[i]) + ONE)
        # 1/grown on unsigned bits: the float quotient of whole numbers below 2^32 has the exact floor; 1/0 is all ones
        inverse = np.int64(-1) if grown == 0 else np.int64(ALPHA_ONE_SQUARED / np.float64(np.uint32(grown)))
        scaled = multiply(wrap(lin[i] + multiply(x, dt_tau2[i])), wrap(ONE - inverse))
        arrived = x > 0
        lin[i] = scaled if arrived else lin[i]
        exp[i] = grown if arrived else exp[i]
        q[i] = x if arrived else q[i]


@step_kernel
def _decay_alpha(lin, exp, q, factor, dt_tau2):
    for i in range(lin.shape[0]):
        lin[i] = wrap(lin[i] + multiply(q[i], dt_tau2[i]))
        exp[i] = decay(exp[i], factor[i])


@step_kernel
def _add_delta(x, ring, shift):
    for i in range(x.shape[0]):
        x[i] = wrap(x[i] + wrap(np.int64(ring[i]) << shift))


# --- input types: the synapses' values as one current ---------------------------------------------


@step_kernel
def _current(current, exc, inh):
    for i in range(current.shape[0]):
        current[i] = wrap(exc[i] - inh[i])


@step_kernel
def _current_of_conductances(current, v, exc, inh, e_exc, e_inh):
    """g_exc (E_exc - V) - (-g_inh)(E_inh - V); weights carry a factor 1024. The floor acts on the product of -g_inh."""
    for i in range(current.shape[0]):
        into = multiply(exc[i] >> 10, wrap(e_exc[i] - v[i]))
        out = multiply(-(inh[i] >> 10), wrap(e_inh[i] - v[i]))
        current[i] = wrap(into - out)


@step_kernel
def _current_of_alphas(current, lin_exc, exp_exc, lin_inh, exp_inh):
    for i in range(current.shape[0]):
        current[i] = wrap(multiply(lin_exc[i], exp_exc[i]) - multiply(lin_inh[i], exp_inh[i]))


@step_kernel
def _current_of_deltas(current, exc, inh, scale):
    """A charge delivered within one tick: value / dt."""
    for i in range(current.shape[0]):
        current[i] = wrap(multiply(exc[i], scale[i]) - multiply(inh[i], scale[i]))


# --- neurons --------------------------------------------------------------------------------------


@step_kernel
def _lif(v, refractory, current, v_rest, resistance, exp_tc, i_offset, v_reset, t_refract, v_thresh, spiked):
    """V = A - e^(-dt/tau_m) (A - V), A = (I + I_offset) R + V_rest; V rests while refractory, but may still fire.

    Source: `neuron_model_lif_impl.h`.
    """
    for i in range(v.shape[0]):
        goal = wrap(multiply(wrap(current[i] + i_offset[i]), resistance[i]) + v_rest[i])
        moved = wrap(goal - multiply(exp_tc[i], wrap(goal - v[i])))
        free = refractory[i] <= 0
        now = moved if free else v[i]
        left = refractory[i] if free else wrap(refractory[i] - 1)
        reset, wait = v_reset[i], t_refract[i]
        fired = now >= v_thresh[i]
        v[i] = reset if fired else now
        refractory[i] = wait if fired else left
        spiked[i] = fired


@step_kernel
def _izhikevich(v, u, this_h, current, a, b, c, d, i_offset, reset_h, spiked):
    """v' = 0.04 v^2 + 5 v + 140 - u + I, u' = a (b v - u): one midpoint step of h; 1.85 h in the tick after a spike.

    beta multiplies a with h first: GCC regroups the C text's ((h (b v - u)) a) 0.5, and the floors follow the binary.
    Source: `neuron_model_izh_impl.h`; the order from the released IZK_curr_exp and IZK_cond_exp binaries.
    """
    for i in range(v.shape[0]):
        h, ah = this_h[i], multiply(a[i], this_h[i])
        drive = wrap(IZK_140 + current[i] + i_offset[i] - u[i])
        slope = wrap(drive + multiply(wrap(IZK_FIVE + multiply(IZK_MAGIC, v[i])), v[i]))
        half = wrap(v[i] + multiply(multiply(h, slope), ONE >> 1))
        beta = multiply(multiply(wrap(multiply(b[i], v[i]) - u[i]), ah), ONE >> 1)
        rise = wrap(drive - beta + multiply(wrap(IZK_FIVE + multiply(IZK_MAGIC, half)), half))
        v_now = wrap(v[i] + multiply(h, rise))
        u_now = wrap(u[i] + multiply(ah, wrap(-u[i] - beta + multiply(b[i], half))))
        v_reset, u_reset = c[i], wrap(u_now + d[i])
        h_next, h_spiked = reset_h[i], multiply(reset_h[i], IZK_AFTER_SPIKE)
        fired = v_now >= IZK_THRESHOLD
        v[i] = v_reset if fired else v_now
        u[i] = u_reset if fired else u_now
        this_h[i] = h_spiked if fired else h_next
        spiked[i] = fired


# --- a tick ---------------------------------------------------------------------------------------


@njit(cache=True)
def _synapse_rows(code):
    """First synapse row of the state and of the coefficients: after those of the neuron."""
    return (4, 6) if code >= IZK_CURR_EXP else (3, 7)


@njit(cache=True)
def transfer(code, state, coef, first, last, ring_exc, ring_inh, shift_exc, shift_inh):
    """Add a tick's ring-buffer sums to the synapses of neurons first..last-1."""
    s, c = _synapse_rows(code)
    w = slice(first, last)
    if code == IF_CURR_ALPHA:
        exc, inh = (state[s, w], state[s + 1, w], state[s + 2, w]), (state[s + 3, w], state[s + 4, w], state[s + 5, w])
        _add_alpha(*exc, coef[c, w], coef[c + 1, w], ring_exc[w], shift_exc)
        _add_alpha(*inh, coef[c + 2, w], coef[c + 3, w], ring_inh[w], shift_inh)
    elif code == IF_CURR_DELTA:
        _add_delta(state[s, w], ring_exc[w], shift_exc)
        _add_delta(state[s + 1, w], ring_inh[w], shift_inh)
    else:
        _add_exp(state[s, w], coef[c + 1, w], ring_exc[w], shift_exc)
        _add_exp(state[s + 1, w], coef[c + 3, w], ring_inh[w], shift_inh)


@njit(cache=True)
def observe(code, state, i):
    """(V, gsyn_exc, gsyn_inh) of neuron i as PyNN records them, s16.15; to be called between transfer and update."""
    s, _ = _synapse_rows(code)
    if code == IF_CURR_ALPHA:
        return state[V, i], multiply(state[s, i], state[s + 1, i]), multiply(state[s + 3, i], state[s + 4, i])
    down = 10 if code == IF_COND_EXP or code == IZK_COND_EXP else 0
    return state[V, i], wrap(state[s, i] >> down), wrap(state[s + 1, i] >> down)


@njit(cache=True)
def overshooting(code, state, steep, first, last):
    """How many neurons first..last-1 hold more conductance than an explicit step can follow; 0 for current models.

    The current g (E - V) is frozen over the step, so V moves by dt g / cm of its way to E: beyond 2 it ends farther
    from E than it began, and swings. steep: 2 cm / dt in the words of the synapse state (s16.15 times 1024).
    """
    if code == IF_COND_EXP or code == IZK_COND_EXP:
        s, _ = _synapse_rows(code)
        return _above(state[s, first:last], state[s + 1, first:last], steep[first:last])
    return 0


@step_kernel
def _above(exc, inh, limit):
    n = 0
    for i in range(exc.shape[0]):
        n += np.int64(exc[i]) + np.int64(inh[i]) > limit[i]
    return n


@njit(cache=True)
def update(code, state, coef, first, last, spiked):
    """Current, membrane, threshold, reset, decay of the synapses, for neurons first..last-1; sets spiked[i]."""
    s, c = _synapse_rows(code)
    w = slice(first, last)
    v, current, exc, inh = state[V, w], state[CURRENT, w], state[s, w], state[s + 1, w]
    if code == IF_CURR_ALPHA:
        _current_of_alphas(current, exc, inh, state[s + 3, w], state[s + 4, w])
    elif code == IF_CURR_DELTA:
        _current_of_deltas(current, exc, inh, coef[c, w])
    elif code == IF_COND_EXP or code == IZK_COND_EXP:
        _current_of_conductances(current, v, exc, inh, coef[c + 4, w], coef[c + 5, w])
    else:
        _current(current, exc, inh)

    if code >= IZK_CURR_EXP:
        own = coef[0, w], coef[1, w], coef[2, w], coef[3, w], coef[4, w], coef[5, w]
        _izhikevich(v, state[2, w], state[3, w], current, *own, spiked[w])
    else:
        rows = coef[0, w], coef[1, w], coef[2, w], coef[3, w], coef[4, w], coef[5, w], coef[6, w]
        _lif(v, state[2, w], current, *rows, spiked[w])

    if code == IF_CURR_ALPHA:
        _decay_alpha(exc, inh, state[s + 2, w], coef[c, w], coef[c + 1, w])
        _decay_alpha(state[s + 3, w], state[s + 4, w], state[s + 5, w], coef[c + 2, w], coef[c + 3, w])
    elif code == IF_CURR_DELTA:
        exc[:] = 0
        inh[:] = 0
    else:
        _decay_exp(exc, coef[c, w])
        _decay_exp(inh, coef[c + 2, w])


@njit(cache=True)
def advance(code, state, coef, first, last, ring_exc, ring_inh, shift_exc, shift_inh, spiked):
    """One tick of a population of any model, where nothing is recorded."""
    transfer(code, state, coef, first, last, ring_exc, ring_inh, shift_exc, shift_inh)
    update(code, state, coef, first, last, spiked)
