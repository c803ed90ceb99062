"""That networks learn, in the small: a pattern, with each feedback, online too, and which way the adaptive threshold helps."""

import numpy as np
import pytest

from neurohw.errors import BadInput
from neurohw.learning import experiment, online
from neurohw.learning.batch import Batch
from neurohw.learning.cells import published
from neurohw.learning.conventions import CONVENTIONS
from neurohw.learning.feedback import Feedback
from neurohw.learning.optimizers import Adam, GradientDescent
from neurohw.learning.rule import Rule
from neurohw.learning.tasks.sinusoids import Sinusoids
from neurohw.mapping import load_mapping

N_IN, N, STEPS = 40, 40, 300
TASK = Sinusoids(n_inputs=N_IN, rate=80.0, steps=STEPS)


def start(seed=1):
    draw = np.random.default_rng(seed)
    w_rec = draw.normal(0, 0.5 / np.sqrt(N), (N, N))
    np.fill_diagonal(w_rec, 0.0)
    return {"in": draw.normal(0, 1 / np.sqrt(N_IN), (N_IN, N)), "rec": w_rec, "out": draw.normal(0, 0.05, (N, 1))}


def rule(form="online"):
    cells = published(form, N, tau_m=20.0, tau_out=20.0, v_th=0.6, tau_a=100.0, beta=np.linspace(0, 0.2, N))
    return Rule(cells, CONVENTIONS[form], average=True)


def learn(feedback, iterations=80, form="online", optimizer=None):
    """(first, last) mean squared error."""
    given, w, made = TASK.batch(0, 1, seed=3), start(), rule(form)
    optimizer, errors = optimizer or Adam(0.01), []
    for _ in range(iterations):
        found, scored = made.run(given, w["in"], w["rec"], w["out"])
        gradients = made.gradients(found, scored, given, feedback.of(w["out"]), N_IN)
        changes = optimizer.changes(dict(zip(w, gradients, strict=True)))
        w = {name: w[name] + changes[name] for name in w}
        feedback.applied(changes["out"])
        errors.append(scored.metrics["mse"].mean())
    return errors[0], np.mean(errors[-5:])


@pytest.mark.parametrize("kind", ["symmetric", "random", "adaptive"])
def test_a_pattern_is_learned_with_each_feedback(kind):
    drawn = np.random.default_rng(5).normal(0, 0.3, (N, 1))
    first, last = learn(Feedback(kind, None if kind == "symmetric" else drawn))
    assert last < 0.1 * first


def test_by_gradient_descent_too():
    first, last = learn(Feedback("symmetric"), 150, optimizer=GradientDescent({"in": 0.5, "rec": 0.5, "out": 0.02}))
    assert last < 0.6 * first


def test_weights_that_change_while_the_network_runs_learn():
    """Twenty rounds of the same pattern in one continuous run."""
    one = TASK.batch(0, 1, seed=3)
    rounds = Batch({"in": np.tile(one.spikes["input"], (1, 40, 1))}, np.tile(one.targets, (1, 40, 1)))
    cells, w = rule().cells, start()
    made = Rule(cells, CONVENTIONS["online"])
    b = np.random.default_rng(5).normal(0, 0.3, (N, 1))
    found = online.run(made, rounds, *w.values(), b, online.WhileRunning(2e-4, each_step=False))
    squares = ((found.y - rounds.targets) ** 2).reshape(40, STEPS).mean(axis=1)
    assert squares[-5:].mean() < 0.5 * squares[:2].mean()
    assert np.abs(found.weights[0] - w["in"]).max() > 1e-4
    clipped = online.run(made, rounds, *w.values(), b, online.WhileRunning(2e-4, limits=(-0.3, 0.3)))
    moved = clipped.weights[0] != w["in"]
    assert np.abs(clipped.weights[0][moved]).max() == pytest.approx(0.3)


def test_optimizers_go_on_from_a_saved_state():
    draw, whole, parts = np.random.default_rng(1), Adam(0.1), Adam(0.1)
    gradients = [{"a": draw.normal(size=3), "b": draw.normal(size=(2, 2))} for _ in range(6)]
    expected = [whole.changes(g) for g in gradients][-1]
    for g in gradients[:3]:
        parts.changes(g)
    resumed = Adam(0.1)
    resumed.restore(parts.state())
    found = [resumed.changes(g) for g in gradients[3:]][-1]
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("kind", [Adam, GradientDescent])
def test_a_rate_falls_by_its_half_life_and_goes_on_falling_from_a_saved_state(kind):
    given = {"a": np.array([1.0, -2.0])}
    plain, falling = kind(0.1), kind(0.1, half_life=4)
    for k in range(9):
        expected, found = plain.changes(given)["a"], falling.changes(given)["a"]
        assert found == pytest.approx(expected * 0.5 ** (k / 4), rel=1e-14)
    resumed = kind(0.1, half_life=4)
    resumed.restore(falling.state())
    assert np.array_equal(resumed.changes(given)["a"], falling.changes(given)["a"])
    for wrong in (0, -1.0, "long"):
        with pytest.raises(BadInput, match="half_life"):
            kind(0.1, half_life=wrong)


SCHEME = """
network: {{task: {{name: sinusoids, n_inputs: 30, steps: 200}}, hidden: 25, v_thresh: 0.19, gain: 0.1}}
duration: 200 ms
train:
  epochs: 120
  clip: 10
  pause: 10 s
  train_samples: 1
  rule: {{form: demirag, regularization: 1.0e-4, surrogate_height: 0.3, surrogate_width: 0.19, membranes: recording}}
  optimizer: {{name: gradient_descent, rate: {{input: 1.5e-4, recurrent: 1.5e-4, readout: 5.0e-4}}}}
  scheme: {scheme}
chips: [{{device: pcm-set, choices: {{g_max_weight: 0.3, read_noise: per column}}}}]
"""


def learned(scheme, folder):
    """(mean square of the target, mean squared error of the last ten epochs) on phase-change memory."""
    (folder / "small.yaml").write_text(SCHEME.format(scheme=scheme), encoding="utf-8")
    made = experiment.cases(load_mapping(folder / "small.yaml"))[0].trainer(1)
    return (made.course(0)[0].targets ** 2).mean(), made.train().last("mse")


@pytest.mark.parametrize("scheme", ["{name: tiki_taka, gain: 30}", "{name: mixed_precision, quantum: 2}"])
def test_schemes_learn_on_phase_change_memory(scheme, tmp_path):
    nothing, last = learned(scheme, tmp_path)
    assert last < 0.25 * nothing


def test_a_fast_array_that_is_read_too_little_amplified_teaches_its_noise(tmp_path):
    nothing, last = learned("{name: tiki_taka, gain: 0.3}", tmp_path)
    assert last > nothing


@pytest.mark.parametrize("kind", [Adam, GradientDescent])
@pytest.mark.parametrize("rate", [np.nan, -1.0, 1e300, "fast", {"a": 1.0, "b": np.inf}])
def test_a_rate_is_a_number_that_one_can_learn_by(kind, rate):
    with pytest.raises(BadInput, match=r"rate .* is not a number from 0"):
        kind(rate)
