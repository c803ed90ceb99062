"""The learner for rate codes: its gradient is that of its own model, and it brings a spiking chip to classify."""

import numpy as np
import pytest

from neurohw import Network, fabricate, load_device, map_network
from neurohw.connections import AllToAll
from neurohw.errors import BadInput
from neurohw.learning.batch import Batch
from neurohw.learning.learner import Learner
from neurohw.learning.rate_code import RateCode
from neurohw.recording import Recording

NEURON = {"cm": 0.1, "tau_syn_E": 5.0, "tau_syn_I": 5.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0}
GAIN = 5.0 / (0.1 * 15.0)


def network(sizes=(4, 6, 3)):
    net = Network("layers").population("in", sizes[0], "SpikeSourceArray")
    net = net.population("hidden", sizes[1], "IF_curr_exp", NEURON).population("out", sizes[2], "IF_curr_exp", NEURON)
    net = net.project("in", "hidden", AllToAll(), 0.0, name="a")
    return net.project("hidden", "out", AllToAll(), 0.0, name="b")


def recorded(counts):
    """A recording in which neuron i of a population spikes counts[population][i] times."""
    spikes = {name: (np.zeros(int(n.sum())), np.repeat(np.arange(n.size), n)) for name, n in counts.items()}
    return Recording(spikes, {name: n.size for name, n in counts.items()}, 100.0, 1.0)


def test_the_gradient_is_that_of_the_model():
    """Central differences of -ln softmax(n_out / 2)[label] with n = max(0, g W n_below), counts that are whole numbers."""
    rng = np.random.default_rng(3)
    learner, n_in = RateCode(network(), ("a", "b"), dt=1.0), np.array([3, 1, 4, 2])
    hidden = np.array([3, 0, 4, 1, 5, 2])
    out = np.array([1, 4, 2])
    weights = {"a": rng.normal(0, 0.1, (4, 6)), "b": rng.normal(0, 0.1, (6, 3))}

    def loss(delta_out):
        top = (out + delta_out) / 2.0
        return np.log(np.exp(top).sum()) - top[0]

    batch = Batch({"in": np.zeros((1, 10, 4), bool)}, labels=np.array([0]))
    found = learner.gradients([recorded({"in": n_in, "hidden": hidden, "out": out})], batch, weights)
    assert found.loss == pytest.approx(loss(0.0), rel=1e-12)
    assert found.metrics["error"].tolist() == [1.0]
    assert isinstance(learner, Learner)
    slope = np.array([(loss(e) - loss(-e)) / 2e-6 for e in 1e-6 * np.eye(3)])
    assert found.weights["b"] == pytest.approx(GAIN * np.outer(hidden, slope), abs=1e-7)
    below = np.where(hidden > 0, 1.0, learner.silent) * (GAIN * weights["b"] @ slope)
    assert found.weights["a"] == pytest.approx(GAIN * np.outer(n_in, below), abs=1e-7)


def test_it_teaches_a_chip_three_patterns():
    """Three patterns on four inputs, on the ideal chip: from chance to all right in 40 updates."""
    device, rng = load_device("brainscales2-chip").ideal(), np.random.default_rng(1)
    net, patterns = network(), np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], bool)
    spikes = np.zeros((3, 100, 4), bool)
    spikes[:, ::10] = patterns[:, None, :]
    batch, learner = Batch({"in": spikes}, labels=np.arange(3)), RateCode(net, ("a", "b"), dt=1.0)
    chip = fabricate(device)
    signed = Network("signed")
    for name, p in net.populations.items():
        signed = signed.population(name, p.size, p.model.name, p.parameters)
    for name, p in net.projections.items():
        signed = signed.project(p.source, p.target, AllToAll(), 0.0, 1.0, "excitatory", "SignedSynapse", name)
    chip.load(map_network(signed, device, dt=1.0))
    weights = {"a": rng.normal(0.1, 0.1, (4, 6)), "b": rng.normal(0.1, 0.1, (6, 3))}
    errors = []
    for _ in range(40):
        for name, w in weights.items():
            chip.write(name, w.ravel())
        runs = [chip.run(learner.duration(batch), stimulus=batch.stimulus(k, 1.0)) for k in range(3)]
        found = learner.gradients(runs, batch, weights)
        errors.append(found.metrics["error"].mean())
        weights = {name: w - 0.01 * found.weights[name] for name, w in weights.items()}
    assert errors[0] > 0.3
    assert max(errors[-5:]) == 0.0


@pytest.mark.parametrize(
    ("layers", "options", "told"),
    [
        (("a", "c"), {}, "projections of the network"),
        (("b", "a"), {}, "no chain"),
        (("a", "b"), {"temperature": 0.0}, "temperature > 0"),
    ],
)
def test_what_it_refuses(layers, options, told):
    with pytest.raises(BadInput, match=told):
        RateCode(network(), layers, 1.0, **options)


def test_labels_and_models_it_cannot_use():
    learner = RateCode(network(), ("a", "b"), 1.0)
    batch = Batch({"in": np.zeros((1, 10, 4), bool)}, labels=np.array([3]))
    with pytest.raises(BadInput, match="label 3 but there are 3 output neurons"):
        learner.gradients([], batch, {})
    with pytest.raises(BadInput, match="one label for each sample"):
        learner.gradients([], Batch(batch.spikes, targets=np.zeros((1, 10, 3))), {})
    conductances = Network("g").population("x", 1, "SpikeSourceArray").population("y", 1, "IF_cond_exp")
    with pytest.raises(BadInput, match="IF_curr_exp and IF_curr_delta"):
        RateCode(conductances.project("x", "y", AllToAll(), 0.1, name="a"), ("a",), 1.0)
