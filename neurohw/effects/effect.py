"""What an effect is: one physical non-ideality, described by numbers with sources, that gives data when a chip asks for it."""

from typing import ClassVar

from neurohw.schema import Described


class Effect(Described):
    """One physical effect. A device file composes effects; each can be left out alone (`device.without(name)`).

    An effect never touches a chip: its methods take numbers and a random stream (neurohw.rng.key(seed, address)) and return
    data: a factor per neuron, a new conductance, a noise amplitude. The stream's address belongs to the effect, so adding
    another effect leaves its draws as they were.
    """

    name: ClassVar[str]
    paper: ClassVar[str]
