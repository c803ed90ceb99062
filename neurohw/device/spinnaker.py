"""SpiNNaker boards: chips in a hexagonal mesh, 18 cores on each, and what the tool chain takes for itself."""

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from neurohw.device.machine import Choices, Machine, Site
from neurohw.errors import DoesNotFit
from neurohw.schema import Count, In, Number

Layout = Literal["spin3", "spin5"]
SPIN5_ROWS = {0: (0, 4), 1: (0, 5), 2: (0, 6), 3: (0, 7), 4: (1, 7), 5: (2, 7), 6: (3, 7), 7: (4, 7)}
"""Row y of a SpiNN-5 board holds the chips x = first..last."""
CHIPS: dict[str, tuple[tuple[int, int], ...]] = {
    "spin3": ((0, 0), (0, 1), (1, 0), (1, 1)),
    "spin5": tuple((x, y) for y, (first, last) in SPIN5_ROWS.items() for x in range(first, last + 1)),
}
RECEPTOR_BITS = 1


class SpinnakerChoices(Choices):
    """neurons_per_core: by default as many as the longest delay leaves room for. largest_sum: population -> receptor ->
    the largest summed weight expected in one step (sPyNNaker's max_expected_summed_weight), else estimated.
    """

    neurons_per_core: int | None = Field(default=None, ge=1)
    largest_sum: dict[str, dict[Literal["excitatory", "inhibitory"], float]] = {}


class SpinnakerMachine(Machine):
    """One board. Ring buffers have 2^ring_buffer_bits cells for (delay slot, receptor, neuron) of a core."""

    layout: Layout
    cores_per_chip: Annotated[Number, In(at_least=1, at_most=1000, whole=True)]
    smaller_chips: tuple[tuple[int, int], ...] = ()
    monitor_cores: Annotated[Number, In(at_least=0, at_most=1000, whole=True)]
    system_cores: Annotated[Number, In(at_least=0, at_most=1000, whole=True)]
    gatherer_cores: Annotated[Number, In(at_least=0, at_most=1000, whole=True)]
    neurons_per_core: Count
    sources_per_core: Count
    ring_buffer_bits: Annotated[Number, In(at_least=4, at_most=32, whole=True)]
    router_entries: Count
    key_colors: Count
    clock: Annotated[Number, In("kHz", at_least=1)]
    sdram_per_chip: Annotated[Number, In(at_least=1)]
    dead_chips: tuple[tuple[int, int], ...] = ()

    @property
    def unit_word(self) -> str:
        return "core"

    @property
    def chips(self) -> list[tuple[int, int]]:
        """Working chips, nearest to the Ethernet chip first."""
        alive = [c for c in CHIPS[self.layout] if c not in self.dead_chips]
        return sorted(alive, key=lambda c: (hexagonal_distance(c[0], c[1]), c))

    def sites(self) -> list[Site]:
        """Application cores, chip after chip; cores 0, 1 (and 2 beside the Ethernet) belong to the system."""
        found = []
        for x, y in self.chips:
            total = int(self.cores_per_chip) - ((x, y) in self.smaller_chips)
            taken = int(self.monitor_cores + self.system_cores + (self.gatherer_cores if (x, y) == (0, 0) else 0))
            found += [Site(x, y, core) for core in range(taken, total)]
        return found

    def delay_slots(self, neurons_per_core: int) -> int:
        """How many steps of delay the ring buffers hold: 14 bits less those of the neuron index and of the receptor."""
        return 1 << max(0, int(self.ring_buffer_bits) - RECEPTOR_BITS - (neurons_per_core - 1).bit_length())

    def for_delays(self, choices: Choices, longest: int) -> Choices:
        assert isinstance(choices, SpinnakerChoices)
        limit = int(self.neurons_per_core)
        if choices.neurons_per_core is None:
            fitting = [n for n in (limit >> k for k in range(limit.bit_length())) if self.delay_slots(n) >= longest]
            if not fitting:
                raise DoesNotFit(f"a delay of {longest} steps needs more ring buffer than a core has; use a larger time step")
            return choices.model_copy(update={"neurons_per_core": fitting[0]})
        if choices.neurons_per_core > limit:
            raise DoesNotFit(f"neurons_per_core {choices.neurons_per_core}: a SpiNNaker core takes at most {limit}")
        slots = self.delay_slots(choices.neurons_per_core)
        if longest > slots:
            room = self.for_delays(choices.model_copy(update={"neurons_per_core": None}), longest)
            assert isinstance(room, SpinnakerChoices)
            raise DoesNotFit(
                f"a delay of {longest} steps does not fit: with {choices.neurons_per_core} neurons per core there are {slots} "
                f"delay slots; choose neurons_per_core: {room.neurons_per_core} or a larger time step"
            )
        return choices

    def neurons_per_unit(self, choices: Choices) -> int:
        assert isinstance(choices, SpinnakerChoices)
        return choices.neurons_per_core or int(self.neurons_per_core)

    def sources_per_unit(self, choices: Choices) -> int:
        return int(self.sources_per_core)

    def hops(self, a: Site, b: Site) -> int:
        return hexagonal_distance(b.x - a.x, b.y - a.y)


@lru_cache(maxsize=4096)
def hexagonal_distance(dx: int, dy: int) -> int:
    """Links between two chips of a mesh whose links lead E, NE, N, W, SW, S."""
    return max(abs(dx), abs(dy)) if dx * dy >= 0 else abs(dx) + abs(dy)


def path(a: Site, b: Site) -> list[tuple[int, int]]:
    """The chips from a to b, diagonal links first; a route of the shortest length."""
    x, y, way = a.x, a.y, [(a.x, a.y)]
    while (x, y) != (b.x, b.y):
        dx, dy = b.x - x, b.y - y
        if dx * dy > 0:
            x, y = x + (1 if dx > 0 else -1), y + (1 if dy > 0 else -1)
        elif dx:
            x += 1 if dx > 0 else -1
        else:
            y += 1 if dy > 0 else -1
        way.append((x, y))
    return way
