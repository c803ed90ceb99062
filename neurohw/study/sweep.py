"""A sweep: the chips of a mapping at every level of chosen numbers, on several specimens; resumable, in one process or many.

A *point* is one chip at one combination of levels, as one specimen. Points are independent of each other: each is run
wherever there is room (here, in other processes, on a cluster) and gives the same numbers there. What a point found is
written as soon as it is known, under the hash of everything that determines it; a sweep that was interrupted, or is given
more levels or specimens, goes on with what is missing.

    sweep_points -> sweep_runner -> sweep_store -> sweep_result (-> sweep_picture)
"""

from pathlib import Path

from neurohw.mapping import Mapping
from neurohw.study import sweep_store as store
from neurohw.study.experiment import Progress, quiet
from neurohw.study.sweep_points import label, points
from neurohw.study.sweep_result import Sweep
from neurohw.study.sweep_runner import run_points


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
    place = folder / "points"
    place.mkdir(parents=True, exist_ok=True)
    files = {point: place / f"{store.name_of(mapping, point, first_trial)}.json" for point in every}
    found = {point: result for point in every if (result := store.stored(point, files[point])) is not None}
    missing = [point for point in every if point not in found]
    for point, result in run_points(mapping, missing, first_trial, workers, scheduler):
        found[point] = result
        store.store(result, files[point])
        progress(f"{point.chip}, {label(point.levels)}", len(found) / len(every))
    return Sweep(mapping, tuple(found[point] for point in every))
