"""Every neuron model, source and synapse rule: PyNN's names and defaults, units that parse, equations for Brian2.

That Brian2 runs the equations, and that every chip follows them, is in test_ideal_is_reference.py.
"""

import re

import numpy as np
import pytest

from neurohw import units, workbench
from neurohw.connections import AllToAll
from neurohw.errors import BadInput, OutOfRange, Unsupported
from neurohw.kernels.float_neurons import MODELS
from neurohw.network import Network, Numerics
from neurohw.neurons import NEURONS, NeuronModel, SourceModel
from neurohw.program import normalize_record
from neurohw.synapses import SYNAPSES
from tests import small

SOURCES = [name for name, model in NEURONS.items() if isinstance(model, SourceModel)]


@pytest.fixture(params=small.MODELS)
def model(request):
    return NEURONS[request.param]


@pytest.mark.parametrize("name", NEURONS)
def test_the_table_says_its_name_and_source(name):
    assert NEURONS[name].name == name
    assert len(NEURONS[name].source) > 10


@pytest.mark.parametrize("name", NEURONS)
def test_defaults_build(name):
    network = Network().population("p", 3, name)
    for parameter, spec in NEURONS[name].parameters.items():
        assert (network.parameter("p", parameter) == spec.default).all()
        assert spec.meaning
        assert units.parse(f"1 {spec.unit}" if spec.unit else 1, spec.unit) == 1


@pytest.mark.parametrize("name", NEURONS)
def test_pynn_has_it_with_the_same_parameters_and_defaults(name):
    import pyNN.standardmodels.cells as pynn

    theirs = getattr(pynn, name, None)
    if theirs is None:
        pytest.skip(f"PyNN has no {name}")
    ours = {parameter: spec.default for parameter, spec in NEURONS[name].parameters.items()}
    scalars = {p: value for p, value in theirs.default_parameters.items() if p != "spike_times"}
    assert ours == {p: pytest.approx(value) for p, value in scalars.items()}


def test_it_starts_at_rest(model):
    """At v_rest where there is one, and without input that is on its way."""
    rest = {"v_rest": -61.0} if "v_rest" in model.parameters else {}
    network = Network().population("p", 3, model.name, rest)
    for state, spec in model.states.items():
        assert (network.initial("p", state, 0) == (-61.0 if state == "v" and rest else spec.default)).all()
        if "syn" in state or "rise" in state:
            assert spec.default == 0.0


def test_its_equations_speak_of_its_states_and_parameters_alone(model):
    words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r":[^\n]*", "", model.equations)))
    derivatives = {f"d{state}" for state in model.states}
    functions, units_ = {"exp", "dt", "int", "clip"}, {"ms", "mV", "pF", "nF"}
    assert words <= set(model.parameters) | set(model.states) | derivatives | functions | units_ | {"i_ext"}, words
    assert {f"d{state}/dt" for state in model.states} == set(re.findall(r"d\w+/dt", model.equations))
    assert set(model.receptors) == {"excitatory", "inhibitory"}
    assert set(model.receptors.values()) <= set(model.states)


def test_the_float_engine_has_it(model):
    rows = MODELS[model.name].states
    assert set(rows) == set(model.states)
    assert len(set(rows.values())) == len(rows)


def test_what_it_shows_can_be_recorded(model):
    network = Network().population("p", 3, model.name)
    record = normalize_record(network, {"p": list(model.recordable)})
    assert list(record["p"]) == list(model.states)
    with pytest.raises(BadInput, match=r"has no 'temperature'; it has spikes"):
        normalize_record(network, {"p": ["temperature"]})


def test_impossible_parameters_are_refused_all_at_once(model):
    positive = [name for name, spec in model.parameters.items() if spec.positive]
    if not positive:
        pytest.skip(f"{model.name} makes sense with any parameters")
    with pytest.raises(BadInput) as error:
        Network().population("p", 3, model.name, dict.fromkeys(positive, -1.0))
    assert all(f"{name}: -1 {model.parameters[name].unit} is not > 0" in str(error.value) for name in positive)


@pytest.mark.parametrize("value", [np.nan, [1.0, 2.0], "soon", "5 kg", None, True])
def test_malformed_values_are_bad_input(model, value):
    for name in model.parameters:
        with pytest.raises(BadInput, match=name):
            Network().population("p", 3, model.name, {name: value})


def test_infinity_only_where_it_means_something(model):
    for name, spec in model.parameters.items():
        if spec.may_be_infinite:
            Network().population("p", 3, model.name, {name: np.inf})
        else:
            with pytest.raises(BadInput, match=name):
                Network().population("p", 3, model.name, {name: np.inf})


@pytest.mark.parametrize("name", SOURCES)
def test_sources_take_no_input_and_have_no_state(name):
    network = Network().population("p", 3, name).population("q", 3, small.MODELS[0])
    with pytest.raises(BadInput, match="takes no input"):
        network.project("q", "p", None, 1.0)
    with pytest.raises(BadInput, match="no initial state"):
        Network().population("p", 3, name, initial={"v": -60.0})
    assert NEURONS[name].recordable == ("spikes",)


@pytest.mark.parametrize("name", SYNAPSES)
def test_synapse_rules(name):
    rule = SYNAPSES[name]
    assert rule.name == name
    assert rule.source
    assert isinstance(rule.plastic, bool)


def test_unknown_models_and_rules_name_what_there_is():
    with pytest.raises(Unsupported, match="IF_curr_exp"):
        Network().population("p", 3, "IF_curr_ex")
    network = Network().population("p", 3, small.MODELS[0])
    with pytest.raises(Unsupported, match="StaticSynapse"):
        network.project("p", "p", AllToAll(), 1.0, synapse="Static")


def test_every_model_has_a_weight_for_the_small_networks():
    assert {NEURONS[name].weight_unit for name in small.MODELS} <= set(small.WEIGHT)
    assert all(isinstance(NEURONS[name], NeuronModel) for name in small.MODELS)


def test_a_reset_that_makes_no_sense_is_refused(model):
    network = Network(numerics=Numerics(reset="subtract")).population("p", 3, model.name)
    reasons = small.device("reference").objections(network)
    assert [model.name in reason and "subtract" in reason for reason in reasons] == [True] * (
        "subtract" not in model.resets
    )


def test_steps_at_which_its_method_diverges_are_refused(model):
    """By the reference and by float neurons, with the remedy; what decays as dt/2 or faster grows by the midpoint rule."""
    if model.method != "midpoint" or "tau_syn_E" not in model.parameters:
        pytest.skip(f"{model.name} is not solved by the midpoint rule, or has nothing that decays")
    network = Network().population("p", 3, model.name, {"tau_syn_E": 0.4})
    for name in ("reference", "pcm-hermes"):
        device = small.device(name)
        if model.name not in device.supports.neurons:
            continue
        for dt, fits in ((0.5, True), (0.8, False)):
            program = workbench.map_network(network, device, dt=dt)
            if fits:
                workbench.run(program, workbench.fabricate(device), 5.0)
            else:
                with pytest.raises(OutOfRange, match=r"tau_syn_E of 0\.4 ms .* below 0\.8 ms"):
                    workbench.run(program, workbench.fabricate(device), 5.0)
