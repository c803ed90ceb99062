"""Spike-timing-dependent plasticity: the pair rule, every pre spike with every post spike, additive or multiplicative.

A delay of d lies in the axon up to the synapse, (1 - f) d, and in the dendrite behind it, f d; f is the
`dendritic_delay_fraction`. At the synapse, with x and y the traces of its pre and post spikes,

    pre spike arrives (t + (1 - f) d)     w <- w - depression(w) y(t)     x <- x + 1     dx/dt = -x / tau_plus
    post spike arrives (t + f d)          w <- w + potentiation(w) x(t)   y <- y + 1     dy/dt = -y / tau_minus

    additive            potentiation = A_plus               depression = A_minus             w held in [w_min, w_max]
    multiplicative      potentiation = A_plus (w_max - w)   depression = A_minus (w - w_min)

and the spike reaches the soma, at t + d, with the weight that it left the synapse with. Without `backprop_delay` a post
spike is at the synapse at once. Where a pre and a post spike arrive in the same step, the post spike comes first if the
synapse has a dendrite behind it; if not (f d = 0), the pre spike has already acted on the neuron and comes first.

A spike's effect on the weight is read where it reaches the soma: `Chip.read` gives the weight that a spike arriving
there now would have. Weights are magnitudes here: an inhibitory synapse onto a current-based model has the weight -w.

Note. In the additive rule A is a weight, as sPyNNaker 7 takes it. PyNN's simulators (NEST, NEURON, Brian2) take it times
w_max; in the multiplicative rule it is a pure number for all of them.
Sources: Song, Miller & Abbott, Nat. Neurosci. 3 (2000) 919; PyNN 0.13 `SpikePairRule`; Morrison, Diesmann & Gerstner,
Biol. Cybern. 98 (2008) 459, on where a delay lies.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from neurohw import units
from neurohw.errors import BadInput, all_reasons
from neurohw.synapses.static import SynapseRule

STDP = SynapseRule(name="STDPMechanism", plastic=True, source="PyNN 0.13 standard models")


@dataclass(frozen=True)
class STDPMechanism:
    """The pair rule's parameters: times in ms, weights in the unit of the target model; text with a unit is taken too.

    A_plus, A_minus: weights if additive, pure numbers if multiplicative. 0 <= w_min <= w_max.
    """

    weight_dependence: Literal["additive", "multiplicative"] = "additive"
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    A_plus: float = 0.01
    A_minus: float = 0.01
    w_min: float = 0.0
    w_max: float = 1.0
    dendritic_delay_fraction: float = 1.0
    backprop_delay: bool = True

    name: ClassVar[str] = STDP.name

    @property
    def multiplicative(self) -> bool:
        return self.weight_dependence == "multiplicative"

    def in_units(self, weight_unit: str, where: str) -> "STDPMechanism":
        """The same rule with every parameter a checked number; raises BadInput with every reason."""
        if self.weight_dependence not in ("additive", "multiplicative"):
            raise BadInput(
                f"{where}: weight_dependence is 'additive' or 'multiplicative', got {self.weight_dependence!r}"
            )
        if not isinstance(self.backprop_delay, bool):
            raise BadInput(f"{where}: backprop_delay is true or false, got {self.backprop_delay!r}")
        amplitude = "" if self.multiplicative else weight_unit
        unit = {"tau_plus": "ms", "tau_minus": "ms", "A_plus": amplitude, "A_minus": amplitude}
        unit |= {"w_min": weight_unit, "w_max": weight_unit, "dendritic_delay_fraction": ""}
        numbers: dict[str, Any] = {n: units.parse(getattr(self, n), u, f"{where}: {n}") for n, u in unit.items()}
        new = replace(self, **numbers)
        reasons = [f"{n} {numbers[n]:g} ms is not > 0" for n in ("tau_plus", "tau_minus") if not numbers[n] > 0]
        if not 0 <= new.w_min <= new.w_max:
            reasons.append(f"needs 0 <= w_min <= w_max, got w_min {new.w_min:g} and w_max {new.w_max:g}")
        if not 0 <= new.dendritic_delay_fraction <= 1:
            reasons.append(f"dendritic_delay_fraction {new.dendritic_delay_fraction:g} lies outside [0, 1]")
        all_reasons(BadInput, where, reasons)
        return new

    def dendritic_steps(self, delay: Any) -> Any:
        """Of a delay in steps, those in the dendrite: whole steps, halves upwards."""
        return (delay * self.dendritic_delay_fraction + 0.5 + 1e-9).astype(int)
