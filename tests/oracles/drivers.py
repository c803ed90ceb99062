"""How many synapses the drivers of one array can realize at best, found by trying every way to share them."""

from itertools import combinations, product


def best(counts, bus, per_row, rows_per_driver, drivers):
    """counts[target][group]: synapses asked for; bus[group]. Tries all numbers of drivers, all sets of rows."""
    groups = [[g for g, at in enumerate(bus) if at == b] for b in sorted(set(bus))]
    most = 0
    for share in product(range(drivers + 1), repeat=len(groups)):
        if sum(share) <= drivers:
            rows = [rows_per_driver * n for n in share]
            most = max(most, sum(_best_rows(counts, g, per_row, r) for g, r in zip(groups, rows, strict=True)))
    return most


def _best_rows(counts, groups, per_row, rows):
    """The best that `rows` rows can do for the groups of one bus."""
    deepest = max((row[g] for row in counts for g in groups), default=0)
    slots = [g for g in groups for _ in range(-(-deepest // per_row))]
    found = 0
    for n in range(min(rows, len(slots)) + 1):
        for chosen in set(combinations(slots, n)):
            found = max(found, sum(min(row[g], per_row * chosen.count(g)) for row in counts for g in groups))
    return found
