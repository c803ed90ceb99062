"""place: give every slice a unit of the machine, in the order in which the makers' own tool fills them."""

from dataclasses import replace

from neurohw.device.machine import Site
from neurohw.program import Program

REQUIRES = ("partitioned",)
ESTABLISHES = ("placed",)


def place(program: Program) -> Program:
    """Slice k takes the k-th usable place; an ideal device goes on with imagined places when its own are full."""
    sites = program.device.machine.sites()
    while len(sites) < len(program.slices):
        sites.append(Site(sites[0].x, sites[0].y, 1_000_000 + len(sites)))
    placed = tuple(replace(part, site=site) for part, site in zip(program.slices, sites, strict=False))
    return program.with_(slices=placed)
