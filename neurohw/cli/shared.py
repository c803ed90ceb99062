"""What the commands share: their common options, folders for results, a progress bar, text that is safe to print."""

import itertools
import json
import shlex
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from neurohw.errors import BadInput
from neurohw.files import atomically

Out = Annotated[Path | None, typer.Option("--out", help="Folder for results; by default out/NAME.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**62, help="The first trial's seed.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar, no summary.")]
MappingName = Annotated[str, typer.Argument(metavar="MAPPING", help="A name in mappings/ or a file.")]


def command_line() -> str:
    """The command as it was typed, for manifests."""
    return shlex.join(["neurohw", *sys.argv[1:]])


def out_folder(out: Path | None, mapping: Path) -> Path:
    folder = out or Path("out") / mapping.stem
    check_writable(folder, "--out")
    return folder


def check_writable(folder: Path, option: str) -> None:
    """Whether results can be written into a folder, found out before they are computed; it is not made yet."""
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not existing.is_dir():
        raise BadInput(f"{option} {folder}: {existing} is a file; give a folder")
    try:
        with tempfile.TemporaryDirectory(dir=existing, prefix=".neurohw-"):
            pass
    except OSError as error:
        raise BadInput(f"{option} {folder}: cannot write there ({error.strerror}); give another folder") from None


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def folder_names(names: Iterable[str]) -> dict[str, str]:
    """A folder for each chip, with its name as far as every file system takes it."""
    found: dict[str, str] = {}
    for name in names:
        plain = (
            "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name[:80]).lstrip(".") or "chip"
        )
        taken = {folder.lower() for folder in found.values()}
        numbered = (plain if k == 1 else f"{plain}-{k}" for k in itertools.count(1))
        found[name] = next(folder for folder in numbered if folder.lower() not in taken)
    return found


def write_json(path: Path, data: Any) -> None:
    made(path.parent)
    with atomically(path) as temporary:
        temporary.write_text(json.dumps(data, indent=2, allow_nan=False), encoding="utf-8")


def printable(thing: Any) -> str:
    """As text that no terminal takes for commands: file names and keys come from others."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(thing))


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Any]:
    if quiet:
        yield lambda what, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    hidden, both = not console.is_terminal, sys.stdout.isatty()  # where stdout is a file, it keeps what is for it
    with Progress(*columns, console=console, transient=True, disable=hidden, redirect_stdout=both) as bar:
        task = bar.add_task("starting", total=1.0)

        def show(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        yield show
