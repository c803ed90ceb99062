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

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.chips.crossbar import pulsing
from neurohw.chips.crossbar.reader import Indices, Key, Reader, Values
from neurohw.chips.crossbar.state import Devices
from neurohw.device.device import Device
from neurohw.effects.programming_noise import ProgrammingNoise, check_target
from neurohw.effects.set_pulse import SetPulse, constant_step
from neurohw.effects.stuck_cells import StuckCells
from neurohw.errors import BadInput
from neurohw.kernels.noise import normals

Single = NDArray[np.float32]
CHUNK = 1 << 13
"""Devices worked on at a time, so that what the effects compute in between stays in cache."""
QUALITIES = 257
"""Points at which the verifying reads of a write look up the amplitude of the 1/f noise."""
FIRST = "write 0"
"""The address of the write that loads a program: a deviation that a device keeps for life is the one drawn there."""


class Bench(Reader):
    """How the devices of one chip are programmed and read: its effects, in one place. Holds no state of the devices."""

    def __init__(self, device: Device, key: Key, cell: NDArray[np.int64]):
        super().__init__(device, key, cell)
        machine = self.machine
        self.noise = cast(ProgrammingNoise | None, device.effect("programming_noise"))
        self.pulse = cast(SetPulse | None, device.effect("set_pulse"))
        self.step, self.patience = float(machine.pulse_step or 0.0), int(machine.verify_pulses or 0)
        if self.pulse is not None and (machine.pulse_step is None or machine.verify_pulses is None):
            raise BadInput(f"device {device.name}: set_pulse needs machine.pulse_step and machine.verify_pulses")
        self.low, self.low_sd = float(machine.g_reset) / self.n, float(machine.g_reset_sd) / np.sqrt(self.n)
        self.steps = self.pulse.numbers() if self.pulse is not None else constant_step(self.step)
        self.varies = self.drift is not None and self.drift.varies
        cells = cast(StuckCells | None, device.effect("stuck_cells"))
        self.stuck = self._stuck(cells) if cells is not None else np.empty((0, 0), np.float32)

    @property
    def writes_by_pulses(self) -> bool:
        """Where there is no residual of write-and-verify, a write is a sequence of SET pulses and reads."""
        return self.pulse is not None and self.noise is None

    def none(self, n_pairs: int) -> Devices:
        """Places without any device yet."""
        return Devices.none(n_pairs, 2 * self.n, self.pulsed)

    def program(self, d: Devices, arm: int, places: Indices, target: Values, address: str, age: float) -> None:
        """Program arms towards `target` (uS), each device its share; what they were is gone. Raises OutOfRange."""
        check_target(target, self.g_max * self.n)
        epoch = d.new_epoch(age)
        for at in _chunks(places.size):
            p, wanted = places[at], np.minimum(target[at] / self.n, self.g_max)
            for line in self.of_arm(arm):
                reached = self._write(d, line, p, wanted, address)
                state = np.maximum(wanted, self.low) if self.writes_by_pulses else wanted
                self._settle(d, line, p, state, reached, address, epoch, self._drawn(written=True))

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
            reached = self._hold(d, line, p, np.maximum(self.low + self.low_sd * draws, 0.0))
            self._settle(d, line, p, np.full(p.size, self.low), reached, address, epoch, self._drawn(written=True))

    def _write(self, d: Devices, line: int, p: Indices, wanted: Values, address: str) -> Single:
        """A write, by pulses and reads, with the residual of write-and-verify, or exact: what the devices hold then."""
        if self.writes_by_pulses:
            self._write_by_pulses(d, line, p, wanted)
            return d.g[line][p]
        if self.noise is not None:
            draws = normals(self.key(f"programming_noise/{address}"), self.devices(p, line))
            wanted = self.noise.programmed(wanted, draws, self.g_max)
        return self._hold(d, line, p, wanted)

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
            g = d.g[line][p]
            self._settle(d, line, p, g.astype(float), g, address, epoch, self._drawn(written=False))

    def _drawn(self, written: bool) -> str:
        effects = (self.noise, self.pulse) if written else (self.pulse, self.noise)
        return next((effect.drift_exponent for effect in effects if effect is not None), "each write")

    def _settle(
        self, d: Devices, line: int, p: Indices, target: Values, reached: Single, address: str, epoch: int, drawn: str
    ) -> None:
        """What follows from a programming: a drift exponent, a noise amplitude, a clock that starts."""
        if self.drift is not None:
            stream = self.key(f"drift/{address if drawn == 'each write' else FIRST}")
            z = normals(stream, self.devices(p, line)) if self.varies else np.zeros(p.size)
            nu = self.drift.exponents(target, z, self.g_max)
            d.nu[line][p] = nu * (self.stuck[line][p] < 0) if self.stuck.size else nu
        if self.flickers:
            d.quality[line][p] = self.read_noise.quality(reached.astype(float), self.g_max)
        d.epoch[line][p] = epoch

    def _hold(self, d: Devices, line: int, p: Indices, g: Values) -> Single:
        """Devices were to have `g`, without a memory of pulses; stuck ones have what they have. What they hold then."""
        stuck = self.stuck[line][p] if self.stuck.size else None
        reached = (g if stuck is None else np.where(stuck < 0, g, stuck)).astype(np.float32)
        d.g[line][p] = reached
        if self.pulsed:
            d.memory[line][p] = 1.0
        return reached

    def _stuck(self, effect: StuckCells) -> NDArray[np.float32]:
        """(lines, places): the conductance (uS) of each stuck device; -1 where it is sound."""
        places, stream = np.arange(self.cell.size), self.key("stuck_cells")
        found = [effect.held(stream, self.devices(places, line), self.n) for line in range(2 * self.n)]
        return np.array(found, np.float32).reshape(2 * self.n, places.size)


def _chunks(n: int) -> Iterator[slice]:
    return (slice(k, min(k + CHUNK, n)) for k in range(0, n, CHUNK))


@njit(cache=True)
def by_sign(places, targets):
    """((places, targets), (places, -targets)) of the targets >= 0 and of those < 0: what each arm is to carry."""
    n, first, second = places.size, 0, 0
    where, wanted = np.empty((2, n + 1), np.int64), np.empty((2, n + 1))
    for k in range(n):  # without a branch on the sign, which nobody can predict
        where[0, first], wanted[0, first] = places[k], targets[k]
        where[1, second], wanted[1, second] = places[k], -targets[k]
        negative = targets[k] < 0.0
        first, second = first + (not negative), second + negative
    return (where[0, :first], wanted[0, :first]), (where[1, :second], wanted[1, :second])
