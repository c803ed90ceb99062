"""A program's tables as files that other tools read: where everything sits, routing keys, and every synapse."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurohw.files import atomically
from neurohw.kernels.lowering import blocks
from neurohw.program import Program, TableEntry


def export_program(program: Program, folder: Path) -> None:
    """placement.csv, routing_tables.csv (where there are any), report.json and one NumPy file per projection.

    placement: `extension` marks cores that only hold back the spikes of those neurons. A projection's file has source,
    target, weight, delay_ms of every synapse.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with atomically(folder / "placement.csv") as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["population", "first", "last", "x", "y", program.device.machine.unit_word, "key", "mask", "extension"]
        )
        for number, part in enumerate((*program.slices, *program.extensions)):
            assert part.site is not None
            place = [part.population, part.first, part.last - 1, part.site.x, part.site.y, part.site.unit]
            writer.writerow([*place, *_key(program, number), int(number >= len(program.slices))])
    if program.routing is not None and program.routing.tables:
        _export_tables(program.routing.tables, folder / "routing_tables.csv")
    with atomically(folder / "report.json") as temporary:
        temporary.write_text(json.dumps(program.report.as_dict(), indent=2, default=str))
    _export_synapses(program, folder)


def export_tables(tables: Mapping[str, Sequence[Any]], folder: Path) -> None:
    """NAME.csv for each table of rows that are named tuples."""
    for name, rows in tables.items():
        if rows:
            with atomically(folder / f"{name}.csv") as temporary, temporary.open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(rows[0]._fields)
                writer.writerows(rows)


def _key(program: Program, number: int) -> tuple[str, str]:
    """The key and mask of a slice or extension; empty where it has none."""
    routing = program.routing
    if routing is None or routing.keys is None or routing.masks is None or routing.keys[number] < 0:
        return "", ""
    return f"0x{routing.keys[number]:08x}", f"0x{routing.masks[number]:08x}"


def _export_tables(tables: Mapping[tuple[int, int], tuple[TableEntry, ...]], path: Path) -> None:
    """One line for each entry, in the order in which a router tries them; several links or cores are joined by spaces."""
    with atomically(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["x", "y", "entry", "key", "mask", "links", "cores", "defaultable"])
        for (x, y), table in tables.items():
            for number, entry in enumerate(table):
                ways = (" ".join(map(str, entry.links)), " ".join(map(str, entry.cores)))
                writer.writerow(
                    [x, y, number, f"0x{entry.key:08x}", f"0x{entry.mask:08x}", *ways, int(entry.defaultable)]
                )


def _export_synapses(program: Program, folder: Path) -> None:
    names = list(program.network.projections)
    parts: dict[str, list[tuple[np.ndarray, ...]]] = {name: [] for name in names}
    for block in blocks(program):
        for k in np.unique(block.projections):
            mine, p = block.projections == k, program.network.projections[names[k]]
            parts[names[k]].append((
                block.rank[mine], block.sources[mine] - program.origin.first[p.source],
                block.targets[mine] - program.origin.first[p.target], block.weights[mine], block.steps[mine] * program.dt,
            ))  # fmt: skip
    for number, name in enumerate(names):
        rank, source, target, weight, delay = (
            (np.concatenate(c) for c in zip(*parts[name], strict=True)) if parts[name] else [np.empty(0)] * 5
        )
        order = np.argsort(rank)
        with atomically(folder / f"projection-{number}.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file, name=name, source=source[order], target=target[order], weight=weight[order], delay_ms=delay[order]
            )
