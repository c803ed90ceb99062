"""What the nonlinear neurons do, against their equations solved finely, and against Brian2."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from neurohw import workbench
from neurohw.connections import AllToAll
from neurohw.network import Network, Numerics
from neurohw.neurons import NEURONS
from tests import small

IDEAL, REFERENCE = small.device("spinnaker-spin5", ideal=True), small.device("reference")
ADEX = NEURONS["EIF_cond_exp_isfa_ista"]


def run(network, dt=0.1, duration=300.0, device=IDEAL, **record):
    program = workbench.map_network(network, device, dt=dt, record=record)
    return workbench.run(program, workbench.fabricate(device), duration)


def spikes_of(model, dt=0.1, duration=300.0, device=IDEAL, numerics=None, **parameters):
    network = Network(numerics=numerics or Numerics()).population("n", 1, model, parameters)
    return run(network, dt, duration, device).spikes["n"][0]


def adaptive_exponential(current, duration):
    """Spike times of the default neuron: a stiff solver from spike to spike, without a grid."""
    p = {name: spec.default for name, spec in ADEX.parameters.items()}

    def derivative(_, x):
        v, w = x
        exploding = p["delta_T"] * np.exp((min(v, p["v_spike"]) - p["v_thresh"]) / p["delta_T"])
        change = (p["v_rest"] - v + exploding) / p["tau_m"] + (current - w) / p["cm"]
        return change, (p["a"] * 1e-3 * (v - p["v_rest"]) - w) / p["tau_w"]

    def peak(_, x):
        return x[0] - p["v_spike"]

    peak.terminal, times, t, state = True, [], 0.0, (p["v_rest"], 0.0)
    while t < duration:
        found = solve_ivp(derivative, (t, duration), state, "LSODA", events=peak, rtol=1e-9, atol=1e-9)
        if not found.t_events[0].size:
            break
        w = found.y_events[0][0, 1] + p["b"]
        held = p["tau_refrac"], p["a"] * 1e-3 * (p["v_reset"] - p["v_rest"])
        times.append(found.t_events[0][0])
        t, state = times[-1] + held[0], (p["v_reset"], held[1] + (w - held[1]) * np.exp(-held[0] / p["tau_w"]))
    return np.array(times)


@pytest.mark.parametrize("current", [0.7, 1.0, 2.0])
def test_adaptive_exponential_neurons_fire_as_their_equation_says(current):
    """Half a step of delay for each spike, and one for the grid; the count is right."""
    exact = adaptive_exponential(current, 300.0)
    for dt in (0.1, 0.01):
        ours = spikes_of("EIF_cond_exp_isfa_ista", dt, i_offset=current)
        assert ours.size == exact.size >= 4
        late = ours - exact
        assert np.abs(late).max() < dt * (1 + 0.6 * exact.size)
        assert (np.diff(ours)[0] < np.diff(ours)[1:]).all(), "it adapts"


def test_adaptive_exponential_neurons_fire_as_in_brian2():
    ours, right = (spikes_of("EIF_cond_exp_isfa_ista", i_offset=1.0, device=device) for device in (IDEAL, REFERENCE))
    assert np.array_equal(ours, right)
    assert ours.size == 11


def test_the_adaptation_current_jumps_by_b_and_decays():
    network = Network().population("n", 1, "EIF_cond_exp_isfa_ista", {"a": 0.0, "i_offset": 0.8})
    found = run(network, n=["w"])
    w, first = found.traces["n"]["w"][:, 0], round(found.spikes["n"][0][0] / 0.1)
    assert not w[: first + 1].any()
    assert w[first + 1] == 0.0805
    second = round(found.spikes["n"][0][1] / 0.1)
    steps = np.arange(second - first)
    assert w[first + 1 : second + 1] == pytest.approx(
        0.0805 * (1 - 0.1 / 144 + (0.1 / 144) ** 2 / 2) ** steps, rel=1e-12
    )


def test_a_spike_that_goes_far_beyond_its_threshold_stays_finite():
    """At 1 ms the exponential would overflow within two steps if it were not held at v_spike."""
    network = Network().population("s", 1, "SpikeSourceArray", spike_times=np.arange(0.0, 50.0, 2.0))
    network = network.population("n", 4, "EIF_cond_exp_isfa_ista", {"delta_T": 0.3, "v_spike": 0.0})
    found = run(network.project("s", "n", AllToAll(), 0.05, 1.0), dt=1.0, duration=60.0, n=["v", "w"])
    assert found.spikes["n"][0].size > 20
    assert all(np.isfinite(trace).all() for trace in found.traces["n"].values())
