"""Where compiled kernels are kept on disk: a folder for each state of the package's source files.

Numba's own cache looks at the file of a function only. It does not notice an edit in a function that another compiled one
calls, so after an update of the package it would run kernels of the version before. A folder named after every source
file's path, size and time of change cannot be stale.
"""

import contextlib
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
VARIABLE = "NUMBA_CACHE_DIR"
"""Numba's own setting. What a user set is left as it is; what another process of this package set is not."""
PREFIX = f"kernels-{sys.implementation.cache_tag}-"
KEPT = 24 * 3600.0
"""Seconds for which a folder is kept that nobody asks for: a process of the version before may still be running."""


def choose() -> None:
    """Tell Numba where to keep the kernels of this state of the package.

    Where the package cannot be written to, the folder lies in the user's cache ($XDG_CACHE_HOME, by default ~/.cache), and
    where that cannot be either, Numba is left to its own ways.
    """
    given = os.environ.get(VARIABLE, "")
    if given and not Path(given).name.startswith("kernels-"):
        return
    name = PREFIX + state(PACKAGE)
    folder = next((str(parent / name) for parent in _parents() if _made(parent / name)), "")
    os.environ[VARIABLE] = folder
    if "numba" in sys.modules:  # it has read its settings already
        sys.modules["numba"].config.CACHE_DIR = folder


def state(package: Path) -> str:
    """A digest of the path, size and time of change of all source files below `package`."""
    found = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        status = path.stat()
        found.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return found.hexdigest()[:16]


def _parents() -> Iterator[Path]:
    yield PACKAGE / "__pycache__"
    with contextlib.suppress(RuntimeError):  # there may be no home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "neurohw"


def _made(folder: Path) -> bool:
    """Whether the folder is there and can be written to; those of other states that nobody asked for lately are removed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        others = [old for old in folder.parent.glob(f"{PREFIX}*") if old.stat().st_mtime < time.time() - KEPT]
    except OSError:
        return False
    for old in others:
        shutil.rmtree(old, ignore_errors=True)
    return os.access(folder, os.W_OK)
