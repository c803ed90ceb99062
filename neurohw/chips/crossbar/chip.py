"""A crossbar chip: weights are differences of conductances that were programmed once, drift ever since, and are noisy at every read."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.chips.crossbar import engine
from neurohw.chips.crossbar.devices import Bench, Devices
from neurohw.chips.float_chip import FloatChip
from neurohw.errors import BadInput, OutOfRange, Unsupported
from neurohw.program import Capabilities, Program
from neurohw.recording import Recording
from neurohw.report import Report

DRIFT_TOLERANCE = 0.05
"""The weights of a run are taken from the trajectories again when ln(t/t0) of some device has moved by this much: by then a
conductance is off by less than 0.05 nu, that is 0.2 to 0.7 % for the exponents of phase-change memory."""


class CrossbarChip(FloatChip):
    """One specimen. `load` and `write` program its arms, runs and `wait` age them; reads and runs only look at them.

    Loading a program is the write number 0 of each projection, so that a freshly loaded chip is the same whatever was on it.
    An ideal device has weights as they are and no noise: it runs what FloatChip runs.
    """

    state_names: ClassVar[tuple[str, ...]] = (
        *FloatChip.state_names, "devices", "writes", "readings", "refreshed", "growth", "origin_age",
    )  # fmt: skip

    @property
    def ideal(self) -> bool:
        return self.device.is_ideal

    @property
    def capabilities(self) -> Capabilities:
        machine, units = self.device.machine, dict(zip(self.loaded.network.projections, self.unit, strict=True))
        step = float(machine.pulse_step) if machine.pulse_step is not None else 0.0
        g = np.inf if self.ideal else float(machine.g_max)
        return Capabilities(
            readable=("spikes", "v", "weights", "conductances"),
            writable=True,
            updates="pulses" if step else "none",
            weight_range={name: (-g * u, g * u) for name, u in units.items()},
            weight_step={name: step * u for name, u in units.items()} if step else {},
            parameter_codes={},
            adc_bits=None,
            plasticity=(),
        )

    def effective_weights(self, program: Program) -> NDArray[Any]:
        """Program all devices; the weights follow from them at the first step of a run. Float64 network units where ideal."""
        payload = program.payload
        columns = payload.table.columns
        self.unit, self.projection, self.synapse = payload.unit, columns["projection"], columns["synapse"]
        if self.ideal:
            return columns["target"] * self.unit[self.projection]
        self.bench = Bench(self.device, self.key, columns["cell"])
        self.devices = Devices.none(columns["cell"].size, self.device.machine.pulse_step is not None)
        self.writes = np.zeros(self.unit.size, np.int64)
        self.readings = np.zeros(self.unit.size, np.int64)
        self.refreshed, self.growth = None, None
        self.origin_age = self.age
        everything = np.arange(columns["cell"].size)
        self._program(everything[self.synapse], columns["target"][self.synapse], program.choices.idle_arms, 0)
        empty = everything[~self.synapse]
        self._program(empty, np.zeros(empty.size), program.choices.empty_cells, 0, both_idle=True)
        self.sums_of_variance = np.zeros((2, program.origin.n_neurons))
        return np.zeros((everything.size, 2), np.float32)

    def _program(self, places, target, idle: str, count: int, both_idle: bool = False) -> None:
        """Program pairs towards signed targets (uS): the sign chooses the arm, the other is idle."""
        if not places.size:
            return
        before = self.devices.pulses, self.devices.resets
        for arm, sign in ((0, 1.0), (1, -1.0)):
            # a weight of zero is carried by G+
            carries = np.zeros(places.size, bool) if both_idle else (target > 0) | ((target == 0) & (arm == 0))
            if arm == 1 and not both_idle:
                carries = target < 0
            there = carries if idle == "none" else np.ones(places.size, bool)
            wanted = np.where(carries, sign * target, 0.0)
            resting = ~carries & (idle == "reset")
            self.bench.program(
                self.devices, arm, places[there], wanted[there], resting[there], f"write {count}", self.age
            )
            self.devices.epoch[arm, places[~there]] = -1
        self._book(*before)

    def _book(self, pulses: int, resets: int) -> None:
        """What the devices went through since they had had so many pulses and RESETs."""
        done, energy = self.devices, self.device.energy
        self.ledger.pulses += done.pulses - pulses
        self.ledger.resets += done.resets - resets
        self.ledger.energy += (done.pulses - pulses) * energy.get("set_pulse", 0.0)
        self.ledger.energy += (done.resets - resets) * energy.get("reset_pulse", 0.0)
        self.refreshed = None

    def places(self, projection: str) -> NDArray[np.int64]:
        if self.synapse.all():
            return super().places(projection)
        if projection not in self._places:  # the rows hold other crossings too; the synapses among them keep their order
            self._places[projection] = np.flatnonzero(self.synapse)[super().places(projection)]
        return self._places[projection]

    def run(self, duration: Any, trial: int = 0, stimulus: Mapping[str, Any] | None = None, reset: bool = True) -> Recording:
        program = self.loaded
        self.origin_age = self.age - (0 if reset else self.step) * program.dt
        self.noise_key = rng.key(trial, f"{self.device.name}/{self.seed}/read_noise")
        self.counts[:] = 0
        self.done = dict.fromkeys(("pair reads", "row reads", "conductances clipped", "refreshes"), 0)
        return super().run(duration, trial, stimulus, reset)

    def _advance(self, t, until, sources, starts, back, events, event, rows, neurons, samples, n_samples, out):
        if self.ideal:
            return super()._advance(t, until, sources, starts, back, events, event, rows, neurons, samples, n_samples, out)
        until = min(until, self._refresh(t))
        table = self.table
        result = engine.run(
            t, until, *self.groups, self.state, self.coefficients, self.sums, self.sums_of_variance, self.noise_key, table.delays,
            table.starts, table.offsets, table.targets, self.weights, self.loaded.payload.rows, self.ring, self.ring_counts,
            self.spiked, self.spiked_words, sources, starts, back, *events, event, 1, rows, neurons, samples, n_samples, out, 0,
            self.counts,
        )  # fmt: skip
        self._count_reads()
        return result

    def _count_reads(self) -> None:
        pairs, rows, clipped = (int(self.counts[k]) for k in (engine.EVENTS, engine.ROW_READS, engine.CLIPPED))
        self.counts[:] = 0
        self.done["pair reads"] += pairs
        self.done["row reads"] += rows
        self.done["conductances clipped"] += clipped
        self.ledger.synaptic_events += pairs
        self.ledger.reads += rows
        self.ledger.device_reads += pairs * self._arms()
        self.ledger.energy += pairs * self._arms() * self.device.energy.get("device_read", 0.0)

    def _arms(self) -> int:
        return 1 if self.loaded.choices.idle_arms == "none" and self.loaded.choices.empty_cells == "none" else 2

    def _refresh(self, t: int) -> int:
        """Take the weights from the trajectories where they have moved too far; returns the step at which to look again."""
        dt, devices = self.loaded.dt, self.devices
        now = self.bench.log_times(devices, self.origin_age + t * dt)
        if self.refreshed is None or self.refreshed.size != now.size:
            stale, self.refreshed = np.ones(now.size, bool), now.copy()
        else:
            stale = now - self.refreshed > DRIFT_TOLERANCE
        if stale.any():
            old = stale[devices.epoch].any(axis=0)
            places = np.flatnonzero(old) if not old.all() else np.arange(old.size)
            self.refreshed = now
            growth = self.bench.growth(devices, self.origin_age + t * dt)
            self.bench.moments(devices, places, now, growth, self.unit[self.projection[places]], self.weights)
            self.done["refreshes"] += 1
        return self._next_refresh(t)

    def _next_refresh(self, t: int) -> int:
        drift = self.bench.drift
        if drift is None or not self.devices.times:
            return 2**62
        ages = drift.t0 * np.exp(self.refreshed[:-1] + DRIFT_TOLERANCE) - drift.offset + np.array(self.devices.times)
        return max(t + 1, int((ages.min() - self.origin_age) / self.loaded.dt) + 1)

    def wait(self, time: Any) -> None:
        super().wait(time)
        self.refreshed = None

    def _write(self, projection: str, places: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        number = self._number(projection)
        if self.ideal:
            self.weights[places] = weights
            return
        target, g_max = weights / self.unit[number], float(self.device.machine.g_max)
        if places.size and np.abs(target).max() > g_max * (1 + 5e-7):
            raise OutOfRange(
                f"write {projection!r}: the weight {weights[np.abs(target).argmax()]:g} is beyond {g_max * self.unit[number]:g}, which "
                f"{g_max:g} uS stand for; clip to capabilities.weight_range, or map with more headroom (choices: g_use)"
            )
        self.writes[number] += 1
        self._program(places, target, self.loaded.choices.idle_arms, int(self.writes[number]))

    def _update(self, projection: str, places: NDArray[np.int64], pulses: NDArray[np.int64]) -> None:
        machine, number = self.device.machine, self._number(projection)
        if machine.pulse_step is None:
            raise Unsupported(f"{self.device.title} is written and verified, it knows no single pulses; use write, or pcm-set")
        if self.ideal:
            self.weights[places] += pulses * (machine.pulse_step * self.unit[number])
            return
        counts = (np.maximum(pulses, 0), np.maximum(-pulses, 0))
        for arm in (0, 1):
            if (self.devices.epoch[arm, places[counts[arm] > 0]] < 0).any():
                raise Unsupported(f"update {projection!r}: there are pairs with one arm only; map with idle_arms: reset")
        before = self.devices.pulses, self.devices.resets
        for arm in (0, 1):
            self.bench.pulses(self.devices, arm, places, counts[arm], f"write {self.writes[number]}", self.age)
        self._book(*before)

    def refresh(self, projection: str, policy: str) -> None:
        """reset_and_rewrite: a pair with a read arm above `refresh_above` and a read difference below a quarter of it is RESET
        and given its difference again, by pulses and reads. Source: Demirag et al. 2021 (rebalancing)."""
        limit = self.device.machine.refresh_above
        if policy != "reset_and_rewrite":
            raise BadInput(f"refresh: no policy {policy!r}; there is reset_and_rewrite")
        if limit is None or self.ideal:
            super().refresh(projection, policy)
            return
        places = self.places(projection)
        arms = self._sample(projection, places)
        difference = arms[0] - arms[1]
        full = (arms.max(axis=0) > limit) & (np.abs(difference) < limit / 4)
        number = self._number(projection)
        self.writes[number] += 1
        self._program(places[full], difference[full], "reset", int(self.writes[number]))

    def read(self, projection: str, arms: bool = False) -> NDArray[np.float64]:
        """Both arms in uS, or the weights in network units, by one noisy read of each device. Changes nothing on the chip."""
        if not arms or self.ideal:
            return super().read(projection, arms)
        return self._sample(projection, self.places(projection))

    def _read(self, projection: str, places: NDArray[np.int64]) -> NDArray[np.float64]:
        if self.ideal:
            return super()._read(projection, places)
        seen = self._sample(projection, places)
        return (seen[0] - seen[1]) * self.unit[self._number(projection)]

    def _sample(self, projection: str, places: NDArray[np.int64]) -> NDArray[np.float64]:
        number = self._number(projection)
        stream = self.key(f"read/{projection}/{self.readings[number]}")
        self.readings[number] += 1
        cells = self.bench.cell[places]
        self.ledger.reads += np.unique(cells // int(self.device.machine.columns)).size
        self.ledger.device_reads += places.size * self._arms()
        self.ledger.energy += places.size * self._arms() * self.device.energy.get("device_read", 0.0)
        return self.bench.sample(self.devices, places, self.age, stream)

    def _number(self, projection: str) -> int:
        return list(self.loaded.network.projections).index(projection)

    def _losses(self, report: Report) -> Report:
        if self.ideal:
            return report
        done, g = self.done, self.devices.g
        full = int((g >= np.float32(self.device.machine.g_max)).sum())
        report = report.add(
            row_reads=(done["row reads"], ""),
            device_reads=(done["pair reads"] * self._arms(), ""),
            read_energy=(done["pair reads"] * self._arms() * self.device.energy.get("device_read", 0.0), "fJ"),
            saturated_arms=(full, ""),
            weight_refreshes=(done["refreshes"], ""),
        )
        clipped = done["conductances clipped"]
        note = f"{clipped} times read noise or a negative difference would have made a synaptic conductance negative; it was set to zero"
        return report.add(note) if clipped else report
