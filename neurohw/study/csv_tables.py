"""Tables of numbers that others wrote: CSV with a header line, and comment lines that begin with #."""

import csv
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput

LARGEST = 64 << 20
"""Bytes of a table that is read."""


class Table(dict[str, NDArray[np.float64]]):
    """Columns by name, all of one length; `lines`: where each row stands in the file."""

    lines: NDArray[np.int64]

    @property
    def rows(self) -> int:
        return self.lines.size


def read_table(path: Path) -> Table:
    """The columns of a CSV file. `nan` and an empty cell are NaN.

    Raises BadInput, with the line, for what is no number, rows of another length, and a file without rows.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path}: {path.stat().st_size >> 20} MiB; a table of at most {LARGEST >> 20} MiB is read")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}; a table is a CSV file in UTF-8") from None
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    rows = list(csv.reader(line for _, line in lines))
    if len(rows) < 2:
        raise BadInput(f"{path}: no rows; a table has a header line and at least one line of numbers")
    names = [name.strip() for name in rows[0]]
    if len(set(names)) < len(names) or not all(names):
        raise BadInput(
            f"{path}: line {lines[0][0]}: each column needs a name of its own, there are {', '.join(names)[:200]}"
        )
    values = np.empty((len(rows) - 1, len(names)))
    for k, row in enumerate(rows[1:]):
        where = f"{path}: line {lines[k + 1][0]}"
        if len(row) != len(names):
            raise BadInput(f"{where}: {len(row)} values for {len(names)} columns")
        values[k] = [_number(cell, f"{where}: {name}") for name, cell in zip(names, row, strict=True)]
    table = Table((name, values[:, k].copy()) for k, name in enumerate(names))
    table.lines = np.array([n for n, _ in lines[1:]])
    return table


def _number(cell: str, where: str) -> float:
    try:
        return float(cell) if cell.strip() else float("nan")
    except ValueError:
        raise BadInput(f"{where}: {cell.strip()[:40]!r} is no number") from None


def check(path: Path, table: Table, needed: Collection[str], at_least: float = -np.inf) -> None:
    """Raise BadInput, with the line, unless the columns are there and hold finite numbers >= at_least."""
    missing = [name for name in needed if name not in table]
    if missing:
        raise BadInput(f"{path}: column {missing[0]!r} is missing; it has {', '.join(table)[:200]}")
    for name in needed:
        bad = ~np.isfinite(table[name]) | (table[name] < at_least)
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            limit = f" >= {at_least:g}" if at_least > -np.inf else ""
            raise BadInput(
                f"{path}: line {table.lines[k]}: {name} is {table[name][k]:g}; it must be a finite number{limit}"
            )
