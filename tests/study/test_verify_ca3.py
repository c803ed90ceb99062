"""Recordings of the CA3 memory on a real board, held against the emulated one, population by population."""

import gzip
import json
import sys
from pathlib import Path

import pytest

import neurohw as nh
from neurohw import cli
from neurohw.networks.ca3_memory import CELLS, OUTPUT, PUBLISHED, RULE, WIRES, input_spikes
from neurohw.study.verify_ca3 import SPIKES, STEMS

GOLDEN = Path(__file__).parents[1] / "golden" / "spinnaker" / "ca3.json.gz"
RECORDED = json.loads(gzip.decompress(GOLDEN.read_bytes()))
FOLLOWERS = ("CA3cueContRecall", "CA3MergeCue", "OUTcue")


def layer(name):
    return f"{STEMS.get(name, name)}L"


def as_published(experiment):
    """A recording in the form that its authors' configuration and results have."""
    told, wires = RECORDED[experiment], {}
    for source, target, whom, kind, weight, delay in WIRES:
        key = f"{layer(source)}-{layer(target)}" + ("-inh" if whom == "others" and source != target else "")
        wires[key] = {"initWeight": weight, "delay": delay, "receptor_type": kind, **(RULE if kind == "STDP" else {})}
    cells = {layer(name): parameters for name, (_, parameters) in CELLS.items() if not name.startswith("OUT")}
    return {
        "source": "a board", "cueSize": told["cues"], "contSize": told["content"], "timestep_ms": 1.0,
        "simTime": told["duration"] - 1, "output_layer_params": {**OUTPUT, "v_init": -60.0},
        "network_config": {
            "neuronParameters": json.loads(json.dumps(cells)), "synParameters": wires,
            "initNeuronParameters": {name: {"vInit": -60} for name in cells},
        },
        "input_spikes_cue": told["input_cue"], "input_spikes_cont": told["input_content"], SPIKES: told["spikes"],
    }  # fmt: skip


@pytest.fixture
def held(tmp_path):
    """Verify a published recording, changed in place by `change(data)`."""

    def hold(experiment="exp1", change=None):
        data = json.loads(json.dumps(as_published(experiment)))
        if change:
            change(data)
        (tmp_path / "exp.json").write_text(json.dumps(data))
        (found,) = nh.verify(tmp_path / "exp.json")
        return found

    return hold


@pytest.mark.parametrize(("experiment", "n"), [("exp1", 322), ("exp2", 1828), ("exp3", 504)])
def test_every_spike_of_every_population_is_that_of_the_board(held, experiment, n):
    found = held(experiment)
    assert found.exact, str(found)
    assert f"{n} spikes" in found.about
    assert all(name in found.about for name in RECORDED[experiment]["spikes"])
    assert "as in the authors' program" in found.about


@pytest.mark.parametrize(("experiment", "steps"), [("exp1", 4), ("exp2", 31)])
def test_the_weight_of_the_configuration_alone_is_not_what_the_board_ran(held, experiment, steps):
    """Divided by the number of content cells, the inhibition that the program multiplies: three populations differ."""

    def as_it_stands(data):
        for key, wire in data["network_config"]["synParameters"].items():
            if key in ("CA3cueCueRecallL-CA3cueContRecallL-inh", "CA3cueContRecallL-CA3cueContRecallL"):
                wire["initWeight"] /= data["contSize"]

    found = held(experiment, as_it_stands)
    assert not found.exact
    exact, different = found.verdicts.split("; ")
    assert different == "different: " + ", ".join(f"{name} on {steps} steps" for name in FOLLOWERS)
    assert not any(name in exact.split(": ")[1].split(", ") for name in FOLLOWERS)


def test_amplitudes_relative_to_w_max_are_not_what_the_board_ran(held):
    """The additive rule of PyNN's simulators, and of earlier versions of the tool chain: A times w_max."""

    def times_w_max(data):
        for wire in data["network_config"]["synParameters"].values():
            if "w_max" in wire:
                wire["A_plus"], wire["A_minus"] = (wire[name] * wire["w_max"] for name in ("A_plus", "A_minus"))

    found = held("exp1", times_w_max)
    assert not found.exact
    assert "CA3contCueRecall on 1 step" in found.verdicts


@pytest.mark.parametrize("population", RECORDED["exp1"]["spikes"])
def test_one_spike_that_is_another_is_named(held, population):
    def change(data):
        step, cells = data[SPIKES][population][3]
        data[SPIKES][population][3] = [step, cells[1:]]

    found = held("exp1", change)
    step, cells = RECORDED["exp1"]["spikes"][population][3]
    assert str(found.difference).startswith(f"step {step}, spikes of {population}: recorded [")
    assert f"emulated {cells}" in str(found.difference)
    assert f"different: {population} on 1 step" in found.verdicts


@pytest.mark.parametrize(
    ("change", "population"),
    [
        (lambda d: d["input_spikes_cue"][0].pop(), "INcue"),
        (lambda d: d["network_config"]["neuronParameters"]["CA3mergeContL"].update(v_thresh=-50.0), "CA3MergeCont"),
        (lambda d: d["network_config"]["synParameters"]["CA3contCondL-CA3contContRecallL"].update(delay=2.0), "CA3contContRecall"),
        (lambda d: d["network_config"]["synParameters"]["CA3contContRecallL-CA3cueContRecallL"].update(A_plus=3.0), "CA3cueContRecall"),
        (lambda d: d["output_layer_params"].update(v_thresh=-40.0), "OUTcue"),
    ],
)  # fmt: skip
def test_a_changed_number_shows_in_the_population_that_it_belongs_to(held, change, population):
    assert f"spikes of {population}" in str(held("exp1", change).difference)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d["network_config"]["synParameters"].pop("CA3mergeCueL-OL"), "CA3mergeCueL-OL is missing"),
        (lambda d: d["network_config"]["synParameters"]["CA3mergeCueL-OL"].update(delay="soon"), "delay is missing, or no number"),
        (lambda d: d["network_config"]["synParameters"]["CA3mergeCueL-OL"].update(receptor_type="STDP"), "'STDP' is not 'excitatory'"),
        (lambda d: d["network_config"]["neuronParameters"].pop("CA3contCondL"), "CA3contCondL is missing"),
        (lambda d: d["network_config"]["neuronParameters"]["CA3contCondL"].update(tau_m=0.0), "tau_m"),
        (lambda d: d[SPIKES].update(nobody=[]), "no population 'nobody'"),
        (lambda d: d.update(cueSize=3), "spikes of 5 cells, but there are 3"),
        (lambda d: d.update(contSize=10**9), "contSize"),
        (lambda d: d.update(simTime=1e12), "simTime"),
        (lambda d: d[SPIKES]["OUTcue"].append([2**62, [0]]), "spikes_by_population"),
        (lambda d: d.pop("input_spikes_cue"), "input_spikes_cue: missing"),
    ],
)  # fmt: skip
def test_bad_input_is_a_sentence(held, change, why):
    found = held("exp1", change)
    assert why in found.problem
    assert not found.exact


def test_exit_status(tmp_path, monkeypatch, capsys):
    data = as_published("exp1")
    for wanted, spikes in ((0, data[SPIKES]["OUTcont"]), (1, data[SPIKES]["OUTcont"][1:])):
        (tmp_path / "exp.json").write_text(json.dumps({**data, SPIKES: {**data[SPIKES], "OUTcont": spikes}}))
        monkeypatch.setattr(sys, "argv", ["neurohw", "verify", str(tmp_path)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert (stopped.value.code or 0) == wanted
    assert "spikes of OUTcont: recorded [], emulated [0, 1, 8, 9]; exact: INcue" in capsys.readouterr().out


def test_the_published_operations_are_those_of_the_recording():
    trains = input_spikes(PUBLISHED, 5, 10)
    assert trains == {"INcue": RECORDED["exp1"]["input_cue"], "INcont": RECORDED["exp1"]["input_content"]}
    network, told = nh.networks.ca3_memory(), RECORDED["exp1"]["spikes"]
    recording = nh.run(nh.map_network(network, "spinnaker-spin3", dt=1.0), nh.fabricate("spinnaker-spin3"), 90.0)
    for name, steps in told.items():
        pairs = {(step, cell) for step, cells in steps for cell in cells}
        assert set(zip(*(part.astype(int).tolist() for part in recording.spikes[name]), strict=True)) == pairs
