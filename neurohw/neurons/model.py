"""What a neuron model is: parameters, units, defaults, state, and its equations, once, as the text that Brian2 runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Method = Literal["exact", "frozen conductance", "midpoint"]


@dataclass(frozen=True)
class Parameter:
    """One parameter: `unit` as text ("": a pure number), PyNN's default, its meaning, and which values make no sense."""

    unit: str
    default: float
    meaning: str
    positive: bool = False
    may_be_infinite: bool = False
    never_negative: bool = False


@dataclass(frozen=True)
class NeuronModel:
    """A spiking neuron in PyNN's names.

    equations: Brian2 text over the parameters (ms, mV, nA, nF, uS) and the state; `i_ext` (nA) is i_offset plus
        injected current.
    method: how the reference and float neurons solve the equations where a network asks for "exact" integration:
        exact: linear equations, by their exponential propagators
        frozen conductance: v by exponential Euler with the conductances of the step's beginning, the synapses exactly
        midpoint: everything by the midpoint rule (Runge-Kutta of order 2)
    receptors: name -> the state variable that an arriving weight is added to.
    weight_unit: the unit of a weight onto this model; inhibitory weights are <= 0 for currents, >= 0 for conductances.
    threshold: the parameter (or mV; infinite: it never spikes) that v exceeds at a spike; threshold_rises_by: what is added
        to it, but not to what a reset subtracts; reset: the parameter that v is set to; at_spike: what more happens then.
    resets: the ways of `Numerics.reset` that make sense; what v has beyond a threshold that it passes at a run tells of
        the time step alone, and is not to be kept.
    """

    name: str
    parameters: Mapping[str, Parameter]
    states: Mapping[str, Parameter]
    receptors: Mapping[str, str]
    weight_unit: Literal["nA", "uS", "mV"]
    equations: str
    method: Method
    source: str
    threshold: str | float = "v_thresh"
    reset: str = "v_reset"
    at_spike: str = ""
    resets: tuple[str, ...] = ("set", "subtract")
    threshold_rises_by: str = ""

    @property
    def recordable(self) -> tuple[str, ...]:
        return ("spikes", *self.states)

    @property
    def spikes(self) -> bool:
        """Whether it ever does."""
        return self.threshold != float("inf")

    @property
    def inhibitory_sign(self) -> int:
        """+1 where inhibition is a conductance, -1 where it is a negative current or voltage step."""
        return 1 if self.weight_unit == "uS" else -1


@dataclass(frozen=True)
class SourceModel:
    """A population that only emits spikes."""

    name: str
    parameters: Mapping[str, Parameter]
    source: str
    recordable: tuple[str, ...] = ("spikes",)


MEMBRANE = {
    "v_rest": Parameter("mV", -65.0, "resting potential"),
    "cm": Parameter("nF", 1.0, "membrane capacitance", positive=True),
    "tau_m": Parameter("ms", 20.0, "membrane time constant", positive=True, may_be_infinite=True),
    "tau_refrac": Parameter("ms", 0.1, "refractory period", never_negative=True),
    "v_thresh": Parameter("mV", -50.0, "spike threshold", may_be_infinite=True),
    "v_reset": Parameter("mV", -65.0, "reset potential"),
    "i_offset": Parameter("nA", 0.0, "constant current"),
}
VOLTAGE = Parameter("mV", -65.0, "membrane potential")
