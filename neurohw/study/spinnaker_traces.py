"""Traces of SpiNNaker cores, held against the emulator integer by integer.

A trace is `NAME.json` (network, events, words in memory) and `NAME.npz` (one column for each variable, step-major), as
docs/how-to/hold-your-board-against-the-emulator.md describes. From the network's own numbers (PyNN parameters, weights,
delays, time step) and the incoming spikes everything else is computed as the emulated core does; what was recorded is
compared in the order in which it comes about, so that the first difference is the one to look at.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from neurohw.schema import Described

Whole = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
Count = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
Source = Annotated[int, Field(strict=True, ge=0, lt=2**20)]
Target = Annotated[int, Field(strict=True, ge=0, lt=2**14)]
Word = Annotated[int, Field(strict=True, ge=0, lt=2**32)]
Bits = Annotated[int, Field(strict=True, ge=0, le=14)]
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Weight = Annotated[float, Field(strict=True, ge=-65536, le=65536)]
Positive = Annotated[float, Field(strict=True, gt=0, le=65536)]
Connection = tuple[Source, Target, Weight, Positive]
"""Source, target, weight (nA, uS), delay in ms."""
Parameters = dict[str, Finite | Annotated[list[Finite], Field(max_length=2**14)]]
Structs = dict[str, dict[str, Whole] | list[Whole]]


class Rule(Described):
    """The STDP rule in PyNN's parameters (ms; weights in nA or uS)."""

    rule: Literal["additive", "multiplicative"]
    w_min: Weight
    w_max: Weight
    tau_plus: Positive
    tau_minus: Positive
    A_plus: Weight
    A_minus: Weight
    backprop_delay: Annotated[bool, Field(strict=True)]


class Update(Described):
    """A plastic row after a pre spike: step, row, and what the row then holds."""

    t: Count
    row: Count
    prev_time: Whole
    prev_trace_s4_11: Whole
    weights_u16: list[Whole]


class Connections(Described):
    """Connections by receptor."""

    excitatory: list[Connection] = Field(default=[])
    inhibitory: list[Connection] = Field(default=[])


class Trace(Described):
    """A trace's JSON file. What may be None is compared where it is there; `name`, `kind`, `seed` are labels."""

    name: str = ""
    kind: str = ""
    seed: int | None = None
    param_layout: str = ""
    model: str
    timestep_ms: Annotated[float, Field(strict=True, ge=0.001, le=1000)]
    n_neurons: Annotated[int, Field(strict=True, ge=1, le=2**14)]
    n_steps: Annotated[int, Field(strict=True, ge=1, lt=2**31)]
    pynn_params: Parameters
    max_expected_summed_weight: tuple[Weight, Weight] | None = None
    connections: Connections = Connections()
    stdp: Rule | None = None
    plastic_connections: list[Connection] = Field(default=[])
    static_connections: list[Connection] = Field(default=[])
    log_n_neurons_bits: Bits | None = None
    log_synapse_type_bits: Bits = 1
    log_delay_bits: Bits | None = None
    events_time_row: list[tuple[Count, Count]]
    raw_param_region_words_u32: list[Word] | None = None
    raw_stdp_region_words_u32: list[Word] | None = None
    derived_initial_state: list[Structs] | None = None
    global_weight_scale: Finite | None = None
    ring_buffer_left_shifts: tuple[Whole, Whole] | None = None
    weight_scales: tuple[Finite, Finite] | None = None
    rows_static_words_u32: list[list[Word]] | None = None
    rows_raw_words_u32: list[list[Word]] | None = None
    plastic_row_after_each_pre_event: list[Update] | None = None
    n_spikes: Whole | None = None
    ring_buffer_saturation_count: Whole | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Trace":
        if self.stdp is None and (self.plastic_connections or self.static_connections):
            raise ValueError(
                "plastic_connections and static_connections need the key stdp; without it, use connections"
            )
        if self.stdp is not None and (self.connections.excitatory or self.connections.inhibitory):
            raise ValueError("with the key stdp, use plastic_connections and static_connections, not connections")
        return self

    @property
    def groups(self) -> list[tuple[list[Connection], int, bool]]:
        """(connections, receptor, plastic?); the sources of one group follow those of the group before as rows."""
        if self.stdp is not None:
            return [(self.plastic_connections, 0, True), (self.static_connections, 0, False)]
        return [(self.connections.excitatory, 0, False), (self.connections.inhibitory, 1, False)]
