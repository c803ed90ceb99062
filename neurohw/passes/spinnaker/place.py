"""place on SpiNNaker: populations one after the other, each on chips that hang together, as PACMAN places them.

A population starts on the first chip with a free core: chips on which earlier ones started come first, then by x and y.
When a chip is full, its neighbors follow in the order in which they came into reach (links E, NE, N, W, SW, S of each
chip taken), those of the same board before others. A start from which the population finds no room is left for the
next. A chip whose SDRAM has less left than the share of one core is full for the next population. Delay extensions
follow after all populations. Source: SpiNNaker_PACMAN (ApplicationPlacer); equal to the reference mappings of 7.4.1.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from neurohw.device.machine import Site
from neurohw.device.spinnaker import SpinnakerMachine
from neurohw.device.spinnaker_fabric import Place
from neurohw.errors import DoesNotFit
from neurohw.passes.spinnaker.sdram import EXTENSION, bytes_of_populations
from neurohw.program import Program
from neurohw.report import Resource

REQUIRES = ("partitioned",)
ESTABLISHES = ("placed",)


def place_spinnaker(program: Program) -> Program:
    """A program whose slices and extensions have cores; reports system cores and the SDRAM of the fullest chip."""
    machine = program.device.machine
    assert isinstance(machine, SpinnakerMachine)
    floor, needs = _Floor(machine), bytes_of_populations(program)
    groups = [(name, list(parts), needs[name]) for name, parts in groupby(program.slices, lambda s: s.population)]
    groups += [
        (name, list(parts), float(EXTENSION)) for name, parts in groupby(program.extensions, lambda s: s.population)
    ]
    placed = []
    for name, parts, need in groups:
        if need > machine.sdram_per_chip:
            raise DoesNotFit(
                f"{program.network.name} on {program.device.title}: one core of {name!r} needs {need / 2**20:.3g} MiB "
                f"of SDRAM, a chip has {machine.sdram_per_chip / 2**20:.3g} MiB; use fewer neurons per core"
            )
        sites = floor.settle(len(parts), need)
        if sites is None:
            used, there = sum(floor.taken.values()), len(machine.sites())
            raise DoesNotFit(
                f"{program.network.name} on {program.device.title}: no room on linked chips for the {len(parts)} cores "
                f"of {name!r}; {used} of {there} cores are taken; make the network smaller or take a larger machine"
            )
        placed += [replace(part, site=site) for part, site in zip(parts, sites, strict=True)]
    n = len(program.slices)
    return program.with_(
        Resource("chips", sum(count > 0 for count in floor.taken.values()), len(machine.fabric.boards)),
        Resource("system and dead cores", machine.n_cores - len(machine.sites()), machine.n_cores),
        Resource("SDRAM of the fullest chip (MiB)", max(floor.filled.values()) / 2**20, machine.sdram_per_chip / 2**20),
        slices=tuple(placed[:n]),
        extensions=tuple(placed[n:]),
    )


class _Floor:
    """Chips as they fill. taken, filled: chip -> application cores and bytes in use."""

    def __init__(self, machine: SpinnakerMachine):
        self.machine, self.fabric = machine, machine.fabric
        self.cores = {chip: machine.cores(chip) for chip in self.fabric.boards}
        shares = 1.0 - 1.0 / max(map(len, self.cores.values()))
        self.full_at = float(machine.sdram_per_chip) * shares
        self.taken = dict.fromkeys(self.fabric.boards, 0)
        self.filled = dict.fromkeys(self.fabric.boards, 0.0)
        self.untried = iter(self.fabric.boards)
        self.starts: list[Place] = []

    def settle(self, count: int, need: float) -> list[Site] | None:
        """Places for `count` cores of `need` bytes each on linked chips; None if there are none."""
        tried: list[Place] = []
        for start in self._starts():
            tried.append(start)
            chips = self._grow(start, count, need)
            if chips is not None:
                self.starts += tried
                return [self._take(chip, need) for chip in chips]
        return None

    def _starts(self) -> Iterator[Place]:
        """Chips with a free core: those from which earlier populations started, then the others."""
        while self.starts:
            chip = self.starts.pop(0)
            if self._free(chip):
                yield chip
        yield from (chip for chip in self.untried if self._free(chip))

    def _free(self, chip: Place) -> int:
        """Cores that a population may still take; 0 on a chip that earlier ones have filled."""
        return len(self.cores[chip]) - self.taken[chip] if self.filled[chip] <= self.full_at else 0

    def _take(self, chip: Place, need: float) -> Site:
        self.taken[chip] += 1
        self.filled[chip] += need
        return Site(*chip, self.cores[chip][self.taken[chip] - 1])

    def _grow(self, start: Place, count: int, need: float) -> list[Place] | None:
        """The chip of each core, chip after chip from `start` over working links; None if the room ends."""
        boards = self.fabric.boards
        found: list[Place] = []
        board, seen, queue = boards[start], set(), [start]
        while queue:
            chip = next((c for c in queue if boards[c] == board), queue[0])
            queue.remove(chip)
            board = boards[chip]
            if not self._free(chip):
                continue
            seen.add(chip)
            room = min(self._free(chip), int((float(self.machine.sdram_per_chip) - self.filled[chip]) // need))
            if not room:
                continue
            found += [chip] * min(room, count - len(found))
            if len(found) == count:
                return found
            for other in self.fabric.links[chip].values():
                if other not in seen and other not in queue and self._free(other):
                    queue.append(other)
        return None
