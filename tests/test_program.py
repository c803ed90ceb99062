"""What a program is made of: delays in steps, what is recorded, the way back; and the workbench's own refusals."""

import numpy as np
import pytest

from neurohw import workbench
from neurohw.connections import AllToAll
from neurohw.errors import BadInput, DoesNotFit
from neurohw.network import Network
from neurohw.program import DelayPlan, Origin, normalize_record
from neurohw.report import Loss, Report, Resource
from tests import small


def network():
    made = Network().population("s", 3, "SpikeSourcePoisson").population("a", 5, "IF_curr_exp")
    return made.population("b", 4, "IF_cond_exp")


def test_the_way_back():
    origin = Origin.of(network())
    assert origin.first == {"a": 0, "b": 5, "s": 9}
    assert origin.n_neurons == 9
    assert origin.n_presynaptic == 12
    found = origin.spikes(np.array([3, 1, 1, 2]), np.array([5, 0, 11, 8]), 0.5)
    assert {name: (t.tolist(), i.tolist()) for name, (t, i) in found.items()} == {
        "a": ([0.5], [0]), "b": ([1.5, 1.0], [0, 3]), "s": ([0.5], [2]),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, {}),
        ({"all": ["spikes"]}, {}),
        ({"all": ["v"]}, {"a": {"v": [0, 1, 2, 3, 4]}, "b": {"v": [0, 1, 2, 3]}}),
        ({"a": "v"}, {"a": {"v": [0, 1, 2, 3, 4]}}),
        ({"a": {"v": 2}}, {"a": {"v": [0, 4]}}),
        ({"a": {"v": 99}}, {"a": {"v": [0, 1, 2, 3, 4]}}),
        ({"a": {"v": [4, 1], "isyn_exc": 1}}, {"a": {"v": [4, 1], "isyn_exc": [0]}}),
        ({"a": {"v": []}}, {"a": {"v": []}}),
        ({"all": ["gsyn_exc"]}, {"b": {"gsyn_exc": [0, 1, 2, 3]}}),
    ],
)
def test_what_is_recorded(given, expected):
    if given == {"a": {"v": []}}:
        given = {"a": {"v": np.empty(0, np.int64)}}
    found = normalize_record(network(), given)
    assert list(found) == ["s", "a", "b"]
    assert {p: {v: i.tolist() for v, i in variables.items()} for p, variables in found.items() if variables} == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"x": ["v"]}, "record: no population 'x'; there are all, s, a, b"),
        ({"a": ["gsyn_exc"]}, "record: 'a' has no 'gsyn_exc'; it has spikes, v, isyn_exc"),
        ({"s": ["v"]}, "record: 's' has no 'v'; it has spikes"),
        ({"a": {"v": 0}}, "must be >= 1"),
        ({"a": {"v": [5]}}, "indices in 0..4"),
        ({"a": {"v": [-1]}}, "indices in 0..4"),
        ({"a": {"v": [0.5]}}, "indices in 0..4"),
        ({"a": {"v": True}}, "record: a: v"),
        ({"a": {"v": "some"}}, "record: a: v"),
    ],
)
def test_what_cannot_be_recorded(given, said):
    with pytest.raises(BadInput) as error:
        normalize_record(network(), given)
    assert said in str(error.value)


def test_a_synapse_takes_the_nearest_step_halves_upwards():
    plan = DelayPlan({"p": np.array([1, 4, 8]), "q": np.array([3])})
    wanted = np.array([0.0, 1.0, 2.0, 2.4, 2.5, 3.0, 5.9, 6.0, 6.1, 99.0])
    assert plan.steps("p", wanted, 1.0).tolist() == [1, 1, 1, 1, 4, 4, 8, 8, 8, 8]
    assert plan.steps("q", wanted, 1.0).tolist() == [3] * 10
    assert plan.slots.tolist() == [1, 3, 4, 8]
    assert DelayPlan({}).slots.tolist() == [1]
    every = DelayPlan({"p": np.arange(1, 50)})
    assert (every.steps("p", np.arange(1, 50) * 0.1, 0.1) == np.arange(1, 50)).all()


def test_reports_add_up_and_are_written():
    report = Report().add(
        Loss("weights clipped", 3, 12, "a to b", "why", "help"), Loss("weights clipped", 0, 5, "x", "y"), "note"
    )
    report = report.add(
        Resource("cores", 3, 12),
        Resource("sites", 5, float("inf")),
        Loss("weights clipped", 1, 0, "z", "w"),
        time=(5.0, "ms"),
    )
    assert report.lost("weights clipped") == 4
    assert report.lost("nothing") == 0
    assert str(report).splitlines() == [
        "Resources", "  cores: 3 of 12 (25 %)", "  sites: 5 of inf", "Losses",
        "  weights clipped: 3 of 12 (25 %), a to b: why; help", "  weights clipped: 1, z: w",
        "Estimates", "  time: 5 ms", "Note: note",
    ]  # fmt: skip
    assert Report.from_dict(report.as_dict()) == report
    assert "Losses\n  none" in str(Report())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: workbench.map_network(Network("nothing"), "reference"), "nothing: the network has no neurons"),
        (lambda: workbench.map_network(network(), "reference", dt=0.0), "time step must be at least"),
        (lambda: workbench.map_network(network(), "reference", dt="1 mV"), "dt: '1 mV' is not a quantity in ms"),
        (lambda: workbench.map_network(network(), "reference", dt=np.nan), "dt: "),
        (lambda: workbench.map_network(network(), "reference", {"speed": 1}), "speed: unknown key"),
        (lambda: workbench.map_network(network(), "referenz"), "did you mean 'reference'?"),
        (lambda: workbench.fabricate("referenz"), "did you mean 'reference'?"),
    ],
)
def test_the_workbench_refuses_in_words(call, said):
    with pytest.raises(BadInput) as error:
        call()
    assert said in str(error.value)


@pytest.mark.parametrize("name", small.DEVICES)
def test_what_this_computer_cannot_hold_is_refused_before_any_time_is_spent(name):
    """A million million neurons, and ten million million synapses among few."""
    model = small.models_of(name)[0]
    with pytest.raises(DoesNotFit, match="GiB"):
        workbench.map_network(Network("huge").population("a", 10**12, model), name)
    big = Network("dense").population("a", 10**6, model).population("b", 10**7, model)
    with pytest.raises(DoesNotFit, match="GiB"):
        workbench.map_network(big.project("a", "b", AllToAll(), 0.001), name)


def test_lists_of_trials_and_stimuli():
    program = small.program("pcm-million", "feed forward", "IF_curr_exp", True)
    chip = workbench.fabricate(program.device)
    stimuli = [{"given": ([1.0], [0])}, {"given": ([2.0], [1])}]
    one = workbench.run(program, chip, 5.0, stimulus=stimuli)
    assert [r.spikes["given"][0].tolist() for r in one] == [[1.0], [2.0]]
    two = workbench.run(program, chip, 5.0, trial=[3, 4], stimulus=stimuli)
    assert [r.manifest["seeds"]["trial"] for r in two] == [3, 4]
    assert len(workbench.run(program, chip, 5.0, trial=range(3), stimulus=stimuli[0])) == 3
    with pytest.raises(BadInput, match="3 trials but 2 stimuli"):
        workbench.run(program, chip, 5.0, trial=[0, 1, 2], stimulus=stimuli)
    assert workbench.run(program, chip, 5.0, trial=[]) == []
