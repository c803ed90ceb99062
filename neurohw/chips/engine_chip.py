"""What all emulated chips share: the public face, and a run as a sequence of compiled calls over a window of steps.

A substrate's chip fills in the few methods at the end: what it holds after `load`, how a window of steps is run, what its
state variables mean, and what it can read, write and change.
"""

import copy
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw import __version__, rng, units
from neurohw.chips import resume
from neurohw.device.device import Device
from neurohw.errors import BadInput, NotReadable, Unsupported
from neurohw.kernels import stimulus as stimuli
from neurohw.kernels.background import background
from neurohw.kernels.budget import steps_of
from neurohw.kernels.delivery import neuron_groups, scratch, spike_flags, spike_ring, stimulus_cuts
from neurohw.kernels.lowering import locate
from neurohw.kernels.plastic_table import static_only
from neurohw.kernels.table import SynapseTable
from neurohw.network import SpikeTimes, spike_times
from neurohw.program import Capabilities, Ledger, Program
from neurohw.recording import Recording, SpikesOnDemand
from neurohw.report import Report
from neurohw.synapses.signed import SIGNED

WINDOW = 1000
"""Steps per compiled call: stimuli are made for one window at a time, and progress is reported after each."""


class EngineChip:
    """One specimen. `key(address)` names its own random streams: same seed, same specimen, whatever else ran before."""

    window: ClassVar[int] = WINDOW
    state_names: ClassVar[tuple[str, ...]] = ("step", "ring", "ring_cuts")
    neuron_state: ClassVar[tuple[str, ...]] = ()
    """The arrays with one column per neuron that a run goes on from; see `resume`."""
    most_threads: ClassVar[int] = 1
    table: SynapseTable
    _threads = 1
    draws_background: bool = False
    """Whether the compiled loop takes Poisson input that is drawn in place; see `neurohw.kernels.background`."""

    def __init__(self, device: Device, seed: int = 0):
        self.device, self.seed = device, int(seed)
        self.ledger = Ledger()
        self.age = 0.0
        self.program: Program | None = None
        self.on_progress: Any = None

    def key(self, address: str) -> np.uint64:
        """The stream of this specimen for `address`."""
        return rng.key(self.seed, f"{self.device.name}/{address}")

    @property
    def threads(self) -> int:
        """How many threads a run takes; 1 unless set. No result depends on it.

        Raises BadInput for what is no number of threads, Unsupported for more than `most_threads`.
        """
        return self._threads

    @threads.setter
    def threads(self, n: int) -> None:
        if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
            raise BadInput(f"threads: expected a whole number from 1 on, got {n!r}")
        if n > self.most_threads:
            raise Unsupported(
                f"threads: a run of {self.device.title} takes {self.most_threads} here at most, not {n}; run trials or "
                f"specimens in processes of their own (neurohw sweep --workers)"
            )
        self._threads = int(n)

    @property
    def loaded(self) -> Program:
        """The program on the chip; raises BadInput where there is none."""
        if self.program is None:
            raise BadInput(f"chip {self.device.title}: nothing is loaded yet; call chip.load(program) first")
        return self.program

    def load(self, program: Program) -> None:
        if (program.device.fingerprint, program.device.title) != (self.device.fingerprint, self.device.title):
            raise BadInput(
                f"the program is for {program.device.title}, the chip is a {self.device.title}; map it again"
            )
        self.program = program
        self._places: dict[str, NDArray[np.int64]] = {}
        self._load(program)
        table = getattr(program.payload, "table", None)
        self.background = background(program, table if self.draws_background else None)
        firsts = np.array([0, program.origin.n_neurons]) if table is None else table.firsts
        self.groups_of_neurons = neuron_groups(firsts, program.origin.n_neurons)
        self.reset(0)

    def resume(self, program: Program) -> None:
        """Load a changed program of the same experiment, and go on in the state reached instead of from the beginning."""
        before, state, learned = self.loaded, resume.kept(self), self.learned
        resume.check_plastic(before, program)
        self.load(program)
        resume.put_back(self, before, state)
        if learned is not None:
            self.learned = (self.learned[0], *learned[1:])
        self._resumed()

    def reset(self, trial: int) -> None:
        """Back to step 0 with the initial state of this trial."""
        program = self.loaded
        self.step = 0
        self.ring, self.ring_cuts = spike_ring(
            self._memory() + 1, program.origin.n_neurons, self.groups_of_neurons.size - 1
        )
        self.spiked, self.spiked_words = spike_flags(program.origin.n_neurons)
        self._reset(trial)

    def _memory(self) -> int:
        """For how many steps the spikes of neurons are kept."""
        delays = self.loaded.delays
        return int(delays.slots.max()) if delays else 0

    def run(
        self, duration: Any, trial: int = 0, stimulus: Mapping[str, Any] | None = None, reset: bool = True
    ) -> Recording:
        program = self.loaded
        n_steps = steps_of(program, duration, self.window, self.background.names)
        given = self._given = checked_stimulus(program, stimulus)
        self.n_steps = n_steps
        length = units.parse(duration, "ms", "duration")
        off = abs(length - n_steps * program.dt) > 1e-6 * program.dt
        self._rounded = [f"the run of {length:g} ms took {n_steps} steps, {n_steps * program.dt:g} ms"] if off else []
        if reset:
            self.reset(trial)
        begin, until = self.step, self.step + n_steps
        rows, neurons = self._sampled()
        samples = np.empty((n_steps + 1 if rows.size else 0, rows.size))
        events = self._current_events(begin, until)
        spikes, n_samples = [], 0
        self.ledger.packets -= self.background.on_their_way(begin, trial, program)  # counted when they were emitted
        for first in range(begin, until, self.window):
            last = min(first + self.window, until)
            n_samples, found = self._window(first, last, trial, given, events, rows, neurons, samples, n_samples)
            spikes.append(found)
            if self.on_progress:
                self.on_progress((last - begin) / n_steps)
        self.ledger.packets += self.background.on_their_way(until, trial, program)
        if rows.size:
            samples[n_samples] = self.sample(rows, neurons)
        self._account(n_steps, spikes)
        return self._recording(np.concatenate(spikes), samples, begin, until, trial)

    def _window(self, first, last, trial, given, events, rows, neurons, samples, n_samples):
        program = self.loaded
        back = max(0, first - int(program.delays.slots.max()))
        sources, starts = self._arriving(back, last, trial, given)
        cuts = stimulus_cuts(sources, starts, self.table.firsts, program.origin.n_neurons)
        arriving = self.ring, self.ring_cuts, sources, cuts, back, scratch()
        drawn = self.background.arguments(trial, program, back, last)
        out = np.empty((max(4 * program.origin.n_neurons, 1 << 16), 2), np.int64)
        found, t, event = [], first, int(np.searchsorted(events[0], first))
        self.ledger.packets += int(starts[-1] - starts[first - back])
        while t < last:
            t, event, n_samples, n_out = self._advance(
                t, last, arriving, drawn, events, event, rows, neurons, samples, n_samples, out
            )
            found.append(out[:n_out].copy())
        self.step = last
        return n_samples, np.concatenate(found)

    def _current_events(self, begin: int, until: int):
        """(steps, neurons, changes in nA) of all injected currents in this run, sorted by step."""
        program = self.loaded
        steps, who, change = [], [], []
        for current in program.network.currents:
            at = np.maximum(np.floor(current.times / program.dt + 1e-6).astype(np.int64), 0)
            steps.append(np.repeat(at, current.neurons.size))
            who.append(np.tile(current.neurons + program.origin.first[current.population], at.size))
            change.append(np.repeat(np.diff(current.amplitudes, prepend=0.0), current.neurons.size))
        if not steps:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        step, neuron, amount = (np.concatenate(part) for part in (steps, who, change))
        inside = (step >= begin) & (step < until)
        order = np.flatnonzero(inside)[np.argsort(step[inside], kind="stable")]
        return step[order], neuron[order], amount[order]

    def _sampled(self):
        """(state rows, neurons): what is sampled at every step, in the order of the program's record."""
        program = self.loaded
        rows, neurons = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for population, variables in program.record.items():
            for variable, which in variables.items():
                rows.append(np.full(which.size, self._state_row(population, variable)))
                neurons.append(which + program.origin.first[population])
        return np.concatenate(rows), np.concatenate(neurons)

    def _recording(self, events, samples, begin: int, until: int, trial: int) -> Recording:
        program, dt = self.loaded, self.loaded.dt
        drawn = [name for name, p in program.network.sources.items() if p.spike_times is None]
        sources, starts = stimuli.spikes(
            program.network, program.origin.first, trial, dt, begin, until, self._given, drawn
        )
        at = np.repeat(np.arange(begin, until), np.diff(starts))
        steps, ids = np.concatenate((events[:, 0], at)), np.concatenate((events[:, 1], sources))
        traces: dict[str, dict[str, NDArray]] = {}
        times: dict[str, dict[str, NDArray]] = {}
        column, axis = 0, np.arange(begin, until + 1) * dt
        for population, variables in program.record.items():
            for variable, which in variables.items():
                raw = samples[:, column : column + which.size]
                traces.setdefault(population, {})[variable] = self._in_network_units(population, variable, raw)
                times.setdefault(population, {})[variable] = axis
                column += which.size
        return Recording(
            spikes=SpikesOnDemand.of(
                program.origin.spikes(steps, ids, dt, drawn),
                {
                    name: partial(stimuli.poisson_times, program.network, name, trial, dt, begin, until)
                    for name in drawn
                },
            ),
            sizes=dict(program.origin.size),
            duration=(until - begin) * dt,
            dt=dt,
            traces=traces,
            times=times,
            trace_neurons={p: dict(v) for p, v in program.record.items() if v},
            report=self._losses(Report().add(*self._rounded)),
            manifest=self.manifest(trial, (until - begin) * dt),
        )

    def manifest(self, trial: int, duration: float) -> dict[str, Any]:
        """What determines a run of this chip."""
        program = self.loaded
        return {
            "neurohw": __version__,
            "device": self.device.title,
            "device_fingerprint": self.device.fingerprint,
            "program": program.fingerprint,
            "seeds": {"network": program.network.seed, "chip": self.seed, "trial": trial},
            "dt_ms": program.dt,
            "duration_ms": duration,
        }

    def tables(self) -> dict[str, list[Any]]:
        """Name -> rows (named tuples) of what the units of the machine did in the last run, where that is known."""
        return {}

    def write(self, projection: str, weights: NDArray[np.float64]) -> None:
        given = np.asarray(weights, dtype=float).ravel()
        places = self.places(projection)
        if given.size != places.size:
            raise BadInput(f"write {projection!r}: {given.size} weights for {places.size} synapses")
        if not np.isfinite(given).all():
            raise BadInput(f"write {projection!r}: the weights hold NaN or infinity")
        p = self.loaded.network.projections[projection]
        sign = self.loaded.network.populations[p.target].neuron.inhibitory_sign if p.receptor == "inhibitory" else 1
        if p.synapse != SIGNED.name and (given * sign < 0).any():
            raise BadInput(
                f"write {projection!r}: {p.receptor} weights onto {p.target!r} must be {'<=' if sign < 0 else '>='} 0"
            )
        self._write(projection, places, given)

    def update(self, projection: str, pulses: NDArray[np.int64]) -> None:
        given = np.asarray(pulses).ravel()
        places = self.places(projection)
        if given.size != places.size or not np.issubdtype(given.dtype, np.integer):
            raise BadInput(
                f"update {projection!r}: needs {places.size} whole numbers, got {given.size} of {given.dtype}"
            )
        self._update(projection, places, given.astype(np.int64))

    def refresh(self, projection: str, policy: str) -> None:
        raise Unsupported(f"{self.device.title} has no refresh; its weights do not saturate by small steps. Use write")

    def read(self, projection: str, arms: bool = False) -> NDArray[np.float64]:
        if arms:
            raise NotReadable(f"{self.device.title} holds no conductance pairs; read without arms")
        return self._read(projection, self.places(projection))

    def configure(self, population: str, codes: Mapping[str, NDArray[np.int64]]) -> None:
        raise Unsupported(f"{self.device.title} has no parameter codes; its parameters are those of the network")

    def wait(self, time: Any) -> None:
        length = units.parse(time, "ms", "wait")
        if length < 0:
            raise BadInput(f"wait: time {time!r} is negative")
        self.age += length
        self.ledger.time += length

    def snapshot(self) -> dict[str, Any]:
        identity = (self.device.fingerprint, self.device.title, self.seed, self.loaded.fingerprint)
        kept = {name: copy.deepcopy(getattr(self, name)) for name in self.state_names}
        return {"chip": identity, "age": self.age, "ledger": replace(self.ledger), "state": kept}

    def restore(self, state: dict[str, Any]) -> None:
        identity = (self.device.fingerprint, self.device.title, self.seed, self.loaded.fingerprint)
        if not isinstance(state, dict) or state.get("chip") != identity:
            raise BadInput(
                f"restore: the snapshot is not of this chip ({self.device.title}, seed {self.seed}) and program"
            )
        self.age, self.ledger = state["age"], replace(state["ledger"])
        for name, value in state["state"].items():
            setattr(self, name, copy.deepcopy(value))

    def places(self, projection: str) -> NDArray[np.int64]:
        """Where the synapses of a projection lie in the table that holds them, in the order of its rows."""
        program = self.loaded
        if projection not in program.network.projections:
            has = ", ".join(program.network.projections) or "none"
            raise BadInput(f"no projection {projection!r}; there are {has}")
        if projection not in self._places:
            plastic = getattr(program.payload, "plastic", None)
            if plastic is not None and projection in plastic.places:
                return plastic.places[projection]
            self._places[projection] = locate(program, projection, self._keep or static_only(program))
        return self._places[projection]

    _keep = None
    learned: Any = None
    """What plastic synapses hold, where there are any: their weights, then traces and what else the rule remembers."""
    _given: Mapping[str, SpikeTimes] | None = None
    _rounded: list[str] = []
    n_steps = 1
    """Steps of the run under way, or of the last."""

    @property
    def capabilities(self) -> Capabilities:
        raise NotImplementedError

    def _load(self, program: Program) -> None:
        """Take the payload: fixed pattern, weights, parameters."""
        raise NotImplementedError

    def _reset(self, trial: int) -> None:
        """The initial state of this trial."""
        raise NotImplementedError

    def _resumed(self) -> None:
        """The state was carried over to a changed program: put right what follows from both."""

    def _arriving(self, first: int, last: int, trial: int, given: Mapping[str, SpikeTimes]):
        """(sources, starts): the stimulus spikes of the steps first..last-1 that reach the chip as a list; see
        `kernels.stimulus.spikes`."""
        program, drawn = self.loaded, self.background.names
        return stimuli.spikes(program.network, program.origin.first, trial, program.dt, first, last, given, drawn)

    def _advance(self, t, until, arriving, background, events, event, rows, neurons, samples, n_samples, out):
        """Run the compiled loop; arriving, background: what `kernels.delivery` and `kernels.background` take. Returns (t, event, n_samples, n_out) and may stop early when `out` is full."""
        raise NotImplementedError

    def _state_row(self, population: str, variable: str) -> int:
        raise NotImplementedError

    def sample(self, rows, neurons) -> NDArray[np.float64]:
        """The state now, as the compiled loop samples it."""
        raise NotImplementedError

    def _in_network_units(self, population: str, variable: str, raw: NDArray) -> NDArray[np.float64]:
        return raw

    def _losses(self, report: Report) -> Report:
        """What was lost while running."""
        return report

    def _account(self, n_steps: int, spikes: list[NDArray]) -> None:
        """Book the run in the ledger."""
        length = n_steps * self.loaded.dt
        self.ledger.time += length
        self.age += length
        self.ledger.packets += sum(len(part) for part in spikes)

    def _write(self, projection: str, places: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        raise NotImplementedError

    def _update(self, projection: str, places: NDArray[np.int64], pulses: NDArray[np.int64]) -> None:
        raise NotImplementedError

    def _read(self, projection: str, places: NDArray[np.int64]) -> NDArray[np.float64]:
        raise NotImplementedError


def checked_stimulus(program: Program, stimulus: Mapping[str, Any] | None) -> dict[str, SpikeTimes]:
    """Spike times by population, for one run, that replace those of SpikeSourceArray populations."""
    found = {}
    for name, given in (stimulus or {}).items():
        population = program.network.populations.get(name)
        if population is None or population.spike_times is None:
            has = ", ".join(n for n, p in program.network.populations.items() if p.spike_times is not None) or "none"
            raise BadInput(f"stimulus: {name!r} is no SpikeSourceArray population; there are {has}")
        if not isinstance(given, SpikeTimes) and not (isinstance(given, list | tuple) and len(given) == 2):
            raise BadInput(f"stimulus for {name!r}: expected a pair (times, indices), got {str(given)[:60]}")
        times, indices = (given.times, given.indices) if isinstance(given, SpikeTimes) else given
        found[name] = spike_times(times, indices, population.size, f"stimulus for {name!r}")
    return found
