"""PyNN's STDPMechanism: what a script asks for is what runs, and what was learned is where the script looks for it."""

import numpy as np
import pytest

import neurohw.pynn as sim
from neurohw.errors import BadInput, Unsupported
from neurohw.frontends.pynn import simulator


def taught(device="spinnaker-spin5", dependence=sim.AdditiveWeightDependence, fraction=1.0, **limits):
    sim.setup(timestep=1.0, device=device)
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=[[5.0, 25.0, 45.0], [8.0, 28.0], [60.0]]))
    driver = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0, 30.0, 50.0]))
    cells = sim.Population(2, sim.IF_curr_exp(tau_refrac=2.0))
    rule = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.1, A_minus=0.12),
        weight_dependence=dependence(**{"w_min": 0.0, "w_max": 2.0, **limits}), weight=1.0, delay=1.0,
        dendritic_delay_fraction=fraction,
    )  # fmt: skip
    learning = sim.Projection(source, cells, sim.AllToAllConnector(), rule, label="learning")
    sim.Projection(driver, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=40.0, delay=1.0))
    return source, learning


def matrix(projection):
    return projection.get("weight", format="array")


@pytest.mark.parametrize("device", ["reference", "spinnaker-spin5"])
def test_learned_weights_are_read_and_forgotten(device):
    _, learning = taught(device)
    sim.run(40.0)
    learned = matrix(learning)
    assert (learned[0] > learned[1]).all() or (learned[1] > 1.0).all()
    assert (learned[:2] != 1.0).all()
    assert (learned[2] == 1.0).all()
    sim.run(30.0)
    assert (matrix(learning)[2] < 1.0).all(), "it goes on learning"
    sim.reset()
    assert (matrix(learning) == 1.0).all()
    sim.run(40.0)
    assert np.array_equal(matrix(learning), learned)


def test_amplitudes_are_shares_of_w_max_as_in_pynns_simulators():
    taught()
    sim.run(1.0)
    rule = simulator.state.experiment.program.network.projections["learning"].plasticity
    assert (rule.A_plus, rule.A_minus, rule.w_max, rule.weight_dependence) == (0.2, 0.24, 2.0, "additive")
    assert "learning: A_plus and A_minus are taken times w_max" in sim.report()
    taught(dependence=sim.MultiplicativeWeightDependence, fraction=0.25)
    sim.run(1.0)
    rule = simulator.state.experiment.program.network.projections["learning"].plasticity
    assert (rule.A_plus, rule.dendritic_delay_fraction, rule.multiplicative) == (0.1, 0.25, True)
    assert "times w_max" not in sim.report()
    assert "plastic synapses timed otherwise" in sim.report()


@pytest.mark.parametrize("device", ["reference", "spinnaker-spin5"])
def test_a_change_in_mid_run_keeps_what_was_learned(device):
    """New spikes for a source between two runs: the weights and their traces go on."""
    source, learning = taught(device)
    sim.run(40.0)
    source.set(spike_times=[[45.0], [], [60.0]])
    sim.run(40.0)
    changed = matrix(learning)
    taught(device)
    whole = simulator.state.projections[0]
    sim.run(80.0)
    assert np.array_equal(changed, matrix(whole))


def test_new_plastic_synapses_in_mid_run_are_refused():
    for device in ("reference", "spinnaker-spin5"):
        source, learning = taught(device)
        sim.run(10.0)
        sim.Projection(source, learning.post, sim.AllToAllConnector(), learning.synapse_type)
        with pytest.raises(Unsupported, match="in mid-run"):
            sim.run(10.0)


def test_parameters_that_differ_between_synapses_are_refused():
    _, learning = taught()
    learning.set(tau_plus=np.arange(1.0, 7.0).reshape(3, 2))
    with pytest.raises(Unsupported, match="tau_plus differs between synapses"):
        sim.run(1.0)
    taught(w_min=-3.0)
    with pytest.raises(BadInput, match="needs 0 <= w_min <= w_max, got w_min -3"):
        sim.run(1.0)
