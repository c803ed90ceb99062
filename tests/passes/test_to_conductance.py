"""The lowering onto crossbars: rows, columns, tiles, scales, and what is reported."""

from collections import Counter

import numpy as np
import pytest

from neurohw.connections import AllToAll, FixedProbability, FixedTotalNumber, FromList
from neurohw.device import load_device
from neurohw.distributions import Normal, Uniform
from neurohw.errors import BadInput, DoesNotFit
from neurohw.kernels.lowering import blocks
from neurohw.network import Network, Numerics
from neurohw.workbench import fabricate, map_network

COND = {"tau_syn_E": 5.0, "tau_syn_I": 10.0}


def network():
    net = Network("two", 1).population("e", 600, "IF_cond_exp", COND).population("i", 100, "IF_curr_exp")
    net = net.population("s", 20, "SpikeSourcePoisson", {"rate": 50.0})
    net = net.project("e", "e", FixedProbability(0.05), weight=Uniform(0.001, 0.004), delay=Uniform(0.5, 3.0))
    net = net.project("e", "i", FixedProbability(0.1), weight=0.2, delay=1.0)
    net = net.project("i", "e", FixedTotalNumber(3000), weight=0.05, delay=1.0, receptor="inhibitory")
    net = net.project("i", "i", FixedProbability(0.2), weight=-0.3, delay=1.0)
    return net.project("s", "e", FixedProbability(0.5), weight=0.1, delay=1.0)


def mapped(net=None, device="pcm-million", **choices):
    return map_network(net or network(), device, choices=choices, dt="0.1 ms")


def crossings(program):
    """(tile, row, column) -> the synapses there, by brute force from the table."""
    table, machine = program.payload.table, program.device.machine
    size = int(machine.columns)
    return np.stack(
        [
            table.columns["cell"] // size // int(machine.rows),
            table.columns["cell"] // size,
            table.columns["cell"] % size,
        ]
    )


def test_every_synapse_has_a_crossing_of_its_own():
    program = mapped(empty_cells="none")
    cells = program.payload.table.columns["cell"]
    assert np.unique(cells).size == cells.size > 30_000


def test_rows_are_counted():
    """A row for each (stack, source, delay, projection, copy): a stack is a slice's columns for one receptor."""
    program = mapped(empty_cells="none")
    slices = {("e", k): k for k in range(3)} | {("i", 0): 3}
    rows, first = set(), program.origin.first
    for block in blocks(program):
        seen = Counter()
        for s, t, r, d, p in zip(
            block.sources, block.targets, block.receptors, block.steps, block.projections, strict=True
        ):
            population = "e" if t < first["i"] else "i"
            where = (slices[population, (t - first[population]) // 256], r, s, d, p)
            seen[where, t] += 1
            rows.add((*where, seen[where, t]))
    per_stack = Counter((row[0], row[1]) for row in rows)
    resources = {r.name: r.used for r in program.report.resources}
    assert resources["rows"] == len(rows)
    assert resources["tiles"] == sum(-(-n // 256) for n in per_stack.values())
    assert program.payload.rows.sum() == len(rows)


def test_rows_and_columns_agree():
    """Synapses in one row share source, delay and projection; synapses in one column share the target."""
    program = mapped(empty_cells="reset")
    table = program.payload.table
    tile, row, column = crossings(program)
    sources = np.repeat(np.arange(table.n_sources), table.per_source())
    for key, value in ((row, sources), (row, table.columns["projection"]), (tile * 256 + column, table.targets)):
        order = np.lexsort((value, key))
        same = np.diff(key[order]) == 0
        assert (np.diff(value[order].astype(np.int64))[same] == 0).all()
    assert np.unique(np.stack((row, column)), axis=1).shape[1] == row.size


def test_a_row_drives_all_columns_of_its_slice():
    sparse, dense = mapped(empty_cells="none"), mapped(empty_cells="programmed to zero")
    used, counts = np.unique(crossings(dense)[1], return_counts=True)
    assert used.size == {r.name: r.used for r in dense.report.resources}["rows"]
    assert set(counts) <= {256, 600 - 512, 100}
    synapses = dense.payload.table.columns["synapse"]
    assert synapses.sum() == sparse.payload.table.n_synapses
    np.testing.assert_array_equal(
        np.sort(dense.payload.table.columns["cell"][synapses]), np.sort(sparse.payload.table.columns["cell"])
    )
    assert not dense.payload.table.columns["target"][~synapses].any()


def test_the_sign_chooses_the_arm():
    program = mapped(empty_cells="none")
    table = program.payload.table
    names = list(program.network.projections)
    target, projection = table.columns["target"], table.columns["projection"]
    assert (target[projection == names.index("i to i")] == -25).all()
    assert (target[projection == names.index("i to e")] == 25).all()
    assert target[projection == names.index("e to e")].max() <= 25


def test_one_delay_per_source_population():
    program = mapped(delays="one per source population", empty_cells="none")
    loose = mapped(empty_cells="none")
    rows = [{r.name: r.used for r in p.report.resources}["rows"] for p in (program, loose)]
    assert rows[0] < rows[1] / 5
    delays = program.delays.allowed
    assert delays["e to e"].size == 1
    np.testing.assert_array_equal(delays["e to e"], delays["e to i"])
    (loss,) = (x for x in program.report.losses if x.what == "delays merged" and x.where == "e to e")
    wanted = np.concatenate([b.delays[b.projections == 0] for b in blocks(program)])
    moved = (np.floor(wanted / 0.1 + 0.5) != delays["e to e"][0]).sum()
    assert (loss.count, loss.of) == (moved, wanted.size)
    assert any("further delays" in note for note in loose.report.notes)


def test_scales():
    per_projection = mapped(g_use=0.5).scaling.unit
    assert per_projection["s to e"] == pytest.approx(0.1 / 12.5)
    assert per_projection["e to e"] == pytest.approx(0.004 / 12.5)
    together = mapped(weight_scaling="per receptor").scaling.unit
    assert together["s to e"] == together["e to e"] == pytest.approx(0.1 / 25)
    assert together["i to e"] == pytest.approx(0.05 / 25)


def test_weights_beyond_four_sigma_are_clipped_and_reported():
    net = Network("tail", 3).population("e", 400, "IF_curr_exp")
    net = net.project("e", "e", FixedProbability(1.0), weight=Normal(1.0, 0.1, low=0.0), delay=1.0)
    report = mapped(net, empty_cells="none").report
    assert 0 < report.lost("weights clipped") < 30


def test_ideal_units_are_powers_of_two():
    program = mapped(device=load_device("pcm-million").ideal())
    exponents = np.log2(program.payload.unit)
    np.testing.assert_array_equal(exponents, np.round(exponents))
    assert program.payload.table.columns["target"].dtype == np.float64
    assert program.payload.table.columns["synapse"].all()


def test_tiles_run_out():
    small = load_device("pcm-million").with_(tiles=8)
    with pytest.raises(
        DoesNotFit, match=r"need \d+ tiles of 256 x 256, there are 8; give one delay per source population"
    ):
        map_network(network(), small, dt="0.1 ms")


def test_a_synapse_list_without_synapses():
    net = Network("none", 1).population("e", 10, "IF_curr_exp")
    empty = np.empty(0, np.int64)
    program = mapped(net.project("e", "e", FromList(empty, empty), weight=1.0))
    assert program.payload.table.n_synapses == 0


def signed(**choices):
    net = Network("signed", 1, numerics=Numerics(reset="subtract")).population("s", 2, "SpikeSourceArray")
    net = net.population("n", 3, "IF_curr_delta")
    weights = np.array([-0.05, 0.02, 0.0, 0.1, -0.1, 0.01])
    net = net.project("s", "n", AllToAll(), weights, synapse="SignedSynapse", name="w")
    return mapped(net, "pcm-set", **choices)


def test_g_max_weight_leaves_room_for_weights_that_will_be_learned():
    for chosen in (0.3, {"w": 0.3}):
        program = signed(g_max_weight=chosen)
        assert program.scaling.unit["w"] == pytest.approx(0.3 / 12)
        targets = program.payload.table.columns["target"]
        assert sorted(targets[targets != 0]) == pytest.approx([-4, -2, 0.4, 0.8, 4], rel=1e-6)
    for chosen, said in (({"x": 0.3}, "no projection 'x'; there are w"), (0.0, "not > 0")):
        with pytest.raises(BadInput, match=said):
            signed(g_max_weight=chosen)


def test_a_signed_synapse_has_a_weight_of_either_sign():
    chip = fabricate("pcm-set", 1)
    chip.load(signed(g_max_weight=0.3))
    given = np.array([0.2, -0.2, 0.1, -0.1, 0.0, 0.15])
    chip.write("w", given)
    chip.wait("40 s")
    assert chip.read("w") == pytest.approx(given, abs=4 * 0.5 * 0.75 * 0.3 / 12)
    chip.update("w", np.array([0, 3, 0, 3, 0, -9]))
    assert (chip.read("w") - given)[[1, 3]] == pytest.approx([0.1, 0.1], abs=0.12)
