"""Plastic synapses in floating point, event by event: see `neurohw.synapses.stdp` for the rule.

All is seen from the soma: a spike that reaches it at step u (its own step + delay) left its synapse f d earlier, so a
post spike that was at the synapse then counts from f d later on. A step takes, in this order, the post spikes and then
the pre spikes that count now; a synapse without a dendrite sees post spikes in the step after, when the neurons of their
step have fired, with the times that they had.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.kernels.plastic_table import PlasticTable, index_by
from neurohw.program import Program

MULTIPLICATIVE, A_PLUS, A_MINUS, W_MIN, W_MAX, RATE_PLUS, RATE_MINUS = range(7)
"""Columns of the rules: rates in 1/step."""


class FloatPlasticity:
    """A program's plastic synapses: what stands still (`fixed`) and what a run changes (`state`), as the kernel takes them.

    state: weights (magnitudes), pre traces and times of their last change by segment, post traces and times by synapse.
    """

    def __init__(self, table: PlasticTable, program: Program):
        network, n = program.network, program.origin.n_neurons
        rules = np.zeros((len(network.projections), 7))
        dendrite, lag = np.zeros(table.targets.size, np.int64), np.zeros(table.targets.size, np.int64)
        signs, of_synapse = np.ones(len(network.projections)), table.of_synapse
        for k, p in enumerate(network.projections.values()):
            if (rule := p.plasticity) is None:
                continue
            amplitudes = rule.A_plus, rule.A_minus, rule.w_min, rule.w_max
            rules[k] = (rule.multiplicative, *amplitudes, program.dt / rule.tau_plus, program.dt / rule.tau_minus)
            signs[k] = network.populations[p.target].neuron.inhibitory_sign if p.receptor == "inhibitory" else 1
            mine = of_synapse == k
            dendrite[mine] = rule.dendritic_steps(table.delays[mine])
            lag[mine] = dendrite[mine] * rule.backprop_delay
        late = (dendrite == 0).astype(np.int64)
        waits, sources = table.waits, table.sources
        self.signs = signs[of_synapse]
        self.fixed = (
            rules, table.projections, table.starts, table.targets, table.receptors, self.signs, table.segments, late,
            *index_by(waits, sources, program.origin.n_presynaptic), *index_by(lag + dendrite + late, table.targets, n),
        )  # fmt: skip
        self.longest = int((lag + dendrite + late).max())
        self.state = self.fresh(table.weights)

    def fresh(self, weights: NDArray[np.float64]) -> tuple[NDArray[Any], ...]:
        """The state before the first spike."""
        segments, synapses = self.fixed[1].size, self.fixed[3].size
        traces = np.zeros(segments), np.zeros(segments, np.int64), np.zeros(synapses), np.zeros(synapses, np.int64)
        return (weights.astype(np.float64), *traces)


@njit(cache=True)
def deliver_plastic(t, fixed, state, ring, ring_cuts, stimulus, stimulus_cuts, stimulus_first, sums):
    """Add the plastic weights that reach the soma in step t to `sums`, and change them; returns the number of events."""
    rules, projections, starts, targets, receptors, signs, segments, late = fixed[:8]
    waits, by_source, members, lags, by_target, incoming = fixed[8:]
    for k in range(lags.size):
        if t - lags[k] >= 0:
            place = (t - lags[k]) % ring.shape[0]
            for m in range(ring_cuts[place, -1]):
                i = ring[place, m]
                for j in range(by_target[k, i], by_target[k, i + 1]):
                    s = incoming[j]
                    _post(t - late[s], s, segments[s], rules[projections[segments[s]]], state)
    events = 0
    for k in range(waits.size):
        due = t - waits[k]
        if due >= 0 and waits[k] > 0:
            place = due % ring.shape[0]
            for m in range(ring_cuts[place, -1]):
                i = ring[place, m]
                for j in range(by_source[k, i], by_source[k, i + 1]):
                    events += _pre(t, members[j], rules, projections, starts, targets, receptors, signs, state, sums)
        if due >= stimulus_first:
            for m in range(stimulus_cuts[due - stimulus_first, 0], stimulus_cuts[due - stimulus_first, -1]):
                i = stimulus[m]
                for j in range(by_source[k, i], by_source[k, i + 1]):
                    events += _pre(t, members[j], rules, projections, starts, targets, receptors, signs, state, sums)
    return events


@njit(cache=True)
def _post(t, s, segment, rule, state):
    """A post spike at synapse s."""
    weights, pre, pre_at, post, post_at = state
    x = pre[segment] * np.exp((pre_at[segment] - t) * rule[RATE_PLUS])
    w = weights[s]
    if rule[MULTIPLICATIVE] != 0.0:
        weights[s] = w + rule[A_PLUS] * (rule[W_MAX] - w) * x
    else:
        weights[s] = min(w + rule[A_PLUS] * x, rule[W_MAX])
    post[s] = post[s] * np.exp((post_at[s] - t) * rule[RATE_MINUS]) + 1.0
    post_at[s] = t


@njit(cache=True)
def _pre(t, segment, rules, projections, starts, targets, receptors, signs, state, sums):
    """A pre spike at all synapses of a segment."""
    weights, pre, pre_at, post, post_at = state
    rule = rules[projections[segment]]
    for s in range(starts[segment], starts[segment + 1]):
        y = post[s] * np.exp((post_at[s] - t) * rule[RATE_MINUS])
        w = weights[s]
        if rule[MULTIPLICATIVE] != 0.0:
            w -= rule[A_MINUS] * (w - rule[W_MIN]) * y
        else:
            w = max(w - rule[A_MINUS] * y, rule[W_MIN])
        weights[s] = w
        sums[receptors[s], targets[s]] += signs[s] * w
    pre[segment] = pre[segment] * np.exp((pre_at[segment] - t) * rule[RATE_PLUS]) + 1.0
    pre_at[segment] = t
    return starts[segment + 1] - starts[segment]
