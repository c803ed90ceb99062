"""The network that learns a task: its inputs, one hidden population with or without recurrence, a leaky readout.

    input -> hidden <-> hidden -> readout        projections "input", "recurrent", "readout" (further inputs by their names)

Initial weights are normal with the standard deviation gain sqrt(2 / fan in) (Kaiming), no neuron is connected to itself at
first, and feedback weights of a rule are drawn alike.
"""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from neurohw import rng
from neurohw.connections import AllToAll
from neurohw.learning.tasks import Task
from neurohw.mapping import Duration, Time
from neurohw.network import Network, Numerics
from neurohw.schema import Described
from neurohw.synapses.signed import SIGNED

Array = NDArray[np.float64]
Positive = Annotated[float, Field(gt=0)]


class RecurrentNetwork(Described):
    """hidden: neurons. model: ALIF (a LIF neuron where beta is 0) or IF_curr_delta. v_thresh: mV above v_rest.

    reset: by subtraction, in the step of the spike or, as many frameworks write it, one step later (late: the membrane
    has not decayed by then), or to v_rest.
    adapting: the share of the hidden neurons, the last ones, whose thresholds adapt (ALIF).
    gain: of the initial weights; readout_gain: of those of the readout, where it is another.
    """

    hidden: Annotated[int, Field(ge=1, le=100_000)] = 100
    model: Literal["ALIF", "IF_curr_delta"] = "ALIF"
    recurrent: bool = True
    tau_m: Duration = 30.0
    tau_out: Duration = 30.0
    v_thresh: Positive = 0.1
    v_rest: float = 0.0
    beta: Annotated[float, Field(ge=0)] = 0.0
    adapting: Annotated[float, Field(ge=0, le=1)] = 1.0
    tau_a: Duration = 200.0
    tau_refrac: Time = 0.0
    reset: Literal["late", "subtract", "set"] = "late"
    gain: Positive = 0.1
    readout_gain: Positive | None = None

    @model_validator(mode="after")
    def _has_what_adapts(self) -> "RecurrentNetwork":
        if self.model != "ALIF" and (self.beta or self.adapting < 1):
            raise ValueError(f"beta and adapting are of the model ALIF; {self.model} does not adapt")
        return self

    def shapes(self, task: Task) -> dict[str, tuple[int, int]]:
        """projection -> (pre, post), in their order."""
        found = {name: (n, self.hidden) for name, n in task.inputs.items()}
        if self.recurrent:
            found["recurrent"] = (self.hidden, self.hidden)
        return {**found, "readout": (self.hidden, task.outputs)}

    def weights(self, task: Task, seed: int) -> dict[str, Array]:
        """The initial weights (mV), (pre, post)."""
        gains = {"readout": self.readout_gain or self.gain}
        found = {n: self._drawn(n, shape, seed, gains.get(n, self.gain)) for n, shape in self.shapes(task).items()}
        if self.recurrent:
            np.fill_diagonal(found["recurrent"], 0.0)
        return found

    def feedback(self, task: Task, seed: int, gain: float) -> Array:
        """Random feedback, (hidden, outputs)."""
        return gain / self.gain * self._drawn("feedback", (self.hidden, task.outputs), seed, self.gain)

    def _drawn(self, name: str, shape: tuple[int, int], seed: int, gain: float) -> Array:
        return gain * np.sqrt(2.0 / shape[0]) * rng.normal(rng.key(seed, f"{name}/initial weights"), shape)

    def network(self, task: Task, seed: int, weights: dict[str, Array], delay: float = 1.0) -> Network:
        """The network with these weights; every delay is one step (ms)."""
        kept = np.exp(-task.dt / self.tau_m)
        to = self.v_rest + (self.v_thresh - self.v_thresh / kept if self.reset == "late" else 0.0)
        numerics = Numerics(reset="set" if self.reset == "set" else "subtract")
        net = Network(type(task).__name__.lower(), seed, numerics=numerics)
        for name, n in task.inputs.items():
            net = net.population(name, n, "SpikeSourceArray")
        membrane = {"v_rest": self.v_rest, "tau_m": self.tau_m, "v_thresh": self.v_rest + self.v_thresh, "v_reset": to}
        beta = np.where(np.arange(self.hidden) < round((1 - self.adapting) * self.hidden), 0.0, self.beta)
        own = {"beta": beta if self.adapting < 1 else self.beta, "tau_a": self.tau_a} if self.model == "ALIF" else {}
        net = net.population("hidden", self.hidden, self.model, {**membrane, **own, "tau_refrac": self.tau_refrac})
        net = net.population("readout", task.outputs, "LI", {"v_rest": self.v_rest, "tau_m": self.tau_out})
        for name in self.shapes(task):
            ends = {"recurrent": ("hidden", "hidden"), "readout": ("hidden", "readout")}.get(name, (name, "hidden"))
            given = weights[name].ravel()
            net = net.project(*ends, AllToAll(), given, delay, "excitatory", SIGNED.name, name)
        return net
