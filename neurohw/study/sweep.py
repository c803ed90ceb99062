"""A sweep: the chips of a mapping at every level of chosen numbers, on several specimens; resumable, in one process or many.

A *point* is one chip at one combination of levels, as one specimen. Points are independent of each other: each is run
wherever there is room (here, in other processes, on a cluster) and gives the same numbers there. What a point found is
written as soon as it is known, under the hash of everything that determines it; a sweep that was interrupted, or is given
more levels or specimens, goes on with what is missing.
"""

import csv
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from neurohw import workbench
from neurohw.device import Device
from neurohw.device.device import parse_yaml
from neurohw.digest import digest
from neurohw.effects import EFFECTS
from neurohw.errors import BadInput, NeurohwError
from neurohw.files import atomically
from neurohw.frontends import read_network
from neurohw.mapping import ChipEntry, Level, Mapping, mapping_of
from neurohw.program import Program
from neurohw.report import Report
from neurohw.schema import validate
from neurohw.study import statistics
from neurohw.study.experiment import Progress, map_entry, quiet

Levels = tuple[tuple[str, Level], ...]
ALONE = ("age", "dt")
ENTRY = ("choices", "network", *ALONE)
"""What a name in `vary` may begin with, if it is no number of the device."""


@dataclass(frozen=True)
class Point:
    """One chip at one combination of levels, as the specimen `seed`."""

    chip: str
    levels: Levels
    seed: int


@dataclass(frozen=True)
class Row:
    """A statistic of a population in one trial of a point: mean and standard deviation over `size` numbers."""

    population: str
    statistic: str
    trial: int
    mean: float | None
    deviation: float | None
    size: int


@dataclass(frozen=True)
class Result:
    """What a point gave; `problem` where the chip refuses the network at these levels. losses: what -> (count, of)."""

    point: Point
    rows: tuple[Row, ...] = ()
    losses: dict[str, tuple[float, float]] | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Sweep:
    """All results, in the order of the points."""

    mapping: Mapping
    results: tuple[Result, ...]

    @property
    def problems(self) -> list[Result]:
        return [result for result in self.results if result.problem]

    def summary(self) -> dict[tuple[str, Levels, str, str], np.ndarray]:
        """(chip, levels, population, statistic) -> the mean over trials of each specimen that has any."""
        found: dict[tuple[str, Levels, str, str], list[float]] = {}
        for result in self.results:
            trials: dict[tuple[str, str], list[float]] = {}
            for row in result.rows:
                values = trials.setdefault((row.population, row.statistic), [])
                if row.mean is not None:
                    values.append(row.mean)
            for (population, statistic), values in trials.items():
                key = (result.point.chip, result.point.levels, population, statistic)
                found.setdefault(key, []).extend([float(np.mean(values))] if values else [])
        return {key: np.array(values) for key, values in found.items()}

    def write(self, folder: Path, manifest: dict[str, Any]) -> None:
        """sweep.csv (a line for each statistic of each trial), sweep.json (means over specimens), sweep.png."""
        from neurohw.study.sweep_picture import sweep_picture

        axes = list(dict.fromkeys(name for result in self.results for name, _ in result.point.levels))
        with atomically(folder / "sweep.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["chip", *axes, "seed", "trial", "population", "statistic", "mean", "deviation", "size"])
            for result in self.results:
                levels = dict(result.point.levels)
                head = [result.point.chip, *(levels.get(axis, "") for axis in axes), result.point.seed]
                for row in result.rows:
                    values = [row.trial, row.population, row.statistic, row.mean, row.deviation, row.size]
                    writer.writerow([*head, *("" if value is None else value for value in values)])
        with atomically(folder / "sweep.json") as temporary:
            told = {"manifest": manifest, **self.as_dict()}
            temporary.write_text(json.dumps(told, indent=2, allow_nan=False), encoding="utf-8")
        with atomically(folder / "sweep.png") as temporary:
            temporary.write_bytes(sweep_picture(self))

    def as_dict(self) -> dict[str, Any]:
        """Means and standard deviations over specimens, what was lost on average, and which points were refused."""
        groups = [
            {
                "chip": chip, "levels": dict(levels), "population": population, "statistic": statistic,
                "specimens": values.size,
                "mean": float(values.mean()) if values.size else None,
                "deviation": float(values.std(ddof=1)) if values.size > 1 else None,
            }
            for (chip, levels, population, statistic), values in self.summary().items()
        ]  # fmt: skip
        losses = [
            {"chip": r.point.chip, "levels": dict(r.point.levels), "seed": r.point.seed, "losses": r.losses}
            for r in self.results
            if r.losses
        ]
        problems = [
            {"chip": r.point.chip, "levels": dict(r.point.levels), "seed": r.point.seed, "problem": r.problem}
            for r in self.problems
        ]
        return {"statistics": groups, "losses": losses, "problems": problems}


def sweep(
    mapping: Mapping,
    folder: Path,
    first_trial: int = 0,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Progress = quiet,
) -> Sweep:
    """Run every point that is not in `folder` yet; the results are those of one process, whoever ran them.

    workers: processes on this computer. scheduler: the address of a Dask scheduler, instead.
    Raises BadInput, before anything runs, if the mapping has no `sweep`, or a level cannot be set.
    """
    every = points(mapping)
    store = folder / "points"
    store.mkdir(parents=True, exist_ok=True)
    files = {point: store / f"{_digest(mapping, point, first_trial)}.json" for point in every}
    found = {point: result for point in every if (result := _stored(point, files[point])) is not None}
    missing = [point for point in every if point not in found]
    for point, result in _run(mapping, missing, first_trial, workers, scheduler):
        found[point] = result
        _store(result, files[point])
        progress(f"{point.chip}, {label(point.levels)}", len(found) / len(every))
    return Sweep(mapping, tuple(found[point] for point in every))


def points(mapping: Mapping) -> list[Point]:
    """Every point of a mapping once, grid after grid. Raises BadInput for what cannot be set, or what no chip has."""
    return list(dict.fromkeys(point for grid in grids(mapping) for point in grid))


def grids(mapping: Mapping) -> list[list[Point]]:
    """The points of each grid: chip after chip, every combination, every specimen.

    A number that a chip does not have, since it is ideal, the reference, or its effect is left out, is not varied on it,
    and if it has none of a grid's numbers, its choices are not either. An ideal chip has one specimen.
    """
    given = mapping.file.sweep
    if given is None:
        raise BadInput(
            f"{mapping.path}: sweep: missing; write for example "
            "sweep: {specimens: 5, vary: [{weight_noise.sigma: [0, 0.25, 0.5]}]}"
        )
    return [_points_of(mapping, grid, given.specimens) for grid in given.vary]


def _points_of(mapping: Mapping, grid: dict[str, list[Level]], specimens: int) -> list[Point]:
    found, used = [], set()
    for name, (entry, device) in _devices(mapping).items():
        own = {axis for axis in grid if axis.partition(".")[0] not in ENTRY}
        here = {axis for axis in grid if _applies(device, axis, mapping)}
        left_out = set() if here & own or not own else here - _network(here)
        axes = {axis: levels for axis, levels in grid.items() if axis in here - left_out}
        used |= set(axes)
        seeds = [entry.seed] if device.is_unlimited else [entry.seed + k for k in range(specimens)]
        for combination in itertools.product(*axes.values()):
            levels = tuple(zip(axes, combination, strict=True))
            _changed(mapping, name, levels)
            found += [Point(name, levels, seed) for seed in seeds]
    if unused := [axis for axis in grid if axis not in used]:
        raise BadInput(f"{mapping.path}: sweep.vary: no chip of this mapping has {unused[0]!r}")
    return found


def run_point(mapping: Mapping, point: Point, first_trial: int = 0) -> Result:
    """Map, fabricate, run all trials, and measure: everything that belongs to one point."""
    try:
        program = _program(mapping, point.chip, point.levels)
        entry, _ = _changed(mapping, point.chip, point.levels)
        chip = workbench.fabricate(program.device, point.seed)
        chip.load(program)
        if entry.age is not None:
            chip.wait(entry.age)
        trials = list(range(first_trial, first_trial + mapping.file.trials))
        recordings = workbench.run(program, chip, mapping.file.duration, trials, mapping.stimulus)
    except NeurohwError as error:
        return Result(point, problem=str(error))
    chosen = (mapping.file.sweep.populations if mapping.file.sweep else []) or list(program.network.neurons)
    rows = []
    for trial, recording in zip(trials, recordings, strict=True):
        kept = statistics.after(recording, mapping.file.discard)
        for population in chosen:
            for name in mapping.file.measure:
                sample = statistics.sample(name, kept, population)
                mean, deviation = (float(f(sample)) if sample.size else None for f in (np.mean, np.std))
                rows.append(Row(population, name, trial, mean, deviation, int(sample.size)))
    return Result(point, tuple(rows), _losses(Report.merged([program.report, *(r.report for r in recordings)])))


def _run_point(path: str, text: str, point: Point, first_trial: int) -> Result:
    """The same in another process, which is given the file as it was when the sweep began."""
    return run_point(_mapping(path, text), point, first_trial)


@lru_cache(maxsize=1)
def _mapping(path: str, text: str) -> Mapping:
    return mapping_of(text, parse_yaml(text, path), Path(path))


@lru_cache(maxsize=1)
def _program(mapping: Mapping, chip: str, levels: Levels) -> Program:
    """The program of a chip at these levels: specimens share it."""
    entry, device = _changed(mapping, chip, levels)
    section = {**mapping.file.network, **_of(levels, "network")}
    network = read_network(section, mapping.path.parent, f"{mapping.path}: network")
    return map_entry(mapping, network, entry, device)


@lru_cache(maxsize=4)
def _devices(mapping: Mapping) -> dict[str, tuple[ChipEntry, Device]]:
    """The chips of a mapping, whose files are read once."""
    return mapping.devices()


@lru_cache(maxsize=1000)
def _changed(mapping: Mapping, chip: str, levels: Levels) -> tuple[ChipEntry, Device]:
    """A chip of the mapping at these levels. Raises BadInput where one cannot be set."""
    entry, device = _devices(mapping)[chip]
    where = f"{mapping.path}: sweep.vary: "
    try:
        for name, value in levels:
            if name.partition(".")[0] not in ENTRY:
                device = device.with_(**{name: value})
        told = {**entry.model_dump(by_alias=True), **{name: value for name, value in levels if name in ALONE}}
        entry = validate(ChipEntry, {**told, "choices": {**entry.choices, **_of(levels, "choices")}}, chip)
        device.choices(entry.choices)
    except BadInput as error:
        raise BadInput(f"{where}{error}") from None
    return entry, device


def _of(levels: Levels, prefix: str) -> dict[str, Any]:
    """What the levels say about `choices` or `network`."""
    return {name.partition(".")[2]: value for name, value in levels if name.partition(".")[0] == prefix}


def _network(axes: set[str]) -> set[str]:
    """Those that change the network, which every chip has."""
    return {axis for axis in axes if axis.partition(".")[0] == "network"}


def _applies(device: Device, axis: str, mapping: Mapping) -> bool:
    """Whether this chip has that number. A misspelt effect is an error, one that the chip goes without is not."""
    head = axis.partition(".")[0]
    if head == "network":
        if "name" not in mapping.file.network:
            raise BadInput(f"{mapping.path}: sweep.vary: {axis!r}: only a library network has parameters")
        return True
    if axis == "age" or head == "choices":
        return not device.is_unlimited
    if head in EFFECTS and "." in axis:
        return device.effect(head) is not None
    return axis == "dt" or not device.is_unlimited


def _run(
    mapping: Mapping, missing: Sequence[Point], first_trial: int, workers: int, scheduler: str | None
) -> Iterator[tuple[Point, Result]]:
    """Each point with its result, in the order in which they are ready."""
    if scheduler is None and (workers <= 1 or len(missing) <= 1):
        yield from ((point, run_point(mapping, point, first_trial)) for point in missing)
        return
    with _executor(min(workers, max(1, len(missing))), scheduler) as executor:
        futures = {
            executor.submit(_run_point, str(mapping.path), mapping.text, point, first_trial): point for point in missing
        }
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except (KeyboardInterrupt, CancelledError, GeneratorExit):
            executor.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _executor(workers: int, scheduler: str | None) -> Iterator[Executor]:
    if scheduler is None:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield pool
        return
    try:
        from distributed import Client  # type: ignore[import-not-found]
    except ImportError:
        raise BadInput("--scheduler: Dask is not installed: pip install 'neurohw[cluster]', or use --workers") from None
    try:
        client = Client(scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        raise BadInput(f"--scheduler {scheduler}: no Dask scheduler answers there ({error})") from None
    with client:
        yield client.get_executor()


def _digest(mapping: Mapping, point: Point, first_trial: int) -> str:
    """The hash of everything that determines the result of a point; how many others there are does not."""
    from neurohw import __version__

    entry, device = _changed(mapping, point.chip, point.levels)
    file = mapping.file
    paths = [file.network.get("nir"), file.network.get("pynn"), entry.calibration]
    content = [(mapping.path.parent / path).read_bytes().hex() for path in paths if isinstance(path, str)]
    populations = file.sweep.populations if file.sweep else []
    asked = [dict(file.network), content, file.duration, file.trials, first_trial, list(file.measure), file.discard]
    told = [entry.model_dump_json(exclude={"seed", "name"}), device.fingerprint, device.title]
    stimulus = {name: one.model_dump_json() for name, one in file.stimulus.items()}
    return digest(__version__, asked, list(populations), stimulus, told, list(map(list, point.levels)), point.seed)


def _stored(point: Point, path: Path) -> Result | None:
    """What an earlier run wrote for this point; a file that cannot be read is as good as none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(Row(**row) for row in told["rows"])
        return Result(point, rows, {what: (a, b) for what, (a, b) in told["losses"].items()}, told["problem"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _store(result: Result, path: Path) -> None:
    told = {
        "chip": result.point.chip, "levels": dict(result.point.levels), "seed": result.point.seed,
        "rows": [vars(row) for row in result.rows], "losses": result.losses or {}, "problem": result.problem,
    }  # fmt: skip
    with atomically(path) as temporary:
        temporary.write_text(json.dumps(told, allow_nan=False), encoding="utf-8")


def _losses(report: Report) -> dict[str, tuple[float, float]]:
    """What was lost -> (count, of how many), over all places."""
    found: dict[str, tuple[float, float]] = {}
    for loss in report.losses:
        count, of = found.get(loss.what, (0.0, 0.0))
        found[loss.what] = (count + float(loss.count), of + float(loss.of))
    return {what: (a, b) for what, (a, b) in found.items() if math.isfinite(a) and math.isfinite(b)}


def label(levels: Levels) -> str:
    """The levels of a point in a legend."""
    return ", ".join(f"{name} {value}" for name, value in levels) or "as it is"
