"""What the devices of a crossbar chip hold: arrays of one entry per device, and the moments of their programming."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class Devices:
    """What all devices of a chip hold; `kept` and `from_kept` are its whole state as plain arrays and numbers.

    g: uS, as programmed, referred to the drift's t0. nu: drift exponent. quality: amplitude of the 1/f read noise.
    epoch: index into `times`, the chip's age (ms) when the device was programmed; -1: no device.
    memory: of the SET pulses; set_pulses, reset_pulses: of each device so far (all three empty where there are none).
    pulses, resets: over all devices. most: pulses of both kinds of the device that has had most.
    """

    g: NDArray[np.float32]
    nu: NDArray[np.float32]
    quality: NDArray[np.float32]
    epoch: NDArray[np.int32]
    memory: NDArray[np.float32]
    set_pulses: NDArray[np.int32]
    reset_pulses: NDArray[np.int32]
    times: list[float] = field(default_factory=list)
    pulses: int = 0
    resets: int = 0
    most: int = 0

    @classmethod
    def none(cls, n_pairs: int, lines: int = 2, pulsed: bool = True) -> "Devices":
        """Places without any device yet."""
        g, nu, quality = (np.zeros((lines, n_pairs), np.float32) for _ in range(3))
        n_pulsed = n_pairs if pulsed else 0
        sets, resets = (np.zeros((lines, n_pulsed), np.int32) for _ in range(2))
        epoch, memory = np.full((lines, n_pairs), -1, np.int32), np.ones((lines, n_pulsed), np.float32)
        return cls(g, nu, quality, epoch, memory, sets, resets)

    def new_epoch(self, age: float) -> int:
        """The number of this moment among those at which something was programmed."""
        if not self.times or self.times[-1] != age:
            self.times.append(age)
        return len(self.times) - 1

    @property
    def worn(self) -> NDArray[np.int32]:
        """Pulses of both kinds that each device has had."""
        return self.set_pulses + self.reset_pulses

    def kept(self) -> dict[str, Any]:
        """A copy of everything, in arrays and numbers only."""
        found = {part.name: getattr(self, part.name) for part in fields(self)}
        found["times"] = np.array(self.times)
        return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in found.items()}

    @classmethod
    def from_kept(cls, kept: dict[str, Any]) -> "Devices":
        """The devices that `kept` is of."""
        copied = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in kept.items()}
        return cls(**{**copied, "times": copied["times"].tolist()})
