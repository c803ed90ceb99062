"""route on SpiNNaker: keys in zones of the key space, and one multicast tree per core.

Keys (ZonedRoutingInfoAllocator, flexible): each population has a zone; within it the number of the core, then the neuron and
4 bits for the time step ("color"). With a = ceil(log2(largest slice * colors)), m = ceil(log2(slices)), T the largest a + m:

    key = population << T | slice << a        mask = ~(2^a - 1)

Trees here follow the shortest way, diagonal links first. Source: SpiNNaker_PACMAN 1!7.4.1.
"""

from collections import Counter
from dataclasses import replace

import numpy as np

from neurohw.connections import OneToOne
from neurohw.device.spinnaker import SpinnakerMachine, path
from neurohw.errors import DoesNotFit
from neurohw.passes.route import route
from neurohw.program import Program
from neurohw.report import Resource

REQUIRES = ("placed",)
ESTABLISHES = ("routed",)
KEY_BITS = 32


def route_spinnaker(program: Program) -> Program:
    """A program with hops, keys, masks and the number of entries that each chip's router holds."""
    program = route(program)
    machine = program.device.machine
    assert isinstance(machine, SpinnakerMachine) and program.routing is not None
    keys, masks = _keys(program, int(machine.key_colors))
    entries = _entries(program)
    most = max(entries.values(), default=0)
    if most > machine.router_entries:
        raise DoesNotFit(
            f"{program.network.name} on {program.device.title}: a router needs {most} entries and holds "
            f"{int(machine.router_entries)}; use more neurons per core"
        )
    routing = replace(program.routing, keys=keys, masks=masks, table_entries=entries)
    return program.with_(
        Resource("router entries on the fullest chip", most, float(machine.router_entries)), routing=routing
    )


def _keys(program: Program, colors: int) -> tuple[np.ndarray, np.ndarray]:
    zones: dict[str, list[int]] = {}
    for number, part in enumerate(program.slices):
        zones.setdefault(part.population, []).append(number)
    bits = {
        name: ((max(program.slices[k].size for k in parts) * colors - 1).bit_length(), (len(parts) - 1).bit_length())
        for name, parts in zones.items()
    }
    total = max(a + m for a, m in bits.values())
    if total + (len(zones) - 1).bit_length() > KEY_BITS:
        raise DoesNotFit(f"{program.network.name}: its routing keys need more than {KEY_BITS} bits; use fewer populations")
    keys, masks = np.zeros(len(program.slices), np.uint32), np.zeros(len(program.slices), np.uint32)
    for zone, (name, parts) in enumerate(zones.items()):
        for index, number in enumerate(parts):
            keys[number] = zone << total | index << bits[name][0]
            masks[number] = 0xFFFFFFFF ^ ((1 << bits[name][0]) - 1)
    return keys, masks


def _entries(program: Program) -> dict[tuple[int, int], int]:
    """Router entries per chip: one for every core whose multicast tree touches the chip."""
    by_population: dict[str, list[int]] = {}
    for number, part in enumerate(program.slices):
        by_population.setdefault(part.population, []).append(number)
    entries: Counter[tuple[int, int]] = Counter()
    for part in program.slices:
        touched: set[tuple[int, int]] = set()
        for p in program.network.projections.values():
            if p.source != part.population:
                continue
            for number in by_population[p.target]:
                target = program.slices[number]
                if isinstance(p.rule, OneToOne) and (target.first >= part.last or target.last <= part.first):
                    continue
                assert part.site and target.site
                touched.update(path(part.site, target.site))
        entries.update(touched)
    return dict(entries)
