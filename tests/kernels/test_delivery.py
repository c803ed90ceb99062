"""The packed table and its delivery, against plain sums of weights that fall due."""

import itertools

import numpy as np
import pytest

from neurohw.kernels.delivery import collect, deliver, neuron_groups, scratch, spike_flags, spike_ring, stimulus_cuts
from neurohw.kernels.table import BLOCK, TableBuilder
from tests.oracles import delivery as oracle


def random_synapses(seed, n_neurons, n_sources, n, delays, neurons_wait=True):
    """Synapses (source, target, receptor, weight, delay) sorted by source; a delay of 0 only from outside."""
    draw = np.random.default_rng(seed)
    source, target = np.sort(draw.integers(0, n_neurons + n_sources, n)), draw.integers(0, n_neurons, n)
    delay = draw.choice(delays, n)
    delay = np.where(source < n_neurons, np.maximum(delay, 1), delay) if neurons_wait else delay
    return source, target, draw.integers(0, 2, n), draw.uniform(-1, 1, n), delay


def built(synapses, n_presynaptic, n_neurons, cuts=(), groups=()):
    """The table of these synapses, given in blocks of sources that end at `cuts`; and the permutation into it."""
    source, target, receptor, weight, delay = synapses
    firsts = np.unique([0, n_neurons, n_presynaptic, *groups])
    kinds = {"weight": np.dtype(np.float64)}
    builder = TableBuilder(n_presynaptic, n_neurons, np.append(delay, 1), kinds, firsts)
    order, bounds = [], np.unique([*firsts, *cuts])
    for first, last in itertools.pairwise(bounds):
        mine = np.flatnonzero((source >= first) & (source < last))
        taken = builder.append(first, source[mine], target[mine], receptor[mine], delay[mine], weight=weight[mine])
        order.append(mine[taken])
    return builder.build(), np.concatenate(order)


def delivered(table, n_steps, n_neurons, fired, stimulus, begin=0, window=None):
    """sums[step, receptor, neuron], as a chip's loop makes them: fired[step], stimulus[step] list who spikes."""
    depth = int(table.delays.max()) + 1
    groups = neuron_groups(table.firsts, n_neurons)
    ring, ring_cuts = spike_ring(depth, n_neurons, groups.size - 1)
    flags, words = spike_flags(n_neurons)
    sums, out = np.zeros((n_steps, 2, n_neurons)), np.zeros((10_000, 2), np.int64)
    n_out, events, longest = 0, 0, int(table.delays.max())
    window = window or n_steps
    for first in range(begin, n_steps, window):
        last, back = min(first + window, n_steps), max(0, first - longest)
        lists = [np.asarray(stimulus[t], np.int32) for t in range(back, last)]
        starts = np.concatenate(([0], np.cumsum([one.size for one in lists])))
        sources = np.concatenate([np.empty(0, np.int32), *lists])
        cuts = stimulus_cuts(sources, starts, table.firsts, n_neurons)
        arriving = ring, ring_cuts, sources, cuts, back, scratch()
        for t in range(first, last):
            events += deliver(t, *table.arguments, table.columns["weight"], *arriving, sums[t])
            flags[:] = 0
            flags[fired[t]] = 1
            n_out = collect(t, flags, words, groups, ring, ring_cuts, out, n_out)
    return sums, events, out[:n_out]


def spikes_of(fired, stimulus):
    return [(t, source) for t in range(len(fired)) for source in [*fired[t], *stimulus[t]]]


def random_spikes(seed, n_steps, n_neurons, n_sources):
    draw = np.random.default_rng(seed)
    fired = [np.flatnonzero(draw.random(n_neurons) < 0.1).tolist() for _ in range(n_steps)]
    stimulus = [np.sort(n_neurons + draw.integers(0, n_sources, draw.poisson(2.0))).tolist() for _ in range(n_steps)]
    return fired, stimulus


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("window", [None, 1, 7])
@pytest.mark.parametrize("groups", [(), (4, 9, 22, 25), range(28)])
def test_delivery_is_a_sum_of_what_falls_due(seed, window, groups):
    n_neurons, n_sources, n_steps = 23, 5, 60
    synapses = random_synapses(seed, n_neurons, n_sources, 200, np.arange(21))
    fired, stimulus = random_spikes(seed, n_steps, n_neurons, n_sources)
    table, order = built(synapses, n_neurons + n_sources, n_neurons, groups=groups)
    sums, events, out = delivered(table, n_steps, n_neurons, fired, stimulus, window=window)
    right = oracle.inputs(n_steps, n_neurons, list(zip(*synapses, strict=True)), spikes_of(fired, stimulus))
    assert np.abs(sums - right).max() < 1e-12  # sums are taken in another order
    counted = sum(
        int(t + synapses[4][k] < n_steps)
        for t, s in spikes_of(fired, stimulus)
        for k in np.flatnonzero(synapses[0] == s)
    )
    assert events == counted
    assert [tuple(row) for row in out] == [(t, i) for t in range(n_steps) for i in fired[t]]
    assert sorted(order) == list(range(200))


@pytest.mark.parametrize("cuts", [(4,), (1, 2, 3), (10, 27), (28,)])
def test_a_table_does_not_depend_on_its_blocks(cuts):
    synapses = random_synapses(3, 23, 5, 200, np.arange(21))
    (whole, order), (parts, order_of_parts) = built(synapses, 28, 23), built(synapses, 28, 23, cuts)
    for name in ("starts", "offsets", "targets", "delays", "buckets", "bucket_starts", "firsts"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name
    assert np.array_equal(whole.columns["weight"], parts.columns["weight"])
    assert np.array_equal(order, order_of_parts)


def test_the_permutation_says_where_each_synapse_went():
    synapses = random_synapses(5, 23, 5, 300, np.arange(21))
    table, order = built(synapses, 28, 23)
    assert np.array_equal(table.columns["weight"], synapses[3][order])
    assert np.array_equal(table.targets, synapses[1][order])
    assert np.array_equal(table.per_source(), np.bincount(synapses[0], minlength=28))
    assert table.n_synapses == 300
    assert table.n_bytes > 300 * 10


def test_synapses_of_one_bucket_keep_their_order():
    """So that sums of floats, and the drawing of lots, do not depend on sorting."""
    n = 50
    source, target = np.zeros(n, np.int64), np.arange(n) % 7
    synapses = (source, target, np.zeros(n, np.int64), np.arange(n, dtype=float), np.full(n, 3))
    table, order = built(synapses, 7, 7)
    assert order.tolist() == list(range(n))
    assert table.columns["weight"].tolist() == list(range(n))


@pytest.mark.parametrize("n_neurons", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_more_neurons_than_a_block_holds(n_neurons):
    last = n_neurons - 1
    edges = np.unique(np.clip([0, 1, BLOCK - 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK - 1, 2 * BLOCK, last], 0, last))
    source = np.repeat([0, last], edges.size)
    target = np.tile(edges, 2)
    delay = np.where(np.arange(source.size) % 2, 1, 4)
    synapses = (source, target, np.arange(source.size) // 2 % 2, 1.0 + np.arange(source.size), delay)
    table, _ = built(synapses, n_neurons, n_neurons)
    assert table.targets.dtype == np.uint16
    n_steps = 7
    fired = [[0], [], [0, last], [], [], [], []]
    sums, events, out = delivered(table, n_steps, n_neurons, fired, [[]] * n_steps)
    right = oracle.inputs(n_steps, n_neurons, list(zip(*synapses, strict=True)), spikes_of(fired, [[]] * n_steps))
    assert np.array_equal(sums, right)
    assert events > 0
    assert out.tolist() == [[0, 0], [2, 0], [2, last]]


def test_a_source_that_spikes_several_times_in_a_step_counts_as_often():
    synapses = (np.array([2, 2]), np.array([0, 1]), np.array([0, 1]), np.array([1.0, 10.0]), np.array([0, 2]))
    table, _ = built(synapses, 3, 2)
    sums, events, _ = delivered(table, 4, 2, [[]] * 4, [[2, 2, 2], [], [2], []])
    assert sums[:, 0, 0].tolist() == [3, 0, 1, 0]
    assert sums[:, 1, 1].tolist() == [0, 0, 30, 0]
    assert events == 3 + 1 + 3


def test_no_synapses_at_all():
    table = TableBuilder(4, 4, np.array([1]), {"weight": np.dtype(np.float64)}).build()
    sums, events, out = delivered(table, 3, 4, [[0, 1], [], [3]], [[]] * 3)
    assert not sums.any()
    assert events == 0
    assert out.tolist() == [[0, 0], [0, 1], [2, 3]]
    assert table.n_synapses == 0


@pytest.mark.parametrize("n", [1, 7, 8, 9, 64, 65])
def test_flags_are_padded_to_words(n):
    flags, words = spike_flags(n)
    assert flags.size % 8 == 0
    assert flags.size >= n
    assert words.size * 8 == flags.size
    flags[n - 1] = 1
    assert words.any()
