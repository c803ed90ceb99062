"""The substrates by name: the schema of their machine section and of the choices that a mapping may make."""

from dataclasses import dataclass

from neurohw.device.analog import AnalogChoices, AnalogMachine
from neurohw.device.crossbar import CrossbarChoices, CrossbarMachine
from neurohw.device.machine import Choices, Machine
from neurohw.device.reference import ReferenceChoices, ReferenceMachine
from neurohw.device.spinnaker import SpinnakerChoices, SpinnakerMachine

# ReferenceChoices, ReferenceMachine


@dataclass(frozen=True)
class Substrate:
    """How to read the parts of a file that are this substrate's own; `needs`: (section, name) of numbers it cannot do without."""

    machine: type[Machine]
    choices: type[Choices]
    needs: tuple[tuple[str, str], ...] = ()


SUBSTRATES: dict[str, Substrate] = {
    "reference": Substrate(ReferenceMachine, ReferenceChoices),
    "spinnaker": Substrate(
        SpinnakerMachine, SpinnakerChoices, (("power", "board_idle"), ("power", "active_core"), ("energy", "packet"))
    ),
    "analog": Substrate(AnalogMachine, AnalogChoices),
    "crossbar": Substrate(CrossbarMachine, CrossbarChoices),
}
