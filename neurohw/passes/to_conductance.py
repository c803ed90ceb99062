"""to_conductance: every synapse becomes a pair of conductances at a crossing of a tile; empty crossings count too.

Columns. A neuron has one column for each receptor that something ends at, since the receptors decay with time constants
of their own and so need two accumulations. The columns of a slice (up to 256 neurons) for one receptor are a `stack` of
tiles.
Rows. A stack has one row for each (source, delay, projection) with a synapse in it; a second synapse between the
same two neurons takes a second row. Weights onto one receptor all have one sign, so of a pair only one arm carries a
weight: G+ for weights > 0, G- for inhibitory currents.
Pairs. With several pairs per synapse a neuron has as many neighboring columns, and each of its synapses as many pairs,
one after another in the table, the least significant first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from neurohw.device.crossbar import CrossbarChoices, CrossbarMachine
from neurohw.errors import BadInput, DoesNotFit, all_reasons
from neurohw.kernels.lowering import Block, blocks, slice_of, source_groups
from neurohw.kernels.table import SynapseTable, TableBuilder
from neurohw.memory import available_bytes
from neurohw.passes.legalize import to_steps
from neurohw.passes.placement import placement
from neurohw.passes.to_float import parameters
from neurohw.program import Program
from neurohw.report import Loss, Resource

REQUIRES = ("scaled",)
ESTABLISHES = ("lowered",)
BYTES_PER_CROSSING = 220
"""Peak while mapping and loading: the packed table with its columns, and both arms with their state."""
SOURCES_AT_A_TIME = 128
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ConductancePayload:
    """What a crossbar chip loads.

    table: columns `target` (uS, signed: which arm carries it), `cell` (tile * rows * columns + row * columns + column),
        `projection` (index in network order) and `synapse` (False: a crossing that only adds noise); the pairs of a
        synapse follow each other.
    parameters: population -> name -> value per neuron. unit: network weight of one uS, per projection.
    column_unit: (receptors, neurons), the factor on the unit of what ends there.
    rows: (presynaptic, slots), the rows that are driven when the spikes of a source with that delay fall due; row_tiles:
    the tile of each of these, in order. stacks: of each tile, 2 * slice + receptor. shape: tiles, rows, columns.
    """

    table: SynapseTable
    parameters: dict[str, dict[str, NDArray[np.float64]]]
    unit: NDArray[np.float64]
    column_unit: NDArray[np.float64]
    rows: NDArray[np.int64]
    row_tiles: NDArray[np.int64]
    stacks: NDArray[np.int64]
    shape: tuple[int, int, int]

    def checked(self) -> "ConductancePayload":
        """This payload; raises BadInput where a compiled loop would read beyond an array, as that of a file may let it."""
        tiles, rows, columns = self.shape
        cell, projection = (self.table.columns.get(name) for name in ("cell", "projection"))
        reasons = []
        if cell is None or (cell.size and not 0 <= cell.min() <= cell.max() < tiles * rows * columns):
            reasons.append(f"cells lie outside the {tiles} tiles of {rows} x {columns}")
        if projection is None or (projection.size and projection.max() >= self.unit.size):
            reasons.append("there are pairs of a projection that does not exist")
        if (self.rows < 0).any() or self.rows.sum() != self.row_tiles.size:
            reasons.append("rows and row_tiles do not fit together")
        if self.row_tiles.size and not 0 <= self.row_tiles.min() <= self.row_tiles.max() < tiles:
            reasons.append(f"rows lie outside the {tiles} tiles")
        if self.stacks.shape != (tiles,) or self.column_unit.shape != (2, self.table.n_targets):
            reasons.append("stacks or column_unit has another shape than tiles and neurons")
        all_reasons(BadInput, "crossbar payload", reasons)
        return self


def to_conductance(program: Program) -> Program:
    """A program with a ConductancePayload. Raises DoesNotFit when tiles, or this computer's memory, run out."""
    maker = _Maker(program)
    for block in blocks(program):
        for piece in _pieces(block, SOURCES_AT_A_TIME if maker.fills_cells else None):
            maker.add(piece)
    return maker.finish()


def _pieces(block: Block, n_sources: int | None) -> Iterator[Block]:
    """The block, or blocks of `n_sources` sources each: empty crossings are many, and want to stay in cache."""
    if n_sources is None or not block.sources.size:
        yield block
        return
    for first in range(block.first, int(block.sources.max()) + 1, n_sources):
        mine = (block.sources >= first) & (block.sources < first + n_sources)
        yield Block(first, *(getattr(block, field.name)[mine] for field in fields(Block)[1:]))


class _Maker:
    """Packs blocks of synapses and keeps count of the rows of each stack."""

    def __init__(self, program: Program):
        self.program, self.machine = program, cast(CrossbarMachine, program.device.machine)
        self.choices, self.plan = cast(CrossbarChoices, program.choices), program.delays
        self.ideal = program.device.is_ideal
        self.fills_cells = self.choices.empty_cells != "none" and not self.ideal
        origin, network = program.origin, program.network
        self.columns = int(self.machine.columns)
        self.pairs = 1 if self.ideal else self.choices.pairs_per_synapse
        per_unit = self.columns // self.pairs
        self.slices = np.concatenate([slice_of(program, name) for name in network.neurons])
        self.column = np.concatenate(
            [np.arange(network.populations[name].size) % per_unit * self.pairs for name in network.neurons]
        )
        self.unit = np.array([program.scaling.unit[name] for name in network.projections])
        columns_of = program.scaling.columns
        self.column_unit = np.ones((2, origin.n_neurons)) if columns_of is None else columns_of
        kind = np.dtype(np.float64 if self.ideal else np.float32)
        columns = {
            "target": kind,
            "cell": np.dtype(np.int64),
            "projection": np.dtype(np.uint16),
            "synapse": np.dtype(np.bool_),
        }
        columns["stack"] = np.dtype(np.int32)
        self.builder = TableBuilder(
            origin.n_presynaptic, origin.n_neurons, self.plan.slots, columns, source_groups(program)
        )
        self.stack_rows = np.zeros(2 * len(program.slices), np.int64)
        self.rows = np.zeros((origin.n_presynaptic, self.builder.delays.size), np.int64)
        self.new_rows: list[Indices] = []
        """(source * slots + slot, stack, rank) of the rows of each block."""
        self.n_synapses, self.n_crossings, self.rows_without_delays = 0, 0, 0
        n = len(network.projections)
        self.clipped, self.merged, self.synapses = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)

    def add(self, block: Block) -> None:
        """Take the synapses of one block, and the empty crossings of their rows where these hold devices."""
        stack = self.slices[block.targets] * 2 + block.receptors
        slot = np.searchsorted(self.builder.delays, block.steps)
        row, first_of_row = self._rows(block, stack, slot)
        row_stack = stack[first_of_row]
        rank = self._ranks(row_stack)
        np.add.at(self.rows, (block.sources[first_of_row], slot[first_of_row]), 1)
        drive = block.sources[first_of_row] * self.builder.delays.size + slot[first_of_row]
        self.new_rows.append(np.stack((drive, row_stack, rank)))
        self.n_synapses += block.sources.size
        self._count_losses(block)
        cell = rank[row] * self.columns + self.column[block.targets]
        synapses = {
            "sources": block.sources, "targets": block.targets, "receptors": block.receptors, "delays": block.steps,
            "projection": block.projections, "synapse": np.ones(block.sources.size, bool), "stack": stack,
        }  # fmt: skip
        synapses = {name: np.repeat(values, self.pairs) for name, values in synapses.items()}
        synapses["target"] = self._conductances(block).T.ravel()
        synapses["cell"] = (cell[:, None] + np.arange(self.pairs)).ravel()
        parts = (
            [synapses, self._empty_crossings(block, row, first_of_row, rank, row_stack)]
            if self.fills_cells
            else [synapses]
        )
        self.n_crossings += sum(part["sources"].size for part in parts)
        self.builder.append(block.first, **{name: np.concatenate([part[name] for part in parts]) for name in synapses})

    def _rows(self, block: Block, stack: Indices, slot: Indices) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(the row of each synapse, a synapse of each row); rows ascend by stack, source, delay, projection."""
        wide = (int(block.sources.max(initial=block.first)) - block.first + 1, self.builder.delays.size, self.unit.size)
        line = np.ravel_multi_index((block.sources - block.first, slot, block.projections), wide) + stack * np.prod(
            wide
        )
        self.rows_without_delays += np.unique(
            (stack * wide[0] + block.sources - block.first) * wide[2] + block.projections
        ).size
        crossing = line * self.columns + self.column[block.targets]
        order = np.argsort(crossing, kind="stable")
        again = np.flatnonzero(np.diff(crossing[order], prepend=-1) == 0)
        copy = np.zeros(order.size, np.int64)
        if again.size:  # several synapses between the same two neurons: the k-th takes the k-th row
            starts = np.flatnonzero(np.diff(crossing[order], prepend=-1) != 0)
            copy[order] = np.arange(order.size) - np.repeat(starts, np.diff(starts, append=order.size))
        _, first, row = np.unique(line * (copy.max(initial=0) + 1) + copy, return_index=True, return_inverse=True)
        return row, first

    def _ranks(self, row_stack: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of each new row within its stack."""
        counts = np.bincount(row_stack, minlength=self.stack_rows.size)
        firsts = np.cumsum(counts) - counts
        rank = np.arange(row_stack.size) - firsts[row_stack] + self.stack_rows[row_stack]
        self.stack_rows += counts
        return rank

    def _conductances(self, block: Block) -> NDArray[np.float64]:
        """The target of each pair of each synapse: (pairs, synapses)."""
        g = block.weights / (self.unit[block.projections] * self.column_unit[block.receptors, block.targets])
        if self.ideal:
            return g[None]
        most = self.machine.g_max * self.choices.reach
        beyond = np.abs(g) > most * (1 + 1e-9)
        self.clipped += np.bincount(block.projections[beyond], minlength=self.unit.size)
        return self.machine.pair_targets(np.clip(g, -most, most), self.choices)

    def _count_losses(self, block: Block) -> None:
        self.synapses += np.bincount(block.projections, minlength=self.unit.size)
        if self.choices.delays != "row per delay" and not self.ideal:
            moved = np.maximum(to_steps(block.delays, self.program.dt), 1) != block.steps
            self.merged += np.bincount(block.projections[moved], minlength=self.unit.size)

    def _empty_crossings(
        self, block: Block, row: Indices, first_of_row: Indices, rank: Indices, row_stack: Indices
    ) -> dict[str, NDArray[Any]]:
        """The crossings of the block's rows, under columns in use, that hold no synapse."""
        size = np.array([part.size for part in self.program.slices])
        begin = np.array(
            [self.program.origin.first.get(part.population, 0) + part.first for part in self.program.slices]
        )
        self._check_memory(int(size[row_stack // 2].sum()) * self.pairs)
        empty = np.arange(self.columns) < size[row_stack // 2][:, None] * self.pairs
        for k in range(self.pairs):
            empty[row, self.column[block.targets] + k] = False
        which, column = np.nonzero(empty)
        example, stack = first_of_row[which], row_stack[which]
        return {
            "sources": block.sources[example], "targets": begin[stack // 2] + column // self.pairs, "receptors": stack % 2,
            "delays": block.steps[example], "target": np.zeros(which.size), "cell": rank[which] * self.columns + column,
            "projection": block.projections[example], "synapse": np.zeros(which.size, bool), "stack": stack,
        }  # fmt: skip

    def _check_memory(self, more: int) -> None:
        needed = BYTES_PER_CROSSING * (self.n_crossings + more)
        if needed > available_bytes():
            raise DoesNotFit(
                f"{self.program.network.name}: the crossings of its rows need more than {needed / 2**30:.3g} GiB, this "
                f"computer has {available_bytes() / 2**30:.3g} GiB free; choose empty_cells: none, or make the network "
                "smaller"
            )

    def finish(self) -> Program:
        table = self.builder.build()
        tiles = -(-self.stack_rows // int(self.machine.rows))
        self._check_tiles(int(tiles.sum()))
        first_tile = np.cumsum(tiles) - tiles
        per_tile = int(self.machine.rows) * self.columns
        table.columns["cell"] += first_tile[table.columns.pop("stack")] * per_tile
        drive, stack, rank = np.concatenate([np.empty((3, 0), np.int64), *self.new_rows], axis=1)
        row_tiles = (first_tile[stack] + rank // int(self.machine.rows))[np.argsort(drive, kind="stable")]
        shape = (int(tiles.sum()), int(self.machine.rows), self.columns)
        payload = ConductancePayload(
            table, parameters(self.program), self.unit, self.column_unit, self.rows, row_tiles,
            np.repeat(np.arange(tiles.size), tiles), shape,
        )  # fmt: skip
        entries = (*self._resources(int(tiles.sum())), *placement(self.program, payload), *self._losses())
        return self.program.with_(*entries, payload=payload)

    def _check_tiles(self, used: int) -> None:
        if used > self.machine.tiles and not self.ideal:
            program, m = self.program, self.machine
            rows = int(self.stack_rows.sum())
            merge = " give one delay per source population," if rows > self.rows_without_delays else ""
            raise DoesNotFit(
                f"{program.network.name} on {program.device.title}: its {rows} rows need {used} tiles of "
                f"{m.rows:g} x {m.columns:g}, there are {m.tiles:g};{merge} make the network smaller, or take a "
                "device with more tiles"
            )

    def _resources(self, tiles: int) -> list[Resource | str]:
        m, choices = self.machine, self.choices
        arms = 2 if choices.idle_arms != "none" else 1
        pairs = self.n_synapses * self.pairs
        devices = (arms * pairs + 2 * (self.n_crossings - pairs)) * int(m.devices_per_arm)
        crossings, rows = tiles * int(m.rows * m.columns), int(self.stack_rows.sum())
        share = 100 * pairs / max(crossings, 1)
        found: list[Resource | str] = [
            Resource("tiles", tiles, m.tiles),
            Resource("rows", rows, m.tiles * m.rows),
            Resource("devices", devices, m.tiles * m.rows * m.columns * 2 * m.devices_per_arm),
            f"{pairs} of the {crossings} crossings of the used tiles carry a synapse ({share:.2g} %), in one "
            "arm of each pair",
        ]
        if rows > self.rows_without_delays:
            found.append(
                f"{rows - self.rows_without_delays} of {rows} rows are for further delays (or synapses) of a source"
            )
        if choices.empty_cells == "none" and not self.ideal:
            found.append("crossings without a synapse are taken to hold no device: they add neither offset nor noise")
        return found

    def _losses(self) -> list[Loss]:
        found = []
        for k, name in enumerate(self.program.network.projections):
            limit = f"the range ends at {self.machine.g_max * self.choices.reach * self.unit[k]:.4g}"
            found.append(
                Loss("weights clipped", int(self.clipped[k]), int(self.synapses[k]), name, limit, "use a smaller g_use")
            )
            why = "all delays of a source population share one"
            found.append(
                Loss(
                    "delays merged",
                    int(self.merged[k]),
                    int(self.synapses[k]),
                    name,
                    why,
                    "choose delays: row per delay",
                )
            )
        return found
