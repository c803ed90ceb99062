"""neurohw map: what becomes of the network, without running it."""

from pathlib import Path
from typing import Annotated

import typer

from neurohw.cli.shared import MappingName, Quiet, Seed, check_writable, folder_names, progress_bar


def map_(
    mapping: MappingName,
    export: Annotated[Path | None, typer.Option("--export", help="Write tables here.")] = None,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Map only: resources, losses, predicted time, memory and energy. Example: neurohw map vogels_abbott"""
    from neurohw.mapping import load_mapping
    from neurohw.study.experiment import predicted, prepare
    from neurohw.study.export import export_program

    if export is not None:
        check_writable(export, "--export")
    with progress_bar(quiet) as progress:
        experiment = prepare(load_mapping(mapping), seed, progress)
    folders = folder_names(experiment.programs)
    for name, (_, program) in experiment.programs.items():
        if not quiet:
            print(f"{name}\n{program.report}\n{predicted(experiment, program)}\n")
        if export is not None:
            export_program(program, export / folders[name])
