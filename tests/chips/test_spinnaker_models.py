"""Models beyond IF_*_exp on the board: what PyNN's weights become, what a core cannot hold, what it does not show."""

import numpy as np
import pytest

from neurohw import workbench
from neurohw.connections import AllToAll
from neurohw.errors import NotReadable
from neurohw.network import Network
from tests import small

BOARD = small.device("spinnaker-spin5")


def one_input(model, parameters, weight=0.3, receptor="excitatory", spikes=(10.0,)):
    network = Network().population("s", 1, "SpikeSourceArray", spike_times=list(spikes))
    network = network.population("n", 3, model, parameters)
    return network.project("s", "n", AllToAll(), weight, 1.0, receptor=receptor)


def mapped(network, dt, *variables, device=BOARD):
    return workbench.map_network(network, device, dt=dt, record={"n": list(variables)})


def run(program, duration=100.0):
    return workbench.run(program, workbench.fabricate(program.device), duration)


@pytest.mark.parametrize(("dt", "tau"), [(1.0, 5.0), (0.1, 0.5), (0.1, 2.0)])
@pytest.mark.parametrize(("receptor", "sign"), [("excitatory", 1), ("inhibitory", -1)])
def test_alpha_functions_have_pynns_height(dt, tau, receptor, sign):
    """A charge of e tau w on the core is PyNN's peak w: within 1 %: 15 bits, and a floor in every step."""
    tau_of, current = (("tau_syn_E", "isyn_exc"), ("tau_syn_I", "isyn_inh"))[receptor == "inhibitory"]
    parameters = {"tau_syn_E": 3.0, "tau_syn_I": 3.0, tau_of: tau}
    program = mapped(one_input("IF_curr_alpha", parameters, sign * 0.3, receptor), dt, current)
    found = run(program)
    since = np.maximum(found.times["n"][current] - 11.0, 0.0) / tau
    expected = sign * 0.3 * since * np.exp(1 - since)
    assert np.abs(found.traces["n"][current] - expected[:, None]).max() < 0.01 * 0.3
    assert not [loss for loss in program.report.losses if "tau_syn" in loss.where]
    chip = workbench.fabricate(BOARD)
    chip.load(program)
    assert chip.read("s to n") == pytest.approx(sign * 0.3, rel=1e-3)


@pytest.mark.parametrize(("dt", "tau", "share"), [(1.0, 0.5, 0.0), (1.0, 0.9, 0.19), (0.1, 40.0, 0.98)])
def test_alpha_functions_that_a_core_cannot_make_are_reported(dt, tau, share):
    """Of dt/tau^2 it keeps 15 bits behind the point: 4 becomes 0, 1.23 becomes 0.23, 2/32768 keeps little."""
    program = mapped(one_input("IF_curr_alpha", {"tau_syn_E": tau}), dt, "isyn_exc")
    (loss,) = [loss for loss in program.report.losses if loss.where == "n.tau_syn_E"]
    assert (loss.what, loss.count, loss.of) == ("parameters rounded", 3, 3)
    slope = dt / tau**2
    kept = np.floor(slope % 1 * 32768) / 32768 / slope
    assert kept == pytest.approx(share, abs=0.02)
    assert f"down to {100 * kept:.3g} %" in loss.why
    since = np.arange(0.0, 89.0, dt) / tau
    whole = 0.3 * (since * np.exp(1 - since)).max()
    assert run(program).traces["n"]["isyn_exc"].max() == pytest.approx(kept * whole, rel=0.05, abs=1e-4)


def test_what_a_core_does_not_show_is_not_readable():
    for model, variable in (("IZK_curr_exp", "u"), ("IF_curr_alpha", "rise_exc")):
        with pytest.raises(NotReadable, match=f"not '{variable}' of 'n'"):
            run(mapped(one_input(model, {}), 1.0, variable))


def test_izhikevich_neurons_start_as_the_network_says():
    network = Network().population("n", 2, "IZK_curr_exp", initial={"v": [-70.0, -60.0], "u": [-14.0, -5.0]})
    board, right = (
        run(mapped(network, 0.1, "v", device=small.device(d)), 2.0) for d in ("spinnaker-spin5", "reference")
    )
    assert board.traces["n"]["v"] == pytest.approx(right.traces["n"]["v"], abs=0.1)
    assert np.ptp(right.traces["n"]["v"][-1]) > 5
