"""What a run gave: spikes and traces in the network's own names and units, with what was lost while running.

Time: a spike of step n has the time n*dt; sample k of a trace is the state at the time times[k], with the weights that arrive
at that moment already added to the synaptic variables (v is not touched by them yet).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.report import Report

Spikes = tuple[NDArray[np.float64], NDArray[np.int64]]


class SpikesOnDemand(Mapping[str, Spikes]):
    """Spikes by population, of which some are made when they are asked for, each time anew: a background may have 1e9."""

    def __init__(self, makers: Mapping[str, Callable[[], Spikes]]):
        self._makers = makers

    @classmethod
    def of(cls, spikes: Mapping[str, Spikes], later: Mapping[str, Callable[[], Spikes]]) -> "SpikesOnDemand":
        """Those that are there, and those that are made later, in the order of `spikes` and then of `later`."""
        return cls({**{name: partial(_itself, there) for name, there in spikes.items()}, **later})

    def __getitem__(self, name: str) -> Spikes:
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def each(self, change: Callable[[Spikes], Spikes]) -> "SpikesOnDemand":
        """The same populations, with the spikes of each changed when they are asked for."""
        return SpikesOnDemand({name: partial(_changed, change, make) for name, make in self._makers.items()})


def _itself(spikes: Spikes) -> Spikes:
    return spikes


def _changed(change: Callable[[Spikes], Spikes], make: Callable[[], Spikes]) -> Spikes:
    return change(make())


@dataclass(frozen=True, eq=False)
class Recording:
    """One run of one trial on one chip (or simulator).

    spikes: population -> (times in ms ascending, neuron indices); those of Poisson sources are drawn again when asked for.
    traces: population -> variable -> array (samples, neurons),
    with `times` (ms) and `trace_neurons` (the recorded indices) of the same shape of keys.
    sizes: neurons per population. dt, duration: ms. manifest: what is needed to run it again.
    """

    spikes: Mapping[str, Spikes]
    sizes: Mapping[str, int]
    duration: float
    dt: float
    traces: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict)
    times: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict)
    trace_neurons: Mapping[str, Mapping[str, NDArray[np.int64]]] = field(default_factory=dict)
    report: Report = Report()
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def rate(self, population: str) -> float:
        """Mean rate (Hz) over the neurons of a population and the whole run."""
        return 1e3 * self.spikes[population][0].size / (self.sizes[population] * self.duration)

    def save(self, path: Any) -> None:
        """Write to HDF5; see `neurohw.recording_files`."""
        from neurohw import recording_files

        recording_files.save(self, path)

    def to_neo(self) -> Any:
        """As a neo.Block with one Segment, as PyNN gives it."""
        from neurohw import recording_files

        return recording_files.to_neo(self)

    def to_xarray(self) -> Any:
        """As an xarray.Dataset: traces by (time, neuron), spikes as two vectors per population."""
        from neurohw import recording_files

        return recording_files.to_xarray(self)
