"""neurohw verify: recordings held against the emulator."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from neurohw.cli.shared import printable, progress_bar


def verify(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Traces (.json with .npz), tables (.csv), or folders.")
    ],
    quiet: Annotated[bool, typer.Option("--quiet", help="Only differences and the summary.")] = False,
) -> None:
    """Recorded traces and device tables held against the emulator: exact, or what differs. Example: neurohw verify recordings/"""
    from neurohw.study.verify import summary
    from neurohw.study.verify import verify as hold

    with progress_bar(quiet) as progress:
        found = hold(paths, progress)
    for one in found:
        if one.problem or one.difference is not None or not quiet:
            print(printable(one), file=sys.stderr if one.problem else sys.stdout)
    print(summary(found))
    if any(one.problem for one in found) or not any(one.known for one in found):
        raise typer.Exit(2)
    if any(one.difference is not None for one in found):
        raise typer.Exit(1)
