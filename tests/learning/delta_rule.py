"""The smallest thing that learns: inputs onto one leaky readout, and the exact gradient of its squared error."""

import numpy as np
from scipy.signal import lfilter

from neurohw.connections import AllToAll
from neurohw.errors import OutOfRange
from neurohw.learning.batch import Batch
from neurohw.learning.layout import laid_out
from neurohw.learning.learner import Gradients
from neurohw.learning.optimizers import GradientDescent
from neurohw.learning.plan import Plan
from neurohw.learning.schemes import SCHEMES
from neurohw.learning.trainer import Trainer
from neurohw.network import Network, Numerics
from neurohw.workbench import fabricate, map_network

N, STEPS, TAU, WEIGHT = 12, 60, 20.0, 4.0
READOUT = {"tau_m": TAU, "v_rest": 0.0, "cm": 1.0}


def network(start=None, model="LI"):
    parameters = READOUT if model == "LI" else {**READOUT, "v_thresh": 1e4, "v_reset": 0.0, "tau_refrac": 0.0}
    net = Network("delta rule", 1, numerics=Numerics(reset="set")).population("in", N, "SpikeSourceArray")
    net = net.population("out", 1, model, parameters)
    weight = np.zeros(N) if start is None else start
    return net.project("in", "out", AllToAll(), weight, 1.0, "excitatory", "SignedSynapse", name="w")


def batches(n=3):
    generator = np.random.default_rng(5)
    spikes = generator.random((n, STEPS, N)) < 0.1
    targets = np.cumsum(generator.normal(0, 1, (n, STEPS, 1)), axis=1)
    return [Batch({"in": spikes[k : k + 1]}, targets[k : k + 1]) for k in range(n)]


class DeltaRule:
    """dLoss/dw of the mean squared error of a leaky readout, from its recorded v."""

    record = {"out": ["v"]}
    decay = {}

    def __init__(self, delay=1, fails_at=None):
        self.delay, self.seen, self.fails_at = delay, 0, fails_at

    def duration(self, batch):
        return float(batch.n_steps + self.delay)

    def gradients(self, recordings, batch, weights):
        self.seen += 1
        if self.seen == self.fails_at:
            raise OutOfRange("the loss is not finite")
        loss, total = [], np.zeros((N, 1))
        for k, recording in enumerate(recordings):
            y = recording.traces["out"]["v"][self.delay + 1 :][: batch.n_steps]
            error = y - batch.targets[k]
            trace = lfilter([1], [1, -np.exp(-1 / TAU)], batch.spikes["in"][k].astype(float), axis=0)
            total += 2 * trace.T @ error / error.size
            loss.append(np.mean(error**2))
        return Gradients({"w": total}, float(np.mean(loss)), y[None], {"rate": np.zeros(len(loss))})

    def applied(self, changes):
        pass

    def state(self):
        return {"seen": self.seen}

    def restore(self, state):
        self.seen = state["seen"]


def trainer(
    device,
    scheme="mixed_precision",
    rate=0.004,
    wrap=None,
    copies=1,
    start=None,
    fails_at=None,
    substitute=None,
    **more,
):
    """A training of the delta rule on a device, by a scheme (name or instance)."""
    kind = SCHEMES[scheme]() if isinstance(scheme, str) else scheme
    bare = network(start)
    net, layout = laid_out(bare, ["w"], device, copies, kind.needs_aside, substitute or {})
    choices = {"g_max_weight": WEIGHT / copies} if device.substrate == "crossbar" else {}
    chip = fabricate(device, 3)
    chip.load(map_network(net, device, choices, dt=1.0, record={"out": ["v"]}))
    plan = Plan(**{"epochs": 6, **more.pop("plan", {})})
    learner = DeltaRule(fails_at=fails_at)
    weights = {"w": np.zeros((N, 1)) if start is None else np.reshape(start, (N, 1))}
    course = more.pop("course", lambda epoch: batches())
    return Trainer(
        wrap(chip) if wrap else chip, learner, course, kind, GradientDescent(rate), plan, weights, layout, **more
    )
