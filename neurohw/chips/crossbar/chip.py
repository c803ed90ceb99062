"""A crossbar chip: weights are differences of conductances, which drift once programmed and are noisy at every read."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.chips.crossbar import engine
from neurohw.chips.crossbar.devices import FROZEN, Bench, Devices
from neurohw.chips.float_chip import FloatChip
from neurohw.device.crossbar import CrossbarChoices, CrossbarMachine
from neurohw.errors import BadInput, OutOfRange, Unsupported
from neurohw.kernels.fluctuations import BAND, SHORTEST
from neurohw.program import Capabilities, Program
from neurohw.recording import Recording
from neurohw.report import Report

DRIFT_TOLERANCE = 0.05
"""The weights of a run are taken from the trajectories again when ln(t/t0) of some device has moved by this much: by
then a conductance is off by less than 0.05 nu, that is 0.2 to 0.7 % for the exponents of phase-change memory."""

DONE = ("pair reads", "row reads", "conductances clipped", "refreshes")


class CrossbarChip(FloatChip):
    """One specimen. `load` and `write` program its arms, runs and `wait` age them; reads and runs only look at them.

    Loading a program is the write number 0 of each projection, so that a chip just loaded is the same whatever was on
    it; it ends when t0 of the drift has come, the moment that conductances were aimed at. An ideal device has weights
    as they are and no noise: it runs what FloatChip runs.
    """

    state_names: ClassVar[tuple[str, ...]] = (
        *FloatChip.state_names, "writes", "readings", "refreshed", "noticed", "origin_age",
    )  # fmt: skip

    refreshed: NDArray[np.float64] | None
    """ln(t/t0) of each epoch of programming when the weights were last taken from the trajectories; None: not yet."""
    noticed: int
    """The stretch of the run (of 51.2 ms) whose 1/f noise the weights contain."""

    @property
    def ideal(self) -> bool:
        return self.device.is_ideal

    @property
    def machine(self) -> CrossbarMachine:
        return cast(CrossbarMachine, self.device.machine)

    @property
    def choices(self) -> CrossbarChoices:
        return cast(CrossbarChoices, self.loaded.choices)

    @property
    def capabilities(self) -> Capabilities:
        units = dict(zip(self.loaded.network.projections, self.unit, strict=True))
        machine = self.machine
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

    def load(self, program: Program) -> None:
        super().load(program)
        drift = None if self.ideal else self.bench.drift
        if drift is not None:
            self.wait(max(0.0, float(drift.t0 - drift.offset)))

    def effective_weights(self, program: Program) -> NDArray[Any]:
        """Program all devices; the weights follow at the first step of a run. Float64 network units where ideal."""
        payload = program.payload
        columns = payload.table.columns
        self.unit, self.projection, self.synapse = payload.unit, columns["projection"], columns["synapse"]
        self.writes, self.readings = np.zeros(self.unit.size, np.int64), np.zeros(self.unit.size, np.int64)
        self.refreshed, self.noticed, self.origin_age, self.done = None, -1, self.age, dict.fromkeys(DONE, 0)
        if self.ideal:
            self.devices = Devices.none(0)
            return columns["target"] * self.unit[self.projection]
        self.bench = Bench(self.device, self.key, columns["cell"])
        self.devices = self.bench.none(self.synapse.size)
        pairs, before = np.arange(self.synapse.size), self._worn()
        self._program(pairs[self.synapse], columns["target"][self.synapse], self.choices.idle_arms, 0)
        for arm in (0, 1):
            self.bench.rest(self.devices, arm, pairs[~self.synapse], self.choices.empty_cells, "write 0", self.age)
        self._book(*before)
        self.variances = np.zeros((2, program.origin.n_neurons))
        return np.zeros((pairs.size, 2), np.float32)

    def _program(self, places: NDArray[np.int64], target: NDArray, idle: str, count: int) -> None:
        """Program pairs towards signed targets (uS): the sign chooses the arm that carries it, the other is idle."""
        for arm, sign, carries in ((0, 1.0, target >= 0), (1, -1.0, target < 0)):
            self.bench.program(self.devices, arm, places[carries], sign * target[carries], f"write {count}", self.age)
            self.bench.rest(self.devices, arm, places[~carries], idle, f"write {count}", self.age)

    def _worn(self) -> tuple[int, int]:
        return self.devices.pulses, self.devices.resets

    def _book(self, pulses: int, resets: int) -> None:
        """What the devices went through since they had had so many pulses and RESETs."""
        done, energy = self.devices, self.device.energy
        self.ledger.pulses += done.pulses - pulses
        self.ledger.resets += done.resets - resets
        self.ledger.energy += (done.pulses - pulses) * energy.get("set_pulse", 0.0)
        self.ledger.energy += (done.resets - resets) * energy.get("reset_pulse", 0.0)
        self.refreshed = None

    def places(self, projection: str) -> NDArray[np.int64]:
        if self.program is None or self.synapse.all():
            return super().places(projection)
        if projection not in self._places:  # the rows hold other crossings too; synapses among them keep their order
            self._places[projection] = np.flatnonzero(self.synapse)[super().places(projection)]
        return self._places[projection]

    def run(
        self, duration: Any, trial: int = 0, stimulus: Mapping[str, Any] | None = None, reset: bool = True
    ) -> Recording:
        program = self.loaded
        if reset:
            self.refreshed = None
            self.noticed = -1
        if self.refreshed is None:  # else the run goes on, and its beginning is where it was to the last bit
            self.origin_age = self.age - (0 if reset else self.step) * program.dt
        self.noise_key = rng.key(trial, f"{self.device.name}/{self.seed}/read_noise")
        self.counts[:] = 0
        self.done = dict.fromkeys(DONE, 0)
        return super().run(duration, trial, stimulus, reset)

    @property
    def draws_background(self) -> bool:
        return self.ideal

    def _advance(self, t, until, arriving, background, events, event, rows, neurons, samples, n_samples, out):
        if self.ideal:
            return super()._advance(
                t, until, arriving, background, events, event, rows, neurons, samples, n_samples, out
            )
        until = min(until, self._refresh(t))
        table = self.table
        result = engine.run(
            t, until, *self.groups, self.state, self.coefficients, self.sums, self.variances, self.noise_key,
            table.arguments, self.weights, table.delays, self.loaded.payload.rows, arriving,
            self.groups_of_neurons, self.spiked, self.spiked_words, *events, event, 1, rows, neurons, samples, n_samples, out, 0, self.counts,
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
        return 1 if self.choices.idle_arms == "none" and self.choices.empty_cells == "none" else 2

    def _refresh(self, t: int) -> int:
        """Take the weights from the trajectories where they have moved too far; returns the step to look again at."""
        dt, devices = self.loaded.dt, self.devices
        age, stretch = self.origin_age + t * dt, t // self._stretch()
        now = self.bench.log_times(devices, age)
        if self.refreshed is None or self.refreshed.size != now.size or stretch != self.noticed:
            stale, self.refreshed, self.noticed = np.ones(now.size, bool), now.copy(), stretch
        else:
            stale = now - self.refreshed > DRIFT_TOLERANCE
        if stale.any():
            old = stale[devices.epoch].any(axis=0)
            places = np.flatnonzero(old) if not old.all() else np.arange(old.size)
            self.refreshed[stale] = now[stale]
            self.bench.moments(devices, places, age, self.unit[self.projection[places]], self.weights)
            self.done["refreshes"] += 1
        return min(self._next_refresh(t), (stretch + 1) * self._stretch())

    def _stretch(self) -> int:
        """The steps that 1/f noise is taken to stand still for."""
        return max(1, round(SHORTEST * BAND**FROZEN / self.loaded.dt)) if self.bench.flickers else 2**62

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
        target, g_max = weights / self.unit[number], float(self.machine.g_max)
        if places.size and np.abs(target).max() > g_max * (1 + 5e-7):
            worst, limit = weights[np.abs(target).argmax()], g_max * self.unit[number]
            raise OutOfRange(
                f"write {projection!r}: the weight {worst:g} is beyond {limit:g}, which {g_max:g} uS stand for; "
                "clip to capabilities.weight_range, or map with more headroom (choices: g_use)"
            )
        before = self._worn()
        self.writes[number] += 1
        self._program(places, target, self.choices.idle_arms, int(self.writes[number]))
        self._book(*before)

    def _update(self, projection: str, places: NDArray[np.int64], pulses: NDArray[np.int64]) -> None:
        machine, number = self.machine, self._number(projection)
        if machine.pulse_step is None:
            name = self.device.title
            raise Unsupported(f"{name} is written and verified, it knows no single pulses; use write, or pcm-set")
        if self.ideal:
            self.weights[places] += pulses * (machine.pulse_step * self.unit[number])
            return
        counts = (np.maximum(pulses, 0), np.maximum(-pulses, 0))
        for arm in (0, 1):
            if self.bench.lacks(self.devices, arm, places[counts[arm] > 0]):
                raise Unsupported(f"update {projection!r}: a pair lacks the arm to pulse; map with idle_arms: reset")
        before = self._worn()
        for arm in (0, 1):
            self.bench.pulses(self.devices, arm, places, counts[arm], f"write {self.writes[number]}", self.age)
        self._book(*before)

    def snapshot(self) -> dict[str, Any]:
        state = super().snapshot()
        state["state"]["devices"] = self.devices.kept()
        return state

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.devices = Devices.from_kept(state["state"]["devices"])

    def refresh(self, projection: str, policy: str) -> None:
        """Rebalance saturated pairs; the one policy is "reset_and_rewrite".

        A pair with an arm read above `refresh_above` and a difference read below a quarter of it is RESET and given its
        difference again, by pulses and reads. Source: Demirag et al. 2021.
        """
        limit = self.machine.refresh_above
        if policy != "reset_and_rewrite":
            raise BadInput(f"refresh: no policy {policy!r}; there is reset_and_rewrite")
        if limit is None or self.ideal:
            super().refresh(projection, policy)
            return
        places = self.places(projection)
        arms = self._sample(projection, places)
        difference = arms[0] - arms[1]
        full = (arms.max(axis=0) > limit) & (np.abs(difference) < limit / 4)
        before, number = self._worn(), self._number(projection)
        self.writes[number] += 1
        self._program(places[full], difference[full], "reset", int(self.writes[number]))
        self._book(*before)

    def read(self, projection: str, arms: bool = False) -> NDArray[np.float64]:
        """Both arms in uS, or the weights in network units, by one noisy read of each device; changes no device."""
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
        self.ledger.reads += np.unique(cells // int(self.machine.columns)).size
        self.ledger.device_reads += places.size * self._arms()
        self.ledger.energy += places.size * self._arms() * self.device.energy.get("device_read", 0.0)
        return self.bench.sample(self.devices, places, self.age, stream)

    def _number(self, projection: str) -> int:
        return list(self.loaded.network.projections).index(projection)

    def _losses(self, report: Report) -> Report:
        if self.ideal:
            return report
        done = self.done
        if self.machine.pulse_step is not None:
            full = self.devices.g >= np.float32(self.bench.g_max)
            report = report.add(saturated_arms=(int(full.sum()), ""))
        report = report.add(
            row_reads=(done["row reads"], ""),
            device_reads=(done["pair reads"] * self._arms(), ""),
            read_energy=(done["pair reads"] * self._arms() * self.device.energy.get("device_read", 0.0), "fJ"),
            weight_refreshes=(done["refreshes"], ""),
        )
        clipped = done["conductances clipped"]
        note = f"{clipped} times noise would have made a synaptic conductance negative; it was set to zero"
        return report.add(note) if clipped else report
