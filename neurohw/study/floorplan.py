"""Where a network sits on the machine: one cell per chip, reticle or tile, from the places of a program's slices."""

from collections import Counter

from neurohw.program import Program
from neurohw.study.html_report import Floorplan


def floorplan(program: Program) -> Floorplan | None:
    """All chips of the machine; fill is the share of a chip's units in use, the color that of the population with most units."""
    if program.device.is_unlimited:
        return None
    sites = program.device.machine.sites()
    total = Counter((site.x, site.y) for site in sites)
    used: dict[tuple[int, int], Counter[str]] = {}
    for part in (*program.slices, *program.extensions):
        if part.site is not None:
            used.setdefault((part.site.x, part.site.y), Counter())[part.population] += 1
    cells = []
    for (x, y), units in total.items():
        here = used.get((x, y), Counter())
        population = here.most_common(1)[0][0] if here else ""
        cells.append((x, y, f"{sum(here.values())}/{units}" if here else "", sum(here.values()) / units, population))
    hexagonal = program.device.substrate == "spinnaker"
    return Floorplan(
        cells,
        "hexagonal" if hexagonal else "grid",
        f"{program.device.title}: {program.device.machine.unit_word}s in use",
    )
