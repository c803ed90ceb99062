"""Bad input from Python: the named error, and in its message the thing, the limit and a remedy."""

import numpy as np
import pytest

import neurohw as nh
from neurohw import units, workbench
from neurohw.connections import AllToAll, FixedProbability, FixedTotalNumber, FromList, OneToOne
from neurohw.distributions import Normal, Uniform
from neurohw.errors import BadInput, DoesNotFit, NeurohwError, NotReadable, OutOfRange, Unsupported, one_line
from neurohw.kernels import budget
from neurohw.network import Network, Numerics
from neurohw.schema import In, Number, validate
from neurohw.study.compare import compare

NAN, INF = float("nan"), float("inf")
SPIN3 = nh.load_device("spinnaker-spin3")
IDEAL = SPIN3.ideal()
PCM = nh.load_device("pcm-set")


def cells(**parameters) -> Network:
    return Network("net").population("a", 3, "IF_curr_exp", parameters)


def onto_conductances() -> Network:
    net = cells().population("c", 2, "IF_cond_exp")
    return net.project("a", "c", AllToAll(), 0.1, synapse="SignedSynapse")


def wired(weight=0.5, delay=1.0, rule=None, **more) -> Network:
    network = (
        cells().population("b", 4, "IF_curr_exp").population("s", 2, "SpikeSourceArray", spike_times=[[1.0], [2.0]])
    )
    return network.project("a", "b", rule or AllToAll(), weight, delay, **more)


def loaded(device=IDEAL):
    chip = nh.fabricate(device)
    chip.load(nh.map_network(wired(), device, dt=1.0))
    return chip


def described(**given) -> Number:
    return In("uS", at_least=0)._validate({"value": "25 uS", "source": "KEY", "status": "measured", **given})


BUILDING = {
    "name twice": (lambda: cells().population("a", 1, "IF_curr_exp"), BadInput, "'a'", "another"),
    "empty name": (lambda: Network().population(" ", 1, "IF_curr_exp"), BadInput, "printable"),
    "name with an escape": (lambda: Network().population("\x1b[31m", 1, "IF_curr_exp"), BadInput, "printable"),
    "name too long": (lambda: Network().population("x" * 101, 1, "IF_curr_exp"), BadInput, "1 to 100"),
    "name with a slash": (lambda: Network().population("a/b", 1, "IF_curr_exp"), BadInput, "'/'"),
    "no neurons": (lambda: Network().population("a", 0, "IF_curr_exp"), BadInput, ">= 1", "got 0"),
    "half a neuron": (lambda: Network().population("a", 2.5, "IF_curr_exp"), BadInput, "whole number", "2.5"),
    "unknown model": (lambda: Network().population("a", 1, "LIF"), Unsupported, "'LIF'", "IF_curr_exp"),
    "unknown parameter": (lambda: cells(tau=1), BadInput, "'a'", "no parameter 'tau'", "tau_m"),
    "every reason at once": (lambda: cells(tau=1, tau_m="5 mV"), BadInput, "no parameter 'tau'", "'5 mV' is not a quantity in ms"),
    "wrong unit": (lambda: cells(tau_m="5 mV"), BadInput, "tau_m", "not a quantity in ms"),
    "missing unit": (lambda: cells(tau_m="5"), BadInput, "tau_m", "no unit", "'5 ms'"),
    "NaN": (lambda: cells(v_rest=NAN), BadInput, "v_rest", "finite"),
    "NaN in an array": (lambda: cells(v_rest=[1, 2, NAN]), BadInput, "v_rest", "NaN"),
    "beyond all bounds": (lambda: cells(v_rest=1e300), BadInput, "v_rest", "1e+15 mV"),
    "array beyond all bounds": (lambda: cells(v_rest=[0, 0, 1e300]), BadInput, "v_rest", "1e+15 mV"),
    "negative time constant": (lambda: cells(tau_m=-1), BadInput, "tau_m", "-1 ms is not > 0"),
    "wrong shape": (lambda: cells(v_rest=[1, 2]), BadInput, "(2,)", "3 values are needed"),
    "spike times NaN": (lambda: Network().population("s", 1, "SpikeSourceArray", spike_times=[NAN]), BadInput, "finite"),
    "spike times negative": (lambda: Network().population("s", 1, "SpikeSourceArray", spike_times=[-1]), BadInput, ">= 0 ms"),
    "spike times 1e300": (lambda: Network().population("s", 1, "SpikeSourceArray", spike_times=[1e300]), BadInput, "1e+15 ms"),
    "spike index": (lambda: Network().population("s", 2, "SpikeSourceArray", spike_times=([1.0], [2])), BadInput, "0..1"),
    "no such population": (lambda: cells().project("a", "z", AllToAll(), 1.0), BadInput, "'z'", "there are a"),
    "into a source": (lambda: wired().project("a", "s", AllToAll(), 1.0), BadInput, "'s'", "takes no input"),
    "negative delay": (lambda: wired(delay="-1 ms"), BadInput, "delay -1 ms is negative", ">= 0 ms"),
    "NaN delay": (lambda: wired(delay=NAN), BadInput, "delay", "finite"),
    "weight without unit": (lambda: wired(weight="0.5"), BadInput, "weight", "'0.5 nA'"),
    "weight of another unit": (lambda: wired(weight="5 uS"), BadInput, "weight", "not a quantity in nA"),
    "weight array of the wrong shape": (lambda: wired(weight=np.ones((3, 5))), BadInput, "(3, 5)", "12 values are needed"),
    "weight array without order": (lambda: wired(weight=np.ones(12), rule=FixedProbability(0.5)), BadInput, "known order", "FromList"),
    "weight array with NaN": (lambda: wired(weight=np.full(12, NAN)), BadInput, "weight", "NaN"),
    "weight of the wrong sign": (lambda: wired(weight=-1, receptor="excitatory"), BadInput, ">= 0"),
    "signed conductance": (onto_conductances, BadInput, "a conductance has no sign"),
    "unknown receptor": (lambda: wired(receptor="nmda"), BadInput, "'nmda'", "excitatory, inhibitory"),
    "unknown synapse": (lambda: wired(synapse="STDP"), Unsupported, "'STDP'", "StaticSynapse"),
    "probability": (lambda: FixedProbability(1.5), BadInput, "1.5", "[0, 1]"),
    "number": (lambda: FixedTotalNumber(-1), BadInput, "-1", ">= 0"),
    "pairs of other lengths": (lambda: FromList([0, 1], [0]), BadInput, "2 sources but 1 targets"),
    "dangling pair": (lambda: wired(rule=FromList([0, 3], [0, 0]), weight=1.0), BadInput, "pre index 3", "0..2"),
    "half a pair": (lambda: FromList([0.5], [0]), BadInput, "whole numbers"),
    "distribution NaN": (lambda: Normal(NAN, 1), BadInput, "finite"),
    "distribution infinite": (lambda: Uniform(0, INF), BadInput, "finite"),
    "current NaN": (lambda: cells().inject("a", [0], [NAN]), BadInput, "'a'", "finite"),
    "current to nobody": (lambda: cells().inject("a", [0], [1], neurons=[3]), BadInput, "0..2"),
    "reset": (lambda: Numerics(reset="maybe"), BadInput, "set, subtract", "'maybe'"),
    "seed": (lambda: Network(seed="one"), BadInput, "whole number", "'one'"),
}  # fmt: skip

MAPPING = {
    "no such device": (lambda: nh.map_network(cells(), "pcm"), BadInput, "'pcm'", "pcm-set"),
    "no neurons": (lambda: nh.map_network(Network("nobody"), SPIN3), BadInput, "nobody", "add a population"),
    "time step 0": (lambda: nh.map_network(cells(), SPIN3, dt=0), BadInput, "at least 0.001 ms"),
    "time step NaN": (lambda: nh.map_network(cells(), SPIN3, dt=NAN), BadInput, "dt", "finite"),
    "unknown choice": (lambda: nh.map_network(cells(), SPIN3, {"neurons": 1}), BadInput, "neurons: unknown key", "neurons_per_core"),
    "record nobody": (lambda: nh.map_network(cells(), SPIN3, record={"z": ["v"]}), BadInput, "'z'", "there are all, a"),
    "record nothing": (lambda: nh.map_network(cells(), SPIN3, record={"a": ["w"]}), BadInput, "'w'", "it has spikes, v"),
    "record a number": (lambda: nh.map_network(cells(), SPIN3, record={"a": 5}), BadInput, "record: a", "{v: 10}"),
    "signed synapse": (lambda: nh.map_network(wired(synapse="SignedSynapse"), SPIN3), Unsupported, "no SignedSynapse", "twice, once excitatory"),
    "record of all": (lambda: nh.map_network(cells(), SPIN3, record={"all": ["w"]}), BadInput, "no population has 'w'"),
    "model": (
        lambda: nh.map_network(cells(), "brainscales1-wafer"), Unsupported,
        "brainscales1-wafer has no IF_curr_exp", "it has IF_cond_exp",
    ),
    "too big": (
        lambda: nh.map_network(Network("n").population("a", 20_000, "IF_curr_exp"), SPIN3), DoesNotFit,
        "needs 79 cores", "there are 63", "smaller",
    ),
    "too big for this computer": (
        lambda: nh.map_network(Network("n").population("a", 10**13, "IF_curr_exp"), IDEAL), DoesNotFit, "GiB", "smaller",
    ),
    "delay for this computer": (lambda: nh.map_network(wired(delay=1e14), IDEAL), DoesNotFit, "a delay of 1e+14 ms", "GiB", "shorter"),
    "drawn delay": (lambda: nh.map_network(wired(delay=Uniform(1, 1e14)), IDEAL), DoesNotFit, "a delay of 1e+14 ms", "GiB"),
    "delay for the device": (lambda: nh.map_network(wired(delay=1e5), SPIN3), DoesNotFit, "a delay of 100000 steps", "larger time step"),
    "without what it has not": (lambda: SPIN3.without("drift"), BadInput, "no effect 'drift'", "it has none"),
    "with what it has not": (lambda: SPIN3.with_(rust=1), BadInput, "'rust'", "cores_per_chip"),
    "with too much": (lambda: SPIN3.with_(cores_per_chip=1e9), BadInput, "cores_per_chip", "[1, 18]"),
    "with NaN": (lambda: PCM.with_(g_max=NAN), BadInput, "g_max", "nan"),
}  # fmt: skip

RUNNING = {
    "nothing is loaded": (lambda: nh.fabricate(IDEAL).run(5), BadInput, "nothing is loaded", "chip.load(program)"),
    "program of another device": (
        lambda: nh.fabricate(PCM).load(nh.map_network(cells(), SPIN3)), BadInput, "spinnaker-spin3", "pcm-set", "map it again",
    ),
    "duration 0": (lambda: loaded().run(0), BadInput, "0 ms", "one time step of 1 ms"),
    "negative duration": (lambda: loaded().run("-1 s"), BadInput, "-1000 ms", "longer"),
    "NaN duration": (lambda: loaded().run(NAN), BadInput, "duration", "finite"),
    "duration of a weight": (lambda: loaded().run("5 uS"), BadInput, "duration", "not a quantity in ms"),
    "duration of a year": (lambda: loaded().run("1 year"), DoesNotFit, "3.156e+10 steps", "GiB", "shorter pieces"),
    "other stimuli than trials": (
        lambda: nh.run(nh.map_network(wired(), IDEAL), nh.fabricate(IDEAL), 5, trial=[0, 1], stimulus=[{}, {}, {}]),
        BadInput, "2 trials but 3 stimuli",
    ),
    "stimulus for neurons": (lambda: loaded().run(5, stimulus={"a": ([1.0], [0])}), BadInput, "'a'", "there are s"),
    "stimulus NaN": (lambda: loaded().run(5, stimulus={"s": ([NAN], [0])}), BadInput, "'s'", "finite"),
    "stimulus for nobody": (lambda: loaded().run(5, stimulus={"s": ([1.0], [2])}), BadInput, "'s'", "0..1"),
    "stimulus of other lengths": (lambda: loaded().run(5, stimulus={"s": ([1.0], [0, 1])}), BadInput, "1 spike times but 2"),
    "stimulus without indices": (lambda: loaded().run(5, stimulus={"s": 5.0}), BadInput, "'s'", "(times, indices)"),
    "write to nobody": (lambda: loaded().write("z", np.ones(12)), BadInput, "'z'", "a to b"),
    "write the wrong shape": (lambda: loaded().write("a to b", np.ones(13)), BadInput, "13 weights for 12 synapses"),
    "write NaN": (lambda: loaded().write("a to b", np.full(12, NAN)), BadInput, "NaN"),
    "write the wrong sign": (lambda: loaded().write("a to b", -np.ones(12)), BadInput, "excitatory", ">= 0"),
    "update by halves": (lambda: loaded().update("a to b", np.full(12, 0.5)), BadInput, "12 whole numbers", "float64"),
    "read arms": (lambda: loaded().read("a to b", arms=True), NotReadable, "no conductance pairs", "without arms"),
    "refresh": (lambda: loaded().refresh("a to b", "all"), Unsupported, "no refresh", "write"),
    "configure": (lambda: loaded().configure("a", {}), Unsupported, "no parameter codes"),
    "wait backwards": (lambda: loaded().wait("-1 day"), BadInput, "-1 day", "negative"),
    "wait for NaN": (lambda: loaded().wait(NAN), BadInput, "wait", "finite"),
    "restore nothing": (lambda: loaded().restore(None), BadInput, "not of this chip"),
    "restore another's": (lambda: loaded().restore(loaded(PCM).snapshot()), BadInput, "not of this chip", "spinnaker-spin3"),
    "compare nothing": (lambda: compare([], []), BadInput, "needs a reference"),
    "discard all": (lambda: compare(loaded().run(5), loaded().run(5), ["rates"], "5 ms"), BadInput, "discard", "5 ms"),
}  # fmt: skip

FILES = {
    "no such recording": (lambda: nh.load_recording("nowhere.h5"), BadInput, "nowhere.h5", "no such file"),
    "save into nowhere": (lambda: loaded().run(5).save("nowhere/x.h5"), BadInput, "no folder nowhere", "make it first"),
    "NIR without a file": (lambda: nh.read_nir("nowhere.nir", 1), BadInput, "nowhere.nir", "no such file"),
    "NIR time step": (lambda: nh.read_nir("nowhere.nir", 0), BadInput, "dt must be > 0 ms"),
    "NIR option": (lambda: nh.read_nir("nowhere.nir", 1, reset="maybe"), BadInput, "set, subtract", "'maybe'"),
    "unknown network": (lambda: nh.networks.build("vogels"), BadInput, "'vogels'", "vogels_abbott"),
    "number without source": (lambda: validate(type(PCM.machine), {}, "here"), BadInput, "here: rows: missing"),
    "mapping of another kind": (lambda: validate(type(PCM.machine), [], "here"), BadInput, "here", "list"),
}

CASES = {f"{kind}: {name}": case for kind, cases in
         {"build": BUILDING, "map": MAPPING, "run": RUNNING, "file": FILES}.items() for name, case in cases.items()}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_by_name(case):
    act, error, *fragments = CASES[case]
    with pytest.raises(NeurohwError) as raised:
        act()
    assert type(raised.value) is error
    for fragment in fragments:
        assert fragment in str(raised.value)


def test_a_rate_that_cannot_be_drawn():
    network = cells().population("p", 1, "SpikeSourcePoisson", {"rate": 1e10}).project("p", "a", AllToAll(), 0.1)
    with pytest.raises(OutOfRange, match=r"'p': 1e\+10 Hz .* at most 500 .* more sources"):
        budget.steps_of(nh.map_network(network, IDEAL), 5)


def test_memory_for_traces_is_asked_for_first(monkeypatch):
    program = nh.map_network(wired(), IDEAL, record={"a": ["v"], "b": ["v"]})
    monkeypatch.setattr(budget, "available_bytes", lambda: 1_000_000)
    with pytest.raises(DoesNotFit, match=r"recording 7 traces over .* fewer neurons"):
        budget.steps_of(program, "60 s")
    assert budget.steps_of(program, "1 s") == 1000


@pytest.mark.parametrize("given", ["5", "five mV", "5 mV mV", "", " ", "nan mV", "inf mV", "1e999 mV", "__import__('os') mV",
                                   "5 mV; 1", "9**9**9 mV", "5 " + "m" * 100, None, True, [1], {}, b"5 mV", 10**400, NAN, INF, 1e16])  # fmt: skip
def test_no_quantity(given):
    with pytest.raises(BadInput, match=r"^here: "):
        units.parse(given, "mV", "here")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": "25"}, "no unit"),
        ({"value": 25}, "'25 uS'"),
        ({"value": "25 mV"}, "not a quantity in uS"),
        ({"value": "-1 uS"}, "outside"),
        ({"value": "1e16 uS"}, "beyond"),
        ({"status": "guessed"}, "none of measured"),
        ({"page": 5}, "exactly the keys"),
    ],
)
def test_no_number_of_a_device(given, words):
    with pytest.raises(ValueError, match=words):
        described(**given)


def test_a_message_is_one_line_that_no_terminal_obeys():
    shown = one_line("a\nb \x1b]0;title\x07 \u202e \ud800 é 脳 " + "x" * 10_000)
    assert shown.startswith("a b \\x1b]0;title\\x07 \\u202e \\ud800 é 脳 xxx")
    assert shown.isprintable()
    assert len(shown) < 2100


def test_trials_and_stimuli_may_be_none():
    program, chip = workbench.map_network(wired(rule=OneToOne()), IDEAL), workbench.fabricate(IDEAL)
    assert workbench.run(program, chip, 5, trial=[]) == []


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: nh.map_network("x", SPIN3), "expected a Network, got str"),
        (lambda: nh.map_network(cells(), SPIN3, record="v"), "record: expected population -> variables"),
        (
            lambda: nh.run(cells(), nh.fabricate(IDEAL), "5 ms"),
            "expected a Program, as map_network gives it, got Network",
        ),
    ],
)
def test_a_thing_of_another_kind(call, match):
    with pytest.raises(BadInput, match=match):
        call()
