"""The PyNN backend: a script gives what it gives on any simulator, and what it cannot have it says."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pyNN import errors
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.standardmodels import cells as standard

import neurohw.pynn as sim
from neurohw.connections import FromList
from neurohw.device import load_device
from neurohw.errors import BadInput, Unsupported
from neurohw.frontends.pynn.assemble import assemble
from neurohw.neurons import NEURONS
from tests import small

IDEAL = load_device("spinnaker-spin5").ideal()


@pytest.fixture(autouse=True)
def fresh():
    sim.setup(timestep=0.1, device=IDEAL)
    yield
    sim.setup()


def network():
    """The network as it stands."""
    return assemble(sim.simulator.state, 0, 100, 0)[0]


def driven(n=3, **parameters):
    """Neurons that spike by themselves, each at its own rate."""
    return sim.Population(n, sim.IF_curr_exp(i_offset=np.linspace(0.8, 1.5, n), **parameters), label="driven")


def test_heterogeneous_parameters_stay():
    rng = NumpyRNG(4)
    tau = RandomDistribution("uniform", (10.0, 20.0), rng=rng)
    cells = sim.Population(50, sim.IF_cond_exp(tau_m=tau), initial_values={"v": RandomDistribution("normal", (-60, 2))})
    values = cells.get("tau_m")
    assert values.min() >= 10.0
    assert values.max() <= 20.0
    assert_array_equal(network().populations[cells.network_name].parameters["tau_m"], values)
    assert_array_equal(network().populations[cells.network_name].initial["v"], cells.initial_values["v"].evaluate())
    cells[10:20].set(tau_m=7.0)
    cells[10:20][3].v_reset = -70.0
    cells[10:20][2:4].initialize(v=-55.0)
    population = network().populations[cells.network_name]
    assert_array_equal(np.flatnonzero(population.parameters["tau_m"] == 7.0), np.arange(10, 20))
    assert_array_equal(np.flatnonzero(population.parameters["v_reset"] == -70.0), [13])
    assert_array_equal(np.flatnonzero(population.initial["v"] == -55.0), [12, 13])
    assert_array_equal(cells[10:14].initial_values["v"].evaluate()[2:], [-55.0, -55.0])
    assert cells[13].v_reset == -70.0
    with pytest.raises(errors.NonExistentParameterError):
        cells.initialize(w=0.0)


def test_views_and_assemblies_are_ends_of_projections():
    a, b = sim.Population(6, sim.IF_curr_exp(), label="a"), sim.Population(4, sim.IF_curr_exp(), label="b")
    ends = a[2:5] + b
    projection = sim.Projection(ends, a[4:][1:], sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0))
    assert len(projection) == 7
    assert projection.get("weight", format="array").shape == (7, 1)
    projection.set(weight=np.arange(7.0).reshape(7, 1))
    made = network().projections
    assert [(p.source, p.target) for p in made.values()] == [("a", "a"), ("b", "a")]
    from_a, from_b = made.values()
    assert isinstance(from_a.rule, FromList)
    assert_array_equal(from_a.rule.pre, [2, 3, 4])
    assert_array_equal(from_a.rule.post, [5, 5, 5])
    assert_array_equal(from_a.weight, [0, 1, 2])
    assert_array_equal(from_b.rule.pre, [0, 1, 2, 3])
    assert_array_equal(from_b.weight, [3, 4, 5, 6])


def test_weights_can_be_read_and_set():
    cells = driven()
    rows = [(0, 0, 0.1, 1.0), (0, 1, 0.2, 2.0), (0, 1, 0.3, 3.0), (2, 2, 0.4, 4.0)]
    projection = sim.Projection(cells, cells, sim.FromListConnector(rows), sim.StaticSynapse())
    assert sorted(projection.get(["weight", "delay"], format="list")) == rows
    for how, value in {"sum": 0.5, "min": 0.2, "max": 0.3}.items():
        matrix = projection.get("weight", format="array", multiple_synapses=how)
        assert matrix[0, 1] == pytest.approx(value)
        assert np.isnan(matrix).sum() == 6
    ends = {projection.get("weight", format="array", multiple_synapses=how)[0, 1] for how in ("first", "last")}
    assert ends == {0.2, 0.3}
    projection[0].weight = 0.7
    assert projection.get("weight", format="list", with_address=False)[0] == 0.7
    assert projection[0].as_tuple("presynaptic_index", "weight") == (0, 0.7)
    assert len(list(projection.connections)) == 4
    projection.set(weight=RandomDistribution("uniform", (1.0, 2.0)), delay=1.5)
    made = next(iter(network().projections.values()))
    assert (made.weight >= 1.0).all()
    assert made.delay == 1.5
    with pytest.raises(AttributeError, match="has no 'U'"):
        projection[0].U = 1.0
    with pytest.raises(IndexError):
        projection[4]


def test_weights_of_the_wrong_sign_are_refused():
    cells = driven()
    with pytest.raises(errors.ConnectionError, match="negative for current-based"):
        sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1), receptor_type="inhibitory")


def test_one_to_one_from_a_single_cell():
    one, cells = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0])), driven()
    assert len(sim.Projection(one, cells[:1], sim.OneToOneConnector())) == 1
    assert len(sim.Projection(cells[:1], cells[:1], sim.AllToAllConnector(allow_self_connections=False))) == 0
    assert len(sim.Projection(one, cells, sim.DistanceDependentProbabilityConnector("d < 1.5"))) == 2


def test_minimum_delay_is_found():
    assert sim.get_min_delay() == 0.1
    cells = driven()
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=lambda d: 0.5 + d))
    assert sim.get_min_delay() == 0.5
    assert sim.get_max_delay() == 2.5
    sim.setup(timestep=0.1, min_delay=0.3, max_delay=2.0)
    assert sim.StaticSynapse().parameter_space["delay"].base_value == 0.3


def test_setup_forgets_files_that_were_never_written(tmp_path):
    driven().record("v", to_file=str(tmp_path / "a.pkl"))
    sim.setup(timestep=0.1, device=IDEAL)
    cells = driven()
    cells.record("v", to_file=str(tmp_path / "b.pkl"))
    sim.run(1.0)
    sim.end()
    assert [path.name for path in tmp_path.iterdir()] == ["b.pkl"]
    assert len(cells.get_data().segments[0].analogsignals) == 1


def test_models_that_are_not_there_say_so():
    with pytest.raises(NotImplementedError, match=r"no HH_cond_exp; there is .*IF_cond_exp"):
        sim.HH_cond_exp()
    with pytest.raises(Unsupported):
        sim.SimpleStochasticSynapse(weight=1.0)
    cells = driven()
    stdp = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(A_plus=0.0), weight_dependence=sim.AdditiveWeightDependence(), weight=0.1
    )
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), stdp)
    assert projection.get("A_plus", format="array")[0, 0] == 0.0
    sim.Projection(
        cells, cells, sim.AllToAllConnector(), sim.STDPMechanism(sim.SpikePairRule(), sim.GutigWeightDependence())
    )
    with pytest.raises(
        Unsupported, match="SpikePairRule and GutigWeightDependence: neurohw has SpikePairRule with Add"
    ):
        sim.run(1.0)
    assert sim.list_standard_models() == [name for name in NEURONS if hasattr(standard, name)]


@pytest.mark.parametrize("model", small.MODELS)
def test_every_model_is_a_cell(model):
    """By PyNN's name or its own, with defaults, units for all that can be recorded, and weights in its unit."""
    cell, kind = getattr(sim, model), NEURONS[model]
    cells, source = sim.Population(2, cell(), label="cells"), sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    assert set(cells.celltype.get_parameter_names()) == set(kind.parameters)
    excitatory, inhibitory = small.weights(model)
    for receptor, weight in (("excitatory", 5 * excitatory), ("inhibitory", inhibitory)):  # so that excitation wins
        sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight), receptor_type=receptor)
    shown = [variable for variable in cell.recordable if variable != "spikes"]
    cells.record(shown)
    sim.run(5.0)
    signals = {signal.name: signal for signal in cells.get_data().segments[0].analogsignals}
    assert set(signals) == set(shown)
    assert {"v"} <= set(shown)
    assert all(np.isfinite(signal.magnitude).all() and signal.shape == (51, 2) for signal in signals.values())
    assert np.ptp(signals["v"].magnitude) > 0


def test_spike_times_must_ascend():
    with pytest.raises(errors.InvalidParameterValueError):
        sim.Population(2, sim.SpikeSourceArray(spike_times=[[2.0, 4.0], [3.0, 1.0]]))


def test_names_of_populations_are_made_fit():
    for label in ("a/b", "a/b", ""):
        sim.Population(1, sim.IF_curr_exp(), label=label)
    names = list(network().populations)
    assert names[:2] == ["a_b", "a_b (2)"]
    assert len(set(names)) == 3


def test_the_module_is_the_frontend():
    from neurohw.frontends import pynn

    assert all(getattr(sim, name) is getattr(pynn, name) for name in pynn.__all__)
    assert "pyNN.neurohw" not in sys.modules


def test_a_device_that_is_not_there():
    sim.setup(device="no-such-device")
    driven()
    with pytest.raises(BadInput, match="no-such-device"):
        sim.run(1.0)
