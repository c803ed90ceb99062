"""Pair compression of a routing table on SpiNNaker: two lines with one route become one, blind to where they differ.

Lines are sorted by how many share their route, rare routes first. Within a route a line is merged with the next that
makes no key of a later (more frequent) route match; what matches earlier ones does not matter, since the first match
wins. So the result depends on its order. Source: SpiNNaker_PACMAN 1!7.4.1 (PairCompressor).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from neurohw.program import TableEntry

Pattern = tuple[int, int]


def compressed(table: Sequence[TableEntry]) -> tuple[TableEntry, ...]:
    """A table that sends every key of `table` the same way, in at most as many lines; ties keep their order."""
    shared = Counter(entry.route for entry in table)
    frequent = {route: place for place, (route, _) in enumerate(sorted(shared.items(), key=lambda pair: -pair[1]))}
    ordered = sorted(table, key=lambda entry: -frequent[entry.route])
    found, begin = [], 0
    while begin < len(ordered):
        end = begin + shared[ordered[begin].route]
        later = np.array([(e.key, e.mask) for e in ordered[end:]], np.int64).reshape(-1, 2)
        found += _one_route(ordered[begin:end], later)
        begin = end
    return tuple(found)


def _one_route(left: list[TableEntry], later: np.ndarray) -> list[TableEntry]:
    found = []
    while left:
        for k in range(1, len(left)):
            key, mask = _union(left[0], left[k])
            if not ((key & later[:, 1]) == (later[:, 0] & mask)).any():
                left[0] = TableEntry(key, mask, left[0].route, left[0].defaultable and left[k].defaultable)
                left[k] = left[-1]
                left.pop()
                break
        else:
            found.append(left.pop(0))
    return found


def _union(a: TableEntry, b: TableEntry) -> Pattern:
    """The narrowest (key, mask) that matches what either matches."""
    mask = a.mask & b.mask & ~(a.key ^ b.key)
    return a.key & mask, mask
