"""Devices on a probe station, without a network: program them, pulse them, wait, look, read."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from neurohw import rng, units
from neurohw.chips.crossbar.devices import Bench
from neurohw.device.crossbar import CrossbarMachine
from neurohw.device.device import Device
from neurohw.errors import BadInput, Unsupported

Values = NDArray[np.float64]


class Specimens:
    """n arms of one kind of device, drawn by `seed`; they go through what those of a crossbar chip go through.

    Unlike a chip it shows the truth: what the arms hold, and their drift exponents. Conductances in uS, times in ms or text.
    """

    def __init__(self, device: Device, seed: int = 0, n: int = 1000):
        if device.substrate != "crossbar" or device.is_ideal:
            raise BadInput(f"{device.title}: no kind of device that could be programmed; take a crossbar as it is")
        self.machine = cast(CrossbarMachine, device.machine)
        self.device, self.seed, self.age, self.writes, self.reads = device, int(seed), 0.0, 0, 0
        self.places = np.arange(n)
        self.bench = Bench(device, self.key, self.places)
        self.devices = self.bench.none(n)

    def key(self, address: str) -> np.uint64:
        """The stream of these specimens for `address`."""
        return rng.key(self.seed, f"{self.device.name}/{address}")

    def program(self, targets: Any) -> None:
        """Write towards these conductances (one, or one each). Raises OutOfRange outside [0, g_max], and for NaN."""
        wanted = np.broadcast_to(np.asarray(targets, float), self.places.shape)
        self.writes += 1
        self.bench.program(self.devices, 0, self.places, wanted, f"write {self.writes}", self.age)

    def reset(self) -> None:
        """RESET all devices. Raises Unsupported where a device is only ever written and verified."""
        self._check_pulsed()
        self.bench.reset(self.devices, 0, self.places, f"write {self.writes}", self.age)

    def pulse(self, counts: Any = 1) -> None:
        """So many SET pulses (on all, or on each)."""
        self._check_pulsed()
        self._check_there()
        given = np.broadcast_to(np.asarray(counts), self.places.shape)
        if not np.issubdtype(given.dtype, np.integer) or (given < 0).any():
            raise BadInput("pulse: counts must be whole numbers >= 0")
        self.bench.pulses(self.devices, 0, self.places, given.astype(np.int64), f"write {self.writes}", self.age)

    def wait(self, time: Any) -> None:
        """Let time pass."""
        length = units.parse(time, "ms", "wait")
        if not length >= 0:
            raise BadInput(f"wait: time {time!r} is negative")
        self.age += length

    def conductances(self) -> Values:
        """What the arms hold now, without read noise."""
        self._check_there()
        return self.bench.conductances(self.devices, self.places, self.age)[0]

    def read(self) -> Values:
        """One noisy read of each arm."""
        self._check_there()
        self.reads += 1
        return self.bench.sample(self.devices, self.places, self.age, self.key(f"read {self.reads}"))[0]

    @property
    def exponents(self) -> Values:
        """The drift exponent of the (first) device of each arm."""
        self._check_there()
        return self.devices.nu[0].astype(float)

    def _check_pulsed(self) -> None:
        if not self.bench.pulsed:
            raise Unsupported(f"{self.device.title} is written and verified, it knows no single pulses; use program")

    def _check_there(self) -> None:
        if self.bench.lacks(self.devices, 0, self.places):
            way = "reset or program" if self.bench.pulsed else "program"
            raise BadInput(f"{self.device.title}: nothing was written to these devices yet; {way} them first")
