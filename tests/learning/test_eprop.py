"""E-prop against its equations synapse by synapse, against recorded runs of NEST, and on an ideal chip."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neurohw import workbench
from neurohw.connections import AllToAll
from neurohw.errors import BadInput, OutOfRange, Unsupported
from neurohw.learning import online
from neurohw.learning.batch import Batch
from neurohw.learning.cells import cells_of, published, roles
from neurohw.learning.conventions import CONVENTIONS
from neurohw.learning.eprop import TOGETHER, EProp
from neurohw.learning.feedback import Feedback
from neurohw.learning.gradient_check import check_learner
from neurohw.learning.learner import Learner
from neurohw.learning.rule import Rates, Rule
from neurohw.learning.surrogate import SHAPES, Surrogate
from neurohw.network import Network, Numerics
from neurohw.study import eprop_replay, eprop_setups
from neurohw.study.eprop_cases import BatchConfig, OnlineConfig
from tests import small
from tests.oracles import eprop as oracle

LOSSES = json.loads((Path(__file__).parents[1] / "golden" / "eprop" / "nest_losses.json").read_text())
STEPS, N_IN, N, N_OUT = 80, 6, 9, 2
DRAW = np.random.default_rng(4)
W_IN, W_REC, W_OUT = (DRAW.normal(0, s, shape) for s, shape in ((0.5, (N_IN, N)), (0.3, (N, N)), (0.4, (N, N_OUT))))
np.fill_diagonal(W_REC, 0.0)
BROADCAST = DRAW.normal(0, 1, (N, N_OUT))


def batch(samples=3, classes=False, seed=2):
    draw = np.random.default_rng(seed)
    x = draw.random((samples, STEPS, N_IN)) < 0.25
    mask = draw.random((samples, STEPS)) < 0.7
    if classes:
        return Batch({"in": x}, labels=draw.integers(0, N_OUT, samples), mask=mask)
    return Batch({"in": x}, draw.normal(0, 1, (samples, STEPS, N_OUT)), mask=mask)


def cells(form="online", **changes):
    """Neurons that differ in everything, some adaptive, some refractory."""
    made = published(form, N, tau_m=20.0, tau_out=15.0, v_th=0.6, tau_a=60.0, beta=np.linspace(0, 0.4, N), t_ref=3)
    return replace(made, **changes)


def constants(c, surrogate):
    height, width = surrogate.scaled(c.threshold)
    own = {name: getattr(c, name) for name in ("alpha", "rho", "beta", "threshold", "drop", "blocked", "bias", "kappa")}
    return {**own, "delays": c.delays, "height": height, "width": width, "shape": surrogate.shape}


@pytest.mark.parametrize("delays", [(0, 1, 0), (1, 1, 1), (2, 3, 2)], ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_forward_and_gradients_are_those_of_the_equations(shape, delays):
    """1e-12 relative: the same sums in another order."""
    surrogate = Surrogate(shape, 0.5, 0.4)
    c = cells(alpha=np.linspace(0.85, 0.97, N), delays=delays, bias=np.linspace(0, 0.02, N), strict=True)
    rule, given = Rule(c, CONVENTIONS["online"], surrogate), batch()
    found, scored = rule.run(given, W_IN, W_REC, W_OUT)
    ours = rule.gradients(found, scored, given, BROADCAST, N_IN)
    expected = [np.zeros_like(g.T) for g in ours]
    for s in range(given.n_samples):
        x = given.spikes["in"][s].astype(float)
        run = oracle.simulate(constants(c, surrogate), x, W_IN.T, W_REC.T, W_OUT.T)
        assert np.array_equal(run["z"], found.z[s])
        for name in ("v", "psi"):
            assert getattr(found, name)[s] == pytest.approx(run[name], abs=1e-12)
        assert found.y[s] == pytest.approx(run["y"], abs=1e-12)
        for total, g in zip(
            expected, oracle.gradients(constants(c, surrogate), x, run, scored.error[s], BROADCAST), strict=True
        ):
            total += g / given.n_samples
    assert 200 < found.z.sum() < 0.6 * found.z.size
    for ours_g, g in zip(ours, expected, strict=True):
        assert np.abs(g).max() > 1e-3
        assert ours_g == pytest.approx(g.T, rel=1e-10, abs=1e-12 * np.abs(g).max())


@pytest.mark.parametrize("classes", [False, True])
def test_the_online_form_gives_the_same_gradients_in_memory_of_synapses(classes):
    """With rates regularized too; the trace per synapse against the filters that run backwards."""
    rule = Rule(cells(), CONVENTIONS["online"], rates=Rates(0.7, 20.0, 0.9), average=classes)
    given = batch(classes=classes)
    found, scored = rule.run(given, W_IN, W_REC, W_OUT)
    expected = rule.gradients(found, scored, given, BROADCAST, N_IN)
    ours = online.run(rule, given, W_IN, W_REC, W_OUT, BROADCAST)
    assert np.array_equal(ours.z, found.z)
    assert ours.y == pytest.approx(found.y, abs=1e-13)
    assert ours.loss.mean() == pytest.approx(scored.loss, rel=1e-12)
    forgets = online.run(rule, given, W_IN, W_REC, W_OUT, BROADCAST, keep=False)
    assert forgets.z.shape[1] == forgets.psi.shape[1] == 0
    assert all(np.array_equal(a, b) for a, b in zip(forgets.gradients, ours.gradients, strict=True))
    for g, e in zip(ours.gradients, expected, strict=True):
        assert g / given.n_samples == pytest.approx(e, rel=1e-10, abs=1e-12 * np.abs(e).max())


@pytest.mark.parametrize("form", CONVENTIONS)
def test_each_form_regularizes_rates_in_its_way(form):
    c, rates = cells(form), Rates(0.5, 30.0, 0.9)
    rule, given = Rule(c, CONVENTIONS[form], rates=rates), batch()
    free = Rule(c, CONVENTIONS[form])
    found, scored = rule.run(given, W_IN, W_REC, W_OUT)
    with_rates, without = (r.gradients(found, scored, given, BROADCAST, N_IN)[1] for r in (rule, free))
    gain = 1.0 if CONVENTIONS[form].trace_gain == "1" else 1 - c.kappa
    constant, expected = constants(c, rule.surrogate), np.zeros((N, N))
    silent = np.zeros((STEPS, N_OUT))
    for s in range(given.n_samples):
        x, z = given.spikes["in"][s].astype(float), found.z[s].astype(float)
        run = oracle.simulate(constant, x, W_IN.T, W_REC.T, W_OUT.T, z)
        if form == "2020":
            off = 0.5 * (z.mean(axis=0) - 0.03) / STEPS
            expected += oracle.gradients(constant, x, run, silent, BROADCAST, gain, flat=off)[1]
        elif form == "demirag":
            off = 0.5 * (found.z.mean(axis=(0, 1)) * 1e3 - 30.0)
            expected += oracle.gradients(constant, x, run, np.ones((STEPS, 1)), off[:, None], gain)[1]
        else:
            mean, off = np.zeros(N), np.zeros((STEPS, N))
            for t in range(STEPS):
                mean = 0.9 * mean + 0.1 * z[t]
                off[t] = 0.5 * (mean - 0.03)
            expected += oracle.gradients(constant, x, run, silent, BROADCAST, gain, off, 0.9)[1]
    expected /= given.n_samples
    assert np.abs(expected).max() > 1e-6
    assert with_rates - without == pytest.approx(expected.T, rel=1e-8, abs=1e-10 * np.abs(expected).max())


def test_published_resets_and_adaptations_are_written_otherwise_but_the_same():
    """The recursions of the 2020 form, as published: reset one step late and not decayed, b = rho b + z[t-1]."""
    c, given, surrogate = cells("2020"), batch(1), Surrogate(height=0.5, width=0.6)
    found, _ = Rule(c, surrogate=surrogate).run(given, W_IN, W_REC, W_OUT)
    v, b, r, z, beta = np.zeros(N), np.zeros(N), np.zeros(N), np.zeros(N), np.linspace(0, 0.4, N)
    alpha, rho = np.exp(-1 / 20), np.exp(-1 / 60)
    for t in range(STEPS):
        r = np.maximum(r - 1, 0)
        v = alpha * v + given.spikes["in"][0, t] @ W_IN + z @ W_REC - 0.6 * z
        b = rho * b + z
        z = (v >= 0.6 + beta * b) & (r == 0)
        r = np.where(z, 3, r)
        assert np.array_equal(z, found.z[0, t])
        assert found.v[0, t] == pytest.approx(v, abs=1e-12)


@pytest.mark.parametrize("which", ["loss_batch_1", "loss_batch_2"])
def test_the_losses_of_nests_classification(which):
    """As NEST's own test holds them, to the digits printed there; TensorFlow's to 1e-6."""
    told = LOSSES["classification"]
    config = BatchConfig(**told["config"] | {"batch": int(which[-1])})
    ours = [one.loss for one in eprop_replay.batches(config, eprop_setups.classification(config, config.n_iter))]
    assert ours == pytest.approx(told[which], rel=1e-11)
    if which == "loss_batch_1":
        assert ours == pytest.approx(told["loss_tensorflow_batch_1"], rel=1e-6)


def test_the_losses_of_nests_regression():
    """1e-8 as in NEST's test: its weights miss the last step of some sequences. The first loss is free of that."""
    told = LOSSES["regression"]
    config = BatchConfig(**told["config"])
    ours = [one.loss for one in eprop_replay.batches(config, eprop_setups.regression(config, config.n_iter))]
    assert ours[0] == pytest.approx(101.964356999, rel=1e-11)
    assert ours == pytest.approx(told["loss"], rel=1e-8)
    assert ours == pytest.approx(told["loss_tensorflow"], rel=1e-7)


@pytest.mark.parametrize("model", LOSSES["online"]["configs"])
def test_the_losses_of_nests_online_models(model):
    """To the 14 decimals printed; here the trace cutoff of 100 steps and Adam's clock act too."""
    config = OnlineConfig(**LOSSES["online"]["configs"][model])
    arrays = eprop_setups.continuous(config, config.n_iter)
    found = eprop_replay.continuous(config, arrays)
    ours = ((found.y[0] - arrays["Y"]) ** 2).reshape(config.n_iter, -1).sum(axis=1) / 2
    assert ours == pytest.approx(LOSSES["online"]["loss"][model], abs=2e-14)


def network(recurrent=True, numerics=None, model="ALIF", **parameters):
    own = {"v_rest": -65.0, "v_thresh": -64.4, "v_reset": -65.0, "tau_m": 20.0, "tau_refrac": 0.0}
    adaptive = {"tau_a": 60.0, "beta": np.linspace(0, 0.4, N)} if model == "ALIF" else {}
    made = Network("learns", 3, numerics=numerics or Numerics(reset="subtract"))
    made = made.population("in", N_IN, "SpikeSourceArray").population("hidden", N, model, own | adaptive | parameters)
    made = made.population("readout", N_OUT, "LI", {"tau_m": 15.0})
    pairs = [("in", "hidden", W_IN)] + [("hidden", "hidden", W_REC)] * recurrent + [("hidden", "readout", W_OUT)]
    for source, target, w in pairs:
        made = made.project(source, target, AllToAll(), w.ravel(), 1.0, "excitatory", "SignedSynapse")
    return made


WEIGHTS = {"in to hidden": W_IN, "hidden to hidden": W_REC, "hidden to readout": W_OUT}


def recordings(made, given, learner, device):
    program = workbench.map_network(made, device, dt=1.0, record=learner.record)
    chip = workbench.fabricate(device)
    return workbench.run(
        program, chip, learner.duration(given), stimulus=[given.stimulus(k, 1.0) for k in range(given.n_samples)]
    )


@pytest.mark.parametrize(
    ("parameters", "numerics", "model"),
    [
        ({"tau_refrac": 2.0}, None, "ALIF"),
        ({"i_offset": 0.02, "tau_m": np.linspace(10, 40, N)}, None, "ALIF"),
        ({"v_reset": -65.2}, Numerics(), "ALIF"),
        ({"tau_refrac": 2.0}, Numerics(), "IF_curr_delta"),
        ({}, None, "IF_curr_delta"),
    ],
    ids=["refractory", "biased", "set", "rests", "subtracts"],
)
@pytest.mark.parametrize("name", ["pcm-set", "reference"])
def test_an_ideal_chip_gives_the_very_spikes_and_gradients(name, parameters, numerics, model):
    made, given = network(model=model, numerics=numerics, **parameters), batch(2)
    device = small.device(name, ideal=name != "reference")
    learner = EProp(made, membranes="recording" if made.numerics.reset == "subtract" else "twin", least_delay=0)
    assert isinstance(learner, Learner)
    seen = learner.gradients(recordings(made, given, learner, device), given, WEIGHTS)
    ideal = learner.simulate(given, WEIGHTS)
    assert seen.metrics["rate"].tolist() == ideal.metrics["rate"].tolist()
    assert 5 < seen.metrics["rate"].mean() < 700
    assert seen.loss == pytest.approx(ideal.loss, rel=1e-10)
    assert seen.outputs == pytest.approx(ideal.outputs, abs=1e-11)
    for projection, g in ideal.weights.items():
        assert g.shape == WEIGHTS[projection].shape
        assert seen.weights[projection] == pytest.approx(g, rel=1e-8, abs=1e-10 * np.abs(g).max())


def test_observed_spikes_are_taken_as_they_are():
    """A chip that fires otherwise than its weights say: pre traces and readout follow what it did."""
    made, given = network(), batch(2)
    learner = EProp(made, readout="twin")
    seen = recordings(made, given, learner, small.device("pcm-set", ideal=True))
    ours = learner.gradients(seen, given, {**WEIGHTS, "in to hidden": 0.5 * W_IN})
    assert ours.metrics["rate"].tolist() == learner.gradients(seen, given, WEIGHTS).metrics["rate"].tolist()
    assert ours.outputs == pytest.approx(learner.gradients(seen, given, WEIGHTS).outputs)
    assert not np.allclose(ours.weights["in to hidden"], learner.simulate(given, WEIGHTS).weights["in to hidden"])


def test_a_network_without_recurrence_and_with_two_inputs():
    made = network(recurrent=False).population("more", 2, "SpikeSourceArray")
    made = made.project("more", "hidden", AllToAll(), 0.3, synapse="SignedSynapse")
    given = batch(2)
    given = Batch({"more": given.spikes["in"][:, :, :2], "in": given.spikes["in"]}, given.targets)
    learner = EProp(made)
    weights = {"in to hidden": W_IN, "more to hidden": np.full((2, N), 0.3), "hidden to readout": W_OUT}
    found = learner.simulate(given, weights).weights
    assert {name: g.shape for name, g in found.items()} == {name: w.shape for name, w in weights.items()}
    assert found["more to hidden"] == pytest.approx(found["in to hidden"][:2]), "they get the same spikes"


def test_feedback_that_is_tied_fixed_or_follows():
    made, given = network(), batch(1)
    symmetric, random, adaptive = EProp(made), EProp(made, feedback="random"), EProp(made, feedback="adaptive")
    start = random.feedback.weights.copy()
    assert start.std() == pytest.approx(1 / 3, rel=0.5)
    assert np.array_equal(start, adaptive.feedback.weights), "drawn from the network's seed"
    same = {**WEIGHTS, "hidden to readout": start}
    assert symmetric.simulate(given, same).weights["in to hidden"] == pytest.approx(
        random.simulate(given, same).weights["in to hidden"]
    )
    for learner in (symmetric, random, adaptive):
        learner.applied({"hidden to readout": np.ones((N, N_OUT))})
    assert np.array_equal(random.feedback.weights, start)
    assert np.array_equal(adaptive.feedback.weights, start + 1)
    kept = adaptive.state()
    adaptive.applied({"hidden to readout": np.ones((N, N_OUT))})
    adaptive.restore(kept)
    assert np.array_equal(adaptive.feedback.weights, start + 1)


def test_feedback_that_follows_meets_the_readout():
    """Kolen and Pollack: the same increments, and both decay: the difference shrinks by 1 - decay at each update."""
    made, w = network(), W_OUT.copy()
    learner = EProp(made, feedback=Feedback("adaptive", np.zeros((N, N_OUT)), decay=0.02))
    assert learner.decay == {"hidden to readout": 0.02}
    draw = np.random.default_rng(1)
    for _ in range(300):
        change = draw.normal(0, 0.01, w.shape)
        w = (1 - learner.decay["hidden to readout"]) * w + change
        learner.applied({"hidden to readout": change})
    assert np.abs(learner.feedback.weights - w).max() == pytest.approx(0.98**300 * np.abs(W_OUT).max(), rel=1e-6)


@pytest.mark.parametrize("form", ["online", "2020", "demirag"])
def test_a_large_batch_has_the_mean_gradient_of_its_samples(form):
    """1e-12: worked out in parts. Where rates are those of the whole batch, the mean of parts would be another."""
    learner, given = EProp(network(), form=form, rates=Rates(0.5, 20.0)), batch(2 * TOGETHER + 3, classes=True)
    whole = learner.simulate(given, WEIGHTS)
    one, *rest = (learner.simulate(given.samples(slice(k, k + 1)), WEIGHTS) for k in range(given.n_samples))
    assert np.array_equal(whole.metrics["rate"], [r for found in (one, *rest) for r in found.metrics["rate"]])
    assert np.array_equal(whole.outputs, np.concatenate([found.outputs for found in (one, *rest)]))
    assert whole.loss == pytest.approx(np.mean([found.loss for found in (one, *rest)]), rel=1e-12)
    same = [
        np.allclose(
            g, np.mean([found.weights[name] for found in (one, *rest)], axis=0), rtol=0, atol=1e-12 * np.abs(g).max()
        )
        for name, g in whole.weights.items()
    ]
    assert same == ([True] * 3 if form != "demirag" else [False, False, True])


def test_what_does_not_fit_is_named():
    made, given = network(), batch(2)
    learner = EProp(made)
    seen = recordings(made, given, learner, small.device("pcm-set", ideal=True))
    with pytest.raises(BadInput, match="2 recordings for a batch of 3"):
        learner.gradients(seen, batch(3), WEIGHTS)
    longer = Batch({"in": np.zeros((2, 81, N_IN), bool)}, np.zeros((2, 81, N_OUT)))
    with pytest.raises(BadInput, match="lasts 80 ms, the batch 81 ms"):
        learner.gradients(seen, longer, WEIGHTS)
    with pytest.raises(
        BadInput, match=r"none for projection 'hidden to hidden'; .* have the shape \(9, 1\), not \(9, 2\)"
    ):
        learner.simulate(given, {"in to hidden": W_IN, "hidden to readout": W_OUT[:, :1]})
    with pytest.raises(BadInput, match="targets for 1 outputs, but the readout has 2"):
        learner.simulate(Batch(given.spikes, given.targets[:, :, :1]), WEIGHTS)
    with pytest.raises(BadInput, match="label 2 where the readout has 2 classes"):
        learner.simulate(Batch(given.spikes, labels=np.array([0, 2])), WEIGHTS)
    with pytest.raises(BadInput, match="no spikes for 'in'"):
        learner.simulate(Batch({"other": given.spikes["in"]}, given.targets), WEIGHTS)
    with pytest.raises(OutOfRange, match="the loss is not finite"):
        learner.simulate(given, {**WEIGHTS, "hidden to readout": 1e200 * W_OUT})
    with pytest.raises(BadInput, match="no v of every neuron of 'hidden'"):
        EProp(made, membranes="recording").gradients(seen, given, WEIGHTS)


def test_networks_it_cannot_learn_are_refused_with_every_reason():
    with pytest.raises(Unsupported, match="one hidden population"):
        EProp(network().population("second", 3, "ALIF"))
    with pytest.raises(Unsupported, match="population 'x' is a IF_cond_exp"):
        EProp(network().population("x", 3, "IF_cond_exp"))
    with pytest.raises(Unsupported, match="no part in it"):
        EProp(network().project("readout", "hidden", AllToAll(), 0.1))
    others = network(recurrent=False).project("hidden", "hidden", AllToAll(allow_self_connections=False), 0.1)
    with pytest.raises(Unsupported, match="must be AllToAll"):
        EProp(others)
    with pytest.raises(Unsupported, match="Euler"):
        EProp(network(numerics=Numerics(integration="euler", reset="subtract")))
    rule = Rule(cells(), CONVENTIONS["2020"], rates=Rates(1.0))
    with pytest.raises(Unsupported, match="known only at the end"):
        online.run(rule, batch(), W_IN, W_REC, W_OUT, BROADCAST)


def test_constants_of_a_network():
    made = network(tau_refrac=2.0)
    found = cells_of(made, roles(made), 1.0)
    assert found.delays == (1, 1, 1)
    assert found.threshold == pytest.approx(0.6)
    assert found.drop == pytest.approx(0.6)
    assert found.blocked.tolist() == [2] * N
    assert found.kappa == pytest.approx(np.exp(-1 / 15))


def test_the_gradients_of_a_learner_are_checked_in_one_call():
    found = check_learner(EProp(network(), form="online"), batch(2), WEIGHTS)
    assert all(one.largest < 1e-12 for one in found.factorized.values())
    assert found.rule["recurrent"].cosine > 0.3
    random = check_learner(EProp(network(), feedback="random"), batch(2), WEIGHTS)
    assert random.rule["input"].cosine < found.rule["input"].cosine
