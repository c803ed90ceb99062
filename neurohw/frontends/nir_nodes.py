"""The neurons of NIR in our nouns: one function per node type, from its equation to a PyNN model.

A NIR network is stepped in rows of length dt. In a row a node is driven by x = W S + b (weights, spikes 0 or 1, bias),
which is taken as a current that flows during the row with the area A per unit: A = dt if a spike is a rectangle of
height 1, A = 1 s if it is a Dirac impulse. Files give time in s, voltage and resistance in no unit (here mV and MOhm);
so a drive is in nA, and cm = tau / r gives the membrane that resistance. There is no refractory period; v starts at
0 mV, as in frameworks.
Source of the equations: github.com/neuromorphs/NIR, nir/ir/neuron.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput

Values = Mapping[str, NDArray[np.float64]]
SECOND = 1e3  # ms


@dataclass(frozen=True)
class Rows:
    """How rows are stepped: dt (ms), forward Euler or exact, and what a spike is ("rectangle", "dirac" or "auto")."""

    dt: float
    euler: bool
    spike: str

    def is_impulse(self, counts: bool = False) -> bool:
        """Whether a spike is an impulse; `counts`: onto a node that counts spikes, which "auto" takes for impulses."""
        return self.spike == "dirac" or (self.spike == "auto" and counts)

    def area(self, counts: bool = False) -> float:
        """A in ms."""
        return SECOND if self.is_impulse(counts) else self.dt

    def check(self, name: str, tau: NDArray[np.float64]) -> None:
        """Raises BadInput where forward Euler would overshoot."""
        if self.euler and tau.min() < self.dt * (1 - 1e-6):
            raise BadInput(
                f"forward Euler needs dt <= {name}, but dt = {self.dt:g} ms and {name} = {tau.min():g} ms; "
                "give a smaller dt or integration='exact'"
            )


@dataclass(frozen=True, eq=False)
class Neurons:
    """A population to make: PyNN's model, parameters, initial state, and its weight per unit of NIR weight."""

    model: str
    parameters: dict[str, NDArray[np.float64]]
    per_weight: NDArray[np.float64]
    initial: dict[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class NeuronNode:
    """A NIR neuron type: parameters it must and may have (else this value), translation; graded: its output is v."""

    required: tuple[str, ...]
    optional: Mapping[str, float]
    translate: Callable[[Values, NDArray[np.float64], Rows], Neurons]
    graded: bool = False


def lif(p: Values, bias: NDArray[np.float64], rows: Rows) -> Neurons:
    """LIF: tau v' = v_leak - v + r x; LI is the same without a threshold. IF_curr_delta.

    One spike of weight w lifts v by r w dt/tau (Euler) or r w (1 - exp(-dt/tau)) (exact) by the end of its row, an
    impulse by r w (1 s)/tau; that lift (mV) is the weight. The bias is a constant current b A/dt.
    """
    tau = SECOND * p["tau"]
    rows.check("tau", tau)
    per_row = rows.dt / tau if rows.euler else -np.expm1(-rows.dt / tau)
    lift = p["r"] * (SECOND / tau if rows.is_impulse() else per_row)
    return Neurons("IF_curr_delta", _membrane(p, tau, tau / p["r"], bias * rows.area() / rows.dt), lift)


def integrator(p: Values, bias: NDArray[np.float64], rows: Rows) -> Neurons:
    """IF: v' = r x, without a leak. IF_curr_delta; a spike lifts v by r w A.

    "auto" takes spikes onto an IF with r = 1 for impulses: exporters of such nodes mean v += W S + b in every row.
    """
    area = rows.area(counts=bool((p["r"] == 1.0).all()))
    membrane = _membrane(p, np.full_like(p["r"], np.inf), SECOND / p["r"], bias * area / rows.dt)
    return Neurons("IF_curr_delta", membrane, p["r"] * area / SECOND)


def cuba(p: Values, bias: NDArray[np.float64], rows: Rows) -> Neurons:
    """CubaLIF: tau_syn I' = -I + w_in x,  tau_mem v' = v_leak - v + r I; CubaLI has no threshold. IF_curr_exp.

    A spike lifts I by w_in w A/tau_syn at the start of its row. Under Euler this makes of the exporters' w_in =
    tau_syn/dt and r = tau_mem/dt just I <- (1 - dt/tau_syn) I + W S + b, v <- (1 - dt/tau_mem) v + I; in exact
    integration the lift carries the charge of the rectangle. The bias charges I up to w_in b A/dt: a constant current
    of that strength, and an initial synaptic current against it that decays.
    """
    tau_syn, tau_mem = SECOND * p["tau_syn"], SECOND * p["tau_mem"]
    rows.check("tau_syn", tau_syn)
    rows.check("tau_mem", tau_mem)
    steady = p["w_in"] * bias * rows.area() / rows.dt
    transient = -steady * (1.0 - rows.dt / tau_syn if rows.euler else 1.0)
    membrane = _membrane(p, tau_mem, tau_mem / p["r"], steady)
    initial = {"isyn_exc": np.maximum(transient, 0.0), "isyn_inh": np.minimum(transient, 0.0)}
    return Neurons(
        "IF_curr_exp",
        membrane | {"tau_syn_E": tau_syn, "tau_syn_I": tau_syn},
        p["w_in"] * rows.area() / tau_syn,
        {name: values for name, values in initial.items() if values.any()},
    )


def _membrane(
    p: Values, tau: NDArray[np.float64], cm: NDArray[np.float64], i_offset: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    nothing = np.zeros_like(cm)
    return {
        "v_rest": p.get("v_leak", nothing),
        "cm": cm,
        "tau_m": tau,
        "tau_refrac": nothing,
        "v_thresh": p.get("v_threshold", np.full_like(cm, np.inf)),
        "v_reset": p.get("v_reset", nothing),
        "i_offset": i_offset,
    }


RESET = {"v_reset": 0.0}
NEURON_NODES: dict[str, NeuronNode] = {
    "LIF": NeuronNode(("tau", "r", "v_leak", "v_threshold"), RESET, lif),
    "IF": NeuronNode(("r", "v_threshold"), RESET, integrator),
    "LI": NeuronNode(("tau", "r", "v_leak"), {}, lif, graded=True),
    "CubaLIF": NeuronNode(("tau_syn", "tau_mem", "r", "v_leak", "v_threshold"), {**RESET, "w_in": 1.0}, cuba),
    "CubaLI": NeuronNode(("tau_syn", "tau_mem", "r", "v_leak"), {"w_in": 1.0}, cuba, graded=True),
}
"""Supported neuron types; a new one is a function and a line here."""
