"""What the passes establish, each as a check of a program; all that hold are checked again after every pass.

A predicate costs O(populations + projections + slices), never O(synapses). It raises AssertionError, since a program for which an
established predicate fails is a fault of neurohw and not of the user.
"""

import itertools
from collections.abc import Callable

import numpy as np

from neurohw.program import Program


def valid(program: Program) -> None:
    """The device has every model and rule of the network."""
    assert not program.device.objections(program.network)


def legal(program: Program) -> None:
    """Every parameter lies in the device's range, and every projection has delays that the device can do."""
    assert not [p.name for p in program.network.populations.values() if program.device.outside(p)]
    assert program.delays is not None
    assert set(program.delays.allowed) == set(program.network.projections)


def partitioned(program: Program) -> None:
    """Every neuron is in exactly one slice, and no slice is larger than a unit."""
    for name, population in program.network.neurons.items():
        mine = sorted((s.first, s.last) for s in program.slices if s.population == name)
        assert mine
        assert mine[0][0] == 0
        assert mine[-1][1] == population.size
        assert all(a[1] == b[0] for a, b in itertools.pairwise(mine))
    assert all(s.size >= 1 for s in program.slices)


def placed(program: Program) -> None:
    """Every slice and every extension has a place of its own."""
    sites = [s.site for s in (*program.slices, *program.extensions)]
    assert None not in sites
    assert len(set(sites)) == len(sites)


def routed(program: Program) -> None:
    """Distances are known between all slices; keys, where there are any, do not overlap, and tables fit their routers."""
    routing = program.routing
    assert routing is not None
    assert routing.hops.shape == (len(program.slices),) * 2
    if routing.keys is not None and routing.masks is not None:
        sending = routing.keys >= 0
        keys, ends = routing.keys[sending], routing.keys[sending] | (0xFFFFFFFF ^ routing.masks[sending])
        order = np.argsort(keys)
        assert (ends[order][:-1] < keys[order][1:]).all()
    assert all(len(table) <= program.device.machine.router_entries for table in routing.tables.values())


def assigned(program: Program) -> None:
    """Every projection knows which synapse circuits it has, where there are such."""
    circuits = program.routing.circuits if program.routing else None
    if not program.device.is_unlimited:
        assert circuits is not None
        assert set(circuits) == set(program.network.projections)


def scaled(program: Program) -> None:
    """Every projection knows what one code of its weights means."""
    assert program.scaling is not None
    assert set(program.scaling.unit) == set(program.network.projections)


def lowered(program: Program) -> None:
    """There is a payload for the chip to load, unless the chip reads the network itself."""
    assert program.payload is not None or program.device.substrate == "reference"


def sealed(program: Program) -> None:
    """The program has the fingerprint of everything that determines its runs."""
    assert program.fingerprint


PREDICATES: dict[str, Callable[[Program], None]] = {
    check.__name__: check for check in (valid, legal, partitioned, placed, routed, assigned, scaled, lowered, sealed)
}
