"""What was recorded from a population: the pieces that each run gave, put together when a script asks for them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import recording

from neurohw.frontends.pynn import simulator
from neurohw.recording import Recording

Piece = tuple[int, NDArray[np.int64], NDArray[np.float64]]
"""The first step, the neurons, and the samples (steps, neurons): one for each step and one for the end."""


class Recorder(recording.Recorder):
    """A chip samples at every time step; a longer sampling interval is taken out of that here."""

    _simulator = simulator

    def __init__(self, population: Any, file: Any = None):
        super().__init__(population, file)
        self._spikes: list[tuple[NDArray[np.float64], NDArray[np.int64]]] = []
        self._traces: dict[str, list[Piece]] = {}

    def wanted(self) -> dict[str, NDArray[np.int64]]:
        """variable -> the indices of the neurons whose traces are recorded."""
        return {v.name: self._indices(ids) for v, ids in self.recorded.items() if v.name != "spikes" and ids}

    def keep(self, first: int, run: Recording, name: str) -> None:
        """Take what a run that began at step `first` gave of the population `name`."""
        if any(v.name == "spikes" and ids for v, ids in self.recorded.items()):
            self._spikes.append(run.spikes[name])
        for variable, samples in run.traces.get(name, {}).items():
            self._traces.setdefault(variable, []).append((first, run.trace_neurons[name][variable], samples))

    def restart(self) -> None:
        """A new segment begins: what is not in the cache of past segments is dropped."""
        self._spikes, self._traces = [], {}

    _reset = restart
    _clear_simulator = restart

    def _record(self, variable: Any, new_ids: Any, sampling_interval: float | None = None) -> None:
        dt = simulator.state.dt
        if sampling_interval is not None:
            if round(sampling_interval / dt) < 1 or abs(sampling_interval / dt - round(sampling_interval / dt)) > 1e-6:
                raise ValueError(
                    f"sampling_interval {sampling_interval:g} ms is no multiple of the time step of {dt:g} ms"
                )
            self.sampling_interval = sampling_interval
        if new_ids:
            simulator.state.changed()

    def _indices(self, ids: Any) -> NDArray[np.int64]:
        return np.sort(np.fromiter((int(i) for i in ids), np.int64)) - int(self.population.first_id)

    def _get_spiketimes(self, requested_ids: Any, clear: bool = False) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        times = np.concatenate([np.empty(0), *(t for t, _ in self._spikes)])
        who = np.concatenate([np.empty(0, np.int64), *(i for _, i in self._spikes)])
        mine = np.isin(who, self._indices(requested_ids))
        return who[mine] + int(self.population.first_id), times[mine]

    def _get_all_signals(self, variable: Any, ids: Any, clear: bool = False) -> tuple[NDArray[np.float64], None]:
        """Samples (time, neuron) from the start of the segment; NaN where a neuron was not recorded yet."""
        pieces = self._traces.get(variable.name, [])
        if not pieces:
            return np.empty((0, len(ids))), None
        dt, neurons = simulator.state.dt, self._indices(ids)
        start = round(float(self._recording_start_time.rescale("ms").magnitude) / dt)
        end = max(first + samples.shape[0] for first, _, samples in pieces)
        signal = np.full((end - start, neurons.size), np.nan)
        for first, recorded, samples in pieces:  # the first sample of a piece replaces the last of the one before
            column = np.searchsorted(recorded, neurons).clip(0, recorded.size - 1)
            known = recorded[column] == neurons
            rows = slice(first - start, first - start + samples.shape[0])
            signal[rows, known] = samples[:, column[known]]
        return signal[:: round(self.sampling_interval / dt)], None

    def _local_count(self, variable: Any, filter_ids: Any = None) -> dict[int, int]:
        counts = np.zeros(self.population.size, np.int64)
        for _, who in self._spikes:
            counts += np.bincount(who, minlength=counts.size)
        first = int(self.population.first_id)
        return {cell: int(counts[int(cell) - first]) for cell in self.filter_recorded(variable, filter_ids)}
