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
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
VARIABLE = "NUMBA_CACHE_DIR"
"""Numba's own setting. Where it is set already, it is left as it is."""
PREFIX = "kernels-"


def choose() -> None:
    """Tell Numba where to keep the kernels of this state of the package, and drop those of older states.

    Where the package cannot be written to, the folder lies in the user's cache ($XDG_CACHE_HOME, by default ~/.cache), and
    where that cannot be either, Numba is left to its own ways.
    """
    if os.environ.get(VARIABLE):
        return
    name = PREFIX + state(PACKAGE)
    for parent in (
        PACKAGE / "__pycache__",
        Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "neurohw",
    ):
        folder = parent / name
        if (folder.is_dir() and os.access(folder, os.W_OK)) or _made(folder):
            os.environ[VARIABLE] = str(folder)
            if "numba" in sys.modules:  # it has read its settings already
                sys.modules["numba"].config.CACHE_DIR = str(folder)
            return


def state(package: Path) -> str:
    """A digest of the path, size and time of change of all source files below `package`."""
    found = hashlib.sha256(sys.version.encode())
    for path in sorted(package.rglob("*.py")):
        status = path.stat()
        found.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return found.hexdigest()[:16]


def _made(folder: Path) -> bool:
    """Make a new folder, and remove those of other states of this package: nothing will ask for them again."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    if folder.parent.parent == PACKAGE:  # the user's cache may serve several installations
        for old in folder.parent.glob(f"{PREFIX}*"):
            if old != folder:
                with contextlib.suppress(OSError):
                    shutil.rmtree(old)
    return True
