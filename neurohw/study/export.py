"""A program's tables as files that other tools read: where everything sits, routing keys, and every synapse."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurohw.files import atomically
from neurohw.kernels.circuits import realized
from neurohw.kernels.lowering import placed
from neurohw.kernels.plastic_table import static_only
from neurohw.program import Program, TableEntry


def export_program(program: Program, folder: Path) -> None:
    """placement.csv, routing_tables.csv (where there are any), report.json, and a NumPy file per projection and population.

    placement: `extension` marks cores that only hold back the spikes of those neurons. A projection's file has source,
    target, weight, delay_ms of every synapse, as asked for, and what the device holds for it: `held_` and a column of its
    table (SpiNNaker's 16-bit `weight`; `code` and `circuit`; `target`, a signed conductance in uS, and `cell`, with one
    column per pair), False in `held_realized` where it was lost, and the `unit` of a weight.
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
    _export_neurons(program, folder)


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
    keep = (lambda block: realized(program, block)) if _has_circuits(program) else static_only(program)
    total = 0
    for block, place in placed(program, keep):
        total = max(total, int(place.max(initial=-1)) + 1)
        for k in np.unique(block.projections):
            mine, p = block.projections == k, program.network.projections[names[k]]
            parts[names[k]].append((
                block.rank[mine], block.sources[mine] - program.origin.first[p.source],
                block.targets[mine] - program.origin.first[p.target], block.weights[mine], block.steps[mine] * program.dt,
                place[mine],
            ))  # fmt: skip
    for number, name in enumerate(names):
        rank, source, target, weight, delay, place = (
            (np.concatenate(c) for c in zip(*parts[name], strict=True)) if parts[name] else [np.empty(0, int)] * 6
        )
        order = np.argsort(rank)
        asked = {"source": source, "target": target, "weight": weight, "delay_ms": delay}
        columns = {column: values[order] for column, values in asked.items()}
        columns |= {f"held_{column}": values for column, values in _held(program, name, place[order], total).items()}
        with atomically(folder / f"projection-{number}.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, name=name, **columns, **_units(program, name))


def _has_circuits(program: Program) -> bool:
    return program.routing is not None and bool(program.routing.circuits)


def _held(program: Program, projection: str, places: np.ndarray, total: int) -> dict[str, np.ndarray]:
    """What the device is given for each synapse: the columns of its table (see the payload of the substrate).

    places: in the table of `total` synapses; -1 where the synapse was lost, which `realized` says then.
    """
    table, plastic = getattr(program.payload, "table", None), getattr(program.payload, "plastic", None)
    if table is None:
        return {}
    if plastic is not None and projection in plastic.places:
        return {"weight": plastic.weights[plastic.places[projection]]}
    there = places >= 0
    index = np.where(there, places, 0)
    if (
        "synapse" in table.columns
    ):  # a crossbar: between synapses stand empty crossings, and a synapse may have several pairs
        pairs = np.flatnonzero(table.columns["synapse"])
        per_synapse = max(1, pairs.size // max(1, total))
        index = pairs[index[:, None] * per_synapse + np.arange(per_synapse)] if index.size else index
    found = {name: column[index] for name, column in table.columns.items() if name not in ("synapse", "projection")}
    return found if there.all() else found | {"realized": there}


def _units(program: Program, projection: str) -> dict[str, np.ndarray]:
    """`unit`: the network weight of one word, code or uS, where the device has such; `shift` of a SpiNNaker receptor."""
    found, scaling = {}, program.scaling
    if scaling is not None and projection in scaling.unit:
        found["unit"] = np.array(scaling.unit[projection])
        p = program.network.projections[projection]
        if (p.target, p.receptor) in scaling.shifts:
            found["shift"] = np.array(scaling.shifts[p.target, p.receptor])
    return found


def _export_neurons(program: Program, folder: Path) -> None:
    """population-K.npz: the parameters that each neuron is given, and their codes where the hardware has such."""
    parameters = getattr(program.payload, "parameters", None) or {}
    codes = getattr(program.payload, "codes", None) or {}
    for number, (name, values) in enumerate(parameters.items()):
        coded = {f"code_{cell}": np.asarray(found) for cell, found in codes.get(name, {}).items()}
        with atomically(folder / f"population-{number}.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, name=name, **values, **coded)
