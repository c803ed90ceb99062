"""What the tool chain and the C code make of a population's parameters before the first tick, for the six models.

PyNN parameters (ms, mV, nA, nF, uS) -> `raw` s16.15 words, as written to the board -> `derive`d state and coefficients,
as after the C code's `*_initialise`. Synapses start at zero and no neuron starts refractory.
Sources: sPyNNaker 7.4.1 `neuron/models/neuron_model_lif_impl.h` and `neuron_model_izh_impl.h`,
`neuron/synapse_types/exp_synapse_utils.h` and `synapse_types_alpha_impl.h`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from neurohw.chips.spinnaker import arithmetic as fixed
from neurohw.chips.spinnaker import neurons
from neurohw.chips.spinnaker.arithmetic import ONE, Words, divide, encode
from neurohw.errors import BadInput, OutOfRange

RECORDABLES = ("v", "gsyn_exc", "gsyn_inh")
TIME_STEP = "time_step"
DIVISORS = (TIME_STEP, "cm", "tau_m", "tau_syn_E", "tau_syn_I")

LIF_PARAMETERS = ("v_rest", "cm", "tau_m", "tau_refrac", "i_offset", "v_reset", "v_thresh", "v")
LIF_STATES = ("v", "current", "refractory")
LIF_COEFFICIENTS = ("v_rest", "resistance", "exp_tc", "i_offset", "v_reset", "t_refract", "v_thresh")
IZK_PARAMETERS = ("a", "b", "c", "d", "i_offset", "v", "u")
IZK_STATES = ("v", "current", "u", "this_h")
IZK_COEFFICIENTS = ("a", "b", "c", "d", "i_offset", "reset_h")
SYNAPSE_PARAMETERS = {"exp": ("tau_syn_E", "tau_syn_I"), "alpha": ("tau_syn_E", "tau_syn_I"), "delta": ()}
SYNAPSE_STATES = {
    "exp": ("isyn_exc", "isyn_inh"),
    "alpha": ("lin_exc", "exp_exc", "q_exc", "lin_inh", "exp_inh", "q_inh"),
    "delta": ("isyn_exc", "isyn_inh"),
}
SYNAPSE_COEFFICIENTS = {
    "exp": ("decay_exc", "initial_exc", "decay_inh", "initial_inh"),
    "alpha": ("decay_exc", "dt_tau2_exc", "decay_inh", "dt_tau2_inh"),
    "delta": ("per_step",),
}
REVERSALS = ("e_rev_E", "e_rev_I")


@dataclass(frozen=True)
class Model:
    """A neuron model as a SpiNNaker core runs it: `code` for the kernels, and what its tables hold, row by row."""

    name: str
    code: int
    neuron: Literal["lif", "izk"]
    synapse: Literal["exp", "alpha", "delta"]
    conductance: bool

    @property
    def parameters(self) -> tuple[str, ...]:
        own = LIF_PARAMETERS if self.neuron == "lif" else IZK_PARAMETERS
        return own + SYNAPSE_PARAMETERS[self.synapse] + (REVERSALS if self.conductance else ())

    @property
    def states(self) -> tuple[str, ...]:
        return (LIF_STATES if self.neuron == "lif" else IZK_STATES) + SYNAPSE_STATES[self.synapse]

    @property
    def coefficients(self) -> tuple[str, ...]:
        own = LIF_COEFFICIENTS if self.neuron == "lif" else IZK_COEFFICIENTS
        return own + SYNAPSE_COEFFICIENTS[self.synapse] + (REVERSALS if self.conductance else ())

    @property
    def weight_scale(self) -> int:
        """The factor on every weight before it becomes an integer: conductances are small numbers."""
        return 1024 if self.conductance else 1

    def raw(self, params: Mapping[str, ArrayLike], dt_ms: float) -> dict[str, Words]:
        """Every parameter as s16.15 words, one per neuron (a single number stands for all), and the time step.

        Raises BadInput for a missing or unknown parameter, OutOfRange for one that s16.15 cannot hold or divide by.
        """
        wrong = sorted(set(self.parameters) ^ set(params))
        if wrong:
            known = ", ".join(self.parameters)
            raise BadInput(f"{self.name}: missing or unknown parameters {', '.join(wrong)}; it takes exactly {known}")
        words = {name: encode(params[name], name) for name in self.parameters}
        words[TIME_STEP] = encode(dt_ms, TIME_STEP)
        for name in (n for n in DIVISORS if n in words):
            if (words[name] <= 0).any():
                raise OutOfRange(f"{self.name}: {name} must be at least 1.6e-05: less is 0 in s16.15, a divisor")
        return dict(zip(words, np.broadcast_arrays(*words.values()), strict=True))

    def derive(self, raw: Mapping[str, Words]) -> tuple[Words, Words]:
        """(state, coefficients), each int32[row, neuron], from the words on the board."""
        rows = _lif(raw) if self.neuron == "lif" else _izk(raw)
        rows |= SYNAPSES[self.synapse](raw)
        rows |= {name: raw[name] for name in REVERSALS if self.conductance}
        zero = np.zeros_like(raw[TIME_STEP])
        state = np.stack([rows.get(name, zero) for name in self.states])
        return state, np.stack([rows[name] for name in self.coefficients])

    def initialize(self, params: Mapping[str, ArrayLike], dt_ms: float) -> tuple[Words, Words]:
        """(state, coefficients) of a population at time 0."""
        return self.derive(self.raw(params, dt_ms))


def _lif(raw: Mapping[str, Words]) -> dict[str, Words]:
    """R = tau_m / cm, e^(-dt/tau_m) to 15 bits, and the refractory period rounded up to whole steps."""
    steps = divide(raw["tau_refrac"], raw[TIME_STEP])
    return {name: raw[name] for name in ("v", "v_rest", "i_offset", "v_reset", "v_thresh")} | {
        "resistance": divide(raw["tau_m"], raw["cm"]),
        "exp_tc": fixed.expk(-divide(raw[TIME_STEP], raw["tau_m"])),
        "t_refract": (steps >> 15) + ((steps & (ONE - 1)) > 0),
    }


def _izk(raw: Mapping[str, Words]) -> dict[str, Words]:
    return {name: raw[name] for name in IZK_PARAMETERS} | {"this_h": raw[TIME_STEP], "reset_h": raw[TIME_STEP]}


def _exp(raw: Mapping[str, Words]) -> dict[str, Words]:
    """decay = e^(-dt/tau) and initial = tau/dt (1 - decay), the mean of the exponential over the tick it arrives in."""
    rows = {}
    for side, tau in (("exc", raw["tau_syn_E"]), ("inh", raw["tau_syn_I"])):
        factor = fixed.expulr(-divide(raw[TIME_STEP], tau))
        rows[f"decay_{side}"] = factor.view(np.int32)
        initial = fixed.fraction_product(divide(tau, raw[TIME_STEP]), fixed.ONE_FRACTION - factor)
        rows[f"initial_{side}"] = initial.view(np.int32)
    return rows


def _alpha(raw: Mapping[str, Words]) -> dict[str, Words]:
    """decay = e^(-dt/tau) and dt/tau^2, of which only the fractional part survives: the C code keeps it as a fraction.

    tau^2 wraps above 256 ms, and tau^2 <= dt leaves no meaningful fraction; both run on the chip without complaint.
    """
    rows = {}
    for side, tau in (("exc", raw["tau_syn_E"]), ("inh", raw["tau_syn_I"])):
        squared = fixed.multiply.py_func(tau, tau)
        if (squared == 0).any():
            raise OutOfRange("IF_curr_alpha: the square of a tau_syn is 0 in s16.15, and the core divides by it")
        rows[f"decay_{side}"] = fixed.expulr(-divide(raw[TIME_STEP], tau)).view(np.int32)
        rows[f"dt_tau2_{side}"] = divide(raw[TIME_STEP], squared) & (ONE - 1)
    return rows


def _delta(raw: Mapping[str, Words]) -> dict[str, Words]:
    return {"per_step": divide(np.full_like(raw[TIME_STEP], ONE), raw[TIME_STEP])}


SYNAPSES = {"exp": _exp, "alpha": _alpha, "delta": _delta}

MODELS = {
    model.name: model
    for model in (
        Model("IF_curr_exp", neurons.IF_CURR_EXP, "lif", "exp", conductance=False),
        Model("IF_cond_exp", neurons.IF_COND_EXP, "lif", "exp", conductance=True),
        Model("IF_curr_alpha", neurons.IF_CURR_ALPHA, "lif", "alpha", conductance=False),
        Model("IF_curr_delta", neurons.IF_CURR_DELTA, "lif", "delta", conductance=False),
        Model("IZK_curr_exp", neurons.IZK_CURR_EXP, "izk", "exp", conductance=False),
        Model("IZK_cond_exp", neurons.IZK_COND_EXP, "izk", "exp", conductance=True),
    )
}
N_STATES = max(len(model.states) for model in MODELS.values())
N_COEFFICIENTS = max(len(model.coefficients) for model in MODELS.values())
