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


def test_izhikevich_neurons_fire_as_the_published_script_says():
    """Regular spiking under I = 10: forward Euler, each model in their units; the count is right."""
    v, u, dt, times = -70.0, -14.0, 0.1, []
    for step in range(3000):
        v, u = v + dt * (0.04 * v**2 + 5 * v + 140 - u + 10.0), u + dt * 0.02 * (0.2 * v - u)
        if v > 30.0:
            times.append(step * dt)
            v, u = -65.0, u + 8.0
    euler = Numerics(integration="euler")
    for model, current in (("Izhikevich", 0.01), ("IZK_curr_exp", 10.0), ("IZK_cond_exp", 10.0)):
        ours = spikes_of(model, i_offset=current, d=8.0, numerics=euler)
        assert ours == pytest.approx(times)
        assert ours.size >= 8
        assert np.diff(ours)[0] < np.diff(ours)[-1], "it adapts"
        assert np.array_equal(ours, spikes_of(model, i_offset=current, d=8.0, numerics=euler, device=REFERENCE))


@pytest.mark.parametrize("model", ["Izhikevich", "IZK_curr_exp", "IZK_cond_exp"])
def test_izhikevich_neurons_converge(model):
    """By the midpoint rule each interval is too long by less than two steps: a tenth of the step, a tenth of the
    error."""
    current = 0.01 if model == "Izhikevich" else 10.0
    fine = spikes_of(model, 0.001, i_offset=current)
    for dt in (0.1, 0.01):
        ours = spikes_of(model, dt, i_offset=current)
        late = ours - fine[: ours.size]
        assert fine.size - ours.size <= 1
        assert ours.size > 10
        assert (late > -dt).all()
        assert (late < 2 * dt * np.arange(1, ours.size + 1)).all()


def test_spinnaker_fires_izhikevich_neurons_at_the_reference_rate():
    """Its longer step after a spike and its 0.040008 move spikes, by less than a tenth of the rate at 0.1 ms."""
    board = small.device("spinnaker-spin5")
    for model in ("IZK_curr_exp", "IZK_cond_exp"):
        counts = [spikes_of(model, i_offset=8.0, duration=500.0, device=d).size for d in (board, REFERENCE)]
        assert counts[0] == pytest.approx(counts[1], rel=0.1)
        assert counts[1] > 10


def test_the_reference_says_where_it_moves_equal_time_constants_apart():
    """tau_syn = tau_m, of which ideal devices have the limit: Brian2 is off by less than 1e-4 of the potential."""
    network = Network().population("s", 1, "SpikeSourceArray", spike_times=[1.0])
    network = network.population("n", 1, "IF_curr_alpha", {"tau_m": 10.0, "tau_syn_E": 10.0})
    network = network.project("s", "n", AllToAll(), 0.3, 1.0)
    ours, right = (run(network, duration=100.0, device=device, n=["v"]) for device in (IDEAL, REFERENCE))
    off = np.abs(ours.traces["n"]["v"] - right.traces["n"]["v"]).max()
    assert 0 < off < 1e-4 * np.ptp(right.traces["n"]["v"])
    assert any("tau_syn_E: 0.0001 above tau_m" in note for note in right.report.as_dict()["notes"])
