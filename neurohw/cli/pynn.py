"""neurohw pynn: an unmodified PyNN script on a chip."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def pynn(
    context: typer.Context,
    script: Annotated[Path, typer.Argument(help="A PyNN script.")],
    device: Annotated[str, typer.Option("--device", help="A name in devices/ or a file.")] = "reference",
) -> None:
    """Run an unmodified PyNN script on a chip. Example: neurohw pynn script.py --device spinnaker-spin5"""
    from neurohw.frontends.pynn.capture import run_script

    print(run_script(script, context.args, device=device), file=sys.stderr)
