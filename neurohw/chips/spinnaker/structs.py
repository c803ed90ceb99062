"""What lies in a core's memory, word by word, under the names of the C code: parameters, constants, STDP rule, rows.

The parameter region is `n_steps_per_timestep`, then one group of structs after the other (neuron, input type,
threshold, synapses), each group neuron by neuron. All words are s16.15, except the refractory timer, a plain number.
Sources: sPyNNaker 7.4.1 `neuron/models/*.h`, `neuron/input_types/*.h`, `neuron/synapse_types/*.h`,
`neuron/synapse_row.h`; `pyNN/models/neuron/plasticity/stdp/`.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.spinnaker.arithmetic import Words
from neurohw.chips.spinnaker.models import REVERSALS, TIME_STEP, Model
from neurohw.chips.spinnaker.neurons import IZK_THRESHOLD
from neurohw.chips.spinnaker.plasticity import PairRule

NEURON = {
    "lif": ("v", "v_rest", "cm", "tau_m", "i_offset", "v_reset", "tau_refrac", "refract_timer", TIME_STEP),
    "izk": ("a", "b", "c", "d", "v", "u", "i_offset", TIME_STEP, "next_h"),
}
SYNAPSES = {
    "exp": ("tau_syn_E", "isyn_exc", "tau_syn_I", "isyn_inh", TIME_STEP),
    "alpha": ("lin_exc", "exp_exc", "q_exc", "tau_syn_E", "lin_inh", "exp_inh", "q_inh", "tau_syn_I", TIME_STEP),
    "delta": ("isyn_exc", "isyn_inh"),
}
C_NAMES = {
    "v": "V", "u": "U", "a": "A", "b": "B", "c": "C", "d": "D", "i_offset": "I_offset", "v_rest": "V_rest",
    "resistance": "R_membrane", "exp_tc": "exp_TC", "v_reset": "V_reset", "t_refract": "T_refract",
    "refractory": "refract_timer", "this_h": "this_h", "reset_h": "reset_h",
}  # fmt: skip
"""The neuron structs' names for the rows of state and coefficients."""
C_PARTS = {"decay": "decay", "initial": "init", "dt_tau2": "dt_tau2", "lin": "lin", "exp": "exp", "q": "q"}
FRACTIONS = ("decay", "initial")
"""Rows that are u0.32; the C code prints them unsigned."""
N_PLASTIC_HEADER = 2  # words before the weights of a plastic row: time and trace of the last pre spike


def parameter_region(model: Model, raw: Mapping[str, Words]) -> list[tuple[str, int | None, int]]:
    """(field, neuron, word as uint32) of the region that the tool chain writes, in order."""
    n = raw[TIME_STEP].size
    fixed = {"next_h": raw[TIME_STEP], "v_thresh": raw.get("v_thresh", np.full(n, IZK_THRESHOLD, np.int32))}
    words = dict(raw) | fixed
    region: list[tuple[str, int | None, int]] = [("n_steps_per_timestep", None, 1)]
    for struct in (NEURON[model.neuron], input_fields(model), ("v_thresh",), SYNAPSES[model.synapse]):
        for i in range(n):
            region += [(field, i, int(words[field][i]) % 2**32 if field in words else 0) for field in struct]
    return region


def input_fields(model: Model) -> tuple[str, ...]:
    """The parameters of the input type: reversal potentials, or the time step that scales charges to currents."""
    return REVERSALS if model.conductance else (TIME_STEP,) if model.synapse == "delta" else ()


def c_name(model: Model, row: str) -> str:
    """The C structs' name for a row of the state or the coefficients."""
    if row in C_NAMES:
        return C_NAMES[row]
    part, side = row.rsplit("_", 1)
    if part == "isyn":
        return side if model.synapse == "delta" else f"{side}_value"
    return f"{side}_{C_PARTS[part]}"


def state_names(model: Model) -> dict[str, int]:
    """The C names of the variables that a core keeps from tick to tick -> their rows in the state."""
    return {c_name(model, row): k for k, row in enumerate(model.states) if row != "current"}


def derived(model: Model, state: Words, coef: Words) -> Iterator[dict[str, dict[str, int] | list[int]]]:
    """The structs of each neuron after the C code's `*_initialise`: `neuron_t`, `synapse_types_t`, `input_type_t`."""
    rows = dict(zip(model.states, state, strict=True)) | dict(zip(model.coefficients, coef, strict=True))
    inputs = [rows[name] for name in (*REVERSALS, "per_step") if name in rows]
    kept = {name: rows[name] for name in rows if name not in ("current", "v_thresh", "per_step", *REVERSALS)}
    for i in range(state.shape[1]):
        structs: dict[str, dict[str, int]] = {"neuron_t": {}, "synapse_types_t": {}}
        for name, words in kept.items():
            fraction = name.rsplit("_", 1)[0] in FRACTIONS
            home = structs["neuron_t" if name in C_NAMES else "synapse_types_t"]
            home[c_name(model, name)] = int(words[i]) % 2**32 if fraction else int(words[i])
        yield {**structs, "input_type_t": [int(words[i]) for words in inputs]}


def stdp_region(rule: PairRule) -> NDArray[np.uint32]:
    """The words of the rule: the flag, two tables (size, shift, entries), for each receptor the limits and the A's."""
    parts = [np.array([rule.backprop_delay], np.uint32)]
    for table in (rule.table_plus, rule.table_minus):
        parts += [np.array([table.size, 0], np.uint16).view(np.uint32), table.view(np.uint32)]
    limits = np.array([rule.w_min, rule.w_max, rule.a_plus, rule.a_minus], np.int32).view(np.uint32)
    return np.concatenate([*parts, limits, limits])


def plastic_row(weights: NDArray[np.uint16], control: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A row of plastic synapses as written: header, weights two to a word, no fixed ones, 16-bit control words."""
    packed = _packed(weights)
    header = np.array([N_PLASTIC_HEADER + packed.size, 0, 0], np.uint32)
    return np.concatenate([header, packed, np.array([0, control.size], np.uint32), _packed(control.astype(np.uint16))])


def fixed_row(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A row of fixed synapses as written: nothing plastic, then the words."""
    return np.concatenate([np.array([0, words.size, 0], np.uint32), words])


def _packed(halves: NDArray[np.uint16]) -> NDArray[np.uint32]:
    return np.ascontiguousarray(np.append(halves, np.zeros(halves.size % 2, np.uint16))).view(np.uint32)
