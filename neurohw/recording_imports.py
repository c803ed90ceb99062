"""Recordings of other simulators and of real chips, so that they can be compared like any other.

| ending | what | times |
|---|---|---|
| .h5 .hdf5 .nir .nirdata | a recording of neurohw, or NIRData (nir.read_data) | ms; NIR: s |
| .csv .tsv .dat .txt with a header | columns time_ms or time_s, neuron (NEST: sender), [population] | as named |
| .txt without a header | Neo's text format: one neuron per line, its spike times | s |
| .mat .nix .nwb | a Neo block in the annotations of PyNN | as stored |
| .pkl and all other formats of Neo | only with trust=True: reading a pickle runs the code in it | as stored |
"""

import csv
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurohw import units
from neurohw.errors import BadInput, NeurohwError, Unsupported
from neurohw.files import open_hdf5
from neurohw.recording import Recording
from neurohw.recording_files import FORMAT, MAX_NEURONS, checked, load_recording

DEFAULT_DT = 0.1
Found = dict[str, tuple[list[float], list[int]]]


def read_recording(
    path: Any,
    *,
    population: str = "neurons",
    sizes: Mapping[str, int] | None = None,
    duration: Any = None,
    dt: Any = None,
    trial: int = 0,
    first_neuron: int | None = None,
    trust: bool = False,
) -> Recording:
    """A recording from a file of another simulator or of a real chip.

    population: the name where the file has none. sizes: neurons per population (also of silent ones); without it, the
    largest index + 1. duration, dt: ms or text with a unit; without them what the file says, else the last spike
    rounded up to a whole ms, and 0.1 ms. trial: which segment (Neo) or sample (NIRData). first_neuron: the id that
    stands for neuron 0 (default 0; NEST's `sender`: the smallest). trust: read a format that can run code. Raises
    BadInput, naming the file and the line, or Unsupported.
    """
    file, where = Path(path), str(path)
    if not file.is_file():
        raise BadInput(f"{where}: there is no such file")
    given = {
        "sizes": dict(sizes or {}),
        "duration": None if duration is None else units.parse(duration, "ms", "duration"),
        "dt": None if dt is None else units.parse(dt, "ms", "dt"),
    }
    match file.suffix.lower():
        case ".h5" | ".hdf5" | ".nir" | ".nirdata":
            return _read_hdf5(file, given, trial)
        case ".csv" | ".tsv" | ".dat" | ".txt":
            return _finish(where, _read_text(file, population, first_neuron), given)
        case ".mat" | ".nix" | ".nwb":
            return _read_neo(file, population, given, trial)
        case _ if trust:
            return _read_neo(file, population, given, trial)
        case ".pkl" | ".pickle":
            raise Unsupported(
                f"{where}: reading a pickle runs whatever code is in it; if you know who made it, give trust=True, "
                "otherwise ask for .mat, .nix or HDF5"
            )
        case ending:
            raise Unsupported(
                f"{where}: no format {ending!r}; there are .h5, .nir, .csv, .tsv, .dat, .txt, .mat, .nix, .nwb "
                "(any other format of Neo: trust=True)"
            )


def _finish(
    where: str, found: Found, given: dict[str, Any], dt: float | None = None, stop: float = 0.0, **parts: Any
) -> Recording:
    sizes = given["sizes"]
    spikes = {}
    for name, (times, neurons) in ({name: ([], []) for name in sizes} | found).items():
        t, i = np.asarray(times, np.float64), np.asarray(neurons, np.int64)
        order = np.lexsort((i, t))
        spikes[name] = (t[order], i[order])
    last = max((float(t[-1]) for t, _ in spikes.values() if t.size), default=0.0)
    known = parts.pop("known_sizes", {})
    size = {n: int(sizes.get(n) or known.get(n) or (i.max(initial=0) + 1)) for n, (_, i) in spikes.items()}
    duration = given["duration"] if given["duration"] is not None else max(stop, math.ceil(last))
    step = given["dt"] or dt or DEFAULT_DT
    return checked(Recording(spikes, size, duration, step, manifest={"source": where}, **parts), where)


def _read_text(file: Path, population: str, first: int | None) -> Found:
    try:
        with open(file, encoding="utf-8-sig", newline="") as text:
            lines = ((n, line) for n, line in enumerate(text, 1) if line.strip() and not line.lstrip().startswith("#"))
            number, header = next(lines, (0, ""))
            if not header:
                raise BadInput(f"{file}: empty; expected a header such as time_ms,neuron")
            if file.suffix.lower() == ".txt" and not re.search("[A-Za-df-z_]", header):
                with open(file, encoding="utf-8") as rows:
                    return {population: _rows(file, rows)}
            cut = next((mark for mark in ",;\t" if mark in header), None)
            return _columns(file, number, header, lines, cut, population, first)
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{file}: not text: {error}") from None


def _columns(
    file: Path,
    number: int,
    header: str,
    lines: Iterator[tuple[int, str]],
    cut: str | None,
    population: str,
    first: int | None,
) -> Found:
    def split(line: str) -> list[str]:
        return [part.strip() for part in next(csv.reader([line], delimiter=cut))] if cut else line.split()

    names = [name.lower() for name in split(header.rstrip("\r\n"))]
    time = next((names.index(n) for n in ("time_ms", "time_s") if n in names), None)
    neuron = next((names.index(n) for n in ("neuron", "sender") if n in names), None)
    if time is None or neuron is None:
        raise BadInput(
            f"{file}: line {number}: the header must name time_ms (or time_s) and neuron; it has {', '.join(names)}"
        )
    factor = 1e3 if names[time] == "time_s" else 1.0
    where = names.index("population") if "population" in names else None
    found: Found = {}
    for number, line in lines:
        cells, place = split(line.rstrip("\r\n")), f"{file}: line {number}"
        if len(cells) != len(names):
            raise BadInput(f"{place}: {len(cells)} columns where the header has {len(names)}")
        name = cells[where] if where is not None else population
        if not name or "/" in name or not name.isprintable():
            raise BadInput(f"{place}: {name!r} is no name of a population")
        times, neurons = found.setdefault(name, ([], []))
        times.append(_time(cells[time], factor, place))
        neurons.append(_index(cells[neuron], place))
    if first is None and names[neuron] == "sender":
        first = min((n for _, neurons in found.values() for n in neurons), default=0)
    return {name: (times, [n - (first or 0) for n in neurons]) for name, (times, neurons) in found.items()}


def _rows(file: Path, rows: Iterator[str]) -> tuple[list[float], list[int]]:
    times: list[float] = []
    neurons: list[int] = []
    for index, row in enumerate(rows):
        cells = re.split(r"[\s,;]+", row.strip()) if row.strip() else []
        times += [_time(cell, 1e3, f"{file}: line {index + 1}") for cell in cells]
        neurons += [index] * len(cells)
    return times, neurons


def _time(cell: str, factor: float, place: str) -> float:
    try:
        time = float(cell) * factor
    except ValueError:
        raise BadInput(f"{place}: {cell[:40]!r} is not a time") from None
    if not math.isfinite(time) or time < 0:
        raise BadInput(f"{place}: the time {cell} is not finite and >= 0")
    return time


def _index(cell: str, place: str) -> int:
    if not (cell.isascii() and cell.isdigit() and len(cell) < 19 and int(cell) < MAX_NEURONS):
        raise BadInput(f"{place}: the neuron {cell[:40]!r} is not a whole number from 0 to {MAX_NEURONS:g}")
    return int(cell)


def _read_hdf5(file: Path, given: dict[str, Any], trial: int) -> Recording:
    with open_hdf5(file) as h5:
        ours, kind, graph = h5.attrs.get("format") == FORMAT, h5.attrs.get("__type__"), "node" in h5
    if ours:
        return load_recording(file)
    if kind != "NIRGraphData":
        what = "a NIR network; read it with read_nir" if graph else "neither a recording of neurohw nor NIRData"
        raise BadInput(f"{file}: this is {what}")
    return _guard(file, lambda: _from_nir(file, given, trial))


def _from_nir(file: Path, given: dict[str, Any], trial: int) -> Recording:
    import nir

    found: Found = {}
    sizes: dict[str, int] = {}
    steps, stops = [], []
    traces: dict[str, Any] = {"traces": {}, "times": {}, "trace_neurons": {}}

    def visit(nodes: Mapping[str, Any], prefix: str) -> None:
        for key, node in nodes.items():
            name = f"{prefix}{key}"
            if isinstance(node, nir.NIRGraphData):
                visit(node.nodes, f"{name}.")
                continue
            for variable, data in node.observables.items():
                add(name, variable, data)

    def add(name: str, variable: str, data: Any) -> None:
        if not 0 <= trial < data.n_samples:
            raise BadInput(f"{file}: {name}: {variable}: no sample {trial}; there are {data.n_samples}")
        sizes[name] = max(sizes.get(name, 0), int(data.n_neurons))
        stops.append(1e3 * float(data.t_max))
        if isinstance(data, nir.TimeGriddedData):
            steps.append(1e3 * float(data.dt))
            sample = data.data[trial]
            if sample.dtype == bool:
                step, neuron = np.nonzero(sample)
                found[name] = ((step * steps[-1]).tolist(), neuron.tolist())
            else:
                found.setdefault(name, ([], []))
                for part, value in zip(
                    traces, (sample, np.arange(len(sample)) * steps[-1], np.arange(sample.shape[1])), strict=True
                ):
                    traces[part].setdefault(name, {})[variable] = np.asarray(value)
        else:
            real = (data.idx[trial] >= 0) & (data.time[trial] < np.inf)
            found[name] = ((1e3 * data.time[trial][real]).tolist(), data.idx[trial][real].astype(np.int64).tolist())

    visit(nir.read_data(str(file)).nodes, "")
    dt = min(steps) if steps else None
    return _finish(str(file), found, given, dt, max(stops, default=0.0), known_sizes=sizes, **traces)


def _read_neo(file: Path, population: str, given: dict[str, Any], trial: int) -> Recording:
    return _guard(file, lambda: _from_neo(file, population, given, trial))


def _from_neo(file: Path, population: str, given: dict[str, Any], trial: int) -> Recording:
    import neo.io

    blocks = neo.io.get_io(str(file)).read()
    segments = [segment for block in blocks or [] if block is not None for segment in block.segments]
    if not 0 <= trial < len(segments):
        raise BadInput(f"{file}: no segment {trial}; there are {len(segments)}")
    found: Found = {}
    sizes: dict[str, int] = {}
    stops, steps = [0.0], []
    for position, train in enumerate(segments[trial].spiketrains):
        notes = train.annotations
        name = str(notes.get("source_population", population))
        times, neurons = found.setdefault(name, ([], []))
        index = next(
            (int(notes[key]) for key in ("source_index", "channel_index", "channel_id") if key in notes), position
        )
        sizes[name] = max(sizes.get(name, 0), index + 1)
        spikes = train.rescale("ms").magnitude
        times += spikes.tolist()
        neurons += [index] * spikes.size
        stops.append(float(train.t_stop.rescale("ms")))
    traces: dict[str, Any] = {"traces": {}, "times": {}, "trace_neurons": {}}
    for signal in (*segments[trial].analogsignals, *segments[trial].irregularlysampledsignals):
        name, variable = str(signal.annotations.get("source_population", population)), str(signal.name or "signal")
        found.setdefault(name, ([], []))
        channels = np.asarray(
            signal.array_annotations.get("channel_index", np.arange(signal.shape[1])), np.int64
        ).ravel()
        sizes[name] = max(sizes.get(name, 0), int(channels.max(initial=0)) + 1)
        for part, value in zip(traces, (signal.magnitude, signal.times.rescale("ms").magnitude, channels), strict=True):
            traces[part].setdefault(name, {})[variable] = np.asarray(value)
        steps += [float(signal.sampling_period.rescale("ms"))] if hasattr(signal, "sampling_period") else []
    return _finish(str(file), found, given, min(steps, default=None), max(stops), known_sizes=sizes, **traces)


def _guard(file: Path, read: Callable[[], Recording]) -> Recording:
    """What a reader of somebody else's format gives, with any of its many kinds of failure turned into BadInput."""
    try:
        return read()
    except NeurohwError:
        raise
    except ImportError as error:
        raise Unsupported(f"{file}: {error}; install it to read this format") from None
    except Exception as error:  # third-party readers raise anything on a malformed file
        raise BadInput(f"{file}: cannot be read: {type(error).__name__}: {error}") from None
