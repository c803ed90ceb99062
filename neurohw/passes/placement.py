"""What a crossbar program's report says of where things are: each stack of tiles, how full it is, and its drivers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.dac import Dac
from neurohw.network import RECEPTORS
from neurohw.program import Program
from neurohw.report import Loss

MOST = 12
"""Stacks that are listed one by one."""


def placement(program: Program, payload: Any) -> list[str | Loss]:
    """One sentence for each stack of tiles (or one for all, where there are many), and what the drivers round to zero."""
    tiles, rows, columns = payload.shape
    used = np.bincount(payload.row_tiles, minlength=tiles)
    cell, synapse = payload.table.columns["cell"], payload.table.columns["synapse"]
    filled = np.bincount(cell[synapse] // (rows * columns), minlength=tiles)
    found: list[str | Loss] = []
    stacks = np.unique(payload.stacks)
    if stacks.size > MOST:
        share = np.sort(filled) / (rows * columns)
        found.append(
            f"{tiles} tiles in {stacks.size} stacks; rows in use per tile {used.min()} to {used.max()} of {rows}; crossings "
            f"with a synapse per tile {100 * share[0]:.2g} to {100 * share[-1]:.2g} %, median {100 * np.median(share):.2g} %"
        )
    else:
        found += [_stack(program, s, np.flatnonzero(payload.stacks == s), used, filled, rows * columns) for s in stacks]
    return found + _silent(program)


def _stack(
    program: Program,
    stack: int,
    tiles: NDArray[np.int64],
    used: NDArray[np.int64],
    filled: NDArray[np.int64],
    size: int,
) -> str:
    part, receptor = program.slices[stack // 2], RECEPTORS[stack % 2]
    numbers = f"tile {tiles[0]}" if tiles.size == 1 else f"tiles {tiles[0]} to {tiles[-1]}"
    share = 100 * filled[tiles].sum() / (size * tiles.size)
    return (
        f"{numbers}: {receptor} columns of {part.population} {part.first} to {part.last - 1}, {used[tiles].sum()} rows, "
        f"{share:.2g} % of the crossings carry a synapse"
    )


def _silent(program: Program) -> list[str | Loss]:
    """Projections whose read amplitude is less than half a code of the row drivers."""
    dac: Dac | None = program.device.effect("dac")
    if dac is None or program.device.is_ideal:
        return []
    network, unit = program.network, program.scaling.unit
    found: list[str | Loss] = []
    for name, p in network.projections.items():
        largest = max(
            unit[q.name] for q in network.projections.values() if (q.target, q.receptor) == (p.target, p.receptor)
        )
        if dac.codes(np.array(unit[name] / largest)) == 0:
            n = network.expected_synapses(name)
            why = f"their read amplitude is {unit[name] / largest:.2g} of the largest, less than half a code of {dac.bits:g} bits"
            found.append(Loss("weights rounded to zero", n, n, name, why, "choose weight_scaling: per receptor"))
    return found
