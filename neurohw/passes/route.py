"""route: how far spikes travel between slices."""

from dataclasses import replace

import numpy as np

from neurohw.program import Program, Routing

REQUIRES = ("placed",)
ESTABLISHES = ("routed",)


def route(program: Program) -> Program:
    """Links from slice to slice, along the shortest way of the machine."""
    machine = program.device.machine
    sites = [part.site for part in program.slices]
    places = {(s.x, s.y): s for s in sites}
    number = {place: k for k, place in enumerate(places)}
    between = np.array([[machine.hops(a, b) for b in places.values()] for a in places.values()], np.int64)
    which = np.array([number[s.x, s.y] for s in sites], np.int64)
    return replace(program, routing=Routing(between.reshape(len(places), -1)[np.ix_(which, which)]))
