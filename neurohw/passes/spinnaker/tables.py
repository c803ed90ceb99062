"""Routing tables on SpiNNaker: what the trees mean for each chip's router, in as few lines as keys in zones allow.

On a chip that only passes spikes on, or where all cores of a zone go the same way, one line with the zone's mask serves
all. On a chip of the source, or where cores of the zone are for different cores, each has its own, and runs of
neighbors with the same route are merged to powers of two: a run that starts at core i > 0 takes groups of the lowest
set bit of i, one that starts at 0 the next power of two; a run that contains the last core may take a group that is
larger than what is left. Source: SpiNNaker_PACMAN (MergedRoutingTableGenerator, AppVertexRoutingInfo). 7.4.1 also calls
lines defaultable that lead to cores of their own chip; here none of those is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from neurohw.device.machine import Site
from neurohw.device.spinnaker_fabric import Fabric, Place
from neurohw.passes.spinnaker.keys import Zone
from neurohw.passes.spinnaker.targets import Edge
from neurohw.passes.spinnaker.trees import Forest
from neurohw.program import TableEntry

Line = tuple[int, bool]
"""(route, defaultable)"""
WHOLE = -1


@dataclass
class _Wanted:
    """What a chip's cores want of a zone: for the zone as a whole, or for each of its cores.

    alike: some targets on this chip need all cores of the zone and a later one only some. The tool chain then sends all
    cores of the zone to all of these targets, which ignore keys that they do not know.
    """

    whole: int | None = None
    single: dict[int, int] = field(default_factory=dict)
    alike: bool = False

    def add(self, core: int, indices: Sequence[int] | None, count: int, apart: bool) -> None:
        """One more core that is a target; `apart`: this chip needs lines for single cores of the zone anyway."""
        bit = 1 << 6 + core
        if indices is None and not apart and not self.single:
            self.whole = (self.whole or 0) | bit
            return
        if self.whole is not None and (indices is None or len(indices)):
            self.single, self.whole, self.alike = dict.fromkeys(range(count), self.whole), None, True
        for index in range(count) if indices is None or (self.alike and len(indices)) else indices:
            self.single[index] = self.single.get(index, 0) | bit


def lines_of_zone(
    zone: Zone, edges: Sequence[Edge], sites: Sequence[Site], fabric: Fabric
) -> dict[Place, dict[int, Line]]:
    """Chip -> index of a core of the zone, or WHOLE -> (route, defaultable); in the order in which the lines arise."""
    chips = [(sites[unit].x, sites[unit].y) for unit in zone.units]
    forest = Forest(fabric, chips)
    wanted: dict[Place, _Wanted] = {}
    own: set[Place] = set()
    for edge in edges:
        targets = [sites[unit] for unit in edge.needs]
        for site, indices in zip(targets, edge.needs.values(), strict=True):
            chip = (site.x, site.y)
            here = wanted.setdefault(chip, _Wanted())
            here.add(site.unit, indices, len(zone.units), chip in forest.source or edge.to_itself)
        if edge.to_itself:
            own |= {(site.x, site.y) for site in targets}
        else:
            forest.reach([(site.x, site.y) for site in targets])
    lines: dict[Place, dict[int, Line]] = {}
    for root in forest.roots:
        if root not in wanted:
            wanted[root] = _Wanted(single=dict.fromkeys(range(len(chips)), 0))
        _follow(forest, root, wanted, range(len(chips)), lines)
    for chip in forest.source:
        inner = Forest(fabric, [chip])
        inner.flood(chip, forest.source.keys() | own, forest.roots | own)
        mine = [index for index, place in enumerate(chips) if place == chip]
        for index in mine:
            _follow(inner, chip, wanted if own else {}, [index], lines, alone=True)
    return lines


def _follow(
    forest: Forest, root: Place, wanted: dict[Place, _Wanted], indices: Sequence[int], lines: dict, alone: bool = False
) -> None:
    """Write the lines of a tree. alone: of a single core of the zone, else of all `indices`."""
    queue: list[tuple[Place, int | None]] = [(root, None)]
    while queue:
        chip, came = queue.pop()
        links = forest.children[chip]
        route = sum(1 << link for link in links)
        straight_on = came is not None and tuple(links) == ((came + 3) % 6,)
        queue += [(forest.fabric.beyond(chip, link), (link + 3) % 6) for link in links]
        table, here = lines.setdefault(chip, {}), wanted.get(chip)
        if alone:
            cores = here.single.get(indices[0], 0) if here else 0
            _add(table, indices[0], route | cores, straight_on and not cores)
        elif here is None:
            _add(table, WHOLE, route, straight_on)
        elif here.whole is not None:
            _add(table, WHOLE, route | here.whole, False)
        else:
            for index in (*here.single, *(i for i in indices if i not in here.single)):
                cores = here.single.get(index, 0)
                _add(table, index, route | cores, straight_on and not cores)


def _add(table: dict[int, Line], index: int, route: int, defaultable: bool) -> None:
    old = table.get(index)
    table[index] = (route, defaultable) if old in (None, (route, defaultable)) else (old[0] | route, False)


def merged(zone: Zone, lines: dict[int, Line]) -> list[TableEntry]:
    """The entries of one zone in one router."""
    found: list[TableEntry] = []
    run: list[int] = []
    for index, (route, defaultable) in lines.items():
        if index == WHOLE:
            found.append(TableEntry(zone.base, zone.mask, route, defaultable))
            continue
        if run and (index != run[-1] + 1 or route != lines[run[-1]][0]):
            found += _groups(zone, run, lines)
            run = []
        run.append(index)
    return found + _groups(zone, run, lines)


def _groups(zone: Zone, run: list[int], lines: dict[int, Line]) -> list[TableEntry]:
    """A run of cores with one route, in powers of two."""
    found, last, alone = [], bool(run) and run[-1] == len(zone.units) - 1, len(run) == 1
    while run:
        size = 1 if alone else run[0] & -run[0] or 1 << (len(run) - 1).bit_length()
        if size > len(run) and not last:
            size = 1 << len(run).bit_length() - 1
        mask = zone.core_mask - ((size - 1) << zone.shift)
        group, run = run[:size], run[size:]
        found.append(TableEntry(zone.key(group[0]), mask, lines[group[0]][0], all(lines[k][1] for k in group)))
    return found
