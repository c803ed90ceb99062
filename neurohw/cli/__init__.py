"""The command line, a file for each command.

Exit status: 0 done, 1 a difference was found, 2 bad input (one line on stderr), 130 interrupted.
"""

import sys
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import typer

from neurohw import __version__
from neurohw.cli import ablate, calibrate, compare, devices, init, map_, pynn, run, sweep, train, verify
from neurohw.errors import NeurohwError, NeurohwWarning, one_line

COMMANDS: dict[str, Callable[..., None]] = {
    "map": map_.map_,
    "run": run.run,
    "compare": compare.compare,
    "calibrate": calibrate.calibrate,
    "train": train.train,
    "sweep": sweep.sweep,
    "ablate": ablate.ablate,
    "verify": verify.verify,
    "init": init.init,
}
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(devices.app, name="devices")
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)
app.command("pynn", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(pynn.pynn)

INTERRUPTED = 130


def main() -> None:
    """Run a command; turn every error of ours into one line and an exit status."""
    warnings.showwarning = _show_warning
    try:
        status = app(args=sys.argv[1:] or ["--help"], prog_name="neurohw", standalone_mode=False)
    except NeurohwError as error:
        status = _fail(error)
    except MemoryError:
        status = _fail("out of memory; make the network smaller or record less")
    except OSError as error:
        status = _fail(f"{error.strerror}: {error.filename}" if error.filename else error)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except Exception as error:
        if not hasattr(error, "format_message"):  # what typer raises for a command that is not understood
            raise
        status = _fail(f"{error.format_message().rstrip('.')}; see {_command_of(error)} --help")
    if status == INTERRUPTED:
        _fail("interrupted; no file was left half-written")
    sys.exit(status if isinstance(status, int) else 0)


def _fail(error: Any) -> int:
    print(f"neurohw: {one_line(error)}", file=sys.stderr)
    return 2


def _command_of(error: Any) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else "neurohw"


def _show_warning(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
    """A warning of ours in one line; of others as Python shows it."""
    ours = issubclass(category, NeurohwWarning)
    text = (
        f"neurohw: warning: {one_line(message)}\n"
        if ours
        else warnings.formatwarning(message, category, filename, lineno, line)
    )
    (file or sys.stderr).write(text)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """One spiking network, many kinds of neuromorphic hardware, held against a reference."""
    if version:
        print(__version__)
        raise typer.Exit
