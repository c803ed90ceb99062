"""The devices of all pairs of a crossbar chip: what each holds, how it is programmed, and what a read gives at any time.

An arm has n devices in parallel, which SET pulses take in turn; devices that are only ever written together count as one.
Arrays have the shape (2 n, pairs): the lines 0..n-1 are the devices of G+, n..2n-1 those of G-; a pair is a place in the
packed synapse table. Every draw is addressed by the physical device (tile, row, column, arm, number in the arm), never by
the place in the table:

    programming, RESET of written devices      (chip, projection's count of writes, device)
    drift exponent                             (chip, device), and the count of writes where the effect says so
    SET pulses and their RESETs                (chip, device, count of both in the life of the device)
    1/f noise                                  (chip, device, moment of its programming since the load, moment of the read)

so a specimen is the same whatever else was written before, and a written device keeps of its past only its identity.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from math import ceil, e, log
from typing import Any, NamedTuple, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw import rng
from neurohw.chips.crossbar import pulsing, reading
from neurohw.device.crossbar import CrossbarMachine
from neurohw.device.device import Device
from neurohw.effects.drift import Drift
from neurohw.effects.programming_noise import ProgrammingNoise, check_target
from neurohw.effects.read_noise import ReadNoise
from neurohw.effects.set_pulse import SetPulse, constant_step
from neurohw.effects.stuck_cells import StuckCells
from neurohw.errors import BadInput
from neurohw.kernels import fluctuations
from neurohw.kernels.noise import normal

CHUNK = 1 << 16
"""Devices worked on at a time, so that what the effects compute in between stays in cache."""
QUALITIES = 257
"""Points at which the verifying reads of a write look up the amplitude of the 1/f noise."""

FIRST = "write 0"
"""The address of the write that loads a program: a deviation that a device keeps for life is the one drawn there."""
FROZEN = 3
"""Within a run, 1/f noise from this band of periods on (51.2 ms) stands still for as long as its shortest period; what is
faster is drawn at each read."""

Key = Callable[[str], np.uint64]
Indices = NDArray[np.int64]
Values = NDArray[np.float64]


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


class Clock(NamedTuple):
    """What depends on time only, for each epoch of programming; the last entry stands for places without a device.

    log_time: ln(t / t0). s: ms on the clock of the 1/f noise. slow, fast: how much the fluctuators from `band` on, and the
    faster ones, are to be multiplied by, so that both have the variance growth^2. keys: of the 1/f noise.
    """

    log_time: Values
    s: Values
    slow: Values
    fast: Values
    keys: NDArray[np.uint64]
    band: int


class Bench:
    """How the devices of one chip are programmed and read: its effects, in one place. Holds no state of the devices."""

    def __init__(self, device: Device, key: Key, cell: NDArray[np.int64]):
        self.machine = machine = cast(CrossbarMachine, device.machine)
        self.key, self.cell = key, cell
        self.noise = cast(ProgrammingNoise | None, device.effect("programming_noise"))
        self.pulse = cast(SetPulse | None, device.effect("set_pulse"))
        self.drift = cast(Drift | None, device.effect("drift"))
        self.read_noise = cast(ReadNoise | None, device.effect("read_noise"))
        self.step, self.patience = float(machine.pulse_step or 0.0), int(machine.verify_pulses or 0)
        if self.pulse is not None and (machine.pulse_step is None or machine.verify_pulses is None):
            raise BadInput(f"device {device.name}: set_pulse needs machine.pulse_step and machine.verify_pulses")
        self.n = int(machine.devices_per_arm) if self.pulsed else 1
        self.g_max = float(machine.g_max) / self.n
        self.low, self.low_sd = float(machine.g_reset) / self.n, float(machine.g_reset_sd) / np.sqrt(self.n)
        self.steps = self.pulse.numbers() if self.pulse is not None else constant_step(self.step)
        self.varies = self.drift is not None and self.drift.varies
        self.flickers = self.read_noise is not None and self.read_noise.amplitude is not None
        silent = np.array([0.0, 0.0, -np.inf, np.inf])
        self.white = self.read_noise.white(self.g_max) if self.read_noise is not None else silent
        cells = cast(StuckCells | None, device.effect("stuck_cells"))
        self.stuck = self._stuck(cells) if cells is not None else np.empty((0, 0), np.float32)

    @property
    def pulsed(self) -> bool:
        return self.machine.pulse_step is not None

    @property
    def writes_by_pulses(self) -> bool:
        """Where there is no residual of write-and-verify, a write is a sequence of SET pulses and reads."""
        return self.pulse is not None and self.noise is None

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

    def none(self, n_pairs: int) -> Devices:
        """Places without any device yet."""
        return Devices.none(n_pairs, 2 * self.n, self.pulsed)

    def lacks(self, d: Devices, arm: int, places: Indices) -> bool:
        """Whether some of these places have no device in an arm."""
        return bool((d.epoch[arm * self.n, places] < 0).any())

    def program(self, d: Devices, arm: int, places: Indices, target: Values, address: str, age: float) -> None:
        """Program arms towards `target` (uS), each device its share; what they were is gone. Raises OutOfRange."""
        check_target(target, self.g_max * self.n)
        epoch = d.new_epoch(age)
        for at in _chunks(places.size):
            p, wanted = places[at], np.minimum(target[at] / self.n, self.g_max)
            for line in self.of_arm(arm):
                self._write(d, line, p, wanted, address)
                state = np.maximum(wanted, self.low) if self.writes_by_pulses else wanted
                self._settle(d, line, p, state, address, epoch, self._drawn(written=True))

    def rest(self, d: Devices, arm: int, places: Indices, how: str, address: str, age: float) -> None:
        """Give arms that carry no weight what the mapping chose: "none", "reset" or "programmed to zero"."""
        for line in self.of_arm(arm):
            if how == "none":
                d.epoch[line, places] = -1
            elif how == "programmed to zero" or self.writes_by_pulses:  # a write by pulses begins with a RESET
                self.program(d, arm, places, np.zeros(places.size), address, age)
                return
            else:
                self._rest(d, line, places, address, d.new_epoch(age))

    def _rest(self, d: Devices, line: int, places: Indices, address: str, epoch: int) -> None:
        for at in _chunks(places.size):
            p = places[at]
            draws = normals(self.key(f"reset/{address}"), self.devices(p, line))
            d.g[line, p] = self._held(line, p, np.maximum(self.low + self.low_sd * draws, 0.0))
            if self.pulsed:
                d.memory[line, p] = 1.0
            self._settle(d, line, p, np.full(p.size, self.low), address, epoch, self._drawn(written=True))

    def _write(self, d: Devices, line: int, p: Indices, wanted: Values, address: str) -> None:
        """A write: by pulses and reads, with the residual of write-and-verify, or exact."""
        if self.writes_by_pulses:
            self._write_by_pulses(d, line, p, wanted)
            return
        if self.noise is not None:
            draws = normals(self.key(f"programming_noise/{address}"), self.devices(p, line))
            wanted = self.noise.programmed(wanted, draws, self.g_max)
        d.g[line, p] = self._held(line, p, wanted)
        if self.pulsed:
            d.memory[line, p] = 1.0

    def _write_by_pulses(self, d: Devices, line: int, p: Indices, target: Values) -> None:
        before = d.set_pulses[line, p].sum(), d.reset_pulses[line, p].sum()
        noise, grid = self.read_noise, np.linspace(0.0, self.g_max, QUALITIES)
        qualities = noise.quality(grid, self.g_max) if noise is not None else np.zeros(QUALITIES)
        growth = float(noise.growth(0.0)) if noise is not None else 0.0
        keys = (self.key(name) for name in ("set_pulse", "reset", "verify"))
        most = pulsing.write(
            line, p, self.devices(p, line), target, self.patience, 0.5 * self.step, *keys, self.steps,
            self.low, self.low_sd, qualities, growth, *self.white, self.g_max, d.g, d.memory, d.set_pulses, d.reset_pulses, self.stuck,
        )  # fmt: skip
        d.most = max(d.most, most)
        d.pulses += int(d.set_pulses[line, p].sum() - before[0])
        d.resets += int(d.reset_pulses[line, p].sum() - before[1])

    def pulses(self, d: Devices, arm: int, places: Indices, counts: Indices, address: str, age: float) -> None:
        """counts[k] SET pulses on an arm of places[k], its devices in turn; their drift clocks start again."""
        if (counts <= 0).all():
            return
        some = counts > 0
        if not some.all():
            places, counts = places[some], counts[some]
        touched, first = np.zeros((self.n, places.size), np.bool_), arm * self.n
        most = pulsing.pulse(
            first, self.n, places, self.devices(places, first), counts, self.key("set_pulse"), self.steps, self.g_max,
            d.g, d.memory, d.set_pulses, d.reset_pulses, self.stuck, touched,
        )  # fmt: skip
        d.most, d.pulses = max(d.most, most), d.pulses + int(counts.sum())
        self._pulsed(d, arm, places, touched, address, age)

    def reset(self, d: Devices, arm: int, places: Indices, address: str, age: float) -> None:
        """RESET all devices of arms that know pulses: their memory is gone, their conductance is low."""
        for line in self.of_arm(arm):
            most = pulsing.reset(
                line, places, self.devices(places, line), self.key("reset"), self.low, self.low_sd, d.g, d.memory,
                d.set_pulses, d.reset_pulses, self.stuck,
            )  # fmt: skip
            d.most = max(d.most, most)
        d.resets += self.n * places.size
        self._pulsed(d, arm, places, np.ones((self.n, places.size), np.bool_), address, age)

    def _pulsed(self, d: Devices, arm: int, places: Indices, touched: Any, address: str, age: float) -> None:
        epoch = d.new_epoch(age)
        for line, mine in zip(self.of_arm(arm), touched, strict=True):
            p = places if mine.all() else places[mine]
            self._settle(d, line, p, d.g[line, p].astype(float), address, epoch, self._drawn(written=False))

    def _drawn(self, written: bool) -> str:
        effects = (self.noise, self.pulse) if written else (self.pulse, self.noise)
        return next((effect.drift_exponent for effect in effects if effect is not None), "each write")

    def _settle(self, d: Devices, line: int, p: Indices, target: Values, address: str, epoch: int, drawn: str) -> None:
        """What follows from a programming: a drift exponent, a noise amplitude, a clock that starts."""
        if self.drift is not None:
            stream = self.key(f"drift/{address if drawn == 'each write' else FIRST}")
            z = normals(stream, self.devices(p, line)) if self.varies else np.zeros(p.size)
            d.nu[line, p] = self.drift.exponents(target, z, self.g_max)
            if self.stuck.size:
                d.nu[line, p] *= self.stuck[line, p] < 0
        if self.flickers:
            d.quality[line, p] = self.read_noise.quality(d.g[line, p].astype(float), self.g_max)
        d.epoch[line, p] = epoch

    def _stuck(self, effect: StuckCells) -> NDArray[np.float32]:
        """(lines, places): the conductance (uS) of each stuck device; -1 where it is sound."""
        places, stream = np.arange(self.cell.size), self.key("stuck_cells")
        found = [effect.held(stream, self.devices(places, line), self.n) for line in range(2 * self.n)]
        return np.array(found, np.float32).reshape(2 * self.n, places.size)

    def _held(self, line: int, p: Indices, g: Values) -> Values:
        """The conductance that places have after they were to have `g`."""
        return g if not self.stuck.size else np.where(self.stuck[line, p] < 0, g, self.stuck[line, p])

    def log_times(self, d: Devices, age: float) -> Values:
        """ln(t/t0) for each epoch of programming, at this age of the chip."""
        ages = age - np.array([*d.times, age])
        return np.zeros(ages.size) if self.drift is None else self.drift.log_time(ages)

    def clock(self, d: Devices, age: float, band: int = 0) -> Clock:
        """Everything about this moment that devices of one epoch share; 1/f noise is resolved from `band` on."""
        log_time, n = self.log_times(d, age), len(d.times) + 1
        noise, times = self.read_noise, np.array([*d.times, age])
        if noise is None or not self.flickers:
            return Clock(log_time, np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, np.uint64), 0)
        shortest = 2.0 * e * noise.t_read  # so that the variance ln(s / shortest) + 1 is the growth ln(s / 2 t_read)
        band = max(band, ceil(log(shortest / fluctuations.SHORTEST, fluctuations.BAND)))
        s, growth = age - times + noise.offset, noise.growth(age - times)
        total = np.maximum(fluctuations.variance(shortest, fluctuations.LONGEST, s), 1e-300)
        edge = max(shortest, fluctuations.SHORTEST * fluctuations.BAND**band)
        slow = fluctuations.variance(edge, fluctuations.LONGEST, s)
        since_load = np.rint((times - times[0]) * 1e6).astype(
            np.int64
        )  # ns: what a chip was before its load is no address
        keys = rng.hashes(self.key("read_noise"), since_load)
        return Clock(log_time, s, growth / np.sqrt(total), growth * np.sqrt(1.0 - slow / total), keys, band)

    def conductances(self, d: Devices, places: Indices, age: float) -> Values:
        """What both arms hold at this age (uS), without read noise: (2, places). No bench can see it."""
        out = np.zeros((2, places.size))
        reading.conductances(self.n, places, d.g, d.nu, d.epoch, self.log_times(d, age), out)
        return out

    def sample(self, d: Devices, places: Indices, age: float, stream: np.uint64) -> Values:
        """One noisy read (uS) of both arms at this age: (2, places). stream: of the white part, new for each read."""
        now, out = self.clock(d, age), np.zeros((2, places.size))
        reading.sample(
            self.n, places, self.cell[places], d.g, d.nu, d.quality, d.epoch, *now, self.white, stream, out
        )  # fmt: skip
        return out

    def amplitudes(self, d: Devices, places: Indices, age: float, band: int = FROZEN) -> Values:
        """(lines, places, 2): center and standard deviation (uS) of a read of each device at this age, before any clip.

        1/f noise from the band on is in the center: it is what it is at this moment. What is faster is in the deviation,
        which is -1 where there is no device.
        """
        now, out = self.clock(d, age, band), np.empty((self.lines, places.size, 2))
        reading.amplitudes(self.n, places, self.cell[places], d.g, d.nu, d.quality, d.epoch, *now, self.white, out)
        return out

    def moments(self, d: Devices, places: Indices, age: float, unit: Values, out: NDArray[Any]) -> None:
        """out[places] = (mean, variance) of a read of G+ - G- at this age, in network units; unit: of one uS, per place.

        1/f noise of the frozen bands is in the mean, what is faster in the variance.
        """
        now = self.clock(d, age, FROZEN)
        reading.moments(
            self.n, places, self.cell[places], unit, d.g, d.nu, d.quality, d.epoch, *now, self.white, out
        )  # fmt: skip


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
