"""A static synapse whose weight may have either sign: a pair of conductances holds both, a row of circuits or an unsigned word one.

On a device without it, give the projection twice: an excitatory one for the positive part, an inhibitory one for the rest.
"""

from neurohw.synapses.static import SynapseRule

SIGNED = SynapseRule(name="SignedSynapse", plastic=False, source="Demirag et al. 2021, arXiv:2108.01804 (G+ - G-)")
