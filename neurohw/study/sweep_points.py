"""The points of a sweep: which chip, at which levels, as which specimen; and what a chip is at some levels."""

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from neurohw.device import Device
from neurohw.effects import EFFECTS
from neurohw.errors import BadInput
from neurohw.mapping import ChipEntry, Level, Mapping
from neurohw.schema import validate

Levels = tuple[tuple[str, Level], ...]
ALONE = ("age", "dt")
ENTRY = ("choices", "network", *ALONE)
"""What a name in `vary` may begin with, if it is no number of the device."""


@dataclass(frozen=True)
class Point:
    """One chip at one combination of levels, as the specimen `seed`."""

    chip: str
    levels: Levels
    seed: int


def points(mapping: Mapping) -> list[Point]:
    """Every point of a mapping once, grid after grid. Raises BadInput for what cannot be set, or what no chip has."""
    return list(dict.fromkeys(point for grid in grids(mapping) for point in grid))


def grids(mapping: Mapping) -> list[list[Point]]:
    """The points of each grid: chip after chip, every combination, every specimen.

    A number that a chip does not have, since it is ideal, the reference, or its effect is left out, is not varied on it,
    and if it has none of a grid's numbers, its choices are not either. An ideal chip has one specimen.
    """
    given = mapping.file.sweep
    if given is None:
        raise BadInput(
            f"{mapping.path}: sweep: missing; write for example "
            "sweep: {specimens: 5, vary: [{weight_noise.sigma: [0, 0.25, 0.5]}]}"
        )
    return [_points_of(mapping, grid, given.specimens) for grid in given.vary]


def _points_of(mapping: Mapping, grid: dict[str, list[Level]], specimens: int) -> list[Point]:
    found, used = [], set()
    for name, (entry, device) in _devices(mapping).items():
        own = {axis for axis in grid if axis.partition(".")[0] not in ENTRY}
        here = {axis for axis in grid if _applies(device, axis, mapping)}
        left_out = set() if here & own or not own else here - _network(here)
        axes = {axis: levels for axis, levels in grid.items() if axis in here - left_out}
        used |= set(axes)
        seeds = [entry.seed] if device.is_unlimited else [entry.seed + k for k in range(specimens)]
        for combination in itertools.product(*axes.values()):
            levels = tuple(zip(axes, combination, strict=True))
            chip_at(mapping, name, levels)
            found += [Point(name, levels, seed) for seed in seeds]
    if unused := [axis for axis in grid if axis not in used]:
        raise BadInput(f"{mapping.path}: sweep.vary: no chip of this mapping has {unused[0]!r}")
    return found


@lru_cache(maxsize=4)
def _devices(mapping: Mapping) -> dict[str, tuple[ChipEntry, Device]]:
    """The chips of a mapping, whose files are read once."""
    return mapping.devices()


@lru_cache(maxsize=1000)
def chip_at(mapping: Mapping, chip: str, levels: Levels) -> tuple[ChipEntry, Device]:
    """A chip of the mapping at these levels. Raises BadInput where one cannot be set."""
    entry, device = _devices(mapping)[chip]
    where = f"{mapping.path}: sweep.vary: "
    try:
        for name, value in levels:
            if name.partition(".")[0] not in ENTRY:
                device = device.with_(**{name: value})
        told = entry.model_dump(by_alias=True)
        told |= {name: f"{told[name]!r} ms" for name in ALONE if told[name] is not None}  # times are text, with a unit
        told |= {name: value for name, value in levels if name in ALONE}
        entry = validate(ChipEntry, {**told, "choices": {**entry.choices, **told_of(levels, "choices")}}, chip)
        device.choices(entry.choices)
    except BadInput as error:
        raise BadInput(f"{where}{error}") from None
    return entry, device


def told_of(levels: Levels, prefix: str) -> dict[str, Any]:
    """What the levels say about `choices` or `network`."""
    return {name.partition(".")[2]: value for name, value in levels if name.partition(".")[0] == prefix}


def _network(axes: set[str]) -> set[str]:
    """Those that change the network, which every chip has."""
    return {axis for axis in axes if axis.partition(".")[0] == "network"}


def _applies(device: Device, axis: str, mapping: Mapping) -> bool:
    """Whether this chip has that number. A misspelled effect is an error, one that the chip goes without is not."""
    head = axis.partition(".")[0]
    if head == "network":
        if "name" not in mapping.file.network:
            raise BadInput(f"{mapping.path}: sweep.vary: {axis!r}: only a library network has parameters")
        return True
    if axis == "age" or head == "choices":
        return not device.is_unlimited
    if head in EFFECTS and "." in axis:
        return device.effect(head) is not None
    return axis == "dt" or not device.is_unlimited


def label(levels: Levels) -> str:
    """The levels of a point in a legend."""
    return ", ".join(f"{name} {value}" for name, value in levels) or "as it is"
