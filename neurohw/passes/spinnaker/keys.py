"""Routing keys on SpiNNaker: every population that sends has a zone of the key space, every core of it a part of the
zone.

With a = ceil(log2(largest core * colors)) for neurons and the color of the time step, m = ceil(log2(cores)), T the
largest a + m of all zones (ZonedRoutingInfoAllocator of SpiNNaker_PACMAN 1!7.4.1, flexible):

    key = zone << T | core << a        mask = ~(2^a - 1)        zone mask = ~(2^T - 1)

An extension has a zone of its own with a key for each neuron and stage. Zones are numbered by first projection,
extensions last.
"""

from dataclasses import dataclass

from neurohw.device.spinnaker import SpinnakerMachine
from neurohw.errors import DoesNotFit
from neurohw.passes.spinnaker.extend_delays import stages
from neurohw.program import Program

KEY_BITS = 32
ALL = (1 << KEY_BITS) - 1


@dataclass(frozen=True)
class Zone:
    """The keys of one population or extension. units: numbers of its cores among slices and extensions, in order.

    base, mask: of the whole zone. shift: bits of neurons and colors. stages: of the extension; 0 for the population
    itself.
    """

    population: str
    units: tuple[int, ...]
    stages: int
    base: int
    mask: int
    shift: int

    def key(self, index: int) -> int:
        """Of the core with this index in the zone."""
        return self.base | index << self.shift

    @property
    def core_mask(self) -> int:
        return ALL ^ ((1 << self.shift) - 1)


def zones(program: Program) -> list[Zone]:
    """Raises DoesNotFit where 32 bits are too few."""
    machine = program.device.machine
    assert isinstance(machine, SpinnakerMachine)
    senders = dict.fromkeys(p.source for p in program.network.projections.values())
    owners = [(name, 0) for name in senders] + list(stages(program).items())
    units = [units_of(program, name, extension > 0) for name, extension in owners]
    everyone = (*program.slices, *program.extensions)
    shifts = [
        (max(everyone[k].size for k in mine) * max(1, n) * int(machine.key_colors) - 1).bit_length()
        for (_, n), mine in zip(owners, units, strict=True)
    ]
    total = max((shift + (len(mine) - 1).bit_length() for shift, mine in zip(shifts, units, strict=True)), default=0)
    if total + (max(1, len(owners)) - 1).bit_length() > KEY_BITS:
        raise DoesNotFit(
            f"{program.network.name} on {program.device.title}: {len(owners)} zones of routing keys of {total} bits "
            f"each need more than {KEY_BITS} bits; use fewer populations or fewer neurons in the largest"
        )
    mask = ALL ^ ((1 << total) - 1)
    named = enumerate(zip(owners, units, shifts, strict=True))
    return [Zone(name, mine, n, k << total, mask, shift) for k, ((name, n), mine, shift) in named]


def units_of(program: Program, population: str, extension: bool = False) -> tuple[int, ...]:
    """The numbers of a population's slices, or of its extension's, among slices and extensions."""
    parts, first = (program.extensions, len(program.slices)) if extension else (program.slices, 0)
    return tuple(first + k for k, part in enumerate(parts) if part.population == population)
