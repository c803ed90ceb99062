"""Files written all or nothing, and HDF5 files of unknown origin opened without trusting them."""

import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from neurohw.errors import BadInput, NeurohwError
from neurohw.memory import available_bytes

MAX_INFLATION = 1032
"""The most that deflate can inflate a byte to; a dataset that declares more holds nothing behind its shape."""

FAULTS = (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError, OverflowError, MemoryError)
"""What h5py raises on malformed files."""


@contextmanager
def atomically(path: Any) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well, and vanishes when it does not."""
    target = Path(path)
    if not target.parent.is_dir():
        raise BadInput(f"{target}: there is no folder {target.parent}; make it first")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    os.close(handle)
    try:
        yield Path(name)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


@contextmanager
def open_hdf5(path: Any) -> Iterator[Any]:
    """An HDF5 file of unknown origin, open for reading.

    Before anything is read, links to other files, foreign filters, and shapes that the bytes of the file or the memory
    of this computer cannot hold are refused. Any fault, also inside the block, is BadInput naming `path`.
    """
    import h5py

    if not Path(path).is_file():
        raise BadInput(f"{path}: there is no such file")
    try:
        with h5py.File(path, "r", track_order=True) as file:
            _check_objects(file, str(path), [Path(path).stat().st_size * MAX_INFLATION, available_bytes()], set())
            yield file
    except NeurohwError:
        raise
    except FAULTS as error:
        raise BadInput(f"{path}: not a readable HDF5 file of this kind: {error}") from None


def _check_objects(group: Any, where: str, budgets: list[float], seen: set[Any], depth: int = 0) -> None:
    import h5py

    for key in group:
        place = f"{where}: {group.name.rstrip('/')}/{key}"
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise BadInput(f"{place}: a link to elsewhere; only plain datasets are read")
        item = group[key]
        if item.id in seen or depth > 32:
            raise BadInput(f"{place}: linked more than once or nested too deeply")
        seen.add(item.id)
        if isinstance(item, h5py.Group):
            _check_objects(item, where, budgets, seen, depth + 1)
            continue
        if not isinstance(item, h5py.Dataset):
            raise BadInput(f"{place}: neither a group nor a dataset")
        if item.is_virtual or item.external or item.compression not in (None, "gzip", "lzf"):
            raise BadInput(f"{place}: virtual, external or with a foreign filter; only plain datasets are read")
        declared = max(item.nbytes, math.prod(item.chunks or (0,)) * item.dtype.itemsize)
        budgets[:] = [budget - declared for budget in budgets]
        if declared > MAX_INFLATION * item.id.get_storage_size() + 64 or budgets[0] < 0:
            raise BadInput(f"{place}: declares shape {item.shape}, far more than the file holds")
        if budgets[1] < 0:
            raise BadInput(f"{place}: shape {item.shape} does not fit in this computer's memory")
