"""One core by itself: its rows are processed at given steps, and every variable of every step is kept.

The order of a tick is the C code's: ring-buffer sums into the synapses, neurons, post spikes into the STDP histories,
then the rows whose spikes arrive, each synapse by itself:

    ring[(t + delay) mod slots] = min(ring + weight, 65535)     a saturated addition is counted

This is how many *additions* saturate, as the C code counts them; `engine.run`, which adds first and clamps once, counts
*cells*. The sums are the same.
Sources: sPyNNaker 7.4.1 `neuron/synapses.c`, `neuron/plasticity/stdp/synapse_dynamics_stdp_mad_impl.c`.
"""

import numpy as np
from numba import njit

from neurohw.chips.spinnaker.neurons import observe, transfer, update
from neurohw.chips.spinnaker.plasticity import HISTORY, post_spike, pre_spike

RING_MAX = 65535
OBSERVED = ("rb_exc_u16", "rb_inh_u16", "rec_V", "rec_gsyn_exc", "rec_gsyn_inh", "spike")
"""What `out` holds before the state: the step's input, what PyNN records (before the update), and whether it fired."""


@njit(cache=True)
def replay(
    code, state, coef, shift_exc, shift_inh, slots, starts, targets, receptors, delays, weights,
    plastic, lags, table_plus, table_minus, numbers, event_steps, event_rows, update_starts, updated, traces, out,
):  # fmt: skip
    """Run out.shape[0] ticks; returns how many additions of fixed and of plastic synapses saturated.

    starts: first synapse of each row, and the end. plastic[row]: its synapses follow the pair rule (`plasticity.py`);
    weights (uint16) are changed in place.
    event_steps, event_rows: the spikes in order; a row acts `delays` (1..slots) steps later.
    out: int32[step, OBSERVED + states, neuron]. traces[k], updated[update_starts[k]:]: trace and weights of a plastic
    row after event k.
    """
    n, n_observed = state.shape[1], 6
    ring = np.zeros((slots, 2, n), np.uint32)
    spiked = np.zeros(n, np.uint8)
    history = np.ones(n, np.int64), np.zeros((n, HISTORY), np.int64), np.zeros((n, HISTORY), np.int16)
    last_steps, last_traces = np.zeros(plastic.size, np.int64), np.zeros(plastic.size, np.int16)
    saturated = np.zeros(2, np.int64)
    k = 0
    for t in range(out.shape[0]):
        now = ring[t % slots]
        out[t, 0], out[t, 1] = now[0], now[1]
        transfer(code, state, coef, 0, n, now[0], now[1], shift_exc, shift_inh)
        now[:] = 0
        for i in range(n):
            out[t, 2, i], out[t, 3, i], out[t, 4, i] = observe(code, state, i)
        update(code, state, coef, 0, n, spiked)
        out[t, 5] = spiked
        out[t, n_observed:] = state
        for i in range(n):
            if spiked[i]:
                post_spike(i, t, history[0], history[1], history[2], table_minus)
        while k < event_steps.size and event_steps[k] == t:
            row = event_rows[k]
            first, last = starts[row], starts[row + 1]
            if plastic[row]:
                held = weights[first:last]
                last_traces[row] = pre_spike(
                    t, last_steps[row], last_traces[row], held, targets[first:last], lags[first:last],
                    history[0], history[1], history[2], table_plus, table_minus, numbers,
                )  # fmt: skip
                last_steps[row], traces[k] = t, last_traces[row]
                updated[update_starts[k] : update_starts[k + 1]] = held
            for s in range(first, last):
                cell = ring[(t + delays[s]) % slots, receptors[s]]
                total = cell[targets[s]] + np.uint32(weights[s])
                if total > RING_MAX:
                    total = np.uint32(RING_MAX)
                    saturated[np.int64(plastic[row])] += 1
                cell[targets[s]] = total
            k += 1
    return saturated[0], saturated[1]
