"""Recordings as arrays (samples, steps, neurons): spikes, readouts, and membranes as they were when the threshold was tested."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput
from neurohw.learning.cells import Cells
from neurohw.recording import Recording

Array = NDArray[np.float64]


def check_recordings(recordings: Sequence[Recording], n_samples: int, n_steps: int, dt: float) -> None:
    """Raise BadInput unless there is one recording per sample, of this time step and long enough."""
    if len(recordings) != n_samples:
        raise BadInput(f"{len(recordings)} recordings for a batch of {n_samples} samples")
    for k, recording in enumerate(recordings):
        if abs(recording.dt - dt) > 1e-9:
            raise BadInput(f"recording {k} has a time step of {recording.dt:g} ms, the learner one of {dt:g} ms")
        if recording.duration < (n_steps - 1e-6) * dt:
            raise BadInput(f"recording {k} lasts {recording.duration:g} ms, the batch {n_steps * dt:g} ms")


def spikes_of(recordings: Sequence[Recording], population: str, n_steps: int, dt: float) -> NDArray[np.uint8]:
    """Spikes of a population, counted from the beginning of each recording's first step."""
    found = np.zeros((len(recordings), n_steps, recordings[0].sizes[population]), np.uint8)
    for k, recording in enumerate(recordings):
        times, indices = recording.spikes[population]
        at = np.rint(times / dt).astype(np.int64)
        inside = at < n_steps
        found[k, at[inside], indices[inside]] = 1
    return found


def readout_of(recordings: Sequence[Recording], population: str, n_steps: int, rest: Array) -> Array:
    """v of a readout after each step, from its rest; BadInput where it was not recorded of every neuron."""
    return _traces(recordings, population, n_steps) - rest


def membranes_of(
    recordings: Sequence[Recording], population: str, z: NDArray[np.uint8], rest: Array, cells: Cells
) -> Array:
    """v of the hidden neurons at the threshold test, from rest: what a spike took away is given back.

    Where a spike sets v to a fixed value, what it was before is lost, and the threshold stands for it.
    """
    after = _traces(recordings, population, z.shape[1]) - rest
    spiked = z > 0
    return np.where(spiked, np.where(np.isnan(cells.drop), cells.threshold, after + cells.drop), after)


def _traces(recordings: Sequence[Recording], population: str, n_steps: int) -> Array:
    """Sample k + 1 of a trace is the state after step k."""
    found = []
    for k, recording in enumerate(recordings):
        trace = recording.traces.get(population, {}).get("v")
        if trace is None or trace.shape[1] != recording.sizes[population]:
            raise BadInput(
                f"recording {k} has no v of every neuron of {population!r}; record {{{population!r}: ['v']}}"
            )
        found.append(trace[1 : n_steps + 1])
    return np.stack(found)
