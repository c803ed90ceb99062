"""neurohw train: learning with the chip in the loop."""

from typing import Annotated

import typer

from neurohw.cli.shared import MappingName, Out, Quiet, command_line, out_folder, progress_bar


def train(
    mapping: MappingName,
    out: Out = None,
    quiet: Quiet = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, whatever checkpoints there are.")] = False,
) -> None:
    """Learn with the chip in the loop; interrupted, it goes on where it stopped. Example: neurohw train pattern_pcm"""
    from neurohw.mapping import load_mapping
    from neurohw.study.training import train as learn

    loaded = load_mapping(mapping)
    folder = out_folder(out, loaded.path)
    with progress_bar(quiet) as progress:
        found = learn(loaded, folder / "checkpoints", progress, fresh)
    found.write(folder, command_line())
    if not quiet:
        print(found)
        print(f"report: {folder / 'report.html'}")
