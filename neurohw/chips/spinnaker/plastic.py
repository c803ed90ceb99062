"""Plastic synapses of a whole board: the core's pair rule (`plasticity.py`) for every row, tick by tick.

In a tick, after the neurons: the spikes of this tick enter the histories of their neurons; then the rows whose spikes
arrive are processed. Each weight is updated, and the weight that it has then is added to the ring buffer, `delay` ticks
ahead. Spikes that a delay extension holds back arrive when it sends them, and only the rest of their delay is dendritic.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.chips.spinnaker.plasticity import HISTORY, pair_rule, post_spike, pre_spike
from neurohw.kernels.plastic_table import PlasticTable, index_by
from neurohw.kernels.spinnaker_charge import charge_factors
from neurohw.network import RECEPTORS
from neurohw.program import Program


class BoardPlasticity:
    """A program's plastic synapses as the kernels take them: `fixed`, and what a run changes (`fresh`).

    fresh: weights (u16), time and trace of each row's last pre spike, the neurons' histories (entries used, times, traces),
    and the ring buffers' plastic part, uint32 (slot, receptor, neuron).
    """

    def __init__(self, table: PlasticTable, program: Program):
        network, origin = program.network, program.origin
        plastic = list(network.plastic.values())
        number = {p.name: k for k, p in enumerate(plastic)}
        made = [_rule(program, p.name) for p in plastic]
        rule_of_target = np.full(origin.n_neurons, -1)
        for p in plastic:
            first = origin.first[p.target]
            rule_of_target[first : first + origin.size[p.target]] = number[p.name]
        names = list(network.projections)
        of_segment = np.array([number.get(names[k], -1) for k in table.projections])
        rest = table.delays - np.repeat(table.waits, np.diff(table.starts))
        backprop = np.array([rule.backprop_delay for rule in made])[of_segment[table.segments]]
        self.slots, self.n_neurons = int(rest.max()) + 1, origin.n_neurons
        self.fixed = (
            np.array([rule.numbers for rule in made], np.int64),
            _stacked([rule.table_plus for rule in made]), _stacked([rule.table_minus for rule in made]), rule_of_target,
            of_segment, table.starts, table.targets, table.receptors, rest, rest * backprop,
            *index_by(table.waits, table.sources, origin.n_presynaptic),
        )  # fmt: skip

    def fresh(self, weights: NDArray[np.uint16]) -> tuple[NDArray[Any], ...]:
        """The state before the first tick."""
        rows, n = self.fixed[4].size, self.n_neurons
        last = np.zeros(rows, np.int64), np.zeros(rows, np.int16)
        history = np.ones(n, np.int64), np.zeros((n, HISTORY), np.int64), np.zeros((n, HISTORY), np.int16)
        return (weights.copy(), *last, *history, np.zeros((self.slots, len(RECEPTORS), n), np.uint32))


def _rule(program: Program, name: str) -> Any:
    """The rule of a projection as its targets' cores hold it; factors that make charges of weights apply to it too."""
    p = program.network.projections[name]
    rule, first = p.plasticity, program.origin.first[p.target]
    assert rule is not None
    factor = float(charge_factors(program)[RECEPTORS.index(p.receptor), first])
    step = 1.0 if rule.multiplicative else factor
    numbers = (rule.w_min * factor, rule.w_max * factor, rule.A_plus * step, rule.A_minus * step)
    scale = 1024 if program.network.populations[p.target].neuron.weight_unit == "uS" else 1
    shift = program.payload.shifts[p.target, p.receptor]
    return pair_rule(
        rule.multiplicative, *numbers, rule.tau_plus, rule.tau_minus, program.dt, shift, scale, rule.backprop_delay
    )


def _stacked(tables: list[NDArray[np.int16]]) -> NDArray[np.int16]:
    """Tables of unequal length, one to a line; what lies beyond the end of a table is 0, as it is in the line."""
    lines = np.zeros((len(tables), max(table.size for table in tables)), np.int16)
    for line, table in zip(lines, tables, strict=True):
        line[: table.size] = table
    return lines


@njit(cache=True)
def arrive(t, state, sums):
    """Add what plastic synapses have put into the ring buffers for tick t."""
    cells = state[6][t % state[6].shape[0]]
    sums += cells
    cells[:] = 0


@njit(cache=True)
def learn(t, fixed, state, ring, ring_cuts, stimulus, stimulus_cuts, stimulus_first):
    """Process the spikes of tick t, after its neurons; returns the number of synaptic events."""
    minus, rule_of_target, waits, by_source, members = fixed[2], fixed[3], fixed[10], fixed[11], fixed[12]
    place = t % ring.shape[0]
    for m in range(ring_cuts[place, -1]):
        i = ring[place, m]
        if rule_of_target[i] >= 0:
            post_spike(i, t, state[3], state[4], state[5], minus[rule_of_target[i]])
    events = 0
    for k in range(waits.size):
        due = t - waits[k]
        if due >= 0:
            place = due % ring.shape[0]
            for m in range(ring_cuts[place, -1]):
                i = ring[place, m]
                for j in range(by_source[k, i], by_source[k, i + 1]):
                    events += _row(t, members[j], fixed, state)
        if due >= stimulus_first:
            for m in range(stimulus_cuts[due - stimulus_first, 0], stimulus_cuts[due - stimulus_first, -1]):
                i = stimulus[m]
                for j in range(by_source[k, i], by_source[k, i + 1]):
                    events += _row(t, members[j], fixed, state)
    return events


@njit(cache=True)
def _row(t, g, fixed, state):
    """A pre spike at the synapses of a row: the pair rule, then the new weights into the ring buffers."""
    rules, plus, minus, _, of_segment, starts, targets, receptors, delays, lags = fixed[:10]
    weights, last_time, last_trace, used, times, traces, pending = state
    first, last, r = starts[g], starts[g + 1], of_segment[g]
    numbers = (rules[r, 0], rules[r, 1], rules[r, 2], rules[r, 3], rules[r, 4], rules[r, 5])
    last_trace[g] = pre_spike(
        t, last_time[g], last_trace[g], weights[first:last], targets[first:last], lags[first:last],
        used, times, traces, plus[r], minus[r], numbers,
    )  # fmt: skip
    last_time[g] = t
    for s in range(first, last):
        pending[(t + delays[s]) % pending.shape[0], receptors[s], targets[s]] += weights[s]
    return last - first
