"""Recorded files of unknown origin, JSON and `.npz`, read without trusting what they declare."""

import json
import struct
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from neurohw.errors import BadInput, NeurohwError
from neurohw.files import MAX_INFLATION
from neurohw.memory import available_bytes

Shape = tuple[int | None, ...]
LARGEST_JSON = 256 << 20
PER_BYTE = 16  # what a byte of JSON may take as Python objects
FAULTS = (
    OSError, ValueError, TypeError, KeyError, RuntimeError, OverflowError, EOFError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy and zipfile raise on malformed files."""


def read_json(path: Path) -> Any:
    """The JSON text in `path`; raises BadInput for what is no JSON, holds NaN, or does not fit in memory."""
    size = path.stat().st_size
    if size > min(LARGEST_JSON, available_bytes() // PER_BYTE):
        raise BadInput(
            f"{path}: {size >> 20} MiB of JSON; at most {LARGEST_JSON >> 20} MiB are read, as far as memory allows"
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: not readable JSON: {error}") from None


def _not_a_number(text: str) -> Any:
    raise ValueError(f"{text} is no number that JSON has")


def read_columns(
    path: Path, rows: int, required: Collection[str], known: Collection[str]
) -> dict[str, NDArray[np.int64]]:
    """The columns of an `.npz`: whole numbers, `rows` in each. Headers are checked before any column is unpacked.

    Raises BadInput, also for a column that is not `known` and for a `required` one that is missing.
    """
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file; the columns lie beside the .json under the same name")
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            _check_names(path, members, required, known)
            if rows * 16 * len(members) > available_bytes():
                raise BadInput(f"{path}: {rows} rows of {len(members)} columns do not fit in this computer's memory")
            return {name: _column(archive, info, f"{path}: {name}", rows) for name, info in members.items()}
    except NeurohwError:
        raise
    except FAULTS as error:
        raise BadInput(f"{path}: not a readable .npz file: {error}") from None


def _check_names(path: Path, found: Collection[str], required: Collection[str], known: Collection[str]) -> None:
    for name in found:
        if name not in known:
            raise BadInput(f"{path}: unknown column {name[:80]!r}; there are {', '.join(known)}")
    missing = [name for name in required if name not in found]
    if missing:
        raise BadInput(f"{path}: column {missing[0]!r} is missing")


def _column(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, rows: int) -> NDArray[np.int64]:
    if info.file_size > MAX_INFLATION * info.compress_size + 64:
        raise BadInput(
            f"{where}: declares {info.file_size} bytes, more than {info.compress_size} packed bytes can hold"
        )
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInput(f"{where}: packed by a method that NumPy does not write")
    with archive.open(info) as stream:
        shape, _, dtype = _header(stream)
        if shape != (rows,):
            raise BadInput(f"{where}: shape {shape}; n_steps * n_neurons = {rows} rows are expected")
        if dtype.kind not in "iub":
            raise BadInput(f"{where}: type {dtype}; whole numbers are expected (the raw words)")
        data = stream.read(rows * dtype.itemsize)
        if len(data) != rows * dtype.itemsize or stream.read(1):
            raise BadInput(f"{where}: not as long as its header says")
    column = np.frombuffer(data, dtype)
    if dtype == np.uint64 and column.max(initial=0) > np.iinfo(np.int64).max:
        raise BadInput(f"{where}: numbers beyond 63 bits")
    return column.astype(np.int64)


def read_arrays(path: Path, required: Mapping[str, Shape], optional: Mapping[str, Shape]) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz`: finite numbers of these shapes (None: any length). Raises BadInput."""
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file; the arrays lie beside the .json under the same name")
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            _check_names(path, members, required, [*required, *optional])
            known = {**required, **optional}
            return {name: _array(archive, info, f"{path}: {name}", known[name]) for name, info in members.items()}
    except NeurohwError:
        raise
    except FAULTS as error:
        raise BadInput(f"{path}: not a readable .npz file: {error}") from None


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, expected: Shape) -> NDArray[Any]:
    if info.file_size > min(MAX_INFLATION * info.compress_size + 64, available_bytes() // 4):
        raise BadInput(
            f"{where}: declares {info.file_size} bytes, more than {info.compress_size} packed bytes can hold"
        )
    with archive.open(info) as stream:
        shape, by_columns, dtype = _header(stream)
        fits = len(shape) == len(expected) and all(
            want in (None, have) for want, have in zip(expected, shape, strict=False)
        )
        if not fits or dtype.kind not in "iubf":
            raise BadInput(f"{where}: {dtype} of shape {shape}; numbers of shape {expected} are expected")
        n_bytes = int(np.prod(shape)) * dtype.itemsize
        data = stream.read(n_bytes)
        if len(data) != n_bytes or stream.read(1):
            raise BadInput(f"{where}: not as long as its header says")
    found = np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C")
    if not np.isfinite(found).all():
        raise BadInput(f"{where}: holds NaN or infinity")
    return found


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first index runs fastest, type."""
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"array format {version}")
    return (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(stream)
