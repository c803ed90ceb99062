"""The synapse rules by name: what a synapse is, independent of any device."""

from neurohw.synapses.signed import SIGNED
from neurohw.synapses.static import STATIC, SynapseRule
from neurohw.synapses.stdp import STDP, STDPMechanism

SYNAPSES: dict[str, SynapseRule] = {rule.name: rule for rule in (STATIC, SIGNED, STDP)}

__all__ = ["SYNAPSES", "STDPMechanism", "SynapseRule"]
