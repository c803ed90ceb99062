"""From a program's network to the packed table, and back from a projection's rows to their places in it."""

import itertools

import numpy as np
import pytest

from neurohw import workbench
from neurohw.connections import AllToAll, FixedNumberPre, FixedProbability, FixedTotalNumber, FromList
from neurohw.distributions import Uniform
from neurohw.kernels import lowering
from neurohw.kernels import rows as row_kernel
from neurohw.kernels.lowering import assemble, blocks, locate, slice_of
from neurohw.kernels.rows import rows
from neurohw.network import Network
from neurohw.program import DelayPlan


def program(seed=1):
    network = Network(seed=seed).population("in", 7, "SpikeSourcePoisson", {"rate": 20.0})
    network = network.population("a", 11, "IF_curr_exp").population("b", 6, "IF_cond_exp")
    network = network.project("a", "b", FixedProbability(0.5), Uniform(0.1, 0.9), Uniform(0.1, 2.0))
    network = network.project("b", "a", FixedTotalNumber(40), Uniform(-3, -1), 0.5, receptor="inhibitory")
    network = network.project("a", "a", FixedNumberPre(4, False), Uniform(2, 3), Uniform(0.1, 2.0))
    network = network.project("in", "a", AllToAll(), np.arange(77.0), 0.0)
    network = network.project(
        "in", "b", FromList([6, 0, 6], [5, 5, 5]), np.array([1.0, 2.0, 3.0]), np.array([3.0, 0.0, 1.0])
    )
    return workbench.map_network(network, "reference", dt=0.1)


@pytest.fixture(params=[4_000_000, 9])
def mapped(request, monkeypatch):
    """With all synapses in one block, and cut into many."""
    monkeypatch.setattr(row_kernel, "BLOCK_SYNAPSES", request.param)
    return program()


def test_blocks_hold_every_synapse_once_and_sources_ascend(mapped):
    found = list(blocks(mapped))
    sources = np.concatenate([block.sources for block in found])
    assert all((block.sources >= block.first).all() for block in found)
    assert all(a.sources.max(initial=-1) < b.first for a, b in itertools.pairwise(found))
    assert sources.size == sum(rows(mapped.network, p).targets.size for p in mapped.network.projections.values())
    for k, (name, p) in enumerate(mapped.network.projections.items()):
        made = rows(mapped.network, p)
        mine = [block.projections == k for block in found]
        rank = np.concatenate([block.rank[m] for block, m in zip(found, mine, strict=True)])
        assert sorted(rank) == list(range(made.targets.size))
        order = np.argsort(rank)
        for column, right in (
            ("sources", made.sources + mapped.origin.first[p.source]),
            ("targets", made.targets + mapped.origin.first[p.target]),
            ("weights", made.weights),
            ("delays", made.delays),
            ("steps", mapped.delays.steps(name, made.delays, mapped.dt)),
        ):
            given = np.concatenate([getattr(block, column)[m] for block, m in zip(found, mine, strict=True)])
            assert np.array_equal(given[order], right), (name, column)


def test_locate_is_the_inverse_of_assemble(mapped):
    table = assemble(mapped, {"weight": np.dtype(float)}, lambda block: {"weight": block.weights})
    every = []
    for name, p in mapped.network.projections.items():
        places, made = locate(mapped, name), rows(mapped.network, p)
        assert np.array_equal(table.columns["weight"][places], made.weights)
        assert np.array_equal(table.targets[places], made.targets + mapped.origin.first[p.target])
        rows_of = made.sources + mapped.origin.first[p.source]
        assert (table.starts[rows_of] <= places).all()
        assert (places < table.starts[rows_of] + table.per_source()[rows_of]).all()
        every.append(places)
    assert sorted(np.concatenate(every)) == list(range(table.n_synapses))


def test_locate_marks_what_was_left_out(mapped):
    def keep(block):
        return (block.sources + block.targets) % 3 > 0

    def fill(block):
        return {"weight": block.weights, "keep": keep(block)}

    table = assemble(mapped, {"weight": np.dtype(float)}, fill)
    left = 0
    for name, p in mapped.network.projections.items():
        places, made = locate(mapped, name, keep), rows(mapped.network, p)
        first = mapped.origin.first
        kept = (made.sources + first[p.source] + made.targets + first[p.target]) % 3 > 0
        assert ((places >= 0) == kept).all()
        assert np.array_equal(table.columns["weight"][places[kept]], made.weights[kept])
        left += kept.sum()
    assert table.n_synapses == left


def test_a_table_does_not_depend_on_the_size_of_blocks(monkeypatch):
    tables = []
    for size in (4_000_000, 9):
        monkeypatch.setattr(row_kernel, "BLOCK_SYNAPSES", size)
        tables.append(assemble(program(), {"weight": np.dtype(float)}, lambda block: {"weight": block.weights}))
    for name in ("starts", "offsets", "targets"):
        assert np.array_equal(getattr(tables[0], name), getattr(tables[1], name))
    assert np.array_equal(tables[0].columns["weight"], tables[1].columns["weight"])


def test_the_slice_of_each_neuron():
    mapped = workbench.map_network(program().network, "spinnaker-spin5", {"neurons_per_core": 4})
    for name in ("a", "b"):
        for neuron, number in enumerate(slice_of(mapped, name)):
            part = mapped.slices[number]
            assert part.population == name
            assert part.first <= neuron < part.last
    outside = workbench.map_network(program().network, "pcm-million")
    assert (slice_of(outside, "in") == -1).all(), "its sources are not on the chip"


def test_looked_up_steps_are_those_of_the_plan():
    """Delays between, on and beyond the allowed steps, and half-way between two."""
    allowed = np.array([1, 2, 5, 9, 30])
    plan = DelayPlan({"p": allowed})
    delays = np.concatenate((np.arange(0.0, 4.0, 0.01), [0.05, 0.15, 0.35, 1.95, 50.0]))
    nearest = plan.steps("p", np.arange(31) * 0.1, 0.1)
    assert np.array_equal(lowering._looked_up(delays, 0.1, nearest), plan.steps("p", delays, 0.1))
