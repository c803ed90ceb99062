"""A trace's network and incoming spikes, brought to an emulated SpiNNaker core: words, constants, and every step.

Nothing that was recorded is used: all follows from the PyNN parameters, the connections, the time step and the events.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.spinnaker import plasticity, structs
from neurohw.chips.spinnaker import replay as core
from neurohw.chips.spinnaker.models import MODELS, Model
from neurohw.errors import BadInput, OutOfRange
from neurohw.kernels import spinnaker_weights as scaling
from neurohw.memory import available_bytes
from neurohw.study.spinnaker_traces import Connection, Trace

STDP = "_stdp_mad_pair_"
INITIAL = {"lif": {"v": -65.0}, "izk": {"v": -70.0, "u": -14.0}}
"""sPyNNaker's defaults, where a trace does not say."""
LONGEST_ROW = 256  # words; the limit of the core's population table
FIELD_BITS = 16  # of a synaptic word, for delay, receptor and target
LARGEST_TABLE = 65535  # entries of an STDP table: its size is a 16-bit word


@dataclass(frozen=True, eq=False)
class Rows:
    """All synapses, row after row: row r holds starts[r]..starts[r + 1] - 1."""

    starts: NDArray[np.int64]
    targets: NDArray[np.int64]
    receptors: NDArray[np.int64]
    delays: NDArray[np.int64]
    weights: NDArray[np.uint16]
    plastic: NDArray[np.uint8]

    def __len__(self) -> int:
        return self.plastic.size


class Emulation:
    """What an emulated core makes of a trace's network and incoming spikes."""

    def __init__(self, trace: Trace):
        self.trace = trace
        name, _, rule = trace.model.partition(STDP)
        if name not in MODELS:
            raise BadInput(f"model {trace.model[:80]!r}; there are {', '.join(MODELS)}, or one of them with {STDP}RULE")
        if rule != (trace.stdp.rule if trace.stdp else ""):
            raise BadInput(f"model {trace.model[:80]!r} and the key stdp do not name the same rule")
        self.model: Model = MODELS[name]
        self.raw = self.model.raw(self._parameters(), trace.timestep_ms)
        self.state, self.coef = self.model.derive(self.raw)

    def _parameters(self) -> dict[str, Any]:
        trace, n = self.trace, self.trace.n_neurons
        for name, value in trace.pynn_params.items():
            if isinstance(value, list) and len(value) != n:
                raise BadInput(f"pynn_params.{name[:80]}: {len(value)} numbers for {n} neurons")
        params = INITIAL[self.model.neuron] | trace.pynn_params
        return {name: value if isinstance(value, list) else [value] * n for name, value in params.items()}

    @cached_property
    def shifts(self) -> list[int]:
        """One shift per receptor, as the tool chain chooses it; plastic weights are taken to reach w_max."""
        known: list[list[scaling.Incoming]] = [[], []]
        for connections, receptor, plastic in self.trace.groups:
            if connections:
                known[receptor].append(
                    _incoming(connections, self.trace.stdp.w_max if plastic and self.trace.stdp else None)
                )
        largest = self.trace.max_expected_summed_weight
        return scaling.ring_buffer_shifts(known, self.trace.timestep_ms, self.model.weight_scale, largest)

    @cached_property
    def factors(self) -> list[float]:
        """What weights are multiplied with, per receptor."""
        return [scaling.weight_scale(shift, self.model.weight_scale) for shift in self.shifts]

    @cached_property
    def rows(self) -> Rows:
        """The synapses as a core finds them."""
        parts, first = [], 0
        for connections, receptor, plastic in self.trace.groups:
            table = np.array(connections, np.float64).reshape(-1, 4)
            sources = first + table[:, 0].astype(np.int64)
            raw, _ = scaling.to_raw(table[:, 2], self.factors[receptor])
            steps = np.rint(table[:, 3] / self.trace.timestep_ms).astype(np.int64)
            size = sources.size
            parts.append(
                (sources, table[:, 1].astype(np.int64), np.full(size, receptor), steps, raw, np.full(size, plastic))
            )
            first = int(sources.max(initial=first - 1)) + 1
        sources, *columns = (np.concatenate(column) for column in zip(*parts, strict=True))
        self._check(sources, columns[0], columns[2])
        order = np.argsort(sources, kind="stable")
        starts = np.searchsorted(sources[order], np.arange(first + 1))
        targets, receptors, delays, weights, plastic_synapse = (column[order] for column in columns)
        plastic_row = np.zeros(first, np.uint8)
        plastic_row[sources[order][plastic_synapse]] = 1
        return Rows(starts, targets, receptors, delays, weights, plastic_row)

    @cached_property
    def bits(self) -> tuple[int, int, int]:
        """How many bits of a synaptic word hold delay, receptor, neuron; where the trace does not say, just enough."""
        trace = self.trace
        steps = [delay / trace.timestep_ms for connections, _, _ in trace.groups for *_, delay in connections]
        neurons, delays = trace.log_n_neurons_bits, trace.log_delay_bits
        return (
            max(math.ceil(max(steps, default=1.0)), 1).bit_length() if delays is None else delays,
            trace.log_synapse_type_bits,
            (trace.n_neurons - 1).bit_length() if neurons is None else neurons,
        )

    def _check(self, sources: NDArray[np.int64], targets: NDArray[np.int64], delays: NDArray[np.int64]) -> None:
        trace = self.trace
        slots = 1 << self.bits[0]
        if sum(self.bits) > FIELD_BITS or self.bits[1] < 1 or trace.n_neurons > 1 << self.bits[2]:
            raise BadInput(
                f"{self.bits} bits for delay, receptor and neuron: they must hold both receptors and "
                f"{trace.n_neurons} neurons, and be at most {FIELD_BITS} in all"
            )
        if targets.size and targets.max() >= trace.n_neurons:
            raise BadInput(f"a connection to neuron {targets.max()}; there are {trace.n_neurons}")
        if delays.size and not 1 <= delays.min() <= delays.max() <= slots:
            raise BadInput(
                f"delays of {delays.min()} to {delays.max()} steps; log_delay_bits leaves room for 1 to {slots}"
            )
        if sources.size and np.bincount(sources).max() > LONGEST_ROW:
            raise BadInput(f"a source with more than {LONGEST_ROW} synapses; a core's rows hold no more")

    @cached_property
    def rule(self) -> plasticity.PairRule | None:
        """The STDP rule as the core holds it."""
        given = self.trace.stdp
        if given is None:
            return None
        if (
            max(given.tau_plus, given.tau_minus) / self.trace.timestep_ms * np.log(plasticity.TRACE_ONE)
            >= LARGEST_TABLE - 1
        ):
            raise OutOfRange(f"an STDP table holds at most {LARGEST_TABLE} steps; shorten tau_plus or tau_minus")
        numbers = (given.w_min, given.w_max, given.A_plus, given.A_minus, given.tau_plus, given.tau_minus)
        return plasticity.pair_rule(
            given.rule == "multiplicative", *numbers, self.trace.timestep_ms, self.shifts[0], self.model.weight_scale,
            given.backprop_delay,
        )  # fmt: skip

    def row_words(self) -> Iterator[NDArray[np.uint32]]:
        """The words of each row: in the STDP format with its headers, else the bare fixed words."""
        rows = self.rows
        words = scaling.synaptic_words(rows.weights, rows.delays, rows.receptors, rows.targets, self.bits)
        for r, (first, last) in enumerate(zip(rows.starts, rows.starts[1:], strict=False)):
            if self.trace.stdp is None:
                yield words[first:last]
            elif rows.plastic[r]:
                yield structs.plastic_row(rows.weights[first:last], words[first:last] & np.uint32(0xFFFF))
            else:
                yield structs.fixed_row(words[first:last])

    def run(self) -> "Run":
        """Every variable of every step."""
        rows, rule, events = self.rows, self.rule, np.array(self.trace.events_time_row, np.int64).reshape(-1, 2).T
        if events.size and events[1].max() >= len(rows):
            raise BadInput(f"events_time_row: row {events[1].max()}; there are {len(rows)}")
        if np.any(np.diff(events[0]) < 0) or events[0].max(initial=0) >= self.trace.n_steps:
            raise BadInput(f"events_time_row: steps must not decrease and be below n_steps = {self.trace.n_steps}")
        lengths = np.where(rows.plastic, np.diff(rows.starts), 0)[events[1]]
        update_starts = np.concatenate([[0], np.cumsum(lengths)])
        names = [*core.OBSERVED, *self.model.states]
        shape = (self.trace.n_steps, len(names), self.trace.n_neurons)
        if 4 * np.prod(shape, dtype=np.float64) > available_bytes():
            raise BadInput(f"{shape[0]} steps of {shape[2]} neurons do not fit in this computer's memory")
        out, traces = np.zeros(shape, np.int32), np.zeros(events[0].size, np.int16)
        updated = np.zeros(update_starts[-1], np.uint16)
        none = np.zeros(0, np.int16)
        tables = (rule.table_plus, rule.table_minus, rule.numbers) if rule else (none, none, (0, 0, 0, 0, 0, 0))
        lags = rows.delays if rule and rule.backprop_delay else np.zeros_like(rows.delays)
        saturated, _ = core.replay(
            self.model.code, self.state.copy(), self.coef, *self.shifts, 1 << self.bits[0],
            rows.starts, rows.targets, rows.receptors, rows.delays, rows.weights.copy(), rows.plastic, lags, *tables,
            events[0].copy(), events[1].copy(), update_starts, updated, traces, out,
        )  # fmt: skip
        return Run(out, traces, np.split(updated, update_starts[1:-1]), saturated)


@dataclass(frozen=True, eq=False)
class Run:
    """out[step, OBSERVED + states, neuron]; traces and weights after each event; additions (fixed) that saturated."""

    out: NDArray[np.int32]
    traces: NDArray[np.int16]
    weights: list[NDArray[np.uint16]]
    saturated: int


def _incoming(connections: list[Connection], reach: float | None) -> scaling.Incoming:
    """What the tool chain knows of a list of connections; plastic ones it takes to be all at `reach`, their w_max."""
    table = np.array(connections, np.float64)
    weights, degree = np.abs(table[:, 2]), int(np.bincount(table[:, 1].astype(np.int64)).max())
    highest = max(weights.max(), reach or 0.0)
    mean, sd = (weights.mean(), weights.std()) if reach is None else (highest, 0.0)
    return scaling.Incoming(mean, sd, highest, degree, table[:, 3].var())
