"""The chips by substrate."""

from collections.abc import Callable

from neurohw.chips.analog.chip import AnalogChip
from neurohw.chips.crossbar.chip import CrossbarChip
from neurohw.chips.float_chip import FloatChip
from neurohw.chips.reference import ReferenceChip
from neurohw.chips.spinnaker.chip import SpinnakerChip
from neurohw.device.device import Device
from neurohw.errors import Unsupported
from neurohw.program import Chip

CHIPS: dict[str, Callable[[Device, int], Chip]] = {
    "ideal digital": FloatChip,
    "reference": ReferenceChip,
    "analog": AnalogChip,
    "crossbar": CrossbarChip,
    "spinnaker": SpinnakerChip,
}


def chip_for(device: Device, seed: int) -> Chip:
    """A new specimen of this device."""
    kind = "ideal digital" if device.substrate == "spinnaker" and device.is_ideal else device.substrate
    if kind not in CHIPS:
        raise Unsupported(f"no chip for substrate {kind!r}; there are {', '.join(CHIPS)}")
    return CHIPS[kind](device, seed)
