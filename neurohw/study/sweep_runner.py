"""Running the points of a sweep: here, in other processes, or on a cluster, with the same numbers everywhere."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from neurohw import workbench
from neurohw.device.device import parse_yaml
from neurohw.errors import BadInput, NeurohwError
from neurohw.frontends import read_network
from neurohw.mapping import Mapping, mapping_of
from neurohw.program import Program
from neurohw.report import Report
from neurohw.study import statistics
from neurohw.study.experiment import map_entry
from neurohw.study.sweep_points import Levels, Point, chip_at, told_of
from neurohw.study.sweep_result import Result, Row


def run_points(
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


def run_point(mapping: Mapping, point: Point, first_trial: int = 0) -> Result:
    """Map, fabricate, run all trials, and measure: everything that belongs to one point."""
    try:
        program = _program(mapping, point.chip, point.levels)
        entry, _ = chip_at(mapping, point.chip, point.levels)
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
    entry, device = chip_at(mapping, chip, levels)
    section = {**mapping.file.network, **told_of(levels, "network")}
    network = read_network(section, mapping.path.parent, f"{mapping.path}: network")
    return map_entry(mapping, network, entry, device)


def _losses(report: Report) -> dict[str, tuple[float, float]]:
    """What was lost -> (count, of how many), over all places."""
    found: dict[str, tuple[float, float]] = {}
    for loss in report.losses:
        count, of = found.get(loss.what, (0.0, 0.0))
        found[loss.what] = (count + float(loss.count), of + float(loss.of))
    return {what: (a, b) for what, (a, b) in found.items() if math.isfinite(a) and math.isfinite(b)}
