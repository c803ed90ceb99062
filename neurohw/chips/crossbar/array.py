"""What lies between the devices of a crossbar chip and its neurons: drivers, wires, lines, converters.

All of it is fixed for the life of a specimen, so it is worked out once, as arrays that the read loop takes. Each draw is
addressed by the number on the chip of the row (tile * rows + row), column (tile * columns + column) or converter.
"""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.crossbar import engine, reads
from neurohw.chips.crossbar.devices import Bench
from neurohw.chips.crossbar.reader import FROZEN, Key
from neurohw.chips.crossbar.state import Devices
from neurohw.device.crossbar import CrossbarChoices
from neurohw.effects.adc import Adc
from neurohw.effects.dac import Dac
from neurohw.effects.dead_lines import DeadLines
from neurohw.effects.ir_drop import IrDrop
from neurohw.kernels.compiling import aligned_zeros
from neurohw.program import Program

Values = NDArray[np.float64]
Indices = NDArray[np.int64]
CHUNK = 1 << 13
"""Pairs worked on at a time, so that what is found of their devices stays in cache."""


class Array:
    """The periphery of one specimen under one program.

    unit: network units of one uS of each pair; scale: the same with what drivers and dead lines make of it. line: where
    what it gives flows to.
    """

    def __init__(self, program: Program, key: Key, bench: Bench):
        device, payload = program.device, program.payload
        self.program, self.payload, self.key = program, payload, key
        self.choices = cast(CrossbarChoices, program.choices)
        self.adc = cast(Adc | None, device.effect("adc"))
        self.dac = cast(Dac | None, device.effect("dac"))
        self.wires = cast(IrDrop | None, device.effect("ir_drop"))
        self.dead = cast(DeadLines | None, device.effect("dead_lines"))
        self.tiles, self.rows, self.columns = payload.shape
        self.cell = payload.table.columns["cell"]
        row, column = self.cell // self.columns, self.cell % self.columns
        self.tile = (row // self.rows).astype(np.int32)
        self.n_neurons = program.origin.n_neurons
        into = self._into(self.tile, column)
        self.unit = self._unit(into, column)
        self.scale = self._seen(into, row, column) * self.unit
        self.converters = self._converters()
        self.row_starts = np.concatenate(([0], np.cumsum(payload.rows.ravel())))
        width = self.converters.width
        line = self.converters.group[self.tile] * width + column if self.adc else into
        self.line = line.astype(np.int32)
        n_lines = self.converters.step.size or 2 * self.n_neurons
        self.mean, self.variance = aligned_zeros((n_lines,)), aligned_zeros((n_lines,))
        self.touched = np.zeros(self.tiles, np.bool_)
        self.driven = np.zeros(int(self.converters.group.max(initial=-1)) + 1, np.int64)
        self.low, self.high = bench.bounds
        self.devices = bench.lines if self.choices.read_noise == "exact" and bench.noisy else 0

    @property
    def pairs(self) -> int:
        return self.choices.pairs_per_synapse

    def none(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(weights, arms) for `refresh` to fill; see `engine.Reads`."""
        n = self.cell.size
        return np.zeros((n, 2), np.float32), np.zeros((n if self.devices else 0, 2 + 2 * self.devices), np.float32)

    def reads(self, weights: NDArray[np.float32], arms: NDArray[np.float32]) -> engine.Reads:
        """What the read loop takes."""
        return engine.Reads(
            weights, self.line, arms, self.cell, self.row_starts, self.payload.row_tiles, self.low, self.high
        )

    def _into(self, tile: Indices, column: Indices) -> Indices:
        """receptor * neurons + neuron that a column belongs to; -1 where the slice of its tile has no such neuron."""
        origin, slices, stack = self.program.origin, self.program.slices, self.payload.stacks[tile]
        begin = np.array([origin.first.get(part.population, 0) + part.first for part in slices])
        size = np.array([part.size for part in slices])
        place = column // self.pairs
        return np.where(place < size[stack // 2], stack % 2 * self.n_neurons + begin[stack // 2] + place, -1)

    def _unit(self, into: Indices, column: Indices) -> Values:
        """Network units that one uS of each pair stands for."""
        payload = self.payload
        unit = payload.unit[payload.table.columns["projection"]] * payload.column_unit.ravel()[into]
        return unit * self.choices.shares[column % self.pairs] if self.pairs > 1 else unit

    def _largest_units(self) -> Values:
        """(receptors * neurons): the unit of one uS at full read amplitude, that of the strongest projection onto it."""
        origin, network = self.program.origin, self.program.network
        found = np.zeros((2, self.n_neurons))
        for k, p in enumerate(network.projections.values()):
            mine = slice(origin.first[p.target], origin.first[p.target] + origin.size[p.target])
            receptor = ("excitatory", "inhibitory").index(p.receptor)
            found[receptor, mine] = np.maximum(found[receptor, mine], self.payload.unit[k])
        return found.ravel()

    def _seen(self, into: Indices, row: Indices, column: Indices) -> Values | float:
        """The factor that drivers and dead lines put on each pair."""
        if self.dac is None and self.dead is None:
            return 1.0
        seen = np.ones(self.cell.size)
        if self.dac is not None:
            wanted = self.payload.unit[self.payload.table.columns["projection"]] / self._largest_units()[into]
            given = self.dac.amplitudes(wanted, self.key("dac"), row)
            seen *= given / wanted
        if self.dead is not None:
            seen *= self.dead.alive("rows", self.key("dead_lines"), row)
            seen *= self.dead.alive("columns", self.key("dead_lines"), self.tile * self.columns + column)
        return seen

    def _converters(self) -> engine.Converters:
        none, no_lines = np.empty(0), np.zeros(0, np.int32)
        if self.adc is None:
            return engine.Converters(0, no_lines, no_lines, none, none, none, 0.0, 0.0, 0.0)
        first = np.arange(self.tiles)
        if self.choices.accumulation == "analog":  # the first tile of each stack has the converters of all
            first = np.unique(self.payload.stacks, return_index=True)[1]
        group = np.searchsorted(first, np.arange(self.tiles), side="right") - 1
        tile, column = np.repeat(first, self.columns), np.tile(np.arange(self.columns), first.size)
        number = tile * self.columns + column
        into = self._into(tile, column)
        factor, offset = self.adc.specimen(self.key("adc"), number)
        if self.dead is not None and self.choices.accumulation == "digital":
            into[~self.dead.alive("columns", self.key("dead_lines"), number)] = -1
        share = self.choices.shares[column % self.pairs] if self.pairs > 1 else 1.0
        unit = (self._largest_units() * self.payload.column_unit.ravel())[into] * share
        step = np.where(unit > 0, unit, 1.0) * self.adc.step(self.choices.adc_range)
        low, high = self.adc.codes
        noise = float(self.adc.noise)
        return engine.Converters(
            self.columns, group.astype(np.int32), into.astype(np.int32), step, factor, offset, noise, low, high
        )

    def refresh(
        self, bench: Bench, d: Devices, places: Indices, age: float, weights: NDArray[Any], arms: NDArray[Any]
    ) -> None:
        """Take what a read of these pairs gives, at this age, from the trajectories of their devices."""
        clip = (*bench.bounds, self.choices.read_noise == "exact")
        seen, now = self._wires(bench, d, age) if self.wires is not None else None, bench.clock(d, age, FROZEN)
        for first in range(0, places.size, CHUNK):
            p = places[first : first + CHUNK]
            wires = seen[:, :, p] if seen is not None else np.empty((2, 2, 0))
            reads.prepare(p, bench.moments(d, p, now), self.scale[p], wires, *clip, weights, arms)

    def _wires(self, bench: Bench, d: Devices, age: float) -> Values:
        """(2, 2, pairs): for each arm what is lost of its conductance (uS), and its sensitivity."""
        found = np.zeros((2, 2, self.cell.size))
        held = bench.amplitudes(d, np.arange(self.cell.size), age)[0]
        half = held.shape[0] // 2
        row, column = self.cell // self.columns % self.rows, self.cell % self.columns
        order = np.argsort(self.tile, kind="stable")
        ends = np.searchsorted(self.tile[order], np.arange(self.tiles + 1))
        for t in range(self.tiles):
            mine = order[ends[t] : ends[t + 1]]
            if not mine.size:
                continue
            for arm in (0, 1):
                where = row[mine], column[mine]
                g = np.zeros((where[0].max() + 1, where[1].max() + 1))
                g[where] = held[arm * half : (arm + 1) * half, mine].sum(axis=0)
                share = self.wires.sensitivity(g)
                effective = self.wires.effective(g)
                found[arm, 0, mine] = effective[where] - (g * share)[where]
                found[arm, 1, mine] = share[where]
        return found

    def codes(self, places: Indices, values: Values) -> Values:
        """What the converters make of reads of single pairs, in network units."""
        if self.adc is None:
            return values
        c, line = self.converters, self.line[places]
        codes = np.floor(values * c.factor[line] / c.step[line] + c.offset[line] + 0.5)
        return np.where(c.into[line] >= 0, np.clip(codes, c.low, c.high) * c.step[line], 0.0)

    def per_tile(self, counts: NDArray[Any]) -> NDArray[np.int64]:
        """The sum over the pairs of each tile."""
        return np.bincount(self.tile, counts, minlength=self.tiles).astype(np.int64)
