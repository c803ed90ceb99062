"""A SpiNNaker board: every neuron in s16.15 as the released machine code computes it, every weight 16 unsigned bits.

Cores run in step, as on a real machine with its common timer, so the neurons of all cores are kept in one table; which core
holds which neuron matters for delays, packets and energy, and stands in the program.
"""

import os
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.engine_chip import EngineChip
from neurohw.chips.spinnaker import engine, threads
from neurohw.chips.spinnaker.arithmetic import ONE, encode
from neurohw.chips.spinnaker.board_report import board_report
from neurohw.chips.spinnaker.late import DROPPED, Lateness, clockwork
from neurohw.chips.spinnaker.late import run as run_late
from neurohw.chips.spinnaker.models import MODELS, N_COEFFICIENTS, N_STATES
from neurohw.chips.spinnaker.neurons import CURRENT, observe
from neurohw.chips.spinnaker.plastic import BoardPlasticity
from neurohw.chips.spinnaker.traffic import traffic
from neurohw.chips.spinnaker.workload import Mean, Workload, mean, queue
from neurohw.errors import NotReadable, OutOfRange
from neurohw.kernels.compiling import aligned_zeros
from neurohw.kernels.energy import spinnaker_energy as energy
from neurohw.kernels.rows import rows as rows_of
from neurohw.kernels.spinnaker_charge import charge_factors
from neurohw.kernels.spinnaker_weights import to_raw
from neurohw.network import RECEPTORS, SpikeTimes
from neurohw.program import Capabilities, Program
from neurohw.recording import Recording
from neurohw.report import Loss, Report

VALUES = {"v": 0, "isyn_exc": 1, "gsyn_exc": 1, "isyn_inh": 2, "gsyn_inh": 2}
FULL = 65535


class SpinnakerChip(EngineChip):
    """One board. Boards do not differ: the chip seed only names the specimen."""

    state_names: ClassVar[tuple[str, ...]] = (
        *EngineChip.state_names,
        "state",
        "coefficients",
        "sums",
        "weights",
        "counts",
        "reported",
        "learned",
        "learned_from",
        "pending",
        "lateness",
    )
    neuron_state: ClassVar[tuple[str, ...]] = ("state",)
    workload: Workload | None = None
    means: list[Mean] | None = None
    most_threads: ClassVar[int] = (
        64 if os.name == "posix" else 1
    )  # elsewhere a waiting thread cannot give way to others

    @property
    def draws_background(self) -> bool:  # type: ignore[override]
        """Where packets may be dropped, each of them is looked at."""
        return self.loaded.choices.overruns == "report"

    @property
    def capabilities(self) -> Capabilities:
        unit = self.loaded.scaling.unit
        limits = {name: self._signed(name, np.array([0.0, FULL * step])) for name, step in unit.items()}
        spans = {name: (float(pair.min()), float(pair.max())) for name, pair in limits.items()}
        return Capabilities(
            ("spikes", *VALUES, "weights"), True, "lsb", spans, dict(unit), {}, None, ("STDPMechanism",)
        )

    def _signed(self, projection: str, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        p = self.loaded.network.projections[projection]
        return weights * (
            self.loaded.network.populations[p.target].neuron.inhibitory_sign if p.receptor == "inhibitory" else 1
        )

    def _load(self, program: Program) -> None:
        payload, origin = program.payload, program.origin
        self.table = payload.table
        self.written: dict[str, int] = {}
        self.stopped: dict[str, int] = {}
        self.reported = np.zeros(4, np.int64)
        self.weights = payload.table.columns["weight"]  # the program's own, until one is written
        self.plastic = BoardPlasticity(payload.plastic, program) if payload.plastic else None
        self.learned_from = payload.plastic.weights.copy() if payload.plastic else None
        self.codes = np.empty(origin.n_neurons, np.int64)
        self.offset_rows = np.empty(origin.n_neurons, np.int64)
        self.steep = np.empty(origin.n_neurons, np.int64)
        codes, firsts, lasts, shifts = [], [], [], []
        for name in program.network.neurons:
            model = MODELS[program.network.populations[name].model.name]
            first, last = origin.first[name], origin.first[name] + origin.size[name]
            self.codes[first:last] = model.code
            self.offset_rows[first:last] = model.coefficients.index("i_offset")
            self.steep[first:last] = 2 * payload.parameters[name].get("cm", 1.0) / program.dt * model.weight_scale * ONE
            codes.append(model.code)
            firsts.append(first)
            lasts.append(last)
            shifts.append([payload.shifts[name, receptor] for receptor in RECEPTORS])
        self.groups = tuple(np.array(part, np.int64) for part in (codes, firsts, lasts, shifts))
        self.row_events = np.zeros(self.table.n_rows, np.int64)
        self.traffic, self.means = traffic(program, exact=program.choices.overruns == "late"), None

    def _reset(self, trial: int) -> None:
        program, n = self.loaded, self.loaded.origin.n_neurons
        self.learned = self.plastic.fresh(self.learned_from) if self.plastic else None
        self.state = aligned_zeros((N_STATES, n), np.int32)
        self.coefficients = aligned_zeros((N_COEFFICIENTS, n), np.int32)
        self.sums = aligned_zeros((2, n), np.uint32)
        self.counts, self.reported = np.zeros(4, np.int64), np.zeros(4, np.int64)
        self.pending = queue(self.traffic)
        late = program.choices.overruns == "late"
        self.lateness = Lateness.none(self.traffic, self.ring.shape[0]) if late else None
        for name, values in program.payload.parameters.items():
            model = MODELS[program.network.populations[name].model.name]
            first, last = program.origin.first[name], program.origin.first[name] + program.origin.size[name]
            given = {
                **values,
                **{s: program.network.initial(name, s, trial) for s in ("v", "u") if s in model.parameters},
            }
            state, coefficients = model.initialize({p: given[p] for p in model.parameters}, program.dt)
            self.state[: len(state), first:last] = state
            self.coefficients[: len(coefficients), first:last] = coefficients

    def run(
        self, duration: Any, trial: int = 0, stimulus: Mapping[str, Any] | None = None, reset: bool = True
    ) -> Recording:
        program = self.loaded
        if self.means is None:
            self.means = [mean(program, self.traffic, name) for name in self.background.names]
        self.workload = Workload(program, self.traffic, self.means)
        if self.lateness is not None:
            self.lateness.counts[:] = 0
        return super().run(duration, trial, stimulus, reset)

    def tables(self) -> dict[str, list[Any]]:
        return {"cores": self.workload.cores(), "links": self.workload.links()} if self.workload else {}

    def _arriving(self, first: int, last: int, trial: int, given: Mapping[str, SpikeTimes]):
        self.arrived = super()._arriving(first, last, trial, given)
        return self.arrived

    def _window(self, first, last, trial, given, events, rows, neurons, samples, n_samples):
        n_samples, found = super()._window(first, last, trial, given, events, rows, neurons, samples, n_samples)
        sources, starts = self.arrived
        steps = np.repeat(np.arange(last - starts.size + 1, last), np.diff(starts))
        new = np.searchsorted(steps, first)
        self.workload.add(first, last, (steps[new:], sources[new:]), (found[:, 0], found[:, 1]), self.pending)
        return n_samples, found

    def _resumed(self) -> None:
        _, neurons, changes = self._current_events(0, self.step)
        np.add.at(self.coefficients, (self.offset_rows[neurons], neurons), changes)

    def _current_events(self, begin: int, until: int):
        steps, neurons, changes = super()._current_events(begin, until)
        return steps, neurons, encode(changes, "current") if changes.size else np.empty(0, np.int32)

    def _advance(self, t, until, arriving, background, events, event, rows, neurons, samples, n_samples, out):
        before, late = self.counts.copy(), self.lateness
        if self._threads > 1 and late is None and self.plastic is None and not neurons.size:
            t, event, n_out = threads.run(
                self._threads, self.row_events, t, until, self.groups, self.state, self.coefficients, self.steep,
                self.offset_rows, self.sums, self.table.arguments, self.weights, arriving, background,
                self.groups_of_neurons, self.spiked, self.spiked_words, events, event, out, self.counts,
            )  # fmt: skip
            return self._booked(before, (t, event, n_samples, n_out))
        extra = () if late is None else (clockwork(self.loaded, self.traffic), tuple(vars(late).values()))
        result = (engine.run if late is None else run_late)(
            t, until, *self.groups, self.state, self.coefficients, self.steep, self.offset_rows, self.sums,
            self.table.arguments, self.weights, arriving, background, self.groups_of_neurons, self.spiked, self.spiked_words,
            *events, event, rows, neurons, self.codes[neurons], samples, n_samples, out, 0, self.counts, *extra,
            *((self.plastic.fixed, self.learned) if self.plastic else ()),
        )  # fmt: skip
        return self._booked(before, result)

    def _booked(self, before: NDArray[np.int64], result: Any) -> Any:
        """Add what was counted since to the ledger, and forget what concerns a tick alone: how a state was reached."""
        self.ledger.synaptic_events += int(self.counts[0] - before[0])
        self.ledger.packets += int(self.counts[3] - before[3])
        if self.lateness is None:  # else a core may have stopped in the middle of its tick
            self.state[CURRENT] = 0
        return result

    def _state_row(self, population: str, variable: str) -> int:
        if variable not in VALUES:
            raise NotReadable(
                f"{self.device.title} shows {', '.join(VALUES)} of a neuron, not {variable!r} of {population!r}"
            )
        return VALUES[variable]

    def sample(self, rows: Any, neurons: Any) -> NDArray[np.float64]:
        pairs = zip(rows, neurons, strict=True)
        return np.array([observe(self.codes[i], self.state, i)[value] for value, i in pairs], dtype=float)

    def _in_network_units(self, population: str, variable: str, raw: NDArray) -> NDArray[np.float64]:
        return raw / (-ONE if variable == "isyn_inh" else ONE)

    def _losses(self, report: Report) -> Report:
        cells = 2 * self.loaded.origin.n_neurons * self.n_steps
        counts, self.reported = self.counts - self.reported, self.counts.copy()
        overshot = Loss(
            "membrane steps that overshoot", int(counts[2]), cells / 2, "all conductance-based neurons and steps",
            "the current is frozen over a step, and with dt g / cm > 2 the membrane swings past the reversal potential",
            "use a smaller time step or weaker weights",
        )  # fmt: skip
        report = report.add(
            Loss(
                "ring buffer cells saturated", int(counts[1]), cells, "all receptors, neurons and steps",
                "more weight arrived in one step than 16 bits hold", "choose largest_sum larger",
            ),
            overshot,
            *self._lost_in_writing(),
        )  # fmt: skip
        late = self.lateness.losses() if self.lateness is not None else []
        return board_report(report.add(*late), self.workload, self.energy)

    def _lost_in_writing(self) -> list[Loss]:
        zero = "the weight is below half a step"
        full = "words end at 0 and 65535"
        found = [
            Loss("weights rounded to zero", n, 0, name, zero, "write larger weights")
            for name, n in self.written.items()
        ]
        return found + [
            Loss("weights clipped", n, 0, name, full, "choose largest_sum larger") for name, n in self.stopped.items()
        ]

    def _account(self, n_steps: int, spikes: list[NDArray]) -> None:
        super()._account(n_steps, spikes)
        program = self.loaded
        length = n_steps * program.dt
        self.ledger.time += length * (program.choices.slowdown(program.dt) - 1)
        self.energy = energy(program, length, self.workload.sent)
        self.ledger.energy += sum(self.energy.values())
        if self.lateness is not None:
            self.ledger.dropped_events += int(self.lateness.counts[DROPPED])

    def _factors(self, projection: str) -> NDArray[np.float64]:
        """Word per network weight, for every synapse of a projection in the order of its rows."""
        network, origin = self.loaded.network, self.loaded.origin
        p = network.projections[projection]
        return charge_factors(self.loaded)[
            RECEPTORS.index(p.receptor), rows_of(network, p).targets + origin.first[p.target]
        ]

    def _write(self, projection: str, places: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        wanted, unit = np.abs(weights * self._factors(projection)), self.loaded.scaling.unit[projection]
        if (wanted > FULL * unit).any():
            most = FULL * unit / self._factors(projection).max()
            raise OutOfRange(
                f"write {projection!r}: {np.abs(weights).max():g} does not fit; 16 bits hold {most:g} at most here"
            )
        words, loss = to_raw(wanted, 1.0 / unit)
        self._hold(projection, places, words)
        self.written[projection] = self.written.get(projection, 0) + loss.rounded_to_zero

    def _update(self, projection: str, places: NDArray[np.int64], pulses: NDArray[np.int64]) -> None:
        wanted = self._held(projection)[places].astype(np.int64) + pulses
        self.stopped[projection] = self.stopped.get(projection, 0) + int(((wanted < 0) | (wanted > FULL)).sum())
        self._hold(projection, places, np.clip(wanted, 0, FULL))
        self.ledger.pulses += int(np.abs(pulses).sum())

    def _read(self, projection: str, places: NDArray[np.int64]) -> NDArray[np.float64]:
        words = self._held(projection)[places] * self.loaded.scaling.unit[projection]
        return self._signed(projection, words / self._factors(projection))

    def _held(self, projection: str) -> NDArray[np.uint16]:
        """The words that hold a projection's weights, and others'."""
        return self.learned[0] if projection in self.loaded.network.plastic else self.weights

    def _hold(self, projection: str, places: NDArray[np.int64], words: NDArray[Any]) -> None:
        """Put words where they belong; plastic weights start every run from what was last put there."""
        if self.weights is self.table.columns["weight"]:
            self.weights = self.weights.copy()
        self._held(projection)[places] = words
        if projection in self.loaded.network.plastic:
            self.learned_from[places] = words
