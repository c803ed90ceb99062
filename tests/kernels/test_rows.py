"""Rows of each connection rule: exact counts, distributions with fixed seeds, and independence of how rows are cut."""

import itertools
from dataclasses import fields

import numpy as np
import pytest

from neurohw import connections
from neurohw.connections import (
    AllToAll,
    FixedNumberPost,
    FixedNumberPre,
    FixedProbability,
    FixedTotalNumber,
    FromList,
    OneToOne,
)
from neurohw.distributions import Normal, Uniform
from neurohw.kernels import rows as kernel
from neurohw.kernels.rows import rows
from neurohw.network import Network

LIST = FromList(np.array([3, 0, 3, 7, 0, 3]), np.array([1, 8, 0, 2, 8, 1]))
RULES = [
    AllToAll(), AllToAll(False), OneToOne(), FixedProbability(0.3), FixedProbability(0.3, False), FixedProbability(0.0),
    FixedProbability(1.0), FixedProbability(1.0, False), FixedTotalNumber(57), FixedTotalNumber(57, False),
    FixedNumberPost(4), FixedNumberPost(4, False), FixedNumberPre(5), FixedNumberPre(5, False), LIST,
]  # fmt: skip


def made(rule, n_pre=9, n_post=9, seed=1, recurrent=True, weight=0.1, delay=1.0):
    network = Network(seed=seed).population("a", n_pre, "IF_curr_exp").population("b", n_post, "IF_curr_exp")
    source, target = ("a", "a") if recurrent else ("a", "b")
    network = network.project(source, target, rule, weight, delay, name="p")
    return network, network.projections["p"]


def of(rule, **size):
    return rows(*made(rule, **size))


def pairs(made_rows):
    return np.stack([made_rows.sources, made_rows.targets], axis=1)


def test_every_rule_is_here():
    from typing import get_args

    assert {type(rule) for rule in RULES} == set(get_args(connections.Rule))


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("recurrent", [True, False])
def test_rows_do_not_depend_on_how_they_are_cut(rule, recurrent):
    network, projection = made(rule, n_post=13, recurrent=recurrent, weight=Normal(1.0, 0.2, 0.0), delay=Uniform(1, 9))
    whole = rows(network, projection)
    for cuts in ([0, 9], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [0, 4, 4, 9], [0, 8, 9]):
        parts = [rows(network, projection, a, b) for a, b in itertools.pairwise(cuts)]
        for column in ("sources", "targets", "weights", "delays"):
            assert np.array_equal(np.concatenate([getattr(part, column) for part in parts]), getattr(whole, column)), (
                column
            )
        assert np.array_equal(np.concatenate([np.diff(part.starts) for part in parts]), np.diff(whole.starts))


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_blocks_are_the_whole(rule, monkeypatch):
    network, projection = made(rule, weight=Normal(1.0, 0.2, 0.0))
    whole = rows(network, projection)
    monkeypatch.setattr(kernel, "BLOCK_SYNAPSES", 7)
    blocks = list(kernel.blocks(network, projection))
    assert np.array_equal(np.concatenate([pairs(block) for block in blocks]), pairs(whole))
    assert np.array_equal(np.concatenate([block.weights for block in blocks]), whole.weights)


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("recurrent", [True, False])
def test_sources_ascend_targets_exist_and_counts_are_as_expected(rule, recurrent):
    found = of(rule, recurrent=recurrent)
    assert (np.diff(found.sources) >= 0).all()
    assert found.starts[0] == 0
    assert found.starts[-1] == found.targets.size
    assert ((found.targets >= 0) & (found.targets < 9)).all()
    assert all(
        getattr(found, f.name).size == found.targets.size for f in fields(found) if f.name in ("weights", "delays")
    )
    if recurrent and not getattr(rule, "allow_self_connections", True):
        assert (found.sources != found.targets).all()
    if not isinstance(rule, FixedProbability) or rule.p_connect in (0, 1):
        assert found.targets.size == connections.expected_synapses(rule, 9, 9, recurrent)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_seed_of_the_network_decides(rule):
    random = (
        isinstance(rule, FixedTotalNumber | FixedNumberPost | FixedNumberPre) or getattr(rule, "p_connect", 0) == 0.3
    )
    same, other = pairs(of(rule, seed=1)), pairs(of(rule, seed=2))
    assert np.array_equal(pairs(of(rule, seed=1)), same)
    assert np.array_equal(same, other) != random


def test_projections_draw_apart():
    network, projection = made(FixedProbability(0.5))
    network = network.project("a", "a", FixedProbability(0.5), 0.1, name="q")
    assert not np.array_equal(pairs(rows(network, network.projections["q"])), pairs(rows(network, projection)))


def test_adding_something_leaves_rows_as_they_are():
    network, projection = made(FixedProbability(0.5), weight=Normal(1.0, 0.2, 0.0))
    before = rows(network, projection)
    network = network.population("c", 30, "IF_curr_exp").project("c", "a", FixedProbability(0.2), 0.1)
    after = rows(network, network.projections["p"])
    assert np.array_equal(pairs(before), pairs(after))
    assert np.array_equal(before.weights, after.weights)


def test_all_to_all():
    assert pairs(of(AllToAll(), n_pre=3, n_post=2, recurrent=False)).tolist() == [
        [i, j] for i in range(3) for j in range(2)
    ]


@pytest.mark.parametrize(("n_pre", "n_post"), [(5, 9), (9, 5), (7, 7)])
def test_one_to_one(n_pre, n_post):
    n = min(n_pre, n_post)
    assert pairs(of(OneToOne(), n_pre=n_pre, n_post=n_post, recurrent=False)).tolist() == [[k, k] for k in range(n)]


def test_lists_keep_multapses_and_their_order():
    weights, delays = np.arange(1.0, 7.0), np.arange(11.0, 17.0)
    found = of(LIST, weight=weights, delay=delays)
    for source in range(9):
        mine = LIST.pre == source
        at = slice(found.starts[source], found.starts[source + 1])
        assert found.targets[at].tolist() == LIST.post[mine].tolist()
        assert found.weights[at].tolist() == weights[mine].tolist()
        assert found.delays[at].tolist() == delays[mine].tolist()


def test_arrays_follow_the_order_of_the_rule():
    assert of(AllToAll(), n_pre=3, n_post=2, recurrent=False, weight=np.arange(6.0)).weights.tolist() == list(range(6))
    assert of(OneToOne(), n_pre=4, n_post=3, recurrent=False, weight=np.arange(3.0)).weights.tolist() == [0, 1, 2]


@pytest.mark.parametrize("p", [0.02, 0.3, 0.97])
@pytest.mark.parametrize("self_connections", [True, False])
def test_fixed_probability_is_bernoulli(p, self_connections):
    """Mean and variance of the out-degrees and in-degrees, and of single pairs, within four standard errors."""
    n, seeds = 200, 10
    counts = np.zeros((seeds, n, n))
    for seed in range(seeds):
        found = of(FixedProbability(p, self_connections), n_pre=n, n_post=n, seed=seed)
        np.add.at(counts[seed], (found.sources, found.targets), 1)
    assert counts.max() == 1, "a pair is connected once at most"
    free = ~np.eye(n, dtype=bool) if not self_connections else np.ones((n, n), bool)
    assert not counts[:, ~free].any()
    trials = n if self_connections else n - 1
    m, variance = counts[:, free].size, p * (1 - p)
    assert abs(counts[:, free].mean() - p) < 4 * np.sqrt(variance / m)
    for axis in (1, 2):
        degrees = counts.sum(axis=axis).ravel()
        kurtosis = 3 + (1 - 6 * variance) / (trials * variance)
        error = trials * variance * np.sqrt((kurtosis - 1) / degrees.size)
        assert abs(degrees.var() - trials * variance) < 4 * error
    diagonal = counts[:, np.arange(n - 1), np.arange(1, n)]
    assert abs(diagonal.mean() - p) < 4 * np.sqrt(variance / diagonal.size)
    after = counts[:, :, 1:][counts[:, :, :-1] == 1]  # whether a synapse follows a synapse
    if not self_connections:
        return
    assert abs(after.mean() - p) < 4 * np.sqrt(variance / after.size)


def test_fixed_total_number_is_uniform():
    n = 50
    counts = np.zeros((n, n))
    for seed in range(20):
        found = of(FixedTotalNumber(5000, False), n_pre=n, n_post=n, seed=seed)
        np.add.at(counts, (found.sources, found.targets), 1)
    mean = 20 * 5000 / (n * (n - 1))
    assert not np.diag(counts).any()
    assert counts.sum() == 100_000
    off = counts[~np.eye(n, dtype=bool)]
    assert abs(off.var() / mean - 1) < 4 * np.sqrt(2 / off.size), "Poisson counts of pairs"
    for axis in (0, 1):
        degrees = counts.sum(axis=axis)
        assert np.abs(degrees / (n - 1) - mean).max() < 5 * np.sqrt(mean / (n - 1))


@pytest.mark.parametrize("rule", [FixedNumberPost, FixedNumberPre])
@pytest.mark.parametrize("self_connections", [True, False])
def test_fixed_numbers_choose_different_partners_uniformly(rule, self_connections):
    n, k, seeds = 30, 7, 200
    counts = np.zeros((n, n))
    for seed in range(seeds):
        found = of(rule(k, self_connections), n_pre=n, n_post=n, seed=seed)
        chooser = found.sources if rule is FixedNumberPost else found.targets
        assert (np.bincount(chooser, minlength=n) == k).all()
        assert len({tuple(pair) for pair in pairs(found)}) == n * k
        np.add.at(counts, (found.sources, found.targets), 1)
    p = k / (n if self_connections else n - 1)
    free = np.ones((n, n), bool) if self_connections else ~np.eye(n, dtype=bool)
    assert not counts[~free].any()
    z = (counts[free] / seeds - p) / np.sqrt(p * (1 - p) / seeds)
    assert np.abs(z).max() < 5
    assert abs((z**2).mean() - 1) < 4 * np.sqrt(2 / z.size)


@pytest.mark.parametrize(
    "rule", [FixedNumberPost(9), FixedNumberPre(9), FixedNumberPost(8, False), FixedNumberPre(8, False)]
)
def test_choosing_all(rule):
    assert of(rule).targets.size == rule.n * 9


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_drawn_weights_and_delays_have_their_moments(rule):
    if isinstance(rule, FromList | OneToOne) or getattr(rule, "p_connect", 1) == 0:
        pytest.skip("too few synapses")
    rule = type(rule)(
        **{**vars(rule), **({"n": 20_000 if isinstance(rule, FixedTotalNumber) else 90} if hasattr(rule, "n") else {})}
    )
    found = of(rule, n_pre=150, n_post=150, weight=Normal(2.0, 0.3, 0.0), delay=Uniform(1.0, 3.0))
    n = found.weights.size
    assert n > 5000
    assert abs(found.weights.mean() - 2.0) < 4 * 0.3 / np.sqrt(n)
    assert abs(found.weights.var() - 0.09) < 4 * 0.09 * np.sqrt(2 / n)
    assert abs(found.delays.mean() - 2.0) < 4 * np.sqrt(4 / 12 / n)
    assert found.delays.min() >= 1
    assert found.delays.max() < 3
    assert abs(np.corrcoef(found.weights, found.delays)[0, 1]) < 4 / np.sqrt(n)


@pytest.mark.parametrize(
    "rule", [FixedNumberPost(9, False), FixedNumberPre(10), FromList(np.array([9]), np.array([0])), FromList([-1], [0])]
)
def test_impossible_rules_are_refused(rule):
    from neurohw.errors import BadInput

    with pytest.raises(BadInput, match=type(rule).__name__):
        made(rule)


def test_a_population_of_one_without_itself():
    """There is nobody to connect to."""
    from neurohw.errors import BadInput

    for rule in (AllToAll(False), FixedProbability(1.0, False), FixedNumberPost(0, False), FixedTotalNumber(0, False)):
        assert of(rule, n_pre=1).targets.size == 0
    with pytest.raises(BadInput, match="FixedTotalNumber"):
        made(FixedTotalNumber(3, False), n_pre=1)
