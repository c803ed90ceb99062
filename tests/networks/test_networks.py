"""The library networks: published counts, signs, scaling, determinism, and what a wrong parameter says."""

import inspect

import numpy as np
import pytest

from neurohw import fabricate, load_device, map_network, networks, run
from neurohw.distributions import spread
from neurohw.errors import BadInput
from neurohw.kernels.rows import rows
from neurohw.networks import NETWORKS, attractor, build, ca3_memory, microcircuit, synfire_chain, vogels_abbott
from neurohw.study import statistics

POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
RATES = (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829)  # Hz


def in_degree(network, target, sources=None):
    into = [k for k, p in network.projections.items() if p.target == target and (not sources or p.source in sources)]
    return sum(network.expected_synapses(k) for k in into) / network.populations[target].size


def recurrent_synapses(network):
    return sum(network.expected_synapses(k) for k, p in network.projections.items() if p.source in network.neurons)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_a_function_of_a_seed_and_documents_each_parameter(name):
    function = NETWORKS[name]
    parameters = inspect.signature(function).parameters
    assert getattr(networks, name) is function
    assert "seed" in parameters
    assert all(p.default is not p.empty for p in parameters.values())
    assert all(parameter in function.__doc__ for parameter in parameters)
    assert "Source" in function.__doc__


@pytest.mark.parametrize("n", [1000, 4000, 10_000])
@pytest.mark.parametrize("synapses", ["conductance", "current"])
def test_vogels_abbott_keeps_the_in_degree_when_its_size_changes(n, synapses):
    network = vogels_abbott(n=n, synapses=synapses)
    assert network.populations["excitatory"].size == 0.8 * n
    assert network.populations["inhibitory"].size == 0.2 * n
    own = ["excitatory", "inhibitory"]
    assert in_degree(network, "inhibitory", ["excitatory"]) == pytest.approx(64)
    assert in_degree(network, "excitatory", own) == pytest.approx(80, abs=80 / n)  # less itself
    assert ("stimulus" in network.sources) == (synapses == "conductance")


def test_vogels_abbott_has_pynns_numbers():
    conductance, current = vogels_abbott(), vogels_abbott(synapses="current")
    assert conductance.projections["inhibitory to excitatory"].weight == pytest.approx(0.067)
    assert current.projections["excitatory to inhibitory"].weight == pytest.approx(0.0162)
    assert current.projections["inhibitory to inhibitory"].weight == pytest.approx(-0.09)
    assert current.populations["excitatory"].parameters["v_rest"] == -49.0
    assert in_degree(conductance, "excitatory", ["stimulus"]) == pytest.approx(0.2)
    assert conductance.populations["stimulus"].parameters["duration"] == 50.0
    v = conductance.initial("excitatory", "v", trial=0)
    assert v.min() >= -60
    assert v.max() < -50
    assert v.mean() == pytest.approx(-55, abs=4 * 10 / np.sqrt(12 * 3200))
    assert vogels_abbott(w_inh="60 nS").projections["inhibitory to excitatory"].weight == pytest.approx(0.06)
    drawn = rows(conductance, conductance.projections["excitatory to excitatory"])
    assert not (drawn.sources == drawn.targets).any()
    assert drawn.targets.size == pytest.approx(204_736, abs=4 * np.sqrt(204_736))


def test_the_full_microcircuit_has_the_published_size():
    network = microcircuit(scale=1.0)
    assert sum(p.size for p in network.neurons.values()) == 77_169
    assert recurrent_synapses(network) == 298_880_970  # 2.99e8; Potjans & Diesmann 2014
    assert all(p.parameters["i_offset"] == 0.0 for p in network.neurons.values())
    rates = [p.parameters["rate"] for p in network.sources.values()]
    assert rates == [8.0 * k for k in (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100)]
    assert spread(network.projections["L4E to L23E"].weight)[0] == pytest.approx(2 * 0.0878)


def test_a_smaller_microcircuit_keeps_the_mean_and_variance_of_its_input():
    full, small = microcircuit(scale=1.0), microcircuit(scale=0.1)
    rates = dict(zip(POPULATIONS, RATES, strict=True))
    assert recurrent_synapses(small) == pytest.approx(0.01 * recurrent_synapses(full), rel=1e-5)

    def moments(network, target, offset):
        mean, power = offset, 0.0
        for name, p in network.projections.items():
            if p.target == target:
                rate = rates.get(p.source) or network.populations[p.source].parameters["rate"]
                weight, degree = spread(p.weight)[0], network.expected_synapses(name) / network.populations[target].size
                mean += 1e-3 * 0.5 * weight * degree * rate
                power += weight**2 * degree * rate
        return mean, power

    for target in rates:
        mean, power = moments(full, target, 0.0)
        scaled_mean, scaled_power = moments(small, target, small.populations[target].parameters["i_offset"])
        assert scaled_mean == pytest.approx(mean, abs=2e-3)  # nA; L5I has 106 neurons, not 106.5
        assert scaled_power == pytest.approx(power, rel=5e-3)


def test_microcircuit_weights_keep_their_sign_and_delays_their_floor():
    network = microcircuit(scale=0.02, thalamus=True)
    for p in network.projections.values():
        drawn = rows(network, p)
        assert (drawn.weights <= 0).all() if p.receptor == "inhibitory" else (drawn.weights >= 0).all()
        assert drawn.delays.size == 0 or drawn.delays.min() >= 0.1
        assert (p.receptor == "inhibitory") == p.source.endswith("I")
    exc, inh = (rows(network, network.projections[name]) for name in ("L4E to L4E", "L4I to L4E"))
    w = 0.0878 / np.sqrt(0.02)
    for drawn, mean in ((exc, w), (inh, -4 * w)):
        assert drawn.weights.mean() == pytest.approx(mean, abs=4 * 0.1 * abs(mean) / np.sqrt(drawn.weights.size))
        assert drawn.weights.std() == pytest.approx(0.1 * abs(mean), rel=4 / np.sqrt(2 * drawn.weights.size))
    assert in_degree(network, "L4E", ["thalamus"]) * 21915 == pytest.approx(902 * 21915 * 0.1035 * 0.02, rel=0.01)
    assert not microcircuit(scale=0.02, input="dc").sources


def test_a_synfire_chain_is_wired_forward():
    network = synfire_chain(groups=3, a=1.5, sigma="2 ms")
    assert list(network.neurons) == ["exc1", "inh1", "exc2", "inh2", "exc3", "inh3"]
    assert in_degree(network, "exc2", ["exc1"]) == 60
    assert in_degree(network, "exc2", ["inh2"]) == 25
    assert in_degree(network, "inh1") == 60
    assert network.projections["inh2 to exc2"].receptor == "inhibitory"
    spikes = network.populations["stimulus"].spike_times
    assert spikes.times.size == 150
    assert np.bincount(spikes.indices).tolist() == [2] * 50 + [1] * 50
    assert spikes.times.mean() == pytest.approx(50, abs=4 * 2 / np.sqrt(150))
    assert spikes.times.std() == pytest.approx(2, rel=4 / np.sqrt(300))
    assert set(synfire_chain(sigma=0).populations["stimulus"].spike_times.times) == {50.0}


NOTHING_DRAWN = {"ca3_memory"}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_depends_on_its_seed_alone(name):
    small = {"microcircuit": {"scale": 0.02}, "vogels_abbott": {"n": 500}}.get(name, {})

    def fingerprint(seed):
        network = build(name, {**small, "seed": seed})
        drawn = [rows(network, p) for p in network.projections.values()]
        given = [p.spike_times.times for p in network.sources.values() if p.spike_times is not None]
        return np.concatenate([r.targets for r in drawn] + given).tobytes()

    assert fingerprint(3) == fingerprint(3)
    assert (fingerprint(3) == fingerprint(4)) == (name in NOTHING_DRAWN)


def test_a_memory_learns_recalls_and_forgets():
    """On the emulated board: what was learned comes back by cue and by content; what was learned anew replaces it."""
    operations = "0 learn 0: 1 2; 15 learn 1: 2 3; 30 recall cue 0; 45 recall content 3; 60 learn 0: 0; 80 recall cue 0"
    network = ca3_memory(cues=2, content=4, operations=operations)
    recording = run(map_network(network, "spinnaker-spin3", dt=1.0), fabricate("spinnaker-spin3"), 100.0)

    def recalled(population, first, last):
        times, cells = recording.spikes[population]
        return sorted(set(cells[(times >= first) & (times < last)].tolist()))

    assert recalled("OUTcont", 30, 45) == [1, 2]
    assert recalled("OUTcue", 45, 60) == [1]
    assert recalled("OUTcont", 80, 100) == [0], "what cue 0 held before is forgotten"


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("brunel", {}, "vogels_abbott, microcircuit, synfire_chain"),
        ("vogels_abbott", {"N": 4000}, "no parameter 'N'.*n=4000, seed=1"),
        ("vogels_abbott", {"n": 4000.5}, "n is a whole number"),
        ("vogels_abbott", {"n": True}, "n is a whole number"),
        ("vogels_abbott", {"n": 10**400}, "n=4000"),
        ("vogels_abbott", {"n": 50}, "in_degree <= n"),
        ("vogels_abbott", {"synapses": "COBA"}, "'conductance', 'current'"),
        ("vogels_abbott", {"delay": "0.2"}, "no unit"),
        ("vogels_abbott", {"delay": [0.2]}, "delay is a quantity"),
        ("vogels_abbott", {"stimulus_rate": "5 mV"}, "Hz"),
        ("vogels_abbott", {"seed": "one"}, "seed is a whole number"),
        ("microcircuit", {"scale": 2.0}, "0 < scale <= 1"),
        ("microcircuit", {"scale": 1e-5}, "without neurons"),
        ("microcircuit", {"scale": float("nan")}, "scale is a number"),
        ("microcircuit", {"input": "DC"}, "'poisson', 'dc'"),
        ("microcircuit", {"thalamus": "yes"}, "true or false"),
        ("synfire_chain", {"groups": 0}, "groups >= 1"),
        ("synfire_chain", {"from_exc": 101}, "exceeds"),
        ("synfire_chain", {"sigma": "-1 ms"}, "sigma"),
        ("synfire_chain", {"a": 1e9}, "a <= 1000"),
        ("ca3_memory", {"cues": 0}, "cues >= 1"),
        ("ca3_memory", {"operations": "0 learn 7: 1"}, "INcue has the cells 0..4, not 7"),
        (
            "ca3_memory",
            {"operations": "5 forget 1"},
            "'5 forget 1' cannot be read; write for example '0 learn 4: 1 5 6'",
        ),
        ("ca3_memory", {"operations": "0 recall cue one"}, "cannot be read"),
        ("ca3_memory", {"step": "0 ms"}, "is not > 0"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_there_is(name, parameters, says):
    with pytest.raises(BadInput, match=says):
        build(name, parameters)


def test_attractor_has_baskets_only_where_it_is_stabilized():
    plain, stabilized = attractor(stabilized=False), attractor()
    assert sum(p.size for p in plain.neurons.values()) == 4 * 50
    assert sum(p.size for p in stabilized.neurons.values()) == 4 * 60
    assert stabilized.projections["exc2 to basket2"].weight == 0.004
    assert plain.projections["exc1 to exc1"].weight < stabilized.projections["exc1 to exc1"].weight
    with pytest.raises(BadInput, match="groups >= 2"):
        attractor(groups=1)


@pytest.mark.parametrize("stabilized", [True, False])
def test_one_attractor_at_a_time_is_active_and_all_have_their_turns(stabilized):
    device = load_device("brainscales1-wafer").ideal()
    program = map_network(attractor(stabilized=stabilized), device, dt=0.2)
    one = statistics.after(run(program, fabricate(device), "2 s"), 200.0)
    assert statistics.sample("purity", one, "exc1") > 0.85  # four equal ones: 0.25
    assert statistics.sample("evenness", one, "exc1") > 0.85
    assert 40 < statistics.sample("dwell", one, "exc2").mean() < 400  # ms; adaptation ends a turn
