"""neurohw sweep: numbers varied over specimens."""

import sys
from typing import Annotated

import typer

from neurohw.cli.shared import MappingName, Out, Quiet, Seed, command_line, out_folder, progress_bar
from neurohw.errors import one_line


def sweep(
    mapping: MappingName,
    out: Out = None,
    seed: Seed = 0,
    quiet: Quiet = False,
    workers: Annotated[int, typer.Option("--workers", min=1, max=1024, help="Processes on this computer.")] = 1,
    scheduler: Annotated[str | None, typer.Option("--scheduler", help="Address of a Dask scheduler, instead.")] = None,
) -> None:
    """Vary numbers over specimens: sweep.csv, sweep.json, sweep.png; resumable. Example: neurohw sweep synfire_distortion"""
    from neurohw.mapping import load_mapping
    from neurohw.study.experiment import provenance
    from neurohw.study.sweep import sweep as run_all
    from neurohw.study.sweep_points import points

    loaded = load_mapping(mapping)
    points(loaded)
    folder = out_folder(out, loaded.path)
    with progress_bar(quiet) as progress:
        result = run_all(loaded, folder, seed, workers, scheduler, progress)
    result.write(folder, provenance(loaded, command_line()))
    if not quiet:
        print(f"{len(result.results)} points, {len(result.problems)} refused; {folder / 'sweep.csv'}")
    for problem in result.problems[:3]:
        print(f"neurohw: refused: {one_line(problem.problem)}", file=sys.stderr)
    if len(result.problems) == len(result.results):
        raise typer.Exit(2)
