"""Multicast trees on SpiNNaker: one for a whole population, shared by all its cores, as PACMAN's ApplicationRouter
builds it.

The chips of a population are taken as one place. To each target population in turn

1. one of its chips is chosen: one that it shares with the source, else one that the tree already has, else the last;
2. the way there is the shortest, its longest axis first, and goes round dead links and chips by breadth-first search.
   It
   leaves the tree (or the chips of the source) at the last chip they share and ends at the first chip of the target;
3. from there the tree floods the chips of the target by breadth-first search, links E, NE, N, W, SW, S.

Then every chip of the source is joined, through chips of the source, to those from which the tree starts (and, for a
projection of a population onto itself, to all that hold targets).

Where the tool chain picks one of a Python set of chips, so does this file: their order is that of CPython's hash table
and has no meaning, but choosing otherwise would give other, equally good tables. Source: SpiNNaker_PACMAN.
"""

from collections import deque
from collections.abc import Collection

from neurohw.device.spinnaker_fabric import Fabric, Place, region
from neurohw.errors import DoesNotFit

Hop = tuple[int, Place]
"""A link and the chip it leads to."""


class Forest:
    """The growing trees of one source. children: chip -> links that a packet takes from it; roots: where they start."""

    def __init__(self, fabric: Fabric, source: list[Place]):
        """source: the chips of the population's cores, in order, one for each core or less."""
        self.fabric = fabric
        self.source = dict.fromkeys(source)
        self.children: dict[Place, dict[int, None]] = {}
        self.roots: set[Place] = set()

    def reach(self, targets: list[Place]) -> None:
        """Grow to the chips of a target population's cores (in order; repeats do not matter)."""
        chips = set(targets)
        start = next(iter(self.source))
        shared = chips.intersection(self.source) if len(chips) > 1 else set()
        goal = self._goal(chips, shared)
        branch, entry = self._go(start, goal, chips)
        open_chips, wanted = set(chips), set(chips)
        if len(shared) > 1:
            done = set(shared)
            for chip in shared:
                near = region(self.fabric, chip, open_chips, done)
                self.flood(chip, near, wanted & near)
                self.roots.add(chip)
                open_chips -= wanted & near
                wanted -= near
                done |= near
            self.flood(entry, open_chips, wanted)
            return
        self.flood(entry, open_chips, wanted)
        if branch in self.source:
            self.roots.add(branch)

    def _goal(self, chips: set[Place], shared: set[Place]) -> Place:
        if shared:
            return next(iter(shared))
        chip = next(iter(chips))
        for chip in chips:
            if chip in self.children:
                return chip
        return chip

    def _go(self, start: Place, goal: Place, targets: Collection[Place]) -> tuple[Place, Place]:
        """Grow a branch towards `goal`; returns where it leaves what was there and where it meets the targets."""
        way = straight(self.fabric, start, goal)
        own = [k for k, (_, chip) in enumerate(way) if chip in self.source or chip in self.children]
        branch = way[own[-1]][1] if own else start
        way = way[own[-1] + 1 :] if own else way
        met = next((k for k, (_, chip) in enumerate(way) if chip in targets), None)
        way = way if met is None else way[: met + 1]
        here = branch
        self.children.setdefault(here, {})
        for link, chip in way:
            self.children[here][link] = None
            self.children.setdefault(chip, {})
            here = chip
        return branch, here if met is not None else goal

    def flood(self, first: Place, inside: Collection[Place], targets: Collection[Place]) -> None:
        """Grow from `first` to every chip of `targets` over chips of `inside`."""
        parents: dict[Place, Hop | None] = {first: None}
        missing, queue = set(targets), deque([first])
        anchors: set[Place] = set()
        while queue:
            chip = queue.popleft()
            missing.discard(chip)
            if chip in self.children or chip in targets:
                if chip not in self.children:
                    self._hang(chip, parents, anchors)
                anchors.add(chip)
            for link, other in self.fabric.links[chip].items():
                if other in inside and other not in parents:
                    parents[other] = (link, chip)
                    queue.append(other)
        if missing:
            raise DoesNotFit(
                f"routing: chips {sorted(missing)} cannot be reached from {first} over working links; see dead_links"
            )

    def _hang(self, chip: Place, parents: dict[Place, Hop | None], anchors: set[Place]) -> None:
        """Link a chip to the tree along the way on which the flood came."""
        self.children.setdefault(chip, {})
        step = parents[chip]
        while step is not None and chip not in anchors:
            link, parent = step
            self.children.setdefault(parent, {})[link] = None
            chip, step = parent, parents[parent]


def straight(fabric: Fabric, start: Place, end: Place) -> list[Hop]:
    """The shortest way, longest axis first (E/W, N/S, diagonal where equal), with detours around what is dead."""
    axes = sorted(enumerate(fabric.vector(start, end)), key=lambda axis: -abs(axis[1]))
    links = [((0, 3), (2, 5), (4, 1))[axis][steps < 0] for axis, steps in axes for _ in range(abs(steps))]
    way: list[Hop] = []
    reached = planned = start
    for link in links:
        if link in fabric.links.get(planned, {}):
            if reached != planned:
                way += detour(fabric, reached, planned)
            reached = fabric.beyond(planned, link)
            way.append((link, reached))
        planned = fabric.beyond(planned, link)
    if reached != end:
        way += detour(fabric, reached, end)
    return _without_loops(start, way)


def detour(fabric: Fabric, start: Place, end: Place) -> list[Hop]:
    """The shortest way over working links."""
    came: dict[Place, tuple[Place, int] | None] = {start: None}
    queue = deque([start])
    while queue and end not in came:
        chip = queue.popleft()
        for link, other in fabric.links[chip].items():
            if other not in came:
                came[other] = (chip, link)
                queue.append(other)
    if end not in came:
        raise DoesNotFit(
            f"routing: there is no way from chip {start} to {end} over working links; see dead_links and dead_chips"
        )
    way, chip = [], end
    while (step := came[chip]) is not None:
        way.append((step[1], chip))
        chip = step[0]
    return way[::-1]


def _without_loops(start: Place, way: list[Hop]) -> list[Hop]:
    kept: list[Hop] = []
    for link, chip in way:
        chips = [start, *(c for _, c in kept)]
        kept = kept[: chips.index(chip)] if chip in chips else [*kept, (link, chip)]
    return kept
