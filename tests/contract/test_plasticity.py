"""Plastic synapses on every chip: the ideal one does what Brian2 does, SpiNNaker what its own replayed code does.

Tolerance. Ideal chips and Brian2 compute the same exponentials in another order, both in float64: 2e-12 mV and 2e-15 in
weights of 1 are found, 1e-9 and 1e-12 asked for; a spike in the wrong step, or a pair left out, moves weights by 1e-2.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import neurohw as nh
from neurohw import workbench
from neurohw.chips.spinnaker.plasticity import TRACE_ONE
from neurohw.connections import AllToAll, FixedProbability, FromList
from neurohw.distributions import Uniform
from neurohw.errors import Unsupported
from neurohw.network import Network
from neurohw.study.spinnaker_emulation import Emulation
from neurohw.study.spinnaker_traces import Trace
from neurohw.synapses import STDPMechanism
from tests import small
from tests.oracles.stdp_pairs import weights_at_pre_spikes

TRACES = Path(__file__).parents[1] / "golden" / "spinnaker" / "traces"
DT, LENGTH = 0.5, 200.0
AMPLITUDES = {"additive": {"A_plus": 0.05, "A_minus": 0.06}, "multiplicative": {"A_plus": 0.1, "A_minus": 0.12}}
RULES = [
    STDPMechanism(kind, 15.0, 20.0, w_min=0.05, w_max=1.0, dendritic_delay_fraction=f, backprop_delay=back, **AMPLITUDES[kind])
    for kind, f, back in (
        ("additive", 1.0, True), ("additive", 0.0, True), ("additive", 0.5, False), ("multiplicative", 1.0, False),
        ("multiplicative", 0.4, True),
    )
]  # fmt: skip
LEARNING = ("s to b", "a to b", "b to a")


def network(rule, seed=1):
    """Excitatory and inhibitory plastic synapses, from sources and from neurons, round a loop."""
    made = Network("plastic", seed).population("s", 10, "SpikeSourcePoisson", {"rate": 120.0})
    made = made.population("a", 6, "IF_curr_exp", {"i_offset": 0.3, "tau_refrac": 2.0})
    made = made.population("b", 8, "IF_curr_exp", {"i_offset": 0.4, "tau_refrac": 1.0})
    delay = Uniform(1.0, 5.0)
    made = made.project("s", "a", FixedProbability(0.6), 0.5, 1.0)
    made = made.project("s", "b", AllToAll(), 0.5, delay, synapse=rule)
    made = made.project("a", "b", FixedProbability(0.7), 0.5, delay, synapse=rule)
    return made.project("b", "a", FixedProbability(0.7), -0.3, delay, "inhibitory", synapse=rule)


def ran(device, rule, duration=LENGTH):
    """(recording, weights) after a run."""
    kind = nh.load_device(device) if isinstance(device, str) else device
    program = workbench.map_network(network(rule), kind, dt=DT, record={"b": ["v"]})
    chip = workbench.fabricate(kind)
    recording = workbench.run(program, chip, duration)
    return recording, {name: chip.read(name) for name in LEARNING}, chip


@pytest.mark.parametrize(
    "rule", RULES, ids=lambda r: f"{r.weight_dependence} {r.dendritic_delay_fraction:g} {r.backprop_delay}"
)
def test_ideal_is_reference(rule):
    right, weights, _ = ran("reference", rule)
    ours, learned, _ = ran(nh.load_device("spinnaker-spin5").ideal(), rule)
    for name in right.spikes:
        assert all(np.array_equal(a, b) for a, b in zip(ours.spikes[name], right.spikes[name], strict=True))
    assert np.abs(ours.traces["b"]["v"] - right.traces["b"]["v"]).max() < 1e-9
    for name in LEARNING:
        np.testing.assert_allclose(learned[name], weights[name], rtol=0, atol=1e-12)
        assert np.ptp(weights[name]) > 0.05, "nothing was learned"
    assert (weights["b to a"] <= 0).all()


@pytest.mark.parametrize(("model", "weight", "w_max"), [("IF_cond_exp", 0.02, 0.05), ("IF_curr_delta", 1.0, 3.0)])
def test_ideal_is_reference_in_every_unit_of_weights(model, weight, w_max):
    """Conductances and voltage steps."""
    rule = STDPMechanism("additive", 15.0, 20.0, w_max / 12, w_max / 11, 0.0, w_max)
    made = Network().population("s", 10, "SpikeSourcePoisson", {"rate": 120.0})
    made = made.population("b", 8, model, small.own(model, i_offset=0.55, tau_refrac=1.0, tau_syn_E=3.0))
    made = made.project("s", "b", AllToAll(), weight, Uniform(1.0, 4.0), synapse=rule, name="in")
    made = made.project("b", "b", FixedProbability(0.5, False), weight, 2.0, synapse=rule, name="loop")
    learned = []
    for device in (nh.load_device("reference"), nh.load_device("spinnaker-spin5").ideal()):
        chip = workbench.fabricate(device)
        recording = workbench.run(workbench.map_network(made, device, dt=DT), chip, LENGTH)
        learned.append(np.concatenate((chip.read("in"), chip.read("loop"))) / w_max)
        assert recording.spikes["b"][0].size > 50
    np.testing.assert_allclose(*learned, rtol=0, atol=1e-12)
    assert np.ptp(learned[0]) > 0.2


@pytest.mark.parametrize("rule", RULES[:3], ids=["dendrite", "axon", "both"])
@pytest.mark.parametrize("delay", [1.0, 3.0])
def test_every_weight_is_that_of_all_pairs(rule, delay):
    """What each pre spike takes to the soma is what the oracle finds from the lists of spikes."""
    rng = np.random.default_rng(5)
    pre, drive = (np.unique(rng.integers(2, 120, 25)) for _ in range(2))
    made = Network().population("pre", 1, "SpikeSourceArray", spike_times=[(pre * DT).tolist()])
    made = made.population("driver", 1, "SpikeSourceArray", spike_times=[(drive * DT).tolist()])
    made = made.population("cell", 1, "IF_curr_exp", {"tau_refrac": 0.0, "tau_syn_E": 0.5})
    made = made.project("pre", "cell", AllToAll(), 0.5, delay, synapse=rule, name="learning")
    made = made.project("driver", "cell", AllToAll(), 500.0, DT)
    program = workbench.map_network(made, nh.load_device("spinnaker-spin5").ideal(), dt=DT)
    chip = workbench.fabricate(program.device)
    post = np.rint(workbench.run(program, chip, 150 * DT).spikes["cell"][0] / DT).astype(int)
    assert post.size > 20
    steps, found = round(delay / DT), []
    for t in pre:
        chip.run((t + steps + 1) * DT)
        found.append(chip.read("learning")[0])
    expected = weights_at_pre_spikes(pre.tolist(), post.tolist(), 0.5, steps, rule, DT)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert min(expected) < 0.3 or max(expected) > 0.7


@pytest.mark.parametrize("name", small.DEVICES)
@pytest.mark.parametrize("ideal", [False, True])
def test_it_holds_plastic_synapses_or_says_so(name, ideal):
    device = small.device(name, ideal)
    made = network(RULES[0])
    if "STDPMechanism" in device.supports.synapses:
        assert not device.objections(made)
        return
    with pytest.raises(Unsupported, match=f"'s to b': {name} has no STDPMechanism; it has"):
        workbench.map_network(made, device)


HOLDS = [
    (n, i) for n in small.DEVICES for i in (False, True) if "STDPMechanism" in small.device(n, i).supports.synapses
]


@pytest.fixture(params=[("reference", False), ("spinnaker-spin5", False), ("spinnaker-spin5", True)], scope="module")
def taught(request):
    """A chip that has run, with what it recorded and the weights that it had before and after."""
    device = small.device(*request.param)
    program = workbench.map_network(network(RULES[0]), device, dt=1.0)
    chip = workbench.fabricate(device)
    chip.load(program)
    before = {name: chip.read(name) for name in LEARNING}
    recording = chip.run(100.0)
    return chip, before, recording, {name: chip.read(name) for name in LEARNING}


def weights(chip):
    return {name: chip.read(name) for name in LEARNING}


def equal(a, b):
    return all(np.array_equal(a[name], b[name]) for name in LEARNING)


def test_a_chip_that_holds_them_says_so(taught):
    chip, before, _, after = taught
    assert "STDPMechanism" in chip.capabilities.plasticity or chip.device.substrate == "reference"
    assert not equal(before, after)


def test_a_run_from_the_beginning_forgets_and_one_that_goes_on_does_not(taught):
    chip, before, recording, after = taught
    assert small.same(chip.run(100.0), recording)
    assert equal(weights(chip), after)
    chip.reset(0)
    assert equal(weights(chip), before)
    chip.run(40.0)
    state = chip.snapshot()
    chip.run(60.0, reset=False)
    assert equal(weights(chip), after), "in two pieces"
    chip.restore(state)
    assert not equal(weights(chip), after)
    chip.run(60.0, reset=False)
    assert equal(weights(chip), after), "from a snapshot"


def test_written_weights_are_where_learning_begins(taught):
    chip, before, recording, after = taught
    for name, learned in after.items():
        chip.write(name, learned)
    assert equal(weights(chip), after)
    assert not small.same(chip.run(100.0), recording)
    for name, first in before.items():
        chip.write(name, first)
    assert small.same(chip.run(100.0), recording)


def test_a_saved_program_learns_the_same(taught, tmp_path):
    chip, _, recording, after = taught
    chip.program.save(tmp_path / "plastic.h5")
    program = nh.load_program(tmp_path / "plastic.h5")
    other = workbench.fabricate(program.device)
    assert small.same(workbench.run(program, other, 100.0), recording)
    assert equal(weights(other), after)


# --- SpiNNaker: the same integers as the replayed code ------------------------------------------------------------------


def words(chip, name):
    return np.rint(np.abs(chip.read(name)) / chip.loaded.scaling.unit[name]).astype(int)


@pytest.mark.parametrize("path", sorted(TRACES.glob("*stdp*.json")), ids=lambda path: path.stem)
def test_a_network_on_the_board_is_the_recorded_trace(path):
    told, columns = json.loads(path.read_text()), np.load(path.with_suffix(".npz"))
    dt, n_steps, s = told["timestep_ms"], told["n_steps"], told["stdp"]
    plastic, static = np.array(told["plastic_connections"]), np.array(told["static_connections"])
    steps, rows = np.array(told["events_time_row"]).T
    n_plastic = int(plastic[:, 0].max()) + 1
    rule = STDPMechanism(
        s["rule"],
        s["tau_plus"],
        s["tau_minus"],
        s["A_plus"],
        s["A_minus"],
        s["w_min"],
        s["w_max"],
        1.0,
        s["backprop_delay"],
    )
    made = Network("trace")
    for name, mine, first in (("pre", rows < n_plastic, 0), ("driver", rows >= n_plastic, n_plastic)):
        made = made.population(
            name,
            int(rows[mine].max()) + 1 - first,
            "SpikeSourceArray",
            spike_times=(steps[mine] * dt, rows[mine] - first),
        )
    parameters = {k: v for k, v in told["pynn_params"].items() if k != "v"}
    made = made.population(
        "post", told["n_neurons"], "IF_curr_exp", parameters, {"v": told["pynn_params"].get("v", -65.0)}
    )
    for name, table, synapse in (("pre", plastic, rule), ("driver", static, "StaticSynapse")):
        pairs = FromList(table[:, 0].astype(int), table[:, 1].astype(int))
        made = made.project(name, "post", pairs, table[:, 2], table[:, 3], "excitatory", synapse=synapse)
    program = workbench.map_network(made, "spinnaker-spin5", dt=dt, record={"post": ["v"]})
    chip = workbench.fabricate("spinnaker-spin5")
    recording = workbench.run(program, chip, n_steps * dt)
    assert program.scaling.shifts["post", "excitatory"] == told["ring_buffer_left_shifts"][0]
    v = np.rint(recording.traces["post"]["v"][:-1] * 32768).astype(int)
    assert np.array_equal(v.ravel(), columns["rec_V"])
    last = {update["row"]: update["weights_u16"] for update in told["plastic_row_after_each_pre_event"]}
    source = np.sort(plastic[:, 0])
    assert {row: words(chip, "pre to post")[source == row].tolist() for row in last} == last


def test_a_recurrent_network_on_the_board_is_the_replay_of_its_core():
    """Plastic synapses between the neurons themselves; the replay is given the spikes that the network has made."""
    rng, n, dt, n_steps = np.random.default_rng(3), 6, 1.0, 400
    rule = STDPMechanism("additive", 12.0, 16.0, 0.3, 0.2, 0.0, 3.0)
    source = [(rng.integers(0, n_steps, 60)).tolist() for _ in range(4)]
    outer = np.array([[s, t, rng.uniform(1, 2.5), rng.integers(1, 12)] for s in range(4) for t in range(n)])
    inner = np.array([[s, t, rng.uniform(0, 2), rng.integers(1, 12)] for s in range(n) for t in range(n) if s != t])
    parameters = {"tau_m": 20.0, "cm": 0.25, "i_offset": 0.2, "tau_refrac": 2.0, "tau_syn_E": 3.0}
    made = Network().population("s", 4, "SpikeSourceArray", spike_times=source)
    made = made.population("cells", n, "IF_curr_exp", parameters, {"v": -65.0})
    for name, table in (("s", outer), ("cells", inner)):
        pairs = FromList(table[:, 0].astype(int), table[:, 1].astype(int))
        made = made.project(name, "cells", pairs, table[:, 2], table[:, 3], "excitatory", synapse=rule)
    program = workbench.map_network(made, "spinnaker-spin5", dt=dt)
    chip = workbench.fabricate("spinnaker-spin5")
    spikes = workbench.run(program, chip, n_steps * dt).spikes
    times, who = np.rint(spikes["cells"][0] / dt).astype(int), spikes["cells"][1]
    given = np.array([(t, s) for s, train in enumerate(source) for t in train])
    events = sorted(map(tuple, np.concatenate((given, np.stack((times, who + 4), axis=1))).tolist()))
    joined = [*outer.tolist(), *(inner + np.array([4, 0, 0, 0])).tolist()]
    trace = Trace(
        model="IF_curr_exp_stdp_mad_pair_additive", timestep_ms=dt, n_neurons=n, n_steps=n_steps, events_time_row=events,
        pynn_params={**made.populations["cells"].parameters, "v": -65.0},
        plastic_connections=[(int(a), int(b), c, d) for a, b, c, d in joined],
        stdp={"rule": "additive", "backprop_delay": True} | {
            name: getattr(rule, name) for name in ("w_min", "w_max", "tau_plus", "tau_minus", "A_plus", "A_minus")
        },
    )  # fmt: skip
    emulation = Emulation(trace)
    run = emulation.run()
    replayed = [tuple(map(int, pair)) for pair in np.argwhere(run.out[:, 5])]
    assert replayed == sorted(zip(times.tolist(), who.tolist(), strict=True))
    assert times.size > 50
    rows = dict(zip((row for _, row in events), run.weights, strict=True))  # the last update of each row
    learned = np.concatenate((words(chip, "s to cells"), words(chip, "cells to cells")))
    source_of = np.sort(np.array(joined)[:, 0].astype(int))
    assert {row: learned[source_of == row].tolist() for row in rows} == {row: w.tolist() for row, w in rows.items()}
    assert int(run.traces.max()) > TRACE_ONE


def test_plastic_rows_are_work_for_cores_as_static_ones_are():
    """A rule that changes nothing makes the same spikes; delays of up to 100 steps pass through extensions."""
    still = STDPMechanism("additive", 20.0, 20.0, 0.0, 0.0, 0.0, 50.0)
    loads = []
    for synapse in ("StaticSynapse", still):
        made = Network().population("s", 20, "SpikeSourcePoisson", {"rate": 60.0})
        made = made.population("a", 30, "IF_curr_exp", {"i_offset": 0.9}).population("b", 20, "IF_curr_exp")
        made = made.project("s", "a", FixedProbability(0.5), 0.4, Uniform(1.0, 9.0))
        made = made.project("s", "b", FixedProbability(0.5), 0.4, Uniform(1.0, 9.0), synapse=synapse)
        made = made.project("a", "b", FixedProbability(0.3), 0.4, Uniform(1.0, 100.0), synapse=synapse)
        choices = {"neurons_per_core": 8, "largest_sum": {"b": {"excitatory": 60.0}}}
        chip = workbench.fabricate("spinnaker-spin3")
        workbench.run(workbench.map_network(made, "spinnaker-spin3", choices), chip, LENGTH)
        loads.append([str(core) for core in chip.tables()["cores"]])
        assert chip.ledger.synaptic_events > 5000
    assert loads[0] == loads[1]


def test_the_shift_of_a_plastic_receptor_is_that_of_its_largest_weight():
    """All synapses are taken to be at w_max, or at the largest weight given if that is larger."""
    shifts = []
    for weight, w_max in ((0.0, 3.0), (3.0, 0.0), (3.0, 3.0), (0.0, 100.0)):
        made = Network().population("s", 4, "SpikeSourceArray").population("c", 2, "IF_curr_exp")
        made = made.project("s", "c", AllToAll(), weight, Uniform(1.0, 9.0), synapse=STDPMechanism(w_max=w_max))
        shifts.append(workbench.map_network(made, "spinnaker-spin5").scaling.shifts["c", "excitatory"])
    assert shifts[0] == shifts[1] == shifts[2] < shifts[3]


def test_what_a_core_cannot_hold_is_refused_or_reported():
    made = network(RULES[0])
    other = made.project("a", "b", AllToAll(), 0.1, synapse=RULES[3], name="another")
    with pytest.raises(Unsupported, match="'b': a SpiNNaker core has one plasticity rule, but 's to b' and another"):
        workbench.map_network(other, "spinnaker-spin5")
    cells = Network().population("s", 2, "SpikeSourceArray").population("c", 2, "IF_curr_delta", {"cm": [1.0, 2.0]})
    with pytest.raises(Unsupported, match="factors that differ"):
        workbench.map_network(cells.project("s", "c", AllToAll(), 1.0, synapse="STDPMechanism"), "spinnaker-spin5")
    with pytest.raises(Unsupported, match="'b to a': late and dropped packets"):
        workbench.map_network(made, "spinnaker-spin5", {"overruns": "late"})
    program = workbench.map_network(network(RULES[1]), "spinnaker-spin5", dt=1.0)
    found = [loss for loss in program.report.losses if loss.what == "plastic synapses timed otherwise"]
    assert [loss.where for loss in found] == list(LEARNING)
    assert "0 of each delay in the dendrite" in found[0].why
