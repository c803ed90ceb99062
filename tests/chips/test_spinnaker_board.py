"""What a run would have been for a real board: work of the cores, packets on links, energy; late spikes, dropped packets."""

from itertools import pairwise

import numpy as np
import pytest

from neurohw import workbench
from neurohw.connections import AllToAll, FixedProbability, FromList, OneToOne
from neurohw.distributions import Uniform
from neurohw.network import Network
from tests import small
from tests.oracles.spinnaker_board import Board

SPIN5 = small.device("spinnaker-spin5")


def network(longest=40.0):
    """Several cores and chips with 40 neurons per core; delays longer than the 128 steps that such a core has slots for."""
    made = Network("board", seed=3).population("s", 30, "SpikeSourcePoisson", {"rate": 60.0})
    made = made.population("a", 210, "IF_curr_exp", {"i_offset": 0.9}, initial={"v": Uniform(-65.0, -51.0)})
    made = made.population("b", 500, "IF_curr_exp", {"i_offset": 0.6}, initial={"v": Uniform(-65.0, -51.0)})
    made = made.project("s", "a", FixedProbability(0.2), 0.4, Uniform(1.0, 3.0))
    made = made.project("a", "b", FixedProbability(0.1), 0.1, Uniform(1.0, longest), name="near")
    made = made.project("a", "b", FixedProbability(0.02), 0.1, 1.0, name="again")
    made = made.project("b", "a", FixedProbability(0.05), -0.1, Uniform(1.0, 5.0), receptor="inhibitory")
    return made.project("b", "b", OneToOne(), 0.01, 2.0)


def mapped(dt=0.1, device=SPIN5, made=None, **choices):
    choices = {"neurons_per_core": 40, **choices}
    return workbench.map_network(made or network(), device, choices, dt=dt, record={"a": {"v": 1}})


def ran(program, duration=60.0):
    chip = workbench.fabricate(program.device)
    return chip, workbench.run(program, chip, duration)


def spikes_of(program, recording):
    """(step, presynaptic number), in each step those of sources first, then by number."""
    found = []
    for name, (times, indices) in recording.spikes.items():
        neuron = name in program.network.neurons
        steps = np.rint(times / program.dt).astype(int)
        found += [(int(t), neuron, program.origin.first[name] + int(i)) for t, i in zip(steps, indices, strict=True)]
    return [(t, s) for t, _, s in sorted(found)]


def test_the_work_of_every_core_and_link():
    """Counted from row lengths in windows of steps; here synapse by synapse and hop by hop, delay extensions included."""
    program = mapped(device=SPIN5.with_(cycles_per_neuron=400))
    chip, recording = ran(program, 120.0)  # 1200 steps: more than a window
    assert program.extensions
    spikes = spikes_of(program, recording)
    cycles, events, rows, received, sent, carried = Board(program).workload(spikes, 1200)
    cores = chip.workload.cores()
    for name, expected in (
        ("synaptic_events", events),
        ("rows", rows),
        ("packets_received", received),
        ("packets_sent", sent),
    ):
        assert [getattr(core, name) for core in cores] == expected.tolist(), name
    working = [k for k, core in enumerate(cores) if core.population != "s" and k < len(program.slices)]
    assert np.isnan([core.mean_cycles for k, core in enumerate(cores) if k not in working]).all()
    budget = 200e3 * 0.1
    for k in working:
        assert cores[k].mean_cycles == pytest.approx(cycles[:, k].mean())
        assert cores[k].peak_cycles == pytest.approx(cycles[:, k].max())
        assert (cores[k].budget, cores[k].steps_over_budget) == (budget, (cycles[:, k] > budget).sum())
        assert cores[k].neuron_updates == 1200 * program.slices[k].size
    links = chip.workload.links()
    assert {(n.x, n.y, n.link): n.packets for n in links if n.packets} == dict(carried)
    assert all(a.packets >= b.packets for a, b in pairwise(links))
    assert recording.report.lost("steps over budget") == (cycles[:, working] > budget).sum()
    assert recording.report.lost("steps over budget") > 0


def test_energy_by_what_takes_it():
    """One board of 26.84 W, 0.034 W for each core (or each chip, as the tool chain adds up), 1 nJ a router and packet."""
    for choice, per in (("per_core", lambda p: len(p)), ("per_chip", lambda p: len({(s.site.x, s.site.y) for s in p}))):
        program = mapped(1.0, energy=choice, time_scale_factor=3)
        chip, recording = ran(program)
        units, time = (*program.slices, *program.extensions), 0.060 * 3
        board = Board(program)
        sent = [core.packets_sent for core in chip.workload.cores()]
        hops = sum(n * (1 + len(board.links[k])) for k, n in enumerate(sent))
        told = [recording.report.estimates[f"energy of {what}"] for what in ("idle boards", "active cores", "packets")]
        assert [unit for _, unit in told] == ["J"] * 3
        assert [value for value, _ in told] == pytest.approx([26.84 * time, 0.034 * per(units) * time, 1e-9 * hops])
        assert chip.ledger.energy == pytest.approx(1e15 * sum(value for value, _ in told))
        assert chip.ledger.time == pytest.approx(180.0)


def test_time_scale_factor_as_the_tool_chain_has_it():
    choices = SPIN5.choices({})
    assert [choices.slowdown(dt) for dt in (0.1, 1.0, 10.0, 10.1, 35.0)] == [1, 1, 1, 2, 4]
    assert SPIN5.choices({"time_scale_factor": 7}).slowdown(1.0) == 7


def test_without_overruns_late_changes_nothing():
    plain, late = (ran(mapped(time_scale_factor=100, overruns=how))[1] for how in ("report", "late"))
    assert small.same(plain, late)
    assert not [loss for loss in late.report.losses if loss.what.startswith(("spikes", "packets", "synaptic"))]


@pytest.mark.parametrize(
    ("changes", "happens"),
    [
        ({"cycles_per_neuron": 480}, {"late", "events"}),
        ({"cycles_per_neuron": 560}, {"late", "lost", "events"}),
        ({"cycles_per_packet": 6000}, {"dropped", "events"}),
    ],
    ids=["now and then", "for good", "packets"],
)
def test_late_spikes_and_dropped_packets(changes, happens):
    """The counts, from the recorded spikes in plain Python; without the choice, nothing of it happens."""
    device = SPIN5.with_(**changes)
    program = mapped(device=device, overruns="late")
    chip, recording = ran(program)
    found = Board(program).late(spikes_of(program, recording), 600)
    names = {
        "late": "spikes late",
        "lost": "spikes lost",
        "dropped": "packets dropped",
        "events": "synaptic events lost",
    }
    assert {key: int(recording.report.lost(name)) for key, name in names.items()} == {k: found[k] for k in names}
    assert happens <= {key for key, count in found.items() if count}
    assert chip.ledger.dropped_events == found["dropped"]
    plain = ran(mapped(device=device))[1]
    assert not small.same(plain, recording)
    assert not any(plain.report.lost(name) for name in names.values())


def test_which_synapses_of_a_late_spike_act():
    """An update of 1.5 steps: step 0 is one step late, 1 too, 2 by two; delays of 1, 2 and 3 steps from one neuron each."""
    device = SPIN5.with_(cycles_per_step=0.0, cycles_per_neuron=75_000.0, cycles_per_recorded=0.0, cycles_per_spike=0.0,
                         cycles_per_packet=0.0, cycles_per_row=0.0, cycles_per_event=0.0)  # fmt: skip
    made = Network().population("a", 4, "IF_curr_delta", {"cm": 0.1})
    made = made.project("a", "a", FromList([0, 0, 0], [1, 2, 3]), 5.0, np.array([1.0, 2.0, 3.0]))
    for step, acts in ((0, [False, True, True]), (2, [False, False, True])):
        begun = made.inject("a", [float(step), step + 1.0], [10.0, 0.0], neurons=[0])
        program = workbench.map_network(begun, device, {"overruns": "late"}, dt=1.0, record={"a": ["v"]})
        recording = ran(program, 8.0)[1]
        assert recording.spikes["a"][0].tolist() == [step]
        assert (np.ptp(recording.traces["a"]["v"], axis=0)[1:] > 2.0).tolist() == acts


def test_a_late_machine_goes_on_where_it_stopped():
    program = mapped(device=SPIN5.with_(cycles_per_neuron=480), overruns="late")
    chip = workbench.fabricate(SPIN5.with_(cycles_per_neuron=480))
    chip.load(program)
    whole = chip.run(40.0)
    first = chip.run(15.0)
    state = chip.snapshot()
    rest = chip.run(25.0, reset=False)
    chip.run(3.0)
    chip.restore(state)
    again = chip.run(25.0, reset=False)
    assert small.same(rest, again)
    spikes, _ = small.joined(first, rest)
    for name, (times, who) in whole.spikes.items():
        assert np.array_equal(spikes[name][0], times)
        assert np.array_equal(spikes[name][1], who)
    assert whole.report.lost("spikes late") == first.report.lost("spikes late") + rest.report.lost("spikes late")


def test_a_network_without_projections_has_no_links():
    made = Network().population("a", 3, "IF_curr_exp", {"i_offset": 1.0})
    chip, recording = ran(workbench.map_network(made, SPIN5, dt=1.0))
    assert chip.workload.links() == []
    assert recording.report.estimates["energy of packets"] == (0.0, "J")
    made = made.project("a", "a", AllToAll(), 0.1, 1.0)
    assert ran(workbench.map_network(made, SPIN5, dt=1.0))[0].workload.cores()[0].synaptic_events > 0


def test_background_that_is_drawn_in_place_counts_at_its_mean():
    """60 sources of 400 Hz for 50 of 80 ms: 1200 spikes, in two cores; where packets may be dropped, they are counted one by one."""
    made = Network().population("s", 60, "SpikeSourcePoisson", {"rate": 400.0, "start": 10.0, "duration": 50.0})
    made = made.population("a", 60, "IF_curr_exp").project("s", "a", OneToOne(), 0.01, 1.0)
    plain, listed = (
        ran(mapped(0.1, made=made, time_scale_factor=10, overruns=how), 80.0)[0] for how in ("report", "late")
    )
    assert (plain.background.names, listed.background.names) == (("s",), ())
    for chip, slack in ((plain, 0), (listed, 4 * np.sqrt(1200))):
        cores = chip.workload.cores()
        assert [core.population for core in cores] == ["s", "a", "a"]
        sent, *received = cores
        assert sent.packets_sent == pytest.approx(1200, abs=slack)
        assert [core.synaptic_events for core in received] == pytest.approx([800, 400], abs=slack)
        assert [core.rows for core in received] == [core.synaptic_events for core in received]
        assert received[0].packets_received == sent.packets_sent


def test_in_large_networks_lines_of_neighbors_stand_for_each_other(monkeypatch):
    """Totals over many spikes are those of the own lines of every source, within four standard errors (2 %)."""
    import numpy as np

    from neurohw.chips.spinnaker import traffic as module
    from neurohw.connections import FixedTotalNumber
    from neurohw.network import Network
    from neurohw.workbench import fabricate, map_network

    network = Network(seed=1).population("e", 600, "IF_curr_exp", {"i_offset": np.linspace(0.8, 1.5, 600)})
    network = network.project("e", "e", FixedTotalNumber(600 * 300), 0.001, 1.0)
    program = map_network(network, "spinnaker-spin5", {"neurons_per_core": 32}, dt=1.0)
    totals = []
    for most in (4_000_000, 3_000):
        monkeypatch.setattr(module, "MOST_LINES", most)
        chip = fabricate(program.device, 1)
        chip.load(program)
        chip.run(500.0)
        totals.append((len(chip.traffic.entries), chip.workload.totals[0].sum(), chip.workload.sent.sum()))
    (all_lines, events, sent), (fewer, estimated, same) = totals
    assert fewer < 0.4 * all_lines
    assert sent == same > 1000
    assert abs(estimated / events - 1) < 0.02


def test_short_lines_of_the_account_count_the_same(monkeypatch):
    """Lines of 16 bits, and of 32 where a number needs them."""
    from neurohw.chips.spinnaker import traffic as module

    counted = []
    for short, kind in ((2**16, np.uint16), (0, np.int32)):
        monkeypatch.setattr(module, "SHORT", short)
        chip = workbench.fabricate(SPIN5, 1)
        chip.load(workbench.map_network(small.recurrent_short("IF_curr_exp"), SPIN5, dt=1.0))
        chip.run(100.0)
        assert chip.traffic.entries.dtype == kind
        counted.append((chip.workload.totals, chip.workload.cycles))
    for a, b in zip(*counted, strict=True):
        np.testing.assert_array_equal(a, b)
    assert counted[0][0].sum() > 0
