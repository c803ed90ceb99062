"""Reading the devices of a crossbar chip: their clocks, what they hold, and what a noisy read gives."""

from collections.abc import Callable
from math import ceil, e, log
from typing import cast

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.chips.crossbar import reading
from neurohw.chips.crossbar.reading import Clock, Held
from neurohw.chips.crossbar.state import Devices
from neurohw.device.crossbar import CrossbarMachine
from neurohw.device.device import Device
from neurohw.effects.drift import Drift
from neurohw.effects.read_noise import ReadNoise
from neurohw.kernels import fluctuations

FROZEN = 3
"""Within a run, 1/f noise from this band of periods on (51.2 ms) stands still for as long as its shortest period; what is
faster is drawn at each read."""

Key = Callable[[str], np.uint64]
Indices = NDArray[np.int64]
Values = NDArray[np.float64]


class Reader:
    """How the devices of one chip are read, at any time: what of them no write changes. Holds no state of the devices."""

    def __init__(self, device: Device, key: Key, cell: NDArray[np.int64]):
        self.machine = machine = cast(CrossbarMachine, device.machine)
        self.key, self.cell = key, cell
        self.drift = cast(Drift | None, device.effect("drift"))
        self.read_noise = cast(ReadNoise | None, device.effect("read_noise"))
        self.n = int(machine.devices_per_arm) if self.pulsed else 1
        self.g_max = float(machine.g_max) / self.n
        self.flickers = self.read_noise is not None and self.read_noise.amplitude is not None
        silent = np.array([0.0, 0.0, -np.inf, np.inf])
        self.white = self.read_noise.white(self.g_max) if self.read_noise is not None else silent

    @property
    def lines(self) -> int:
        """Devices of a pair."""
        return 2 * self.n

    @property
    def noisy(self) -> bool:
        """Whether two reads can differ."""
        return self.read_noise is not None

    @property
    def bounds(self) -> tuple[float, float]:
        """Where the read of a device is clipped (uS)."""
        return float(self.white[2]), float(self.white[3])

    def of_arm(self, arm: int) -> range:
        """The lines of the arrays that the devices of an arm are on."""
        return range(arm * self.n, (arm + 1) * self.n)

    def devices(self, p: Indices, line: int) -> Indices:
        """The physical devices of a line at some places, as addresses of draws."""
        return self.cell[p] * (2 * self.n) + line

    @property
    def pulsed(self) -> bool:
        """Whether single pulses are known, and with them the single devices of an arm."""
        return self.machine.pulse_step is not None

    def log_times(self, d: Devices, age: float) -> Values:
        """ln(t/t0) for each epoch of programming, at this age of the chip."""
        ages = age - np.array([*d.times, age])
        return np.zeros(ages.size) if self.drift is None else self.drift.log_time(ages)

    def clock(self, d: Devices, age: float, band: int = 0) -> Clock:
        """Everything about this moment that devices of one epoch share; 1/f noise is resolved from `band` on."""
        log_time, n = self.log_times(d, age), len(d.times) + 1
        noise, times = self.read_noise, np.array([*d.times, age])
        if noise is None or not self.flickers:
            return Clock(log_time, np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, np.uint64), 0, False)
        shortest = 2.0 * e * noise.t_read  # so that the variance ln(s / shortest) + 1 is the growth ln(s / 2 t_read)
        band = max(band, ceil(log(shortest / fluctuations.SHORTEST, fluctuations.BAND)))
        s, growth = age - times + noise.offset, noise.growth(age - times)
        total = np.maximum(fluctuations.variance(shortest, fluctuations.LONGEST, s), 1e-300)
        edge = max(shortest, fluctuations.SHORTEST * fluctuations.BAND**band)
        slow = fluctuations.variance(edge, fluctuations.LONGEST, s)
        since_load = np.rint((times - times[0]) * 1e6).astype(np.int64)  # ns; what was before the load is no address
        keys = rng.hashes(self.key("read_noise"), since_load)
        fast = np.sqrt(np.maximum(1.0 - slow / total, 0.0))
        return Clock(log_time, s, growth / np.sqrt(total), growth * fast, keys, band, True)

    def conductances(self, d: Devices, places: Indices, age: float) -> Values:
        """What both arms hold at this age (uS), without read noise: (2, places). No bench can see it."""
        out = np.empty((2, places.size))
        reading.conductances(self.n, places, held(d), self.log_times(d, age), out)
        return out

    def amplitudes(self, d: Devices, places: Indices, age: float, band: int = FROZEN) -> Values:
        """(2, lines, places): center and standard deviation (uS) of a read of each device at this age, before any clip.

        1/f noise from the band on is in the center: it is what it is at this moment. What is faster is in the deviation,
        which is -1 where there is no device.
        """
        return self.moments(d, places, self.clock(d, age, band))

    def moments(self, d: Devices, places: Indices, now: Clock) -> Values:
        """The same at a moment whose clock is known."""
        out = np.empty((2, self.lines, places.size))
        reading.amplitudes(self.n, places, self.cell[places], held(d), now, self.white, out)
        return out

    def sample(self, d: Devices, places: Indices, age: float, stream: np.uint64) -> Values:
        """One noisy read (uS) of both arms at this age: (2, places). stream: of the white part, new for each read."""
        out = np.empty((2, places.size))
        reading.sample(self.n, places, self.cell[places], held(d), self.clock(d, age), self.white, stream, out)
        return out

    def lacks(self, d: Devices, arm: int, places: Indices) -> bool:
        """Whether some of these places have no device in an arm."""
        return bool((d.epoch[arm * self.n, places] < 0).any())


def held(d: Devices) -> Held:
    """What a read looks at."""
    return Held(d.g, d.nu, d.quality, d.epoch)
