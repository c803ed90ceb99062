"""The arms of all pairs of a crossbar chip: what each holds, how it is programmed, and what a read gives at any time.

Arrays have the shape (2, pairs): arm 0 is G+, arm 1 is G-; a pair is a place in the packed synapse table. Every draw is
addressed by the physical arm (tile, row, column, arm), never by the place in the table:

    programming, drift exponent, RESET     (chip, projection's count of writes, arm)
    SET pulses and their RESETs            (chip, arm, count of pulses and RESETs in the life of the arm)

so a specimen is the same whatever else was written before, and a written arm keeps of its past only its identity.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.device.crossbar import CrossbarMachine
from neurohw.device.device import Device
from neurohw.effects.drift import Drift
from neurohw.effects.programming_noise import ProgrammingNoise, check_target
from neurohw.effects.read_noise import ReadNoise
from neurohw.effects.set_pulse import SetPulse
from neurohw.errors import BadInput
from neurohw.kernels.noise import normal

CHUNK = 1 << 16
"""Arms worked on at a time, so that what the effects compute in between stays in cache."""
OPERATIONS = 24
"""Bits of a counter for the pulses and RESETs of one arm."""

Key = Callable[[str], np.uint64]
Indices = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass
class Devices:
    """All arms of a chip; copied as a whole by a snapshot. `cell` (the physical place of each pair) never changes.

    g: uS, as programmed, referred to the drift's t0. nu: drift exponent. quality: amplitude of the 1/f read noise.
    memory: of the SET pulses. worn: pulses and RESETs so far (both empty where there are no pulses). epoch: index into
    `times`, the chip's age (ms) when the arm was programmed; -1: no device.
    """

    g: NDArray[np.float32]
    nu: NDArray[np.float32]
    quality: NDArray[np.float32]
    epoch: NDArray[np.int32]
    memory: NDArray[np.float32]
    worn: NDArray[np.int32]
    times: list[float] = field(default_factory=list)
    pulses: int = 0
    resets: int = 0

    @classmethod
    def none(cls, n_pairs: int, pulsed: bool) -> "Devices":
        """Places without any device yet."""
        g, nu, quality = (np.zeros((2, n_pairs), np.float32) for _ in range(3))
        n_worn = n_pairs if pulsed else 0
        memory, worn = np.ones((2, n_worn), np.float32), np.zeros((2, n_worn), np.int32)
        return cls(g, nu, quality, np.full((2, n_pairs), -1, np.int32), memory, worn)

    def new_epoch(self, age: float) -> int:
        """The number of this moment among those at which something was programmed."""
        if not self.times or self.times[-1] != age:
            self.times.append(age)
        return len(self.times) - 1


class Bench:
    """How the devices of one chip are programmed and read: its effects, in one place. Holds no state of the devices."""

    def __init__(self, device: Device, key: Key, cell: NDArray[np.int64]):
        self.machine = machine = cast(CrossbarMachine, device.machine)
        self.key, self.cell, self.g_max = key, cell, float(machine.g_max)
        self.noise = cast(ProgrammingNoise | None, device.effect("programming_noise"))
        self.pulse = cast(SetPulse | None, device.effect("set_pulse"))
        self.drift = cast(Drift | None, device.effect("drift"))
        self.read_noise = cast(ReadNoise | None, device.effect("read_noise"))
        self.step, self.patience = float(machine.pulse_step or 0.0), int(machine.verify_pulses or 0)
        if self.pulse is not None and (machine.pulse_step is None or machine.verify_pulses is None):
            raise BadInput(f"device {device.name}: set_pulse needs machine.pulse_step and machine.verify_pulses")

    def program(self, d: Devices, arm: int, places: Indices, target: Values, address: str, age: float) -> None:
        """Program arms towards `target` (uS); what they were is gone. Raises OutOfRange."""
        check_target(target, self.g_max)
        epoch = d.new_epoch(age)
        for at in _chunks(places.size):
            p, wanted = places[at], np.minimum(target[at].astype(float), self.g_max)
            d.g[arm, p] = self._written(d, arm, p, wanted, address)
            self._settle(d, arm, p, wanted, address, epoch)

    def rest(self, d: Devices, arm: int, places: Indices, how: str, address: str, age: float) -> None:
        """Give arms that carry no weight what the mapping chose: "none", "reset" or "programmed to zero"."""
        if how == "none":
            d.epoch[arm, places] = -1
            return
        epoch = d.new_epoch(age)
        for at in _chunks(places.size):
            p = places[at]
            target = np.zeros(p.size)
            if how == "programmed to zero" or self.writes_by_pulses:  # where a write begins with a RESET, zero is one
                d.g[arm, p] = self._written(d, arm, p, target, address)
            else:
                draws = normals(self.key(f"reset/{address}"), self.cell[p] * 2 + arm)
                d.g[arm, p] = target = np.maximum(self.machine.g_reset + self.machine.g_reset_sd * draws, 0.0)
            self._settle(d, arm, p, target, address, epoch)

    @property
    def writes_by_pulses(self) -> bool:
        """Where there is no residual of write-and-verify, a write is a sequence of SET pulses and reads."""
        return self.pulse is not None and self.noise is None

    def _written(self, d: Devices, arm: int, p: Indices, wanted: Values, address: str) -> Values:
        """The conductance after a write: by the residual of write-and-verify, by pulses and reads, or exact."""
        if self.noise is not None:
            draws = normals(self.key(f"programming_noise/{address}"), self.cell[p] * 2 + arm)
            return self.noise.programmed(wanted, draws, self.g_max)
        return self._write_by_pulses(d, arm, p, wanted) if self.writes_by_pulses else wanted

    def _settle(self, d: Devices, arm: int, p: Indices, target: Values, address: str, epoch: int) -> None:
        """What follows from a programming: a drift exponent, a noise amplitude, a clock that starts."""
        if self.drift is not None:
            draws = normals(self.key(f"drift/{address}"), self.cell[p] * 2 + arm)
            d.nu[arm, p] = self.drift.exponents(target, draws, self.g_max)
        if self.read_noise is not None:
            d.quality[arm, p] = self.read_noise.quality(d.g[arm, p].astype(float), self.g_max)
        d.epoch[arm, p] = epoch

    def _write_by_pulses(self, d: Devices, arm: int, p: Indices, target: Values) -> Values:
        """RESET, then SET pulses until a noisy read is within half a step of the target; RESET after an overshoot.

        The controller refers its reads to t0 by the mean drift, so drift does not enter. After `verify_pulses` pulses
        it gives up and leaves what there is.
        """
        half = 0.5 * self.step
        self._reset(d, arm, p)
        tried, open_ = np.zeros(p.size, np.int64), np.arange(p.size)
        while open_.size:
            q = p[open_]
            g = d.g[arm, q].astype(float)
            seen = self._verified(g, d, arm, q)
            low, high = seen < target[open_] - half, (seen > target[open_] + half) & (target[open_] > half)
            left = tried[open_] < self.patience
            self._reset(d, arm, q[high & left])
            self._pulse(d, arm, q[low & left])
            tried[open_] += low
            tried[open_[high]] += 1
            open_ = open_[(low | high) & left]
        return d.g[arm, p].astype(float)

    def _verified(self, g: Values, d: Devices, arm: int, q: Indices) -> Values:
        if self.read_noise is None:
            return g
        draws = normals(self.key("verify"), self._operation(d, arm, q))
        quality, growth = self.read_noise.quality(g, self.g_max), self.read_noise.growth(0.0)
        return self.read_noise.sample(g, quality, growth, draws, self.g_max)

    def _reset(self, d: Devices, arm: int, p: NDArray[np.int64]) -> None:
        """RESET arms that know pulses: the memory is gone, the conductance is low."""
        draws = normals(self.key("reset"), self._operation(d, arm, p))
        d.g[arm, p] = np.maximum(self.machine.g_reset + self.machine.g_reset_sd * draws, 0.01)
        d.memory[arm, p] = 1.0
        d.worn[arm, p] += 1
        d.resets += p.size

    def _pulse(self, d: Devices, arm: int, p: NDArray[np.int64]) -> None:
        g = d.g[arm, p].astype(float)
        if self.pulse is None:  # switched off: every pulse adds the mean step
            d.g[arm, p] = np.minimum(g + self.step, self.g_max)
        else:
            draws = normals(self.key("set_pulse"), self._operation(d, arm, p))
            d.g[arm, p], d.memory[arm, p] = self.pulse.pulsed(g, d.memory[arm, p].astype(float), draws, self.g_max)
        d.worn[arm, p] += 1
        d.pulses += p.size

    def _operation(self, d: Devices, arm: int, p: Indices) -> Indices:
        return ((self.cell[p] * 2 + arm) << OPERATIONS) | d.worn[arm, p]

    def pulses(self, d: Devices, arm: int, places: Indices, counts: Indices, address: str, age: float) -> None:
        """SET pulses, counts[k] of them on arm `arm` of places[k]; the drift clock of a pulsed arm starts again."""
        epoch = d.new_epoch(age)
        for k in range(int(counts.max(initial=0))):
            self._pulse(d, arm, places[counts > k])
        touched = places[counts > 0]
        self._settle(d, arm, touched, d.g[arm, touched].astype(float), address, epoch)

    def drifted(self, d: Devices, arm: int, p: Indices, log_times: Values) -> Values:
        """The conductance (uS) of arms now; log_times: ln(t/t0) for each epoch."""
        g = d.g[arm, p].astype(float)
        return g if self.drift is None else self.drift.drifted(g, d.nu[arm, p], log_times[d.epoch[arm, p]])

    def log_times(self, d: Devices, age: float) -> NDArray[np.float64]:
        """ln(t/t0) for each epoch of programming, at this age of the chip."""
        ages = age - np.array([*d.times, age])  # the last entry stands for places without a device
        return np.zeros(ages.size) if self.drift is None else self.drift.log_time(ages)

    def growth(self, d: Devices, age: float) -> NDArray[np.float64]:
        """The growth of the 1/f read noise for each epoch of programming, at this age of the chip."""
        ages = age - np.array([*d.times, age])
        return np.zeros(ages.size) if self.read_noise is None else self.read_noise.growth(ages)

    def sample(self, d: Devices, places: NDArray[np.int64], age: float, stream: np.uint64) -> NDArray[np.float64]:
        """One noisy read (uS) of both arms: (2, places)."""
        log_times, growth = self.log_times(d, age), self.growth(d, age)
        seen = np.zeros((2, places.size))
        for at in _chunks(places.size):
            p = places[at]
            for arm in (0, 1):
                g = self.drifted(d, arm, p, log_times)
                if self.read_noise is not None:
                    draws = normals(stream, self.cell[p] * 2 + arm)
                    quality, grown = d.quality[arm, p].astype(float), growth[d.epoch[arm, p]]
                    g = self.read_noise.sample(g, quality, grown, draws, self.g_max)
                seen[arm, at] = np.where(d.epoch[arm, p] < 0, 0.0, g)
        return seen

    @property
    def lines(self) -> int:
        """Devices of a pair."""
        return 2

    @property
    def noisy(self) -> bool:
        return self.read_noise is not None

    @property
    def bounds(self) -> tuple[float, float]:
        """Where a read of a device is clipped (uS)."""
        if self.read_noise is None:
            return -np.inf, np.inf
        return float(self.read_noise.floor), self.g_max if self.read_noise.saturates else np.inf

    def amplitudes(self, d: Devices, places: Indices, age: float) -> Values:
        """(lines, places, 2): center and standard deviation (uS) of a read of each device at this age, before any clip.

        The deviation is -1 where there is no device.
        """
        log_times, growth = self.log_times(d, age), self.growth(d, age)
        found = np.zeros((2, places.size, 2))
        for at in _chunks(places.size):
            p = places[at]
            for arm in (0, 1):
                g = self.drifted(d, arm, p, log_times)
                found[arm, at, 0] = g
                if self.read_noise is not None:
                    quality, grown = d.quality[arm, p].astype(float), growth[d.epoch[arm, p]]
                    found[arm, at, 1] = self.read_noise.sigma(g, quality, grown)
                found[arm, at][d.epoch[arm, p] < 0] = (0.0, -1.0)
        return found

    def moments(
        self, d: Devices, places: Indices, log_times: Values, growth: Values, unit: Values, out: NDArray[Any]
    ) -> None:
        """out[places] = (mean, variance) of a read of G+ - G-, in network units; unit: of one uS, for each place."""
        for at in _chunks(places.size):
            p = places[at]
            mean, variance = np.zeros(p.size), np.zeros(p.size)
            for arm, sign in ((0, 1.0), (1, -1.0)):
                g, there = self.drifted(d, arm, p, log_times), d.epoch[arm, p] >= 0
                v = np.zeros(p.size)
                if self.read_noise is not None:
                    quality, grown = d.quality[arm, p].astype(float), growth[d.epoch[arm, p]]
                    g, v = self.read_noise.moments(g, quality, grown, self.g_max)
                mean += sign * there * g
                variance += there * v
            out[p, 0], out[p, 1] = mean * unit[at], variance * unit[at] ** 2


def _chunks(n: int) -> Iterator[slice]:
    return (slice(k, min(k + CHUNK, n)) for k in range(0, n, CHUNK))


def normals(stream: np.uint64, counters: NDArray[np.int64]) -> NDArray[np.float64]:
    """One standard normal for each counter: `neurohw.rng.normal`, compiled."""
    out = np.empty(counters.size)
    _normals(stream, counters, out)
    return out


@njit(cache=True)
def _normals(stream, counters, out):
    for i in range(counters.size):
        out[i] = normal(stream, counters[i])
