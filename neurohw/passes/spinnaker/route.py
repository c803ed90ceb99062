"""route on SpiNNaker: keys in zones, multicast trees, routing tables; and a walk of every key through the tables."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neurohw.device.machine import Site
from neurohw.device.spinnaker import SpinnakerMachine
from neurohw.device.spinnaker_fabric import Place
from neurohw.errors import DoesNotFit
from neurohw.passes.route import route
from neurohw.passes.spinnaker.compress import compressed
from neurohw.passes.spinnaker.keys import Zone, zones
from neurohw.passes.spinnaker.tables import lines_of_zone, merged
from neurohw.passes.spinnaker.targets import Edge, edges
from neurohw.passes.spinnaker.walk import Walk, walk
from neurohw.program import Program, TableEntry
from neurohw.report import Resource

REQUIRES = ("placed",)
ESTABLISHES = ("routed",)
Tables = dict[Place, tuple[TableEntry, ...]]


def route_spinnaker(program: Program) -> Program:
    """A program with hops, keys, masks and routing tables.

    Raises DoesNotFit where a router has too few entries or dead links cut chips off. The walk is an assertion: every
    key must reach the cores that need it, once each, or neurohw is at fault.
    """
    program = route(program)
    machine = program.device.machine
    assert isinstance(machine, SpinnakerMachine)
    assert program.routing is not None
    sites = [part.site for part in (*program.slices, *program.extensions) if part.site is not None]
    named = [(zone, edges(program, zone)) for zone in zones(program)]
    full = _tables(named, sites, machine)
    tables = _fitting(program, full)
    keys, masks = _keys(named, len(sites))
    sending = np.flatnonzero(keys >= 0)
    packets = walk(keys[sending], [(sites[k].x, sites[k].y) for k in sending], tables, machine.fabric)
    zone_of = np.zeros(len(sites), np.int64)
    for number, (zone, _) in enumerate(named):
        zone_of[list(zone.units)] = number
    needless = _needless(packets, wanted(named, sites), sending, zone_of)
    visits = np.zeros(len(sites), np.int64)
    visits[sending] = packets.visits
    unit = {(site.x, site.y, site.unit): number for number, site in enumerate(sites)}
    receivers = np.array([unit[tuple(place)] for place in packets.reached[:, 1:].tolist()], np.int64)
    routing = replace(
        program.routing,
        keys=keys,
        masks=masks,
        tables=tables,
        visits=visits,
        reached=np.column_stack((sending[packets.reached[:, 0]], receivers)),
        crossed=np.column_stack((sending[packets.crossed[:, 0]], packets.crossed[:, 1:])),
    )
    before, after = (sum(map(len, t.values())) for t in (full, tables))
    notes = [f"routing tables: {before} entries compressed to {after}"] if after < before else []
    if needless:
        notes.append(f"{needless} core-to-core routes serve cores that ignore the spikes, as the tool chain has it")
    most = max(map(len, tables.values()), default=0)
    entries = Resource("router entries on the fullest chip", most, float(machine.router_entries))
    return program.with_(entries, *notes, routing=routing)


def _tables(named: Sequence[tuple[Zone, Sequence[Edge]]], sites: Sequence[Site], machine: SpinnakerMachine) -> Tables:
    found: dict[Place, list[TableEntry]] = {}
    for zone, goals in named:
        for chip, lines in lines_of_zone(zone, goals, sites, machine.fabric).items():
            found.setdefault(chip, []).extend(merged(zone, lines))
    return {chip: tuple(found[chip]) for chip in sorted(found)}


def _fitting(program: Program, tables: Tables) -> Tables:
    """The tables as they are loaded: compressed where the mapping says so or the router needs it."""
    limit, always = int(program.device.machine.router_entries), program.choices.compress == "as_far_as_possible"
    found = {chip: compressed(table) if always or len(table) > limit else table for chip, table in tables.items()}
    chip, most = max(
        ((chip, len(table)) for chip, table in found.items()), key=lambda pair: pair[1], default=((0, 0), 0)
    )
    if most > limit:
        raise DoesNotFit(
            f"{program.network.name} on {program.device.title}: the router of chip {chip} needs {most} entries even "
            f"when compressed, and holds {limit}; use more neurons per core or fewer populations"
        )
    return found


def _keys(named: Sequence[tuple[Zone, Sequence[Edge]]], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    keys, masks = np.full(count, -1), np.zeros(count, np.int64)
    for zone, _ in named:
        for index, unit in enumerate(zone.units):
            keys[unit], masks[unit] = zone.key(index), zone.core_mask
    return keys, masks


def wanted(named: Sequence[tuple[Zone, Sequence[Edge]]], sites: Sequence[Site]) -> NDArray[np.int64]:
    """Rows (unit, x, y, core): where the spikes of each unit must arrive; sorted."""
    rows = [
        (zone.units[index], sites[unit].x, sites[unit].y, sites[unit].unit)
        for zone, goals in named
        for edge in goals
        for unit, indices in edge.needs.items()
        for index in (range(len(zone.units)) if indices is None else indices)
    ]
    table = np.array(rows, np.int64).reshape(-1, 4)
    return table[np.lexsort(table.T[::-1])]


def _needless(packets: Walk, needed: NDArray[np.int64], sending: NDArray[np.int64], zone_of: NDArray[np.int64]) -> int:
    """How many (unit, core) pairs are served without need; asserts that all others are, once each.

    Only a core that needs other units of the same zone may get a packet for nothing; see `tables`.
    """
    assert not packets.lost.size, f"packets of {sending[packets.lost].tolist()} get lost or go in circles"
    reached = np.column_stack((sending[packets.reached[:, 0]], packets.reached[:, 1:]))
    codes, wanted_codes = (_coded(rows[:, 0], rows[:, 1:]) for rows in (reached, needed))
    assert np.unique(codes).size == codes.size, "a core gets the same spike twice"
    assert np.isin(wanted_codes, codes).all(), "a core does not get the spikes it needs"
    extra, by_zone = reached[~np.isin(codes, wanted_codes)], _coded(zone_of[needed[:, 0]], needed[:, 1:])
    assert np.isin(_coded(zone_of[extra[:, 0]], extra[:, 1:]), by_zone).all(), (
        "spikes reach a core that knows none of their keys"
    )
    return len(extra)


def _coded(first: NDArray[np.int64], site: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for (first, x, y, core)."""
    return ((first * 512 + site[:, 0]) * 512 + site[:, 1]) * 64 + site[:, 2]
