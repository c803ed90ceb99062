"""A crossbar chip: weights are differences of conductances, which drift once programmed and are noisy at every read."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.chips.crossbar import digital, engine, gains, looks, refreshing, tiles
from neurohw.chips.crossbar.array import Array
from neurohw.chips.crossbar.devices import Bench, by_sign
from neurohw.chips.crossbar.state import Devices
from neurohw.chips.float_chip import FloatChip
from neurohw.device.crossbar import CrossbarChoices, CrossbarMachine
from neurohw.effects.fixed_point import FixedPoint
from neurohw.errors import BadInput, OutOfRange, Unsupported
from neurohw.program import Capabilities, Program
from neurohw.recording import Recording
from neurohw.report import Report

DONE = ("pair reads", "single draws", "conductances clipped", "refreshes")


class CrossbarChip(FloatChip):
    """One specimen. `load` and `write` program its arms, runs and `wait` age them; reads and runs only look at them.

    Loading a program is the write number 0 of each projection, so that a chip just loaded is the same whatever was on
    it; it ends when t0 of the drift has come, the moment that conductances were aimed at. An ideal device has weights
    as they are and no noise: it runs what FloatChip runs.
    """

    state_names: ClassVar[tuple[str, ...]] = (
        *FloatChip.state_names, "writes", "readings", "refreshed", "noticed", "fresh_at", "origin_age", "gains", "turns", "arms",
    )  # fmt: skip

    refreshed: NDArray[np.float64] | None
    """ln(t/t0) of each epoch of programming when the weights were last taken from the trajectories; None: not yet."""
    fresh_at: float | None
    """The age at which all weights were last taken from the trajectories, if none was taken again since."""
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
        g = np.inf if self.ideal else float(machine.g_max) * self.choices.reach
        return Capabilities(
            readable=("spikes", "v", "weights", "conductances"),
            writable=True,
            updates="pulses" if step else "none",
            weight_range={name: (-g * u, g * u) for name, u in units.items()},
            weight_step={name: step * u for name, u in units.items()} if step else {},
            parameter_codes={} if self.ideal else dict.fromkeys(gains.NAMES, (0, gains.TOP)),
            adc_bits=None if self.ideal or self.array.adc is None else int(self.array.adc.bits),
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
        self.refreshed, self.noticed, self.fresh_at, self.origin_age = None, -1, None, self.age
        self.done = dict.fromkeys(DONE, 0)
        self.gains, self.turns, self.arms = np.empty((0, 0)), 0, np.empty((0, 0), np.float32)
        self.words = digital.of(self.fixed_point, program)
        if self.ideal:
            self.devices = Devices.none(0)
            return columns["target"] * self.unit[self.projection]
        self.bench = Bench(self.device, self.key, columns["cell"])
        self.array = Array(program, self.key, self.bench)
        self.tile_counts = np.zeros((3, self.array.tiles), np.int64)
        self.devices = self.bench.none(self.synapse.size)
        pairs, before = np.arange(self.synapse.size), self._worn()
        self._program(pairs[self.synapse], columns["target"][self.synapse], self.choices.idle_arms, 0)
        for arm in (0, 1):
            self.bench.rest(self.devices, arm, pairs[~self.synapse], self.choices.empty_cells, "write 0", self.age)
        self._book(*before)
        weights, self.arms = self.array.none()
        return weights

    def parameters(self, program: Program) -> dict[str, dict[str, NDArray[np.float64]]]:
        """Digital neurons have what was asked for; analog ones (effect `mismatch`) what their circuits make of it."""
        mismatch, asked = self.device.effect("mismatch"), super().parameters(program)
        if mismatch is None:
            return asked
        per_unit, numbers = self.machine.neurons_per_unit(program.choices), dict[str, list[NDArray[np.int64]]]()
        for part in program.slices:
            numbers.setdefault(part.population, []).append(part.site.unit * per_unit + np.arange(part.size))
        return {
            name: mismatch.specimen(asked[name], lambda p: self.key(f"mismatch/{p}"), np.concatenate(circuits))[0]
            for name, circuits in numbers.items()
        }

    def _load(self, program: Program) -> None:
        self.still: dict[str, int] = {}
        super()._load(program)

    @property
    def fixed_point(self) -> FixedPoint | None:
        """The words of digital neurons; None where they have all digits."""
        return cast(FixedPoint | None, self.device.effect("fixed_point"))

    def _take(self, population: str, values: dict[str, NDArray[np.float64]]) -> None:
        super()._take(population, values)
        effect = self.fixed_point
        if effect is not None:
            first = self.loaded.origin.first[population]
            mine = slice(first, first + self.loaded.origin.size[population])
            asked = self.coefficients[:, mine].copy()
            self.coefficients[:, mine] = digital.coefficients(effect, asked)
            self.still[population] = digital.standing(asked, self.coefficients[:, mine])
            self.i_offset[mine] = effect.held(self.i_offset[mine], "nA")

    def _reset(self, trial: int) -> None:
        super()._reset(trial)
        if not self.ideal:
            digital.start(self.words, self.groups, self.state)

    def _program(self, places: NDArray[np.int64], target: NDArray, idle: str, count: int) -> None:
        """Program pairs towards signed targets (uS): the sign chooses the arm that carries it, the other is idle."""
        shares, address = by_sign(places, target), f"write {count}"
        for arm, (carried, wanted) in enumerate(shares):
            self.bench.program(self.devices, arm, carried, wanted, address, self.age)
            self.bench.rest(self.devices, arm, shares[1 - arm][0], idle, address, self.age)

    def _worn(self) -> tuple[int, int]:
        return self.devices.pulses, self.devices.resets

    def _book(self, pulses: int, resets: int) -> None:
        """What the devices went through since they had had so many pulses and RESETs."""
        done, energy = self.devices, self.device.energy
        self.ledger.pulses += done.pulses - pulses
        self.ledger.resets += done.resets - resets
        self.ledger.energy += (done.pulses - pulses) * energy.get("set_pulse", 0.0)
        self.ledger.energy += (done.resets - resets) * energy.get("reset_pulse", 0.0)
        self.refreshed = self.fresh_at = None

    def places(self, projection: str) -> NDArray[np.int64]:
        """Where the synapses of a projection lie in the table; of several pairs the least significant, see `_pairs`."""
        if self.program is None or self.ideal:
            return super().places(projection)
        if projection not in self._places:  # the rows hold other crossings too; synapses among them keep their order
            first = np.flatnonzero(self.synapse)[:: self.array.pairs]
            self._places[projection] = first[super().places(projection)]
        return self._places[projection]

    def _pairs(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """(pairs, synapses): the places of all pairs of synapses."""
        return places + np.arange(self.array.pairs)[:, None]

    def run(
        self, duration: Any, trial: int = 0, stimulus: Mapping[str, Any] | None = None, reset: bool = True
    ) -> Recording:
        program = self.loaded
        if reset and self.refreshed is not None and self.fresh_at == self.age:
            self.noticed, self.origin_age = 0, self.age  # the weights are those of this very moment
        elif reset:
            self.refreshed, self.noticed = None, -1
        if self.refreshed is None:  # else the run goes on, and its beginning is where it was to the last bit
            self.origin_age = self.age - (0 if reset else self.step) * program.dt
        self.noise_key = rng.key(trial, f"{self.device.name}/{self.seed}/read_noise")
        self.counts[:] = self.words.counts[:] = 0
        self.done = dict.fromkeys(DONE, 0)
        if not self.ideal:
            self.tile_counts = np.zeros((3, self.array.tiles), np.int64)
        return super().run(duration, trial, stimulus, reset)

    @property
    def draws_background(self) -> bool:  # type: ignore[override]
        return self.ideal

    def _advance(self, t, until, arriving, background, events, event, rows, neurons, samples, n_samples, out):
        if self.ideal:
            return super()._advance(
                t, until, arriving, background, events, event, rows, neurons, samples, n_samples, out
            )
        until = min(until, looks.look(self, t))
        table, array = self.table, self.array
        array.driven[:] = 0
        result = engine.run(
            t, until, *self.groups, self.state, self.coefficients, self.sums, self.gains, self.words,
            self.noise_key,
            table.arguments, table.delays, array.reads(cast(Any, self.weights), self.arms), array.converters, array.mean,
            array.variance, array.touched, array.driven, self.tile_counts, arriving,
            self.groups_of_neurons, self.spiked, self.spiked_words, *events, event, 1, rows, neurons, samples, n_samples,
            out, 0, self.counts,
        )  # fmt: skip
        self._count_reads()
        return result

    def _count_reads(self) -> None:
        pairs = int(self.counts[engine.EVENTS])
        self.done["pair reads"] += pairs
        self.done["single draws"] += int(self.counts[engine.SINGLE])
        self.done["conductances clipped"] += int(self.counts[engine.CLIPPED])
        self.counts[:] = 0
        self.ledger.synaptic_events += pairs
        self.ledger.device_reads += pairs * self._arms()
        self.ledger.energy += pairs * self._arms() * self.device.energy.get("device_read", 0.0)

    def _account(self, n_steps: int, spikes: list[NDArray[Any]]) -> None:
        super()._account(n_steps, spikes)
        if self.ideal:
            return
        rows, conversions, _ = self.tile_counts.sum(axis=1)
        self.ledger.reads += int(rows)
        self.ledger.energy += float(rows) * self.device.energy.get("row_drive", 0.0)
        self.ledger.energy += float(conversions) * self.device.energy.get("conversion", 0.0)

    def _arms(self) -> int:
        return 1 if self.choices.idle_arms == "none" and self.choices.empty_cells == "none" else 2

    def wait(self, time: Any) -> None:
        super().wait(time)
        self.refreshed = self.fresh_at = None

    def _write(self, projection: str, places: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        number = self._number(projection)
        if self.ideal:
            self.weights[places] = weights
            return
        pairs = self._pairs(places)
        target = weights / (self.array.unit[places] if places.size else 1.0)
        g_max = float(self.machine.g_max) * self.choices.reach
        if places.size and np.abs(target).max() > g_max * (1 + 5e-7):
            worst = np.abs(target).argmax()
            limit = g_max * self.array.unit[places][worst]
            raise OutOfRange(
                f"write {projection!r}: the weight {weights[worst]:g} is beyond {limit:g}, which {g_max:g} uS stand for; "
                "clip to capabilities.weight_range, or map with more headroom (choices: g_use)"
            )
        target = self.machine.pair_targets(np.clip(target, -g_max, g_max), self.choices)
        before = self._worn()
        self.writes[number] += 1
        self._program(pairs.ravel(), target.ravel(), self.choices.idle_arms, int(self.writes[number]))
        self._book(*before)

    def _update(self, projection: str, places: NDArray[np.int64], pulses: NDArray[np.int64]) -> None:
        machine, number = self.machine, self._number(projection)
        if machine.pulse_step is None:
            name = self.device.title
            raise Unsupported(f"{name} is written and verified, it knows no single pulses; use write, or pcm-set")
        if self.ideal:
            self.weights[places] += pulses * (machine.pulse_step * self.unit[number])
            return
        places, pulses = self._shared(projection, places, pulses)
        counts = (np.maximum(pulses, 0), np.maximum(-pulses, 0))
        for arm in (0, 1):
            if self.bench.lacks(self.devices, arm, places[counts[arm] > 0]):
                raise Unsupported(f"update {projection!r}: a pair lacks the arm to pulse; map with idle_arms: reset")
        before = self._worn()
        for arm in (0, 1):
            self.bench.pulses(self.devices, arm, places, counts[arm], f"write {self.writes[number]}", self.age)
        self._book(*before)

    def _shared(
        self, projection: str, places: NDArray[np.int64], pulses: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pairs that take the pulses: in turn, by a counter of the whole chip that each update moves on by one.

        Source: Boybat et al., Nat. Commun. 9 (2018) 2514. Pairs of unlike significance have no turn: Unsupported.
        """
        n = self.array.pairs
        if n == 1:
            return places, pulses
        if self.choices.significance > 1:
            raise Unsupported(f"update {projection!r}: pairs of unlike significance take no single pulses; use write")
        turn = (np.arange(n)[:, None] - self.turns) % n
        self.turns += 1
        base, extra = np.divmod(np.abs(pulses), n)
        counts = np.sign(pulses) * (base + (turn < extra))
        return self._pairs(places).ravel(), counts.ravel()

    def configure(self, population: str, codes: Mapping[str, NDArray[np.int64]]) -> None:
        """Set the digital factors behind the columns of a population: `gain_excitatory`, `gain_inhibitory`, code / 4096."""
        if self.ideal:
            super().configure(population, codes)
        first = self.loaded.origin.first.get(population)
        size = self.loaded.origin.size.get(population)
        if first is None or size is None or first >= self.loaded.origin.n_neurons:
            raise BadInput(f"configure: no population {population!r} of neurons; see the network")
        mine = slice(first, first + size)
        self.gains = gains.changed(self.gains, self.loaded.origin.n_neurons, mine, population, codes)

    def snapshot(self) -> dict[str, Any]:
        state = super().snapshot()
        state["state"]["devices"] = self.devices.kept()
        return state

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.devices = Devices.from_kept(state["state"]["devices"])

    def refresh(self, projection: str, policy: str) -> None:
        """Rebalance saturated pairs by one of the policies of `neurohw.chips.crossbar.refreshing`, as the chip reads them."""
        if policy not in refreshing.POLICIES:
            raise BadInput(f"refresh: no policy {policy!r}; there are {', '.join(refreshing.POLICIES)}")
        if self.machine.refresh_above is None or self.ideal:
            super().refresh(projection, policy)
            return
        places = self._pairs(self.places(projection)).ravel()
        arms, number, before = self._sample(projection, places), self._number(projection), self._worn()
        full = refreshing.saturated(arms, float(self.machine.refresh_above))
        self.writes[number] += 1
        address = f"write {self.writes[number]}"
        refreshing.POLICIES[policy](
            self.bench, self.devices, places[full], arms[0, full] - arms[1, full], address, self.age
        )
        self._book(*before)

    def read(self, projection: str, arms: bool = False) -> NDArray[np.float64]:
        """Both arms in uS, or the weights in network units, by one noisy read of each device; changes no device."""
        if not arms or self.ideal:
            return super().read(projection, arms)
        pairs = self._pairs(self.places(projection))
        seen = self._sample(projection, pairs.ravel()).reshape(2, *pairs.shape)
        return np.einsum("apn,p->an", seen, self.choices.shares)

    def _read(self, projection: str, places: NDArray[np.int64]) -> NDArray[np.float64]:
        if self.ideal:
            return super()._read(projection, places)
        pairs = self._pairs(places)
        seen = self._sample(projection, pairs.ravel())
        weights = self.array.codes(pairs.ravel(), (seen[0] - seen[1]) * self.array.scale[pairs.ravel()])
        return weights.reshape(pairs.shape).sum(axis=0)

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
        report = report.add(*tiles.told(self), **tiles.estimates(self))
        if self.fixed_point is not None:
            report = report.add(*digital.told(self.words, self.fixed_point, self.groups, self.n_steps, self.still))
        clipped = done["conductances clipped"]
        note = f"{clipped} times noise would have made a synaptic conductance negative; it was set to zero"
        return report.add(note) if clipped else report
