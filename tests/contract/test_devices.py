"""Every device file: it loads, says where its numbers come from, refuses what it lacks, and can be made ideal."""

import json
from dataclasses import replace

import numpy as np
import pytest

from neurohw import data_files, workbench
from neurohw.device import load_device
from neurohw.device.device import DeviceFile, numbers_of
from neurohw.device.substrates import SUBSTRATES
from neurohw.effects import EFFECTS
from neurohw.errors import BadInput, Unsupported
from neurohw.network import Network, Numerics
from neurohw.neurons import NEURONS, NeuronModel, SourceModel
from neurohw.passes.predicates import PREDICATES
from neurohw.synapses import SYNAPSES, SynapseRule
from tests import small


@pytest.fixture(params=small.DEVICES)
def name(request):
    return request.param


@pytest.fixture
def device(name):
    return small.device(name)


def test_the_name_is_that_of_the_file(name, device):
    assert device.name == device.title == name
    assert data_files.find("devices", name).stem == name


def test_it_says_what_it_is(device):
    assert 20 < len(device.summary) < 200
    assert all(note.strip() for note in device.sources.values())


def test_every_number_has_a_source_and_a_status(device):
    parts = (device.machine, *device.effects, device.energy, device.power, device.time_step)
    numbers = [pair for part in parts for pair in numbers_of(part)]
    assert numbers
    for place, number in numbers:
        assert number.source in device.sources, place
        assert number.status in ("measured", "fitted", "assumed"), place
        assert number.text, place


def test_its_models_and_rules_exist(device):
    assert set(device.supports.neurons) <= set(NEURONS)
    assert set(device.supports.synapses) <= set(SYNAPSES)
    assert any(isinstance(NEURONS[model], NeuronModel) for model in device.supports.neurons)
    assert any(isinstance(NEURONS[model], SourceModel) for model in device.supports.neurons)


def test_its_limits_are_those_of_parameters_that_exist(device):
    known = {p for model in device.supports.neurons for p in NEURONS[model].parameters}
    assert set(device.parameters) <= known
    assert all(limits.low <= limits.high for limits in device.parameters.values())


@pytest.mark.parametrize("model", NEURONS)
def test_a_model_that_it_lacks_is_refused_by_name(device, model):
    network = Network("one").population("one", 2, model)
    reasons = device.objections(network)
    if model in device.supports.neurons:
        assert not reasons
        return
    assert len(reasons) == 1
    assert all(word in reasons[0] for word in ("'one'", device.name, model))
    assert any(has in reasons[0] for has in device.supports.neurons)
    if isinstance(NEURONS[model], NeuronModel):
        with pytest.raises(Unsupported, match=model):
            workbench.map_network(network, device)


def test_a_model_that_nobody_has_is_refused(device):
    stranger = replace(NEURONS[small.MODELS[0]], name="stranger")
    network = Network().population("one", 2, small.MODELS[0])
    network = replace(network, populations={"one": replace(network.populations["one"], model=stranger)})
    assert "stranger" in device.objections(network)[0]


def test_a_synapse_rule_that_it_lacks_is_refused_by_name(device, monkeypatch):
    monkeypatch.setitem(SYNAPSES, "stranger", SynapseRule("stranger", True, "nowhere"))
    network = small.feed_forward(small.models_of(device.name)[0])
    first = next(iter(network.projections.values()))
    network = replace(network, projections={**network.projections, first.name: replace(first, synapse="stranger")})
    assert ["stranger" in reason and repr(first.name) in reason for reason in device.objections(network)] == [True]


def test_a_reset_that_it_lacks_is_refused_by_name(device):
    network = small.feed_forward(small.models_of(device.name)[0], numerics=Numerics(reset="subtract"))
    assert any("subtract" in reason for reason in device.objections(network)) == (
        "subtract" not in device.supports.reset
    )


def test_currents_that_it_lacks_are_refused(device):
    network = small.feed_forward(small.models_of(device.name)[0]).inject("cells", [1.0], [0.5])
    assert any("current" in reason for reason in device.objections(network)) != device.supports.currents


def test_ideal_has_no_effect_and_no_limit(device):
    ideal = device.ideal()
    assert ideal.is_ideal
    assert ideal.is_unlimited
    assert ideal.effects == ()
    assert not ideal.parameters
    assert set(ideal.supports.neurons) == set(NEURONS)
    assert ideal.title == f"{device.name} ideal"
    assert ideal.fingerprint == device.fingerprint
    assert not device.is_ideal, "the device itself is as it was"


def test_every_effect_is_one_of_the_table_and_stands_once(device):
    names = [effect.name for effect in device.effects]
    assert len(set(names)) == len(names)
    assert set(names) <= set(EFFECTS)


@pytest.mark.parametrize("effect", EFFECTS)
def test_leaving_out_an_effect(device, effect):
    if device.effect(effect) is None:
        with pytest.raises(BadInput, match=effect):
            device.without(effect)
        return
    less = device.without(effect)
    assert [e.name for e in less.effects] == [e.name for e in device.effects if e.name != effect]
    assert less.title == f"{device.name} without {effect}"
    assert less.effect(effect) is None
    assert device.effect(effect) is not None


def test_unknown_choices_are_refused(device):
    with pytest.raises(BadInput, match=r"no_such_choice: unknown key"):
        device.choices({"no_such_choice": 1})


def test_unknown_numbers_are_refused(device):
    with pytest.raises(BadInput, match="no_such_number"):
        device.with_(no_such_number=1.0)


def test_a_file_of_its_own_gives_the_same_device(device, name, tmp_path):
    text = data_files.find("devices", name).read_text(encoding="utf-8")
    (tmp_path / "copy.yaml").write_text(text, encoding="utf-8")
    copy = load_device(tmp_path / "copy.yaml")
    assert copy.fingerprint == device.fingerprint
    assert copy.effects == device.effects
    assert copy.machine == device.machine


def test_the_places_of_its_machine(device):
    sites = device.machine.sites()
    assert sites
    assert len(set(sites)) == len(sites)
    assert device.machine.neurons_per_unit(device.choices({})) >= 1
    few = sites[:: max(1, len(sites) // 20)]
    hops = np.array([[device.machine.hops(a, b) for b in few] for a in few])
    assert (hops >= 0).all()
    assert (np.diag(hops) == 0).all()
    assert (hops == hops.T).all()


def test_the_device_file_has_a_json_schema():
    schema = DeviceFile.model_json_schema()
    assert {"name", "substrate", "machine", "effects", "supports"} <= set(schema["properties"])
    json.dumps(schema)


@pytest.mark.parametrize("substrate", SUBSTRATES)
def test_the_parts_of_a_substrate_have_json_schemas(substrate):
    for part in (SUBSTRATES[substrate].machine, SUBSTRATES[substrate].choices):
        json.dumps(part.model_json_schema())
        assert (part.__doc__ or "").strip()


@pytest.mark.parametrize("model", small.MODELS)
def test_it_maps_and_runs_each_of_its_models(name, model):
    if model not in small.models_of(name):
        pytest.skip(f"{name} has no {model}")
    for network in small.NETWORKS:
        program = small.program(name, network, model)
        assert set(PREDICATES) - {"assigned"} <= set(program.established)
        assert program.dt == program.device.time_step
        recording = workbench.run(program, workbench.fabricate(program.device, seed=3), "40 ms")
        for population, (times, indices) in recording.spikes.items():
            size = program.network.populations[population].size
            assert recording.sizes[population] == size
            assert (np.diff(times) >= 0).all()
            assert (times >= 0).all()
            assert (times < 40).all()
            assert ((indices >= 0) & (indices < size)).all()
        sources = [recording.spikes[population][0].size for population in program.network.sources]
        cells = [recording.spikes[population][0].size for population in program.network.neurons]
        assert min(sources) > 0
        assert (sum(cells) > 0) == NEURONS[model].spikes, "the network does nothing here"
        for population in program.network.neurons:
            trace, axis = recording.traces[population]["v"], recording.times[population]["v"]
            assert trace.shape == (axis.size, recording.trace_neurons[population]["v"].size)
            assert np.isfinite(trace).all()
            assert np.ptp(trace) > 0
            assert axis[0] == 0
            assert axis[-1] == pytest.approx(40)
