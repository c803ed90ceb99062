"""Recordings as HDF5 files, as Neo blocks and as xarray datasets.

The file, readable with any HDF5 tool (gzip, no pickle, no links):

    /                      format="neurohw-recording", version=1, duration (ms), dt (ms)
    /report, /manifest     JSON text as bytes (uint8)
    /populations/<name>    size
        spikes/            times (ms, ascending), indices
        traces/<variable>/ values (samples, neurons), times (ms), neurons

In names, `%`, `/` and a name of dots only are percent-encoded. A file from elsewhere is not trusted: see
`neurohw.files.open_hdf5`.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput
from neurohw.files import atomically, open_hdf5
from neurohw.neurons import NEURONS, NeuronModel
from neurohw.recording import Recording, Spikes
from neurohw.report import Report

FORMAT, VERSION = "neurohw-recording", 1
MAX_NEURONS = 10**9


def save(recording: Recording, path: Any) -> None:
    """Write a recording to HDF5, all or nothing. Raises BadInput where it contradicts itself or is not JSON."""
    import h5py

    checked(recording, "recording")
    with atomically(path) as temporary, h5py.File(temporary, "w", track_order=True) as file:
        file.attrs.update(format=FORMAT, version=VERSION, duration=recording.duration, dt=recording.dt)
        _write(file, "report", _json_bytes(recording.report.as_dict(), "report"))
        _write(file, "manifest", _json_bytes(dict(recording.manifest), "manifest"))
        populations = file.create_group("populations", track_order=True)
        for name, size in recording.sizes.items():
            group = populations.create_group(_escape(name), track_order=True)
            group.attrs["size"] = size
            if name in recording.spikes:
                times, indices = recording.spikes[name]
                _write(group, "spikes/times", np.asarray(times, np.float64))
                _write(group, "spikes/indices", np.asarray(indices, np.int64))
            traces = group.create_group("traces", track_order=True)
            for variable, values in recording.traces.get(name, {}).items():
                one = _escape(variable)
                _write(traces, f"{one}/values", np.asarray(values))
                _write(traces, f"{one}/times", np.asarray(recording.times[name][variable], np.float64))
                _write(traces, f"{one}/neurons", np.asarray(recording.trace_neurons[name][variable], np.int64))


def load_recording(path: Any) -> Recording:
    """Read a recording that `save` wrote. Raises BadInput, naming the file and the place, for anything else."""
    with open_hdf5(path) as file:
        if file.attrs.get("format") != FORMAT:
            raise BadInput(f"{path}: not a recording of neurohw; other formats are read by read_recording")
        if (version := _number(file.attrs, "version", f"{path}: /")) != VERSION:
            raise BadInput(
                f"{path}: written in version {version:g} of the format; this neurohw reads version {VERSION}"
            )
        spikes: dict[str, Spikes] = {}
        sizes: dict[str, int] = {}
        traces: dict[str, dict[str, NDArray[Any]]] = {}
        times: dict[str, dict[str, NDArray[Any]]] = {}
        neurons: dict[str, dict[str, NDArray[Any]]] = {}
        for key, group in _group(file, "populations", path).items():
            name, where = _unescape(key), f"{path}: /populations/{key}"
            sizes[name] = int(_number(group.attrs, "size", where))
            if "spikes" in group:
                spikes[name] = (_array(group, "spikes/times", "f", where), _array(group, "spikes/indices", "i", where))
            for variable, trace in _group(group, "traces", path).items():
                v, place = _unescape(variable), f"{where}/traces/{variable}"
                traces.setdefault(name, {})[v] = _array(trace, "values", "f", place, ndim=2)
                times.setdefault(name, {})[v] = _array(trace, "times", "f", place)
                neurons.setdefault(name, {})[v] = _array(trace, "neurons", "i", place)
        recording = Recording(
            spikes, sizes, _number(file.attrs, "duration", f"{path}: /"), _number(file.attrs, "dt", f"{path}: /"),
            traces, times, neurons, _report(file, path), _json_dict(file, "manifest", path),
        )  # fmt: skip
    return checked(recording, str(path))


def checked(recording: Recording, where: str) -> Recording:
    """The recording itself, or BadInput naming the first thing in it that contradicts another."""

    def need(true: Any, place: str, what: str) -> None:
        if not true:
            raise BadInput(f"{where}: {place}: {what}")

    need(np.isfinite(recording.duration) and recording.duration >= 0, "duration", "must be a finite number of ms >= 0")
    need(np.isfinite(recording.dt) and recording.dt > 0, "dt", "must be a finite number of ms > 0")
    for name, size in recording.sizes.items():
        need(
            0 < size <= MAX_NEURONS and size == int(size), f"size of {name!r}", f"{size!r} is not 1 to {MAX_NEURONS:g}"
        )
    for name, (times, indices) in recording.spikes.items():
        place = f"spikes of {name!r}"
        need(name in recording.sizes, place, "the population has no size")
        need(np.shape(times) == np.shape(indices) and np.ndim(times) == 1, place, "needs one index for every time")
        _check_times(times, need, place, "must be finite, >= 0 and ascending")
        inside = not np.size(indices) or 0 <= np.min(indices) <= np.max(indices) < recording.sizes[name]
        need(inside, place, f"indices must lie in 0..{recording.sizes[name] - 1}")
    for name, variables in recording.traces.items():
        for variable, values in variables.items():
            place = f"trace {variable!r} of {name!r}"
            need(name in recording.sizes, place, "the population has no size")
            when = recording.times.get(name, {}).get(variable, None)
            which = recording.trace_neurons.get(name, {}).get(variable, None)
            if when is None or which is None:
                raise BadInput(f"{where}: {place}: has no times or no trace_neurons")
            need(np.ndim(when) == np.ndim(which) == 1, place, "times and trace_neurons must be vectors")
            need(np.shape(values) == (len(when), len(which)), place, "needs the shape (samples, neurons)")
            _check_times(when, need, place, "times must be finite, >= 0 and ascending")
            inside = not len(which) or 0 <= np.min(which) <= np.max(which) < recording.sizes[name]
            need(inside, place, f"trace_neurons must lie in 0..{recording.sizes[name] - 1}")
    return recording


def _check_times(times: Any, need: Any, place: str, what: str) -> None:
    t = np.asarray(times)
    need(not t.size or (np.isfinite(t).all() and t[0] >= 0 and (np.diff(t) >= 0).all()), place, what)


def _write(group: Any, key: str, array: NDArray[Any]) -> None:
    large = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if array.nbytes > 4096 else {}
    group.create_dataset(key, data=array, **large)


def _group(parent: Any, key: str, path: Any) -> Any:
    found = parent.get(key)
    if not hasattr(found, "items"):
        raise BadInput(f"{path}: {parent.name.rstrip('/')}/{key}: there is no such group")
    return found


def _array(group: Any, key: str, kind: str, where: str, ndim: int = 1) -> NDArray[Any]:
    data = group.get(key)
    if getattr(data, "ndim", None) != ndim or data.dtype.kind not in {"f": "f", "i": "iu"}[kind]:
        wanted = "floats" if kind == "f" else "whole numbers"
        raise BadInput(f"{where}/{key}: expected {ndim}-dimensional {wanted}, found {data!r}")
    array = data[()]
    return array if ndim == 2 else array.astype(np.float64 if kind == "f" else np.int64)


def _number(attributes: Any, key: str, where: str) -> float:
    value = attributes.get(key)
    if not isinstance(value, int | float | np.number) or isinstance(value, bool):
        raise BadInput(f"{where}: attribute {key!r} must be a number, found {value!r}")
    return float(value)


def _report(file: Any, path: Any) -> Report:
    try:
        return Report.from_dict(_json_dict(file, "report", path))
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path}: /report: not a report: {error}") from None


def _json_dict(file: Any, key: str, path: Any) -> dict[str, Any]:
    data = file.get(key)
    if getattr(data, "dtype", None) != np.uint8 or data.ndim != 1:
        raise BadInput(f"{path}: /{key}: expected JSON text as bytes")
    try:
        found = json.loads(data[()].tobytes())
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: /{key}: not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadInput(f"{path}: /{key}: expected a mapping")
    return found


def _json_bytes(data: Any, where: str) -> NDArray[np.uint8]:
    def plain(value: Any) -> Any:
        if isinstance(value, np.generic | np.ndarray):
            return value.tolist()
        if isinstance(value, Mapping):
            return dict(value)
        raise BadInput(f"{where}: {value!r} is not text, a number, a list or a mapping, so it cannot be saved")

    return np.frombuffer(json.dumps(data, default=plain).encode(), np.uint8)


def _escape(name: str) -> str:
    name = name.replace("%", "%25").replace("/", "%2F")
    return name.replace(".", "%2E") if set(name) == {"."} else name


def _unescape(key: str) -> str:
    return key.replace("%2E", ".").replace("%2F", "/").replace("%25", "%")


def unit_of(variable: str) -> str:
    """The unit of a recorded state variable, by the neuron models; "dimensionless" where none has it."""
    for model in NEURONS.values():
        if isinstance(model, NeuronModel) and variable in model.states:
            return model.states[variable].unit or "dimensionless"
    return "dimensionless"


def to_neo(recording: Recording) -> Any:
    """As a neo.Block with one Segment and PyNN's annotations: source_population, source_index, channel_id."""
    import neo
    import quantities as pq

    block = neo.Block(name="neurohw recording", description=json.dumps(dict(recording.manifest), default=str))
    segment = neo.Segment(name="segment000")
    block.segments.append(segment)
    for name, (times, indices) in recording.spikes.items():
        order = np.argsort(indices, kind="stable")
        ends = np.cumsum(np.bincount(indices, minlength=recording.sizes[name]))
        stop = max(recording.duration, float(times[-1]) if times.size else 0.0)
        for index, train in enumerate(np.split(times[order], ends[:-1])):
            notes = {"source_population": name, "source_index": index, "channel_id": index}
            segment.spiketrains.append(neo.SpikeTrain(train, t_stop=stop, units="ms", **notes))
    for name, variables in recording.traces.items():
        for variable, values in variables.items():
            times, neurons = recording.times[name][variable], recording.trace_neurons[name][variable]
            steps = np.diff(times)
            notes = {
                "name": variable,
                "units": unit_of(variable),
                "source_population": name,
                "channel_ids": neurons,
                "array_annotations": {"channel_index": neurons},
            }
            if steps.size and not np.allclose(steps, steps[0], rtol=1e-6):
                signal = neo.IrregularlySampledSignal(times, values, time_units="ms", **notes)
                segment.irregularlysampledsignals.append(signal)
            else:
                period = (steps[0] if steps.size else recording.dt) * pq.ms
                start = (times[0] if times.size else 0.0) * pq.ms
                segment.analogsignals.append(neo.AnalogSignal(values, sampling_period=period, t_start=start, **notes))
    return block


def to_xarray(recording: Recording) -> Any:
    """As an xarray.Dataset: `<population>.<variable>` over (time, neuron), and two vectors of spikes per population."""
    import xarray

    arrays: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for name, (times, indices) in recording.spikes.items():
        arrays[f"{name}.spike_times"] = (f"{name}.spike", times, {"units": "ms"})
        arrays[f"{name}.spike_neurons"] = (f"{name}.spike", indices)
    for name, variables in recording.traces.items():
        for variable, values in variables.items():
            time, neuron = (f"{name}.{variable}.{axis}" for axis in ("time", "neuron"))
            coordinates[time] = (time, recording.times[name][variable], {"units": "ms"})
            coordinates[neuron] = (neuron, recording.trace_neurons[name][variable])
            arrays[f"{name}.{variable}"] = ((time, neuron), values, {"units": unit_of(variable)})
    about = {
        "duration_ms": recording.duration,
        "dt_ms": recording.dt,
        "sizes": json.dumps(dict(recording.sizes)),
        "manifest": json.dumps(dict(recording.manifest), default=str),
    }
    return xarray.Dataset(arrays, coordinates, about)
