"""PyNN scripts from outside: run one as it is on a chip, or take the network that it builds."""

import runpy
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyNN

from neurohw.errors import BadInput, NeurohwError
from neurohw.frontends import pynn
from neurohw.frontends.pynn.experiment import Captured
from neurohw.frontends.pynn.simulator import state
from neurohw.network import Network


def capture(script: Path | str, args: Sequence[str] = ()) -> Network:
    """The network of a PyNN script as it stands at the script's first run(); the script goes no further.

    The script is executed, with `args` as its command line; what it prints is printed. Alternating and noisy currents
    are those of the first run.
    Raises BadInput, naming the script and the line, for an error in it, and if it ends without run().
    """
    try:
        with _as_backend(capturing=True):
            _execute(Path(script), args)
    except Captured as captured:
        return replace(captured.network, name=Path(script).stem)
    except SystemExit as stopped:
        raise BadInput(f"{script}: stopped before its first run(), with exit status {stopped.code}") from None
    raise BadInput(f"{script}: ended without run(), so there is no network to take")


def run_script(script: Path | str, args: Sequence[str] = (), **setup: Any) -> str:
    """Run an unmodified PyNN script; its own setup() is given `setup` (device, chip_seed, trial, choices) on top.

    Returns the report of every approximation. Raises BadInput, naming the script and the line, for an error in it; a
    NeurohwError stays what it is. The script's own exit passes through as SystemExit.
    """
    with _as_backend(**setup):
        _execute(Path(script), args)
        return state.experiment.report()


@contextmanager
def _as_backend(capturing: bool = False, **defaults: Any) -> Iterator[None]:
    """While a script runs, neurohw is a backend of PyNN that `pyNN.utility.get_simulator` finds by its name."""
    before = sys.modules.get("pyNN.neurohw")
    sys.modules["pyNN.neurohw"] = pyNN.neurohw = pynn
    state.capturing, state.defaults = capturing, {name: value for name, value in defaults.items() if value is not None}
    try:
        yield
    finally:
        state.capturing, state.defaults = False, {}
        sys.modules.pop("pyNN.neurohw", None)
        del pyNN.neurohw
        if before is not None:
            sys.modules["pyNN.neurohw"] = pyNN.neurohw = before


def _execute(script: Path, args: Sequence[str]) -> None:
    """Run a file as Python would: its own command line, its folder first on the path."""
    if not script.is_file():
        raise BadInput(f"{script}: there is no such file")
    argv, path = sys.argv, list(sys.path)
    sys.argv, sys.path[:0] = [str(script), *map(str, args)], [str(script.resolve().parent)]
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SyntaxError as error:
        raise BadInput(f"{script}: {_at(script, error)}{error.msg}") from error
    except NeurohwError as error:
        raise type(error)(f"{script}: {_at(script, error)}{error}") from error
    except (SystemExit, KeyboardInterrupt, Captured):
        raise
    except BaseException as error:
        raise BadInput(f"{script}: {_at(script, error)}{type(error).__name__}: {error}") from error
    finally:
        sys.argv, sys.path[:] = argv, path
        sys.stdout.flush()


def _at(script: Path, error: BaseException) -> str:
    """ "line 12: ", the line of the script in which an error arose, or nothing."""
    if isinstance(error, SyntaxError) and error.filename == str(script):
        return f"line {error.lineno}: "
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(script)]
    return f"line {lines[-1]}: " if lines else ""
