"""E-prop, backpropagation and differences: which gradients are the same to rounding, and that the adjoint is right.

1e-12 relative to the largest entry: sums of some thousand float64 products in another order.
"""

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

from neurohw.errors import Unsupported
from neurohw.learning import autograd, gradient_check
from neurohw.learning.batch import Batch
from neurohw.learning.cells import published
from neurohw.learning.conventions import CONVENTIONS
from neurohw.learning.gradient_check import Run, check, likeness
from neurohw.learning.rule import Rule
from neurohw.learning.surrogate import SHAPES, Surrogate

STEPS, N_IN, N, N_OUT = 60, 5, 8, 2
TORCH = importlib.util.find_spec("torch") is not None


def weights(seed=4):
    draw = np.random.default_rng(seed)
    shapes = ((N_IN, N), 0.6), ((N, N), 0.4), ((N, N_OUT), 0.5)
    w_in, w_rec, w_out = (draw.normal(0, scale, shape) for shape, scale in shapes)
    np.fill_diagonal(w_rec, 0.0)
    return w_in, w_rec, w_out


def setting(shape="piecewise_linear", delays=(0, 1, 0), classes=False, form="online"):
    """Four LIF and four ALIF neurons, some refractory; targets, or labels."""
    beta = np.repeat([0.0, 0.3], N // 2)
    cells = published(form, N, tau_m=20.0, tau_out=15.0, v_th=0.62, tau_a=100.0, beta=beta, t_ref=3)
    rule = Rule(replace(cells, delays=delays), CONVENTIONS[form], Surrogate(shape, 0.5, 0.5), average=classes)
    draw = np.random.default_rng(7)
    x = draw.random((2, STEPS, N_IN)) < 0.3
    if classes:
        return rule, Batch({"in": x}, labels=np.array([0, 1]), mask=np.repeat((np.arange(STEPS) > 40)[None], 2, 0))
    return rule, Batch({"in": x}, draw.normal(0, 1, (2, STEPS, N_OUT)))


@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize("delays", [(0, 1, 0), (1, 2, 1)], ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_eprop_is_detached_backpropagation_and_the_factorization_is_exact(shape, delays, classes):
    rule, batch = setting(shape, delays, classes)
    found = check(rule, batch, *weights())
    for name in ("input", "recurrent", "readout"):
        assert found.detached[name].largest < 1e-12, name
        assert found.factorized[name].largest < 1e-12, name
    assert found.rule["readout"].largest < 1e-12, "nothing is left out there"
    assert found.rule["recurrent"].largest > 1e-3, "what passes through recurrent synapses is left out"
    assert found.rule["recurrent"].cosine > 0.5
    assert "this rule: recurrent: cosine 0." in str(found)


def test_without_recurrent_synapses_eprop_is_the_gradient():
    rule, batch = setting()
    w_in, _, w_out = weights()
    found = check(rule, batch, w_in, None, w_out)
    assert all(one.largest < 1e-12 for one in found.rule.values())
    assert set(found.rule) == {"input", "readout"}


def test_random_feedback_points_elsewhere():
    rule, batch = setting()
    found = check(rule, batch, *weights(), broadcast=np.random.default_rng(3).normal(0, 1, (N, N_OUT)))
    assert found.rule["input"].cosine < 0.9
    assert found.rule["readout"].largest < 1e-12


def test_published_gains_are_in_both():
    rule, batch = setting(form="2020")
    cells = replace(rule.cells, gain_in=0.3, gain_out=0.2)
    found = check(replace(rule, cells=cells), batch, *(w / g for w, g in zip(weights(), (0.3, 0.3, 0.2), strict=True)))
    assert all(one.largest < 1e-12 for part in (found.detached, found.factorized) for one in part.values())


def smooth(cells, x, w_in, w_rec, w_out, steep):
    """(spikes, psi, readout) where a spike is a logistic function of v, not reset: what differences can be taken of."""
    d_in, d_rec, d_out = cells.delays
    z, psi, y, v, a = np.zeros((STEPS, N)), np.zeros((STEPS, N)), np.zeros((STEPS, N_OUT)), 0.0, 0.0
    for t in range(STEPS):
        v = cells.alpha * v + (x[t - d_in] @ w_in if t >= d_in else 0) + (z[t - d_rec] @ w_rec if t >= d_rec else 0)
        a = cells.rho * (a + (z[t - 1] if t else 0.0))
        z[t] = 1 / (1 + np.exp(-steep * (v - cells.threshold - cells.beta * a)))
        psi[t] = steep * z[t] * (1 - z[t])
        y[t] = cells.kappa * (y[t - 1] if t else 0.0) + (z[t - d_out] @ w_out if t >= d_out else 0.0)
    return z, psi, y


@pytest.mark.parametrize("delays", [(0, 1, 0), (1, 2, 1)], ids=str)
def test_the_adjoint_against_central_differences(delays):
    """Of a network whose spikes are smooth. Differences of step h: error h^2 and rounding/h; 1e-6 of the largest entry."""
    rule, batch = setting(delays=delays)
    cells, x, target = replace(rule.cells, blocked=np.zeros(N, int)), batch.spikes["in"][0] + 0.0, batch.targets[0]
    given, h = weights(), 1e-6

    def loss(matrices):
        return 0.5 * ((smooth(cells, x, *matrices, 3.0)[2] - target) ** 2).sum()

    z, psi, y = smooth(cells, x, *given, 3.0)
    ours = Run(cells, x, z, psi, y - target).backpropagated(given[1], given[2])
    for k, g in enumerate(ours):
        assert np.abs(g).max() > 0.1
        for i, j in np.random.default_rng(k).permutation(np.argwhere(g != 0))[:12]:
            ends = []
            for sign in (1, -1):
                moved = [w.copy() for w in given]
                moved[k][i, j] += sign * h
                ends.append(loss(moved))
            assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(g[i, j], abs=1e-6 * np.abs(g).max())


@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed")
@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_autograd_agrees(shape, classes):
    rule, batch = setting(shape, (1, 1, 1), classes)
    given = weights()
    found, scored = rule.run(batch, *given)
    eprop = rule.gradients(found, scored, batch, given[2], N_IN)
    runs = [
        Run(rule.cells, batch.spikes["in"][s] + 0.0, found.z[s] + 0.0, found.psi[s], scored.error[s]) for s in range(2)
    ]
    for detached, ours in ((True, eprop), (False, gradient_check._mean([r.backpropagated(*given[1:]) for r in runs]))):
        for a, b in zip(ours, autograd.gradients(rule, batch, *given, detached), strict=True):
            assert likeness(a, b).largest < 1e-12


@pytest.mark.skipif(TORCH, reason="PyTorch is installed")
def test_without_pytorch_it_says_so():
    rule, batch = setting()
    with pytest.raises(Unsupported, match="PyTorch, which is not installed"):
        autograd.gradients(rule, batch, *weights())


def test_likeness_of_nothing():
    zero, one = np.zeros((2, 2)), np.ones((2, 2))
    assert likeness(zero, zero).cosine == 1
    assert likeness(one, zero).largest == np.inf
    assert likeness(2 * one, one) == gradient_check.Likeness(pytest.approx(1.0), pytest.approx(2.0), 1.0)
