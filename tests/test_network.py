"""Networks: what they mean, what they refuse (all reasons at once, in words), and that they never change."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from neurohw.connections import (
    AllToAll,
    FixedNumberPost,
    FixedProbability,
    FixedTotalNumber,
    FromList,
    OneToOne,
    expected_synapses,
)
from neurohw.distributions import Normal, Uniform
from neurohw.errors import BadInput, Unsupported
from neurohw.network import MAX_NAME, Network, Numerics
from tests import small


def base():
    network = Network("base").population("a", 3, "IF_curr_exp").population("c", 4, "IF_cond_exp")
    return network.population("s", 2, "SpikeSourceArray", spike_times=[1.0])


def population(*arguments, **options):
    return Network().population(*arguments, **options)


BAD = {
    "size must be a whole number >= 1, got '3'": lambda: population("a", "3", "IF_curr_exp"),
    "got 3.0": lambda: population("a", 3.0, "IF_curr_exp"),
    "got True": lambda: population("a", True, "IF_curr_exp"),
    "got 0": lambda: population("a", 0, "IF_curr_exp"),
    "a name is 1 to 100 printable characters": lambda: population("", 3, "IF_curr_exp"),
    "a name is 1 to 100 printable characters without": lambda: population("a/b", 3, "IF_curr_exp"),
    "population 'a\\n'": lambda: population("a\n", 3, "IF_curr_exp"),
    "population None": lambda: population(None, 3, "IF_curr_exp"),
    "the name is taken": lambda: base().population("a", 3, "IF_curr_exp"),
    "no parameter 'tau'; there are v_rest, cm, tau_m": lambda: population("a", 3, "IF_curr_exp", {"tau": 1.0}),
    "no parameter 'w'; there are v, isyn_exc, isyn_inh": lambda: population("a", 3, "IF_curr_exp", initial={"w": 1}),
    "tau_m: expected plain numbers": lambda: population("a", 3, "IF_curr_exp", {"tau_m": ["1 ms", "2 ms", "3 ms"]}),
    "tau_m: an array of shape (2,) where 3 values are needed": lambda: population(
        "a", 3, "IF_curr_exp", {"tau_m": [1, 2]}
    ),
    "tau_m: the array holds NaN": lambda: population("a", 3, "IF_curr_exp", {"tau_m": [1, 2, np.nan]}),
    "tau_m: -1 ms is not > 0": lambda: population("a", 3, "IF_curr_exp", {"tau_m": Uniform(-1, 2)}),
    "tau_m: -inf ms is not > 0": lambda: population("a", 3, "IF_curr_exp", {"tau_m": Normal(10, 1)}),
    "tau_refrac: -1 ms is negative": lambda: population("a", 3, "IF_curr_exp", {"tau_refrac": -1.0}),
    "rate: -5 Hz is negative": lambda: population("s", 3, "SpikeSourcePoisson", {"rate": Uniform(-5, 5)}),
    "duration: -1 ms is negative": lambda: population("s", 3, "SpikeSourcePoisson", {"duration": -1.0}),
    "'20 mV' is not a quantity in ms": lambda: population("a", 3, "IF_curr_exp", {"tau_m": "20 mV"}),
    "'20' has no unit": lambda: population("a", 3, "IF_curr_exp", {"tau_m": "20"}),
    "a SpikeSourcePoisson takes no spike times": lambda: population("s", 2, "SpikeSourcePoisson", spike_times=[1.0]),
    "a IF_curr_exp takes no spike times": lambda: population("s", 2, "IF_curr_exp", spike_times=[1.0]),
    "spike times are a list": lambda: population("s", 2, "SpikeSourceArray", spike_times=5.0),
    "spike times are a list of": lambda: population("s", 2, "SpikeSourceArray", spike_times="1 ms"),
    "expected plain numbers, got ['x']": lambda: population("s", 2, "SpikeSourceArray", spike_times=[["x"], [1.0]]),
    "spike times must be finite": lambda: population("s", 2, "SpikeSourceArray", spike_times=[np.nan]),
    "spike times must be": lambda: population("s", 2, "SpikeSourceArray", spike_times=[-1.0]),
    "spike indices must lie in 0..1": lambda: population("s", 2, "SpikeSourceArray", spike_times=([1.0], [2])),
    "indices are whole numbers": lambda: population("s", 2, "SpikeSourceArray", spike_times=([1.0], [0.5])),
    "1 spike times but 2 indices": lambda: population("s", 2, "SpikeSourceArray", spike_times=([1.0], [0, 1])),
    "spike times for 3 neurons, but there are 2": lambda: population(
        "s", 2, "SpikeSourceArray", spike_times=[[1.0]] * 3
    ),
    "no population 'x'; there are a, c, s": lambda: base().project("x", "a", AllToAll(), 1.0),
    "is no connection rule": lambda: base().project("a", "a", AllToAll, 1.0),
    "'all' is no connection rule": lambda: base().project("a", "a", "all", 1.0),
    "weight: '1' has no unit": lambda: base().project("a", "a", AllToAll(), "1"),
    "weight: '1 uS' is not a quantity in nA": lambda: base().project("a", "a", AllToAll(), "1 uS"),
    "weight: expected a quantity in nA, got None": lambda: base().project("a", "a", AllToAll(), None),
    "weight: nan is not a finite number": lambda: base().project("a", "a", AllToAll(), np.nan),
    "weight: an array of shape (8,) where 9": lambda: base().project("a", "a", AllToAll(), [1.0] * 8),
    "weight: an array needs a rule with a known order": lambda: base().project(
        "a", "a", FixedProbability(0.5), [1.0] * 9
    ),
    "delay -1 ms is negative": lambda: base().project("a", "a", AllToAll(), 1.0, Uniform(-1, 1)),
    "delay -inf ms is negative": lambda: base().project("a", "a", AllToAll(), 1.0, Normal(1, 1)),
    "delay: inf is not a finite number": lambda: base().project("a", "a", AllToAll(), 1.0, np.inf),
    "no receptor 'x'; there are excitatory, inhibitory": lambda: base().project(
        "a", "a", AllToAll(), 1.0, receptor="x"
    ),
    "inhibitory weights onto a current-based model are <= 0": lambda: base().project(
        "a", "a", AllToAll(), 1.0, receptor="inhibitory"
    ),
    "this receptor takes weights >= 0": lambda: base().project("a", "a", AllToAll(), -1.0, receptor="excitatory"),
    "'s' is a SpikeSourceArray and takes no input": lambda: base().project("a", "s", AllToAll(), 1.0),
    "FixedNumberPost: n = 4 exceeds the 3 neurons": lambda: base().project("c", "a", FixedNumberPost(4), 1.0),
    "FromList: post index 3 lies outside 0..2": lambda: base().project("a", "a", FromList([0], [3]), 1.0),
    "FixedTotalNumber: n must be a whole number": lambda: FixedTotalNumber(1.5),
    "FixedProbability: p_connect 1.5 lies outside": lambda: FixedProbability(1.5),
    "p_connect nan lies outside": lambda: FixedProbability(np.nan),
    "FromList: pre must hold whole numbers": lambda: FromList([0.5], [0]),
    "FromList: 2 sources but 1 targets": lambda: FromList([1, 2], [0]),
    "there is no such population of neurons": lambda: base().inject("s", [1.0], [1.0]),
    "expected plain numbers, got 1 ms": lambda: base().inject("a", "1 ms", [1.0]),
    "2 times but 1 amplitudes": lambda: base().inject("a", [1.0, 2.0], [1.0]),
    "times must ascend": lambda: base().inject("a", [2.0, 1.0], [1.0, 2.0]),
    "times and amplitudes must be finite": lambda: base().inject("a", [np.nan], [1.0]),
    "neuron indices must lie in 0..2": lambda: base().inject("a", [1.0], [1.0], [3]),
    "integration is one of exact, euler, got 'rk4'": lambda: Numerics(integration="rk4"),
    "reset is one of set, subtract, got 'zero'": lambda: Numerics(reset="zero"),
    "stimulus_grid 0 ms is not > 0": lambda: Numerics(stimulus_grid=0),
    "the seed must be a whole number, got 1.5": lambda: Network(seed=1.5),
}


@pytest.mark.parametrize("said", BAD)
def test_bad_input_says_what_is_wrong(said):
    with pytest.raises(BadInput) as error:
        BAD[said]()
    assert said in str(error.value)


def test_every_reason_at_once():
    with pytest.raises(BadInput) as error:
        population("a", 3, "IF_curr_exp", {"tau_m": -1, "cm": "1 mV", "tau": 3, "v_rest": np.nan})
    assert all(word in str(error.value) for word in ("tau_m: -1", "cm: '1 mV'", "'tau'", "v_rest: nan"))
    with pytest.raises(BadInput) as error:
        base().project("a", "a", FixedNumberPost(9), -1.0, -2.0, receptor="excitatory")
    assert all(word in str(error.value) for word in ("FixedNumberPost", "weights >= 0", "delay -2"))


def test_names_may_be_any_words():
    network = population("Füllkörper 7, ½", 2, "IF_curr_exp").population("n" * MAX_NAME, 1, "IF_curr_exp")
    network = network.project("Füllkörper 7, ½", "n" * MAX_NAME, AllToAll(), 1.0, name="x")
    assert list(network.projections) == ["x"]


def test_numbers_may_have_units():
    network = population("a", 3, "IF_cond_exp", {"tau_m": "0.02 s", "cm": "200 pF", "v_rest": "-0.07 V"})
    assert [network.parameter("a", p)[0] for p in ("tau_m", "cm", "v_rest")] == pytest.approx([20.0, 0.2, -70.0])
    assert network.project("a", "a", AllToAll(), "4 nS", "200 us").projections["a to a"].weight == pytest.approx(0.004)


def test_the_receptor_follows_the_sign():
    network = base().project("a", "a", AllToAll(), -1.0).project("a", "a", AllToAll(), 1.0)
    network = network.project("a", "c", AllToAll(), 1.0, receptor="inhibitory")
    assert [p.receptor for p in network.projections.values()] == ["inhibitory", "excitatory", "inhibitory"]
    assert list(network.projections) == ["a to a", "a to a (2)", "a to c"]


def test_spike_times_in_every_form():
    forms = [[2.0, 1.0], [[1.0, 2.0], [1.0, 2.0]], (np.array([2.0, 1.0, 1.0, 2.0]), np.array([0, 1, 0, 1]))]
    for given in forms:
        train = population("s", 2, "SpikeSourceArray", spike_times=given).populations["s"].spike_times
        assert train.times.tolist() == [1.0, 1.0, 2.0, 2.0]
        assert train.indices.tolist() == [0, 1, 0, 1]
    nothing = population("s", 2, "SpikeSourceArray").populations["s"].spike_times
    assert nothing.times.size == 0
    assert population("s", 2, "SpikeSourceArray", spike_times=[[], [3.0]]).populations[
        "s"
    ].spike_times.indices.tolist() == [1]


def test_a_network_never_changes():
    first = base()
    before = (dict(first.populations), dict(first.projections), first.currents)
    second = first.population("d", 1, "IF_curr_exp").project("d", "a", OneToOne(), 1.0).inject("d", [1.0], [0.5])
    assert (dict(first.populations), dict(first.projections), first.currents) == before
    assert list(second.populations) == ["a", "c", "s", "d"]
    assert len(second.currents) == 1
    for thing in (first, first.populations["a"], second.projections["d to a"], first.numerics, AllToAll()):
        name = next(iter(vars(thing)))
        with pytest.raises(FrozenInstanceError):
            setattr(thing, name, None)


def test_parameters_and_initial_states_come_from_their_own_seeds():
    """Parameters from the network's, initial states from the trial's; each from an address of its own."""

    def drawn(seed, trial):
        network = Network(seed=seed)
        for name in ("a", "b"):
            network = network.population(
                name, 50, "IF_curr_exp", {"tau_m": Uniform(5, 9), "cm": Uniform(5, 9)}, {"v": Uniform(5, 9)}
            )
        fixed = [network.parameter(p, name) for p in ("a", "b") for name in ("tau_m", "cm")]
        return fixed, [network.initial(p, "v", trial) for p in ("a", "b")]

    fixed, start = drawn(1, 1)
    assert np.array_equal(drawn(1, 2)[0], fixed)
    assert not np.array_equal(drawn(1, 2)[1], start)
    assert np.array_equal(drawn(2, 1)[1], start)
    assert not np.array_equal(drawn(2, 1)[0], fixed)
    every = [values.tolist() for values in (*fixed, *start)]
    assert len({tuple(values) for values in every}) == len(every)


def test_the_network_seed_changes_connectivity_alone():
    from neurohw.kernels.rows import rows
    from neurohw.kernels.stimulus import spikes

    one, two = small.recurrent_short("IF_curr_exp", seed=1), small.recurrent_short("IF_curr_exp", seed=2)
    for name in ("e to e", "i to e"):
        a, b = rows(one, one.projections[name]), rows(two, two.projections[name])
        assert not np.array_equal(a.targets, b.targets)
    assert np.array_equal(one.initial("e", "v", 5), two.initial("e", "v", 5))
    for trial in (0, 1):
        a, b = (spikes(n, {"drive": 0}, trial, 0.1, 0, 1000) for n in (one, two))
        assert np.array_equal(a[0], b[0])
        assert np.array_equal(a[1], b[1])


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        (AllToAll(), 16),
        (AllToAll(False), 12),
        (OneToOne(), 4),
        (FixedProbability(0.5), 8),
        (FixedProbability(0.5, False), 6),
    ],
)
def test_expected_synapses(rule, count):
    assert expected_synapses(rule, 4, 4, True) == count
    assert base().project("c", "c", rule, 0.1).expected_synapses("c to c") == count


def test_unknown_models_are_unsupported():
    for model in ("Izh", None, ["IF_curr_exp"], 5):
        with pytest.raises(Unsupported, match="IF_curr_exp"):
            population("a", 3, model)


def test_devices_without_a_model_name_those_they_have():
    from neurohw.workbench import map_network

    for model in ("ALIF", "LI"):
        with pytest.raises(Unsupported, match=rf"has no {model}; it has IF_curr_exp.*IF_curr_delta"):
            map_network(Network().population("n", 2, model), "spinnaker-spin5")
