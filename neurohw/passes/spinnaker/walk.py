"""A walk of packets through routing tables on SpiNNaker: which cores they reach, and how many routers they pass.

A router sends a packet where its first matching line says; without one, out by the link opposite to the one it came by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurohw.device.spinnaker_fabric import Fabric, Place
from neurohw.program import TableEntry

UNMATCHED = -1


@dataclass(frozen=True, eq=False)
class Walk:
    """reached: rows (packet, x, y, core), sorted; visits: routers that each packet passes. crossed: rows (packet, x, y,
    link). lost: packets that took a link which does not work, or came to a router twice.
    """

    reached: NDArray[np.int64]
    visits: NDArray[np.int64]
    crossed: NDArray[np.int64]
    lost: NDArray[np.int64]


def walk(
    keys: NDArray[np.int64], starts: Sequence[Place], tables: Mapping[Place, Sequence[TableEntry]], fabric: Fabric
) -> Walk:
    """Send a packet with each key from the chip where it starts; all packets go on at once, one link at a time."""
    chips = list(fabric.boards)
    number = {chip: k for k, chip in enumerate(chips)}
    beyond = np.array([[number.get(fabric.links[c].get(link), -1) for link in range(6)] for c in chips])
    routes = np.array([_routes(tables.get(chip, ()), keys) for chip in chips]).reshape(len(chips), keys.size)
    packet, at = np.arange(keys.size), np.array([number[start] for start in starts], np.int64)
    came = np.full(keys.size, -1)
    seen, lost, reached, crossed = np.zeros((len(chips), keys.size), bool), [], [], []
    while packet.size:
        again = seen[at, packet]
        lost.append(packet[again])
        packet, at, came = packet[~again], at[~again], came[~again]
        seen[at, packet] = True
        route = routes[at, packet]
        onwards = np.where(came >= 0, 1 << (came + 3) % 6, 0)
        route = np.where(route == UNMATCHED, onwards, route)
        for core in range(int(route.max(initial=0)).bit_length() - 6):
            here = np.flatnonzero(route >> core + 6 & 1)
            reached.append(np.stack((packet[here], at[here], np.full(here.size, core)), axis=1))
        taken = [(np.flatnonzero(route >> link & 1), link) for link in range(6)]
        crossed += [np.stack((packet[who], at[who], np.full(who.size, link)), axis=1) for who, link in taken]
        came = np.concatenate([np.full(who.size, (link + 3) % 6) for who, link in taken])
        after = np.concatenate([beyond[at[who], link] for who, link in taken])
        packet = np.concatenate([packet[who] for who, _ in taken])
        lost.append(packet[after < 0])
        packet, at, came = packet[after >= 0], after[after >= 0], came[after >= 0]
    ends, ways = (_placed(np.array(chips, np.int64), found) for found in (reached, crossed))
    return Walk(ends, seen.sum(axis=0), ways, np.unique(np.concatenate(lost or [packet])))


def _placed(chips: NDArray[np.int64], found: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Rows (packet, number of a chip, what) as rows (packet, x, y, what), sorted."""
    table = np.concatenate(found) if found else np.empty((0, 3), np.int64)
    rows = np.column_stack((table[:, 0], chips[table[:, 1]], table[:, 2]))
    return rows[np.lexsort(rows.T[::-1])]


def _routes(table: Sequence[TableEntry], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The route of the first line that matches each key; UNMATCHED where none does."""
    if not table:
        return np.full(keys.size, UNMATCHED)
    lines = np.array([(entry.key, entry.mask, entry.route) for entry in table], np.int64)
    matches = (keys[:, None] & lines[:, 1]) == lines[:, 0]
    return np.where(matches.any(axis=1), lines[matches.argmax(axis=1), 2], UNMATCHED)
