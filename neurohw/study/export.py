"""A program's tables as files that other tools read: where everything sits, routing keys, and every synapse."""

import csv
import json
from pathlib import Path

import numpy as np

from neurohw.files import atomically
from neurohw.kernels.lowering import blocks
from neurohw.program import Program


def export_program(program: Program, folder: Path) -> None:
    """placement.csv, report.json and one NumPy file per projection (source, target, weight, delay in ms)."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomically(folder / "placement.csv") as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["population", "first", "last", "x", "y", program.device.machine.unit_word, "key", "mask"])
        for number, part in enumerate(program.slices):
            assert part.site is not None and program.routing is not None
            keys, masks = program.routing.keys, program.routing.masks
            key = (f"0x{keys[number]:08x}", f"0x{masks[number]:08x}") if keys is not None and masks is not None else ("", "")
            writer.writerow([part.population, part.first, part.last - 1, part.site.x, part.site.y, part.site.unit, *key])
    with atomically(folder / "report.json") as temporary:
        temporary.write_text(json.dumps(program.report.as_dict(), indent=2, default=str))
    _export_synapses(program, folder)


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
        rank, source, target, weight, delay = (np.concatenate(c) for c in zip(*parts[name], strict=True)) if parts[name] else [np.empty(0)] * 5
        order = np.argsort(rank)
        with atomically(folder / f"projection-{number}.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file, name=name, source=source[order], target=target[order], weight=weight[order], delay_ms=delay[order]
            )
