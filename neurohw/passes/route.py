"""route: how far spikes travel between slices."""

from dataclasses import replace

import numpy as np

from neurohw.program import Program, Routing

REQUIRES = ("placed",)
ESTABLISHES = ("routed",)


def route(program: Program) -> Program:
    """Links from slice to slice, along the shortest way of the machine."""
    sites, hops = [part.site for part in program.slices], program.device.machine.hops
    distance = {}
    for a in {(s.x, s.y): s for s in sites}.values():
        for b in {(s.x, s.y): s for s in sites}.values():
            distance[a.x, a.y, b.x, b.y] = hops(a, b)
    table = np.array([[distance[a.x, a.y, b.x, b.y] for b in sites] for a in sites], np.int64).reshape(len(sites), -1)
    return replace(program, routing=Routing(table))
