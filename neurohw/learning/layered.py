"""The network of a classifier whose code is the number of spikes: layers of current-based neurons, one after the other.

    input -> hidden1 -> ... -> output        projections "layer1", "layer2", ...

Initial weights are normal around `bias` with the standard deviation gain sqrt(2 / fan in) (Kaiming, but for the scale).
"""

import itertools
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from neurohw import rng
from neurohw.connections import AllToAll
from neurohw.learning.tasks import Task
from neurohw.mapping import Duration, Time
from neurohw.network import Network
from neurohw.schema import Described

Positive = Annotated[float, Field(gt=0)]


class LayeredNetwork(Described):
    """hidden: neurons of each hidden layer. cm: nF; v_rest, v_thresh: mV, the reset is at rest; gain, bias: nA."""

    hidden: list[Annotated[int, Field(ge=1, le=100_000)]] = [30]
    cm: Positive = 0.1
    tau_m: Duration = 10.0
    tau_syn: Duration = 5.0
    tau_refrac: Time = 2.0
    v_rest: float = -65.0
    v_thresh: float = -50.0
    gain: Positive = 0.25
    bias: float = 0.0

    def shapes(self, task: Task) -> dict[str, tuple[int, int]]:
        """projection -> (pre, post), in their order."""
        (n_in,) = task.inputs.values()
        sizes = [n_in, *self.hidden, task.outputs]
        return {f"layer{k}": (a, b) for k, (a, b) in enumerate(itertools.pairwise(sizes), 1)}

    def weights(self, task: Task, seed: int) -> dict[str, NDArray[np.float64]]:
        """The initial weights (nA), (pre, post)."""
        found = {}
        for name, shape in self.shapes(task).items():
            z = rng.normal(rng.key(seed, f"{name}/initial weights"), shape)
            found[name] = self.bias + self.gain * np.sqrt(2.0 / shape[0]) * z
        return found

    def network(self, task: Task, seed: int, weights: dict[str, NDArray[np.float64]], delay: float = 1.0) -> Network:
        """The network with these weights. Signs are those of the weights, so a device needs signed synapses or pairs."""
        neuron = {
            "cm": self.cm, "tau_m": self.tau_m, "tau_syn_E": self.tau_syn, "tau_syn_I": self.tau_syn,
            "tau_refrac": self.tau_refrac, "v_rest": self.v_rest, "v_reset": self.v_rest, "v_thresh": self.v_thresh,
        }  # fmt: skip
        ((first, n_in),) = task.inputs.items()
        net = Network(type(task).__name__.lower(), seed).population(first, n_in, "SpikeSourceArray")
        names = [first, *(f"hidden{k}" for k in range(1, len(self.hidden) + 1)), "output"]
        for name, size in zip(names[1:], [*self.hidden, task.outputs], strict=True):
            net = net.population(name, size, "IF_curr_exp", neuron)
        for k, ends in enumerate(itertools.pairwise(names), 1):
            given = weights[f"layer{k}"].ravel()
            net = net.project(*ends, AllToAll(), given, delay, "excitatory", "SignedSynapse", f"layer{k}")
        return net
