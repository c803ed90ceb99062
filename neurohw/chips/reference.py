"""The reference chip: Brian2 in float64, built from the network with per-neuron parameters and per-synapse delays.

It is the definition of right that every other chip is held against, with the whole face of a chip. Three choices make Brian2
keep the network's time convention (a spike of step n with a delay of d steps acts in step n + d):

- synapses are scheduled before the state update, so an arriving weight counts in the step of its arrival;
- Brian2 then adds one step to a neuron's spike, so delays between neurons are set to d - 1 steps (from sources: d);
- `refractory` is one step longer than the period, since Brian2 counts from the beginning of the step of the spike.

Source: Stimberg, Brette & Goodman, eLife 8:e47314 (2019).
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.chips import brian_change
from neurohw.chips.brian import BrianNetwork, choose_target
from neurohw.chips.engine_chip import EngineChip
from neurohw.device.device import Device
from neurohw.kernels import stimulus as stimuli
from neurohw.program import Capabilities, Program
from neurohw.report import Loss, Report


class ReferenceChip(EngineChip):
    """Brian2 as a chip. The simulator is built at the first run, when it is known how long runs are."""

    window: ClassVar[int] = 10_000

    def __init__(self, device: Device, seed: int = 0):
        super().__init__(device, seed)
        self.brian: BrianNetwork | None = None
        self.changed = False

    @property
    def capabilities(self) -> Capabilities:
        unlimited = dict.fromkeys(self.loaded.network.projections, (-np.inf, np.inf))
        return Capabilities(("spikes", "v", "weights"), True, "exact", unlimited, {}, {}, None, ())

    def _load(self, program: Program) -> None:
        self.brian, self.changed = None, False

    def resume(self, program: Program) -> None:
        if self.brian is None:
            self.load(program)
            return
        self.program, self._places, self.changed = program, {}, True
        brian_change.change(self.brian, program, self._current_events(0, self.step))

    def _built(self) -> BrianNetwork:
        if self.brian is None:
            self.brian = BrianNetwork(self.loaded, choose_target(self.loaded, self.n_steps), self._given)
            self.brian.reset(self.trial)
        return self.brian

    def _reset(self, trial: int) -> None:
        self.trial, self.dropped = trial, 0
        if self.brian is not None and (self.changed or not self.brian.takes(self._given)):
            self.brian, self.changed = None, False
        if self.brian is not None:
            self.brian.reset(trial)

    def _window(self, first, last, trial, given, events, rows, neurons, samples, n_samples):
        program, brian = self.loaded, self._built()
        sources, starts = stimuli.spikes(program.network, program.origin.first, trial, program.dt, first, last, given)
        self.ledger.packets += sources.size
        self.dropped += brian.set_spikes(np.repeat(np.arange(first, last), np.diff(starts)), sources)
        spikes, traces = brian.run(last - first, events)
        self.step = last
        if traces.size:
            samples[n_samples : n_samples + last - first] = traces
            n_samples += last - first
        return n_samples, spikes

    def sample(self, rows: Any, neurons: Any) -> NDArray[np.float64]:
        return self._built().state_now()

    def _state_row(self, population: str, variable: str) -> int:
        return 0

    def _losses(self, report: Report) -> Report:
        why = "more spikes of one source in one step than its generator was built for"
        return report.add(
            *self._built().notes, Loss("spikes dropped", self.dropped, 0, "stimulus", why, "load the program again")
        )

    def places(self, projection: str) -> NDArray[np.int64]:
        if projection not in self.loaded.network.projections:
            return super().places(projection)
        return np.arange(self._built().n_synapses(projection))

    def _write(self, projection: str, places: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        self._built().write(projection, weights)

    def _update(self, projection: str, places: NDArray[np.int64], pulses: NDArray[np.int64]) -> None:
        self._built().write(projection, self._built().read(projection) + pulses)

    def _read(self, projection: str, places: NDArray[np.int64]) -> NDArray[np.float64]:
        return self._built().read(projection)

    def snapshot(self) -> dict[str, Any]:
        kept, brian = super().snapshot(), self._built()
        return {**kept, "brian": brian.store(), "target": brian.target, "copies": dict(brian.copies)}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        if self.brian is None or self.brian.copies != state["copies"]:
            self.brian = BrianNetwork(self.loaded, state["target"], None, state["copies"])
        self.brian.restore(state["brian"])
