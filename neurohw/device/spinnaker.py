"""SpiNNaker boards and machines: chips in a hexagonal mesh, 18 cores on each, and what the tool chain takes of them."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from neurohw.device.machine import Choices, Machine, Site
from neurohw.device.spinnaker_fabric import Fabric, Place, make_fabric
from neurohw.errors import DoesNotFit
from neurohw.schema import Count, In, Number

RECEPTOR_BITS = 1
READABLE = ("v", "isyn_exc", "gsyn_exc", "isyn_inh", "gsyn_inh")
"""What a core records of a neuron beside spikes."""
Cycles = Annotated[Number, In(at_least=0, at_most=1e9)]
Side = Annotated[int, Field(ge=1, le=20)]


class SpinnakerChoices(Choices):
    """neurons_per_core: by default as many as leave the fewest cores for the longest delay. largest_sum: population ->
    receptor -> the largest summed weight expected in one step (sPyNNaker's max_expected_summed_weight), else estimated.
    compress: routing tables only where one is too long for its router, or all of them as far as possible.

    time_scale_factor: how many times slower than biology the machine runs; by default the tool chain's, 1 up to a time
    step of 10 ms. overruns: what a core with more work in a step than it has cycles for does: nothing but be reported,
    or send late and drop packets (see docs/explanation/spinnaker.md). energy: of every active core, or, as the tool
    chain adds up, of one core on every chip in use.
    """

    neurons_per_core: int | None = Field(default=None, ge=1)
    largest_sum: dict[str, dict[Literal["excitatory", "inhibitory"], float]] = {}
    compress: Literal["as_needed", "as_far_as_possible"] = "as_needed"
    time_scale_factor: int | None = Field(default=None, ge=1, le=100_000)
    overruns: Literal["report", "late"] = "report"
    energy: Literal["per_core", "per_chip"] = "per_core"

    def slowdown(self, dt: float) -> int:
        """Machine time over network time; sPyNNaker: max(1, ceil(dt / 10 ms))."""
        return self.time_scale_factor or max(1, math.ceil(dt / 10.0 - 1e-9))


class SpinnakerMachine(Machine):
    """One board, or `triads` of three boards (columns, rows), `wraps` if they are cabled to a torus.

    smaller_chips, on every board, have a core less. dead_cores: (x, y, core); dead_links: (x, y, link), both
    directions. Ring buffers have 2^ring_buffer_bits cells for (delay slot, receptor, neuron) of a core; a delay
    extension core holds spikes back for up to delay_stages times as long as the ring buffers.

    cycles_per_*: what a core takes for a step, a neuron in it, a neuron of which something is recorded, a spike that it
    sends, a packet that it gets, a row of synapses that it fetches for it, and a synapse in the row. packet_queue:
    packets that a core can have waiting. link_rate: packets that a link between two chips can carry.
    """

    layout: Literal["spin3", "spin5", "triads"]
    triads: tuple[Side, Side] = (1, 1)
    wraps: bool = False
    cores_per_chip: Annotated[Number, In(at_least=1, at_most=18, whole=True)]
    smaller_chips: tuple[Place, ...] = ()
    monitor_cores: Annotated[Number, In(at_least=0, at_most=18, whole=True)]
    system_cores: Annotated[Number, In(at_least=0, at_most=18, whole=True)]
    gatherer_cores: Annotated[Number, In(at_least=0, at_most=18, whole=True)]
    neurons_per_core: Count
    sources_per_core: Count
    ring_buffer_bits: Annotated[Number, In(at_least=4, at_most=32, whole=True)]
    delay_stages: Annotated[Number, In(at_least=0, at_most=1000, whole=True)]
    router_entries: Count
    key_colors: Count
    clock: Annotated[Number, In("kHz", at_least=1)]
    cycles_per_step: Cycles
    cycles_per_neuron: Cycles
    cycles_per_recorded: Cycles
    cycles_per_spike: Cycles
    cycles_per_packet: Cycles
    cycles_per_row: Cycles
    cycles_per_event: Cycles
    packet_queue: Count
    link_rate: Annotated[Number, In("kHz", at_least=1e-3)]
    sdram_per_chip: Annotated[Number, In(at_least=1)]
    sdram_per_core: Annotated[Number, In(at_least=1)]
    sdram_per_neuron: Annotated[Number, In(at_least=0)]
    dead_chips: tuple[Place, ...] = ()
    dead_cores: tuple[tuple[int, int, int], ...] = ()
    dead_links: tuple[tuple[int, int, int], ...] = ()

    @model_validator(mode="after")
    def _possible(self) -> "SpinnakerMachine":
        if self.layout != "triads" and (self.triads != (1, 1) or self.wraps):
            raise ValueError(f"layout: {self.layout} is a single board; triads and wraps belong to layout: triads")
        chips = self.fabric.boards
        for x, y, core in self.dead_cores:
            if (x, y) not in chips or not self.monitor_cores <= core < self._cores((x, y)):
                raise ValueError(f"dead_cores: chip ({x}, {y}) has no core {core} that can be dead")
        return self

    @property
    def unit_word(self) -> str:
        return "core"

    @property
    def fabric(self) -> Fabric:
        """The working chips and links."""
        return _fabric(self.layout, self.triads, self.wraps, self.dead_chips, self.dead_links)

    @property
    def n_boards(self) -> int:
        return len(set(self.fabric.boards.values()))

    def _cores(self, chip: Place) -> int:
        ethernet, fabric = self.fabric.boards[chip], self.fabric
        at = ((chip[0] - ethernet[0]) % fabric.width, (chip[1] - ethernet[1]) % fabric.height)
        return int(self.cores_per_chip) - (at in self.smaller_chips)

    def cores(self, chip: Place) -> list[int]:
        """The numbers of the cores of a chip that applications may use; the lowest working ones are the system's."""
        working = [c for c in range(int(self.monitor_cores), self._cores(chip)) if (*chip, c) not in self.dead_cores]
        gatherers = int(self.gatherer_cores) if self.fabric.boards[chip] == chip else 0
        return working[int(self.system_cores) + gatherers :]

    @property
    def n_cores(self) -> int:
        """All cores of the working chips, also those that the system takes and those that are dead."""
        return sum(self._cores(chip) for chip in self.fabric.boards)

    def sites(self) -> list[Site]:
        """Application cores, chip after chip, by x, then y."""
        return [Site(*chip, core) for chip in self.fabric.boards for core in self.cores(chip)]

    def delay_slots(self, neurons_per_core: int) -> int:
        """How many steps of delay the ring buffers hold: 14 bits less those of the neuron index and of the receptor."""
        return 1 << max(0, int(self.ring_buffer_bits) - RECEPTOR_BITS - (neurons_per_core - 1).bit_length())

    def longest_delay(self, neurons_per_core: int) -> int:
        """Steps that ring buffers and the stages of a delay extension hold together."""
        return self.delay_slots(neurons_per_core) * (1 + int(self.delay_stages))

    def for_delays(self, choices: Choices, longest: int) -> Choices:
        assert isinstance(choices, SpinnakerChoices)
        limit = int(self.neurons_per_core)
        if choices.neurons_per_core is None:
            return choices.model_copy(update={"neurons_per_core": self._fewest_cores(longest)})
        if choices.neurons_per_core > limit:
            raise DoesNotFit(f"neurons_per_core {choices.neurons_per_core}: a SpiNNaker core takes at most {limit}")
        if longest > self.longest_delay(choices.neurons_per_core):
            slots = self.delay_slots(choices.neurons_per_core)
            raise DoesNotFit(
                f"a delay of {longest} steps does not fit: with {choices.neurons_per_core} neurons per core there are "
                f"{slots} delay slots, and delay extensions hold spikes back for {slots * int(self.delay_stages)} "
                f"steps more; choose neurons_per_core: {self._fewest_cores(longest)} or a larger time step"
            )
        return choices

    def _fewest_cores(self, longest: int) -> int:
        """Neurons per core (the limit, halved again and again) for the fewest cores; an extension doubles the cores."""
        sizes = [int(self.neurons_per_core) >> k for k in range(int(self.neurons_per_core).bit_length())]
        inside = next((n for n in sizes if self.delay_slots(n) >= longest), 0)
        extended = next((n for n in sizes if self.longest_delay(n) >= longest), 0)
        if not extended:
            raise DoesNotFit(
                f"a delay of {longest} steps is more than delay extensions can hold, {self.longest_delay(1)} steps "
                "with one neuron per core; use a larger time step"
            )
        return inside if 2 * inside >= extended else extended

    def neurons_per_unit(self, choices: Choices) -> int:
        assert isinstance(choices, SpinnakerChoices)
        return choices.neurons_per_core or int(self.neurons_per_core)

    def sources_per_unit(self, choices: Choices) -> int:
        return int(self.sources_per_core)

    def budget(self, choices: Choices, dt: float) -> float:
        """Clock cycles that a core has for one step."""
        assert isinstance(choices, SpinnakerChoices)
        return float(self.clock) * dt * choices.slowdown(dt)

    def hidden(self, record: Mapping[str, Mapping[str, Any]], slices: Sequence[Any]) -> str | None:
        found = [(p, v) for p, variables in record.items() for v in variables if v not in READABLE]
        return f"shows {', '.join(READABLE)} of a neuron, not {found[0][1]!r} of {found[0][0]!r}" if found else None

    def hops(self, a: Site, b: Site) -> int:
        return self.fabric.distance((a.x, a.y), (b.x, b.y))


_fabric = lru_cache(maxsize=64)(make_fabric)
