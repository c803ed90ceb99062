"""A neuron model as Brian2 wants it: the text of its equations, the method that solves them, threshold and reset."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import Unsupported
from neurohw.network import Numerics
from neurohw.neurons import NeuronModel

DIMENSIONS = {
    "ms": "second", "mV": "volt", "nA": "amp", "nF": "farad", "uS": "siemens", "nS": "siemens", "kHz": "hertz",
    "mV/ms": "volt/second", "": "1",
}  # fmt: skip
SI = {"ms": 1e-3, "mV": 1e-3, "nA": 1e-9, "nF": 1e-9, "uS": 1e-6, "nS": 1e-9, "kHz": 1e3, "mV/ms": 1.0, "": 1.0}
BRIAN_NAMES = {"cm": "c_m"}
"""Parameters whose PyNN name is a unit in Brian2."""
APART = {"exponential": 1e-7, "alpha": 1e-4}
"""How far, relatively, tau_syn is kept from tau_m: Brian2 divides by their difference, for alpha functions squared.

Nearer to each other rounding costs more than the move does: 1e-4 costs 5e-5 of a postsynaptic potential."""


def text(name: str, model: NeuronModel, values: dict[str, NDArray[np.float64]]) -> str:
    """The equations of a population and what they need: parameters, `i_ext`, and the voltage steps of a time step."""
    lines = [_equations(name, model, values)]
    lines += [
        f"{BRIAN_NAMES.get(p, p)} : {DIMENSIONS[spec.unit]} (constant)"
        for p, spec in model.parameters.items()
        if p != "i_offset"
    ]
    lines += ["i_ext : amp", "refractory_time : second (constant)"]
    return "\n".join(lines + (["jump : volt"] if model.weight_unit == "mV" else []))


def _equations(name: str, model: NeuronModel, values: dict[str, NDArray[np.float64]]) -> str:
    equations = model.equations
    for ours, theirs in BRIAN_NAMES.items():
        equations = re.sub(rf"\b{ours}\b", theirs, equations)
    infinite = np.isinf(values["tau_m"]) if "tau_m" in values else np.zeros(1, bool)
    if infinite.all():
        return equations.replace("(v_rest - v)/tau_m + ", "")
    if infinite.any():
        raise Unsupported(
            f"reference: {name}.tau_m is infinite for some of its neurons only; make two populations of it"
        )
    return equations


def method(name: str, model: NeuronModel, numerics: Numerics, values: dict[str, NDArray[np.float64]]) -> Any:
    """What Brian2 takes as `method`.

    Without leak (tau_m infinite) Brian2's exact solver divides by zero. A membrane that only sums (IF_curr_delta) has a
    constant slope within a step, so Euler is exact; raises Unsupported where synapses have a time course of their own.
    """
    if numerics.integration == "euler":
        return "euler"
    if model.method == "exact" and "tau_m" in values and np.isinf(values["tau_m"]).all():
        if list(model.states) != ["v"]:
            raise Unsupported(
                f"reference: {name}.tau_m is infinite, which Brian2 cannot solve exactly for a {model.name}; take a large "
                "finite tau_m, numerics with integration 'euler', or an IF_curr_delta"
            )
        return "euler"
    return {"exact": exact, "frozen conductance": frozen_conductance, "midpoint": "rk2"}[model.method]


def exact(equations: Any, variables: Any = None, method_options: Any = None) -> str:
    """Brian2's exact solution of linear equations; solving them takes seconds, so the same ones are solved once."""
    from brian2.stateupdaters.exact import exact as solve

    if str(equations) not in _SOLVED:
        _SOLVED[str(equations)] = solve(equations, variables)
    return _SOLVED[str(equations)]


_SOLVED: dict[str, str] = {}


def frozen_conductance(equations: Any, variables: Any = None, method_options: Any = None) -> str:
    """v by exponential Euler with the conductances of the step's beginning, then the synapses, exactly.

    Brian2's exponential Euler alone would hold what an alpha function rises with over each step, which gives 18 % too
    much charge at a step of 0.1 ms and PyNN's tau_syn of 0.3 ms, instead of 0.9 % too little.
    """
    from brian2 import Equations
    from brian2.stateupdaters.exponential_euler import exponential_euler

    membrane = Equations([equation for equation in equations.values() if equation.varname == "v"])
    synapses = Equations([e for e in equations.values() if e.type == "differential equation" and e.varname != "v"])
    return "\n".join((exponential_euler(membrane, variables), exact(synapses, variables)))


def threshold(model: NeuronModel) -> str:
    """The condition of a spike."""
    return f"v > {_level(model)}" + (f" + {model.threshold_rises_by}" if model.threshold_rises_by else "")


def reset(model: NeuronModel, numerics: Numerics) -> str:
    """The statements at a spike."""
    down = f"v -= {_level(model)} - {model.reset}" if numerics.reset == "subtract" else f"v = {model.reset}"
    return "\n".join(part for part in (down, model.at_spike) if part)


def _level(model: NeuronModel) -> str:
    return model.threshold if isinstance(model.threshold, str) else f"{model.threshold:g}*mV"


def apart(
    name: str, model: NeuronModel, values: dict[str, NDArray[np.float64]]
) -> tuple[dict[str, NDArray], list[str]]:
    """(the values with tau_syn kept apart from tau_m where Brian2 divides by the difference, what to say of it)."""
    moved, notes = dict(values), list[str]()
    if model.method != "exact":
        return moved, notes
    least = APART["alpha" if "rise_exc" in model.states else "exponential"]
    for tau in ("tau_syn_E", "tau_syn_I"):
        if tau in values:
            equal = np.abs(values[tau] - values["tau_m"]) < least * values["tau_m"]
            moved[tau] = np.where(equal, values["tau_m"] * (1 + least), values[tau])
            if equal.any():
                notes.append(
                    f"{name}.{tau}: {least:g} above tau_m where it equals it (Brian2 divides by the difference)"
                )
    return moved, notes
