"""Poisson input drawn in place is the input that a list of spikes would bring."""

from dataclasses import replace

import numpy as np
import pytest

from neurohw import workbench
from neurohw.connections import FixedProbability, OneToOne
from neurohw.distributions import Normal, Uniform
from neurohw.kernels.background import background
from neurohw.kernels.stimulus import intervals
from neurohw.network import Network


def network(**changed):
    """Neurons with a background each, of which one population has more sources than neurons and another fewer."""
    made = Network(seed=3).population("e", 21, "IF_curr_exp", initial={"v": Uniform(-65.0, -50.0)})
    made = made.population("i", 9, "IF_curr_exp").population("more", 25, "SpikeSourcePoisson", {"rate": 2500.0})
    made = made.population("fewer", 6, "SpikeSourcePoisson", {"rate": 900.0, "start": 3.05, "duration": 31.0} | changed)
    made = made.population("shared", 7, "SpikeSourcePoisson", {"rate": 300.0})
    made = made.project("more", "e", OneToOne(), Normal(0.4, 0.1, 0.0), 1.5).project("fewer", "i", OneToOne(), 0.5, 0.8)
    made = made.project("shared", "e", FixedProbability(0.5), 0.2, Uniform(0.5, 2.0))
    return made.project("e", "i", FixedProbability(0.4), 0.3, Uniform(0.5, 2.0))


def chips(device, dt, monkeypatch):
    """One chip that draws in place, and one that lists every spike."""
    program = workbench.map_network(network(), device, dt=dt)
    fused, plain = (workbench.fabricate(program.device, 1) for _ in range(2))
    fused.load(program)
    with monkeypatch.context() as patch:
        patch.setattr(type(plain), "draws_background", False)
        plain.load(program)
    assert fused.background.names == ("more", "fewer")
    assert plain.background.names == ()
    return fused, plain


@pytest.mark.parametrize("dt", [0.1, 0.3, 1.0])
def test_in_place_equals_listed_to_the_bit_on_a_board(dt, monkeypatch):
    fused, plain = chips("spinnaker-spin5", dt, monkeypatch)
    fused.window = 13
    a, b = fused.run(60.0, trial=2), plain.run(60.0, trial=2)
    for name in b.spikes:
        assert np.array_equal(a.spikes[name], b.spikes[name]), name
    assert a.spikes["e"][0].size > 20
    assert np.array_equal(fused.state, plain.state)
    assert (fused.ledger.packets, fused.ledger.synaptic_events) == (plain.ledger.packets, plain.ledger.synaptic_events)
    assert fused.ledger.packets == sum(b.spikes[name][0].size for name in b.spikes)


def test_in_place_equals_listed_in_floating_point(monkeypatch):
    device = workbench.load_device("spinnaker-spin5").ideal()
    fused, plain = chips(device, 0.1, monkeypatch)
    a, b = fused.run(60.0, trial=2), plain.run(60.0, trial=2)
    assert np.array_equal(a.spikes["e"], b.spikes["e"])
    np.testing.assert_allclose(fused.state, plain.state, rtol=1e-9, atol=1e-9)  # sums are taken in another order


def test_weights_that_are_written_count(monkeypatch):
    fused, plain = chips("spinnaker-spin5", 0.1, monkeypatch)
    for chip in (fused, plain):
        chip.write("more to e", np.linspace(0.1, 0.7, 21))
        chip.run(40.0)
    assert np.array_equal(fused.state, plain.state)


def test_going_on_is_one_run(monkeypatch):
    fused, plain = chips("spinnaker-spin5", 0.1, monkeypatch)
    whole = plain.run(50.0, trial=1)
    parts = [fused.run(17.0, trial=1), fused.run(33.0, trial=1, reset=False)]
    assert np.array_equal(np.concatenate([part.spikes["e"][0] for part in parts]), whole.spikes["e"][0])
    assert fused.ledger.packets == plain.ledger.packets


@pytest.mark.parametrize(
    "changed", [{"rate": np.linspace(10.0, 60.0, 6)}, {"start": Uniform(0.0, 1.0)}, {"duration": np.arange(6.0)}]
)
def test_sources_that_differ_are_listed(changed):
    program = workbench.map_network(network(**changed), "spinnaker-spin5", dt=0.1)
    assert background(program, program.payload.table).names == ("more",)
    two = replace(program, network=program.network.project("more", "i", OneToOne(), 0.1))
    assert background(two, program.payload.table).names == ()


@pytest.mark.parametrize("dt", [0.025, 0.1, 0.15, 0.3, 0.7, 1.0])
def test_intervals_of_a_step_are_those_that_begin_in_it(dt):
    for first in (0, 7, 123_456):
        found = intervals(0.1, dt, first, first + 500)
        every = np.arange(found[0] - 3, found[-1] + 3)
        step = np.floor(every * 0.1 / dt + 1e-6)
        assert np.array_equal(found, every[0] + np.searchsorted(step, np.arange(first, first + 501)))
