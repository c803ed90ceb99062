"""What a run gave: spikes and traces in the network's own names and units, with what was lost while running.

Time: a spike of step n has the time n*dt; sample k of a trace is the state at the time times[k], with the weights that arrive
at that moment already added to the synaptic variables (v is not touched by them yet).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.report import Report

Spikes = tuple[NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Recording:
    """One run of one trial on one chip (or simulator).

    spikes: population -> (times in ms ascending, neuron indices). traces: population -> variable -> array (samples, neurons),
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
