"""The fabric of SpiNNaker boards: which chips there are, which board each is on, and where its six links lead.

Chips form a hexagonal mesh drawn on square axes: link 0 leads east, then counterclockwise 1 north-east, 2 north, 3
west, 4 south-west, 5 south; a packet that comes in by link k and finds no entry leaves by the opposite link, (k + 3) %
6.

A SpiNN-5 board is a hexagon of 48 chips. Three of them, with their Ethernet chips at (0, 0), (8, 4) and (4, 8), tile a
rhomb of 12 x 12 chips, a triad. Machines are rectangles of triads: with all outer links plugged a torus of 12 w x 12 h
chips, else a patch whose hexagons stick out by 4 chips. Source: SpiNNMachine (version_48_chips.py, version_5.py).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

Place = tuple[int, int]
DIRECTIONS: tuple[Place, ...] = ((1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1))
"""Where link k leads: E, NE, N, W, SW, S."""
LINK_NAMES = ("E", "NE", "N", "W", "SW", "S")
TRIAD, OVERHANG = 12, 4
TRIAD_ROOTS: tuple[Place, ...] = ((0, 0), (4, 8), (8, 4))
SPIN5_ROWS = {0: (0, 4), 1: (0, 5), 2: (0, 6), 3: (0, 7), 4: (1, 7), 5: (2, 7), 6: (3, 7), 7: (4, 7)}
"""Row y of a SpiNN-5 board holds the chips x = first..last."""
SPIN5: tuple[Place, ...] = tuple((x, y) for y, (first, last) in SPIN5_ROWS.items() for x in range(first, last + 1))
SPIN3: tuple[Place, ...] = ((0, 0), (0, 1), (1, 0), (1, 1))
SPIN3_UNPLUGGED = frozenset({(0, 0, 3), (0, 0, 4), (0, 1, 3), (0, 1, 4), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)})
"""Links of the four-chip board that lead nowhere; its north and south links go round."""


@dataclass(frozen=True)
class Fabric:
    """boards: working chip -> the Ethernet chip of its board, by x, then y. dead_links: (x, y, link), both ways."""

    width: int
    height: int
    wraps: bool
    boards: Mapping[Place, Place]
    dead_links: frozenset[tuple[int, int, int]] = frozenset()

    def beyond(self, chip: Place, link: int) -> Place:
        """The coordinates that a link leads to, whether or not there is a chip."""
        x, y = chip[0] + DIRECTIONS[link][0], chip[1] + DIRECTIONS[link][1]
        return (x % self.width, y % self.height) if self.wraps else (x, y)

    @cached_property
    def links(self) -> dict[Place, dict[int, Place]]:
        """Working chip -> its working links and the chips they lead to."""
        return {
            chip: {
                link: self.beyond(chip, link)
                for link in range(6)
                if (*chip, link) not in self.dead_links and self.beyond(chip, link) in self.boards
            }
            for chip in self.boards
        }

    def vector(self, start: Place, end: Place) -> tuple[int, int, int]:
        """The shortest way as steps along E, N and SW (x, y, z); at most two differ from 0.

        On a torus the first of the four ways round that is shortest: neither axis, x, y, both the other way round.
        """
        dx, dy = end[0] - start[0], end[1] - start[1]
        if not self.wraps:
            return _hexagonal(dx, dy)
        dx, dy = dx % self.width, dy % self.height
        ways = [(x, y) for y in (dy, dy - self.height) for x in (dx, dx - self.width)]
        return min((_hexagonal(x, y) for x, y in ways), key=lambda way: sum(map(abs, way)))

    def distance(self, start: Place, end: Place) -> int:
        """Links of the shortest way, if all of them work."""
        return sum(map(abs, self.vector(start, end)))


def _hexagonal(dx: int, dy: int) -> tuple[int, int, int]:
    """(dx, dy) with the diagonal steps taken out: a diagonal step is one less of x and one less of y."""
    shared = min(dx, dy) if dx > 0 and dy > 0 else max(dx, dy) if dx < 0 and dy < 0 else 0
    return dx - shared, dy - shared, -shared


def make_fabric(
    layout: str,
    triads: tuple[int, int],
    wraps: bool,
    dead_chips: tuple[Place, ...],
    dead_links: tuple[tuple[int, int, int], ...],
) -> Fabric:
    """The fabric of a board or machine, without what is dead. Raises ValueError naming what cannot be."""
    if layout == "spin3":
        whole = Fabric(2, 2, True, dict.fromkeys(SPIN3, (0, 0)), SPIN3_UNPLUGGED)
    elif layout == "spin5":
        whole = Fabric(8, 8, False, dict.fromkeys(sorted(SPIN5), (0, 0)))
    else:
        whole = _triads(*triads, wraps)
    ethernets = set(whole.boards.values())
    for chip in dead_chips:
        if chip not in whole.boards:
            raise ValueError(f"dead_chips: there is no chip {chip}")
        if chip in ethernets:
            raise ValueError(
                f"dead_chips: {chip} is the Ethernet chip of its board, without which the board does not boot"
            )
    dead = set(whole.dead_links)
    for x, y, link in dead_links:
        other = whole.links.get((x, y), {}).get(link)
        if other is None:
            has = ", ".join(f"{k} ({LINK_NAMES[k]})" for k in whole.links.get((x, y), {}))
            raise ValueError(
                f"dead_links: ({x}, {y}) has no link {link}; " + (f"it has {has}" if has else "there is no such chip")
            )
        dead |= {(x, y, link), (*other, (link + 3) % 6)}
    boards = {chip: board for chip, board in whole.boards.items() if chip not in dead_chips}
    fabric = Fabric(whole.width, whole.height, whole.wraps, boards, frozenset(dead))
    lonely = sorted(set(boards) - region(fabric, (0, 0), boards))
    if lonely:
        raise ValueError(
            f"dead_links: nothing leads from chip (0, 0) to {lonely[:5]} any more; list them as dead_chips"
        )
    return fabric


def region(fabric: Fabric, first: Place, allowed: Collection[Place], closed: Collection[Place] = ()) -> set[Place]:
    """Chips that can be reached from `first` over allowed chips that are not closed."""
    found, queue = {first}, [first]
    while queue:
        for other in fabric.links[queue.pop()].values():
            if other in allowed and other not in closed and other not in found:
                found.add(other)
                queue.append(other)
    return found


def _triads(columns: int, rows: int, wraps: bool) -> Fabric:
    extra = 0 if wraps else OVERHANG
    width, height = columns * TRIAD + extra, rows * TRIAD + extra
    roots = [(x + TRIAD * i, y + TRIAD * j) for x, y in TRIAD_ROOTS for j in range(rows) for i in range(columns)]
    boards = {
        ((ex + x) % width, (ey + y) % height) if wraps else (ex + x, ey + y): (ex, ey)
        for ex, ey in roots
        for x, y in SPIN5
    }
    return Fabric(width, height, wraps, dict(sorted(boards.items())))
