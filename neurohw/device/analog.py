"""The analog substrate as a device: arrays of neuron circuits and synapse circuits that run faster than biology.

An *array* (a HICANN of the wafer; half of the BrainScaleS-2 chip) has columns of neuron circuits. A *row* crosses all
of them and is fed by a synapse driver; where it crosses a neuron there are synapse circuits, each holding a weight code
and the address it listens to. So a synapse needs a row that carries its source, and all targets in the array share the
rows.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from neurohw.device.machine import Choices, Machine, Site
from neurohw.errors import BadInput
from neurohw.schema import Count, Described, In, Number, Status


class AnalogChoices(Choices):
    """How a network is laid onto analog circuits. See docs/explanation/analog.md."""

    neuron_size: int | None = Field(
        None,
        ge=1,
        description="circuits joined to one neuron: more synapses for each, fewer neurons; by default the device's own",
    )
    neurons_per_unit: int | None = Field(
        None,
        ge=1,
        description="neurons put into one unit; by default as many as fill whole buses, where it takes more than one",
    )
    weight_scaling: Literal["per projection", "per receptor"] = Field(
        "per projection",
        description="what shares one unit of weight: each projection has its own, or all projections onto one receptor "
        "of a population share one; a device whose rows cannot be scaled one by one has the second in any case",
    )
    top_weight: Annotated[float, Field(gt=0)] | dict[str, Annotated[float, Field(gt=0)]] | None = Field(
        None,
        description="the network weight that the largest code stands for, on every projection or by the population that "
        "it ends on: room for weights that will be learned; by default the largest weight of those that share a unit",
    )
    inputs_per_bus: int | None = Field(
        None,
        ge=1,
        description="spike sources that share an input bus and so a link; fewer lose fewer spikes, take more drivers",
    )
    codes: Literal["makers", "typical"] = Field(
        "makers",
        description="where parameters have codes and no calibration is given: those that the makers' calibration finds, "
        "or the typical ones, the same for every circuit",
    )
    out_of_range: Literal["clip", "refuse"] = Field(
        "clip", description="what happens to a parameter that no code reaches: the nearest one, reported, or an error"
    )
    delays: Literal["given", "refuse"] = Field(
        "given",
        description="where delays cannot be set: every synapse has the one that the chip gives, reported, or a network that "
        "asks for others is refused",
    )
    compensate_loss: bool = Field(
        False,
        description="multiply the synapses that are left to a neuron by (asked for)/(left), projection by projection, "
        "and all by 1/(1 - p) where a share p of the synapse circuits is dead",
    )


class Layout(Described):
    """How many arrays lie in each row of the wafer, rows centered on each other."""

    rows: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(min_length=1, max_length=1000)
    source: str
    status: Status


class Matrix(Described):
    """The numbers of multiplying matrices on the synapse array; see `neurohw.chips.analog.matrix`."""

    gain: Annotated[Number, In("", at_least=0)]
    noise: Annotated[Number, In("", at_least=0)]
    low: Annotated[Number, In("", whole=True)]
    high: Annotated[Number, In("", whole=True)]
    rows: Count
    input_top: Count
    weight_top: Count


class AnalogMachine(Machine):
    """Arrays of neuron and synapse circuits.

    array, unit: the makers' names. units_per_array: places that a population can be given separately.
    circuits_per_array: neuron circuits. blocks_per_array: groups of circuits that a neuron must lie in. neuron_sizes:
    circuits that may be joined to one neuron, the default first. circuits_per_synapse: circuits that a neuron needs to
    have one synapse on each row. drivers, rows_per_driver: of an array. bus_addresses, row_addresses: sources that
    share a bus (a driver serves one bus), and those of them that one row can carry; None: every row can carry every
    source. row_buses: buses of an array, each with the same share of its rows; circuits_per_output: neuron circuits side
    by side whose spikes go to one of them; row_bus: the makers' name. row_serves: whether all synapses of a row act on one
    receptor. sources_per_array: that its rows can tell apart. shared_parameters: those that all neurons of an array have in
    common. membranes_at_a_time: of the whole machine; a bench that wants more runs several times. overfull: what the makers' mapping tool does with synapses that find no row. weight_range: whether each row
    can be scaled on its own, or only a neuron's synaptic input as a whole. membranes_per_unit: membranes of one unit
    that can be recorded at a time. acceleration: network time / hardware time. delay (network time) = delay_base +
    delay_per_hop * hops between arrays.
    """

    array: str
    unit: str
    layout: Layout
    units_per_array: Count
    circuits_per_array: Count
    blocks_per_array: Count
    neuron_sizes: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    circuits_per_synapse: Count
    drivers: Count
    rows_per_driver: Count
    bus_addresses: Count | None = None
    row_addresses: Count | None = None
    row_buses: Count | None = None
    circuits_per_output: Count | None = None
    row_bus: str = "bus"
    row_serves: Literal["receptor", "any"] = "receptor"
    sources_per_array: Count | None = None
    shared_parameters: tuple[str, ...] = ()
    membranes_at_a_time: Count | None = None
    matrix: Matrix | None = None
    overfull: Literal["lose", "refuse"]
    weight_range: Literal["row", "input"]
    membranes_per_unit: Annotated[Number, In(at_least=0, at_most=100_000, whole=True)]
    acceleration: Annotated[Number, In("", at_least=1e-9)]
    delay_base: Annotated[Number, In("ms", at_least=0, at_most=1000)]
    delay_per_hop: Annotated[Number, In("ms", at_least=0, at_most=1000)]

    @model_validator(mode="after")
    def _fits_together(self) -> "AnalogMachine":
        per_block, largest = self.circuits_per_array / self.blocks_per_array, max(self.neuron_sizes)
        if self.units_per_array > self.blocks_per_array or largest > per_block:
            raise ValueError(
                f"{self.circuits_per_array:g} circuits in {self.blocks_per_array:g} blocks are too few for "
                f"{self.units_per_array:g} units and neurons of {largest} circuits"
            )
        if not 1 <= self.circuits_per_synapse <= min(self.neuron_sizes):
            raise ValueError(f"circuits_per_synapse {self.circuits_per_synapse:g} exceeds the smallest of neuron_sizes")
        return self

    @property
    def unit_word(self) -> str:
        return self.unit

    def sites(self) -> list[Site]:
        """From the center of the wafer outwards, so that ways are short; units of one array one after another."""
        arrays = sorted(
            self.arrays, key=lambda at: (abs(2 * at[0] - self._width + 1) + abs(2 * at[1] - self._height + 1), at[::-1])
        )
        return [Site(x, y, unit) for x, y in arrays for unit in range(int(self.units_per_array))]

    @property
    def arrays(self) -> list[tuple[int, int]]:
        """The (x, y) of every array, row by row: their order is their number."""
        return [((self._width - n) // 2 + k, y) for y, n in enumerate(self.layout.rows) for k in range(n)]

    @property
    def _width(self) -> int:
        return max(self.layout.rows)

    @property
    def _height(self) -> int:
        return len(self.layout.rows)

    def neuron_size(self, choices: AnalogChoices) -> int:
        """Circuits per neuron. Raises BadInput for a size that cannot be joined."""
        size = choices.neuron_size or self.neuron_sizes[0]
        if size not in self.neuron_sizes:
            has = ", ".join(map(str, self.neuron_sizes))
            raise BadInput(f"neuron_size {size}: {self.unit_word}s can join {has} circuits to a neuron")
        return size

    def neurons_per_unit(self, choices: Choices) -> int:
        assert isinstance(choices, AnalogChoices)
        per_block = int(self.circuits_per_array / self.blocks_per_array) // self.neuron_size(choices)
        most = per_block * int(self.blocks_per_array / self.units_per_array)
        if choices.neurons_per_unit is not None:
            if choices.neurons_per_unit > most:
                raise BadInput(
                    f"neurons_per_unit {choices.neurons_per_unit}: a {self.unit} has at most {most} of this size"
                )
            return choices.neurons_per_unit
        bus = most if self.bus_addresses is None else min(most, int(self.bus_addresses))
        return most // bus * bus

    def hidden(self, record: Mapping[str, Mapping[str, Any]], slices: Sequence[Any]) -> str | None:
        """Synaptic state, which nothing brings out, and more membranes than a unit shows."""
        most = int(self.membranes_per_unit)
        for population, variables in record.items():
            for variable in variables:
                if variable != "v":
                    return f"cannot bring out {variable!r} of {population!r}; it shows spikes and v"
            for part in slices:
                which = variables.get("v", np.empty(0, np.int64))
                n = int(((which >= part.first) & (which < part.last)).sum()) if part.population == population else 0
                if n > most:
                    return (
                        f"shows {most} membranes of a {self.unit} at a time, but v of {n} neurons of {population!r} on "
                        "one is to be recorded; record fewer, or further apart"
                    )
        return None

    def first_circuits(self, site: Site, size: int, choices: AnalogChoices) -> NDArray[np.int64]:
        """The number on the machine of the first circuit of each of `size` neurons at a place."""
        array, per_array = self.arrays.index((site.x, site.y)), int(self.circuits_per_array)
        per_block, width = per_array // int(self.blocks_per_array), self.neuron_size(choices)
        k = np.arange(size)
        within = k // (per_block // width) * per_block + k % (per_block // width) * width
        return array * per_array + site.unit * (per_array // int(self.units_per_array)) + within

    @property
    def rows(self) -> int:
        """Rows of an array."""
        return int(self.drivers * self.rows_per_driver)

    @property
    def row_length(self) -> int:
        """Synapse circuits of a row."""
        return int(self.circuits_per_array / self.circuits_per_synapse)

    def synapses_per_row(self, choices: AnalogChoices) -> int:
        """Synapses that one row offers to each neuron."""
        return self.neuron_size(choices) // int(self.circuits_per_synapse)
