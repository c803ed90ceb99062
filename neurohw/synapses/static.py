"""A static synapse: its weight is added to the target's synaptic state when a spike arrives, and never changes by itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SynapseRule:
    """A rule by PyNN's name, and whether its weights change while the network runs."""

    name: str
    plastic: bool
    source: str


STATIC = SynapseRule(name="StaticSynapse", plastic=False, source="PyNN 0.13 standard models")
