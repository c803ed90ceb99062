"""The reference as a device: a simulator has no limits but this computer's memory."""

from typing import Literal

from neurohw.device.machine import Choices, Machine, Site


class ReferenceChoices(Choices):
    """target: how Brian2 runs; "auto" takes compiled code only where the run is long enough to pay for the compiler."""

    target: Literal["auto", "numpy", "cython"] = "auto"


class ReferenceMachine(Machine):
    """One place that holds everything."""

    @property
    def unit_word(self) -> str:
        return "computer"

    def sites(self) -> list[Site]:
        return [Site(0, 0, 0)]

    def neurons_per_unit(self, choices: Choices) -> int:
        return 2**31 - 1
