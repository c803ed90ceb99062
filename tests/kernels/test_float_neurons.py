"""The compiled steps of float neurons against one neuron at a time from its differential equation."""

import numpy as np
import pytest

from neurohw import workbench
from neurohw.connections import AllToAll, FromList
from neurohw.kernels import float_neurons as fn
from neurohw.kernels.float_neurons import linear
from neurohw.network import RECEPTORS, Network, Numerics
from neurohw.neurons import NEURONS
from tests import small
from tests.oracles.float_neurons import Neuron

N, STEPS = 40, 300
IDEAL = small.device("spinnaker-spin5", ideal=True)
LEAKLESS = [
    m for m in small.MODELS if "tau_m" in NEURONS[m].parameters and NEURONS[m].parameters["tau_m"].may_be_infinite
]
NUMERICS = [Numerics(integration=i, reset=r) for i in ("exact", "euler") for r in ("set", "subtract")]


def parameters(model, seed=1, **fixed):
    """Parameters of N neurons, drawn over wide ranges; `fixed` ones are the same for all."""
    draw = np.random.default_rng(seed)
    ranges = {
        "v_rest": (-70, -60), "cm": (0.1, 1.5), "tau_m": (3, 50), "tau_refrac": (0, 5), "v_thresh": (-56, -48),
        "v_reset": (-75, -60), "i_offset": (-0.2, 2.0), "tau_syn_E": (0.5, 12), "tau_syn_I": (0.5, 12),
        "e_rev_E": (-10, 10), "e_rev_I": (-85, -70), "v_spike": (-47, -40), "delta_T": (1.5, 4), "a": (-2, 10),
        "b": (0, 0.2), "tau_w": (10, 200), "c": (-70, -50), "d": (0.5, 8), "tau_a": (20, 300), "beta": (0, 2),
    }  # fmt: skip
    if "c" in NEURONS[model].parameters:
        ranges |= {"a": (0.01, 0.1), "b": (0.15, 0.3), "i_offset": (-1e-3, 2e-2) if model == "Izhikevich" else (-1, 20)}
    if "kappa" in NEURONS[model].parameters:
        ranges |= {
            "cm": (2e-3, 4e-3), "v_thresh": (350, 450), "v_reset": (0, 20), "i_offset": (-1e-3, 0.3), "gain_m": (2, 6),
            "gain_E": (50, 150), "gain_I": (50, 150), "t_pulse": (0.005, 0.02), "b": (0, 2e-3), "tau_ahp": (20, 100),
            "i_0": (3e-4, 1e-3), "u_t": (24, 27), "kappa": (0.65, 0.75),
        }  # fmt: skip
    found = {name: draw.uniform(*ranges[name], N) for name in NEURONS[model].parameters}
    return {**found, **{name: np.full(N, float(value)) for name, value in fixed.items() if name in found}}


def arrivals(model, seed=2):
    """(STEPS, 2, N): what arrives in each step, mostly nothing."""
    draw = np.random.default_rng(seed)
    excitatory, inhibitory = small.weights(model)
    there = draw.random((STEPS, 2, N)) < 0.2
    return there * draw.exponential(2.0, (STEPS, 2, N)) * np.array([excitatory, inhibitory])[:, None]


def compiled(model, p, dt, numerics, v, incoming, injected):
    """(v, what excitation arrives at, inhibition) after each step, and who spiked, on a chip of float neurons.

    Each arrival has a source of its own.
    """
    network = Network(numerics=numerics).population("n", N, model, p, {"v": v})
    change = np.flatnonzero(np.diff(injected, prepend=0.0))
    if change.size:
        network = network.inject("n", change * dt, injected[change])
    for receptor, name in enumerate(RECEPTORS):
        step, neuron = np.nonzero(incoming[:, receptor])
        if step.size:
            sources = np.arange(step.size)
            network = network.population(name, step.size, "SpikeSourceArray", spike_times=(step * dt, sources))
            weights = incoming[step, receptor, neuron]
            network = network.project(name, "n", FromList(sources, neuron), weights, 0.0, receptor=name)
    states = list(dict.fromkeys(["v", *NEURONS[model].receptors.values()]))
    recording = workbench.run(
        workbench.map_network(network, IDEAL, dt=dt, record={"n": states}), workbench.fabricate(IDEAL), STEPS * dt
    )
    found, spikes = np.zeros((STEPS, 3, N)), np.zeros((STEPS, N), bool)
    for row, state in enumerate(states):
        found[:, row] = recording.traces["n"][state][1:]
        if row:  # a sample holds the weights that arrive at its time, but for the last one
            found[:-1, row] -= incoming[1:, row - 1]
    times, indices = recording.spikes["n"]
    spikes[np.rint(times / dt).astype(int), indices] = True
    return found, spikes


def one_by_one(model, p, dt, numerics, v, incoming, injected):
    cells = [
        Neuron(model, {name: float(value[k]) for name, value in p.items()}, dt, numerics, float(v[k])) for k in range(N)
    ]
    found, spikes = np.empty((STEPS, 3, N)), np.zeros((STEPS, N), bool)
    for t in range(STEPS):
        for k, cell in enumerate(cells):
            spikes[t, k] = cell.step(incoming[t, 0, k], incoming[t, 1, k], injected[t])
            found[t, :, k] = cell.v, cell.e, cell.i
    return found, spikes


def check(model, p, dt, numerics, tolerance=1e-9):
    if numerics.reset not in NEURONS[model].resets:
        pytest.skip(f"{model} is not reset by {numerics.reset}")
    v = np.random.default_rng(3).uniform(-75, -55, N)
    injected = np.where(np.arange(STEPS) > 150, 0.3 * small.DRIVE.get(model, 1.0), 0.0)
    incoming = arrivals(model)
    ours, spikes = compiled(model, p, dt, numerics, v, incoming, injected)
    right, expected = one_by_one(model, p, dt, numerics, v, incoming, injected)
    assert expected.sum() > 10 or not NEURONS[model].spikes, "too quiet to tell"
    assert np.array_equal(spikes, expected)
    assert np.abs(ours - right).max() < tolerance, f"{np.abs(ours - right).max():.3g} mV off"


@pytest.mark.parametrize("numerics", NUMERICS, ids=lambda n: f"{n.integration} {n.reset}")
@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("model", small.MODELS)
def test_steps_are_those_of_the_equation(model, dt, numerics):
    if NEURONS[model].weight_unit == "uS" and numerics.integration == "euler" and dt == 1.0:
        pytest.skip("forward Euler of stiff conductances diverges, in both alike")
    if "c" in NEURONS[model].parameters and dt == 1.0:
        pytest.skip("on its way up, a step of 1 ms multiplies any difference of Izhikevich's v by hundreds")
    check(model, parameters(model), dt, numerics)


@pytest.mark.parametrize("off", [0.0, 1e-12, 1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("model", ["IF_curr_exp", "IF_curr_alpha"])
def test_equal_time_constants(model, off, dt):
    """tau_m = tau_syn is the limit of the general propagator, and what lies near it is as exact."""
    p = parameters(model, tau_m=10.0, tau_syn_E=10.0 * (1 + off), tau_syn_I=10.0 * (1 - off))
    check(model, p, dt, Numerics())


@pytest.mark.parametrize("model", ["IF_curr_exp", "IF_curr_alpha"])
def test_time_constants_far_from_the_time_step(model):
    """A propagator is the same number by whichever form it is computed, and finite where its parts are not."""
    for tau_m, tau_syn in ((1e-3, 5.0), (5.0, 1e-3), (1e-3, 1e-3), (2.0, 1.0 + 1e-9), (1e9, 2.0), (2.0, 1e9)):
        p = {name: np.full(3, value[0]) for name, value in parameters(model, tau_m=tau_m, tau_syn_E=tau_syn).items()}
        for dt in (0.1, 1.0):
            v = 1e3 * linear.mean_rise(np.full(3, dt / tau_syn), np.full(3, dt / tau_m))
            shapes = [np.exp(-dt / tau_syn * s - dt / tau_m * (1 - s)) for s in np.linspace(0, 1, 200_001)]
            exact = 1e3 * np.trapezoid(np.linspace(0, 1, 200_001) * shapes, dx=1 / 200_000)
            assert v == pytest.approx(exact, rel=1e-3, abs=1e-9)
            assert np.isfinite(fn.coefficients(model, p, dt, Numerics())).all()


@pytest.mark.parametrize(("model", "state"), [("IF_curr_alpha", "isyn_exc"), ("IF_cond_alpha", "gsyn_exc")])
def test_an_alpha_function_peaks_at_tau_with_the_weight(model, state):
    """w (t / tau) exp(1 - t / tau), to rounding, at every step of one spike of weight w at 1 ms."""
    dt, tau, weight = 0.1, np.linspace(0.3, 8.0, N), 0.02
    network = Network().population("one", 1, "SpikeSourceArray", spike_times=[1.0])
    network = network.population("n", N, model, {"tau_syn_E": tau, "v_thresh": np.inf})
    network = network.project("one", "n", AllToAll(), weight, 0.0)
    recording = workbench.run(
        workbench.map_network(network, IDEAL, dt=dt, record={"n": [state]}), workbench.fabricate(IDEAL), 40.0
    )
    since = np.maximum(recording.times["n"][state] - 1.0, 0.0)[:, None] / tau
    assert recording.traces["n"][state] == pytest.approx(weight * since * np.exp(1 - since), abs=1e-16)


@pytest.mark.parametrize("numerics", NUMERICS[:2], ids=lambda n: n.reset)
@pytest.mark.parametrize("model", LEAKLESS)
def test_a_membrane_without_leak(model, numerics):
    p = parameters(model, tau_m=np.inf, i_offset=1.5)
    check(model, p, 0.1, numerics)


@pytest.mark.parametrize("model", LEAKLESS)
def test_a_very_slow_membrane_is_nearly_one_without_leak(model):
    v, injected, incoming = np.full(N, -65.0), np.zeros(STEPS), arrivals(model)
    slow, never = (
        compiled(model, parameters(model, tau_m=tau, v_thresh=np.inf), 0.1, Numerics(), v, incoming, injected)[0]
        for tau in (1e12, np.inf)
    )
    assert np.abs(slow - never).max() < 1e-6


@pytest.mark.parametrize(
    ("tau_refrac", "dt", "steps"), [(0, 1, 0), (0.1, 1, 0), (0.5, 1, 1), (2, 0.1, 20), (0.3, 0.1, 3)]
)
def test_refractory_periods_are_whole_steps(tau_refrac, dt, steps):
    assert fn.refractory_steps(np.array([tau_refrac]), dt) == steps
    p = parameters("IF_curr_delta", tau_refrac=tau_refrac, i_offset=20.0, cm=0.1, v_reset=-70.0, tau_m=10.0)
    silent = np.zeros((STEPS, 2, N))
    _found, spikes = compiled("IF_curr_delta", p, dt, Numerics(), np.full(N, -70.0), silent, np.zeros(STEPS))
    gaps = [np.diff(np.flatnonzero(spikes[:, k])) for k in range(N)]
    rising = compiled(
        "IF_curr_delta", {**p, "tau_refrac": np.zeros(N)}, dt, Numerics(), np.full(N, -70.0), silent, np.zeros(STEPS)
    )
    free = [np.diff(np.flatnonzero(rising[1][:, k])) for k in range(N)]
    for k in range(N):
        assert set(gaps[k]) == {free[k][0] + steps}


def test_a_refractory_membrane_rests_while_its_synapses_go_on():
    p = parameters("IF_curr_exp", tau_refrac=5.0, v_thresh=-60.0, v_reset=-70.0)
    incoming = np.zeros((STEPS, 2, N))
    incoming[10, 0] = 30.0
    found, spikes = compiled("IF_curr_exp", p, 0.1, Numerics(), np.full(N, -65.0), incoming, np.zeros(STEPS))
    for k in range(N):
        first = np.flatnonzero(spikes[:, k] & (np.arange(STEPS) >= 10))[0]
        assert (found[first : first + 51, 0, k] == -70.0).all()
        assert found[first + 51, 0, k] != -70.0 or spikes[first + 51, k]
        held = found[first : first + 50, 1, k]
        assert held[1:] / held[:-1] == pytest.approx(np.exp(-0.1 / p["tau_syn_E"][k]), rel=1e-12)


def test_subtracting_keeps_what_lay_above_threshold():
    p = parameters("IF_curr_delta", tau_m=np.inf, v_thresh=-50.0, v_reset=-65.0, i_offset=0.0, tau_refrac=0.0)
    incoming = np.zeros((STEPS, 2, N))
    incoming[:, 0] = 3.7
    found, spikes = compiled(
        "IF_curr_delta", p, 1.0, Numerics(reset="subtract"), np.full(N, -65.0), incoming, np.zeros(STEPS)
    )
    expected = -65.0 + 3.7 * np.arange(1, STEPS + 1) - 15.0 * np.cumsum(spikes[:, 0])
    assert found[:, 0, 0] == pytest.approx(expected, abs=1e-9)
    assert spikes[:, 0].sum() == pytest.approx(3.7 * STEPS / 15, abs=1)


@pytest.mark.parametrize("numerics", NUMERICS, ids=lambda n: f"{n.integration} {n.reset}")
@pytest.mark.parametrize("model", small.MODELS)
def test_neurons_that_are_alike_do_as_neurons_that_differ(model, numerics):
    """Where all have the same parameters, they may be computed in another loop; no bit may tell."""
    if numerics.reset not in NEURONS[model].resets:
        pytest.skip(f"{model} is not reset by {numerics.reset}")
    alike = {name: np.full(N, value[0]) for name, value in parameters(model).items()}
    arguments = (np.full(N, -65.0), arrivals(model), np.zeros(STEPS))
    one_differs = {**alike, "i_offset": alike["i_offset"] + (np.arange(N) == N - 1)}
    (a, spikes_a), (b, spikes_b) = (compiled(model, p, 0.1, numerics, *arguments) for p in (alike, one_differs))
    assert np.array_equal(a[:, :, :-1], b[:, :, :-1])
    assert np.array_equal(spikes_a[:, :-1], spikes_b[:, :-1])


def test_tiny_synaptic_state_is_flushed_before_it_becomes_subnormal():
    p = parameters("IF_curr_exp", tau_syn_E=0.1, tau_syn_I=0.1)
    incoming = np.zeros((STEPS, 2, N))
    incoming[0, 0], incoming[0, 1] = 1.0, -1.0
    found, _ = compiled("IF_curr_exp", p, 1.0, Numerics(), np.full(N, -65.0), incoming, np.zeros(STEPS))
    assert not found[30:, 1:].any()
    assert (np.abs(found[:, 1:][found[:, 1:] != 0]) > 1e-300).all()


@pytest.mark.parametrize("numerics", NUMERICS, ids=lambda n: f"{n.integration} {n.reset}")
@pytest.mark.parametrize("model", small.MODELS)
def test_shared_coefficients_give_the_same_bits(model, numerics):
    """The loop that reads one set of coefficients for all neurons does what the loop over rows of them does."""
    means = {name: float(values.mean()) for name, values in parameters(model).items()}
    if model == "DPI_exp":
        means["i_offset"] = 1.0  # from below its dark current a membrane takes long to rise
    c = fn.coefficients(model, parameters(model, **means), 0.1, numerics)
    code, incoming = fn.step_code(model, numerics), arrivals(model)
    states, flags = np.zeros((2, fn.N_STATE, N)), np.zeros((2, N), np.uint8)
    states[:, fn.V], states[:, fn.I_EXT] = np.random.default_rng(3).uniform(-75, -50, N), means["i_offset"]
    n_spikes = 0
    for t in range(STEPS):
        sums = np.stack([incoming[t], incoming[t]])
        fn.step(code, states[0], sums[0], c, 0, N, flags[0])
        fn.step_shared(code, states[1], sums[1], c, 0, N, flags[1])
        assert not sums.any(), "arrivals are taken once"
        n_spikes += flags[0].sum()
    assert n_spikes >= 10 or not NEURONS[model].spikes, "too quiet to tell"
    assert np.array_equal(states[0], states[1])
    assert np.array_equal(flags[0], flags[1])


def test_neighbors_that_do_the_same_become_one_loop():
    sizes, codes = np.array([3, 2, 4, 1, 1, 5, 2]), np.array([0, 0, 0, 1, 1, 0, 0])
    ends = np.cumsum(sizes)
    c = np.zeros((fn.N_COEFFICIENTS, ends[-1]))
    c[0, 5:9] = 1.0  # the third population shares other coefficients
    c[0, 11:] = np.arange(7)  # the last two have a set for each neuron
    code, first, last, shared = fn.loops(codes, ends - sizes, ends, c)
    assert code.tolist() == [0, 0, 1, 0]
    assert (first.tolist(), last.tolist()) == ([0, 5, 9, 11], [5, 9, 11, 18])
    assert shared.tolist() == [True, True, True, False]


def test_a_threshold_that_adapts():
    """beta a above v_thresh, a = sum over past spikes of exp(-(t - t_k)/tau_a); the membrane goes on while refractory."""
    tau_m, tau_a, beta, weight = 20.0, 100.0, 2.0, 1.3
    parameters = {"v_rest": 0.0, "v_thresh": 3.0, "v_reset": 0.0, "tau_refrac": 2.0, "tau_m": tau_m, "tau_a": tau_a}
    network = Network(numerics=Numerics(reset="subtract"))
    network = network.population("s", 1, "SpikeSourceArray", spike_times=np.arange(0.0, 100.0))
    network = network.population("n", 1, "ALIF", {**parameters, "beta": beta}).project(
        "s", "n", AllToAll(), weight, 0.0
    )
    program = workbench.map_network(network, IDEAL, dt=1.0, record={"n": ["v", "a"]})
    found, v, last, spikes = workbench.run(program, workbench.fabricate(IDEAL), 100.0), 0.0, -9, []
    for t in range(100):
        v = v * np.exp(-1 / tau_m) + weight
        a = sum(np.exp(-(t - k) / tau_a) for k in spikes)
        if v > 3.0 + beta * a and t - last > 2:
            v, last = v - 3.0, t
            spikes.append(t)
        assert found.traces["n"]["v"][t + 1, 0] == pytest.approx(v, abs=1e-12)
        assert found.traces["n"]["a"][t + 1, 0] == pytest.approx(a + (last == t), abs=1e-12)
    assert found.spikes["n"][0].tolist() == spikes
    assert 5 < len(spikes) < 33
