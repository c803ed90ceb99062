"""A mapping that the SpiNNaker tool chain made, held against ours of the same network, number by number.

A file holds the reports of sPyNNaker and its mapper on a SpiNN-5 board: which cores hold what, keys and masks, every line
of every routing table before and after compression. The network is told in one line (`meta.cmd`), of two kinds:

    va.py N [NEURONS_PER_CORE]                   Vogels-Abbott of N IF_cond_exp cells, a fifth of them inhibitory, and 20 sources
    net.py P N Q NEURONS_PER_CORE SEED [DELAY]   P populations of N IF_curr_exp cells and the projections listed in `edges`

Not held to the number: SDRAM is an estimate, equal for IF_curr_exp and up to 12 % too low for IF_cond_exp; the flag
`defaultable` of lines that lead to cores, which the tool chain sets and no router could use.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from neurohw import passes
from neurohw.connections import FixedProbability
from neurohw.device import load_device
from neurohw.errors import BadInput
from neurohw.network import Network
from neurohw.passes.spinnaker.keys import zones
from neurohw.passes.spinnaker.route import route_spinnaker
from neurohw.passes.spinnaker.sdram import EXTENSION, bytes_of_populations
from neurohw.program import Program, Slice, TableEntry, normalize_record
from neurohw.schema import Described, validate
from neurohw.study.verification import Difference, Verification

CORES = 0x3FFFFC0
"""The bits of a route that are cores."""
MOST_CELLS, MOST_POPULATIONS = 200_000, 1000
ESTIMATE = 0.12
"""How much too low the estimate of SDRAM is at most for conductances."""
UNFED = 8
"""Bytes that the estimate for a core without input is too high."""
SDRAM = re.compile(
    r"SDRAM reqs for core \((\d+),(\d+),(\d+)\) is \d+ KB \((\d+) bytes\) for Placement\(vertex=(.*), x=\1, y=\2, p=\3\)"
)
Line = Annotated[list[int], Field(min_length=4, max_length=4)]
Tables = dict[str, list[Line]]


class Meta(Described):
    """Where a mapping comes from: its name, the network's line, the board."""

    name: str
    cmd: str
    board: str = ""
    router_table_compress_as_far_as_possible: bool = False


class Summary(Described):
    """Totals of a mapping."""

    app_cores: int
    app_chips: int
    entries_uncompressed_total: int
    entries_uncompressed_max: int
    entries_compressed_total: int
    entries_compressed_max: int
    chips_with_table: int


class Placement(Described):
    """What a core holds: neurons lo..hi of a vertex."""

    x: int
    y: int
    p: int
    lo: int
    hi: int
    vertex: str


class Mapped(Described):
    """The file as written."""

    meta: Meta
    edges: list[tuple[int, int]] | None
    summary: Summary
    placements_app: list[Placement]
    placements_system_per_chip: list[tuple[int, int, int, str]]
    keys_report: list[str]
    partition_report: list[str]
    sdram_report: list[str]
    tables_uncompressed: Tables
    tables_compressed: Tables
    table_format: str = ""

    @property
    def compresses(self) -> bool:
        """Whether the tables were compressed though they fit."""
        return self.meta.router_table_compress_as_far_as_possible or self.tables_compressed != self.tables_uncompressed


def is_mapping(data: Any) -> bool:
    """Is this JSON meant to be a mapping of the tool chain?"""
    return isinstance(data, Mapping) and "tables_uncompressed" in data and "placements_app" in data


def verify_mapping(path: Path, data: Any) -> Verification:
    """Hold `path` (read as `data`) against our own mapping of its network; raises BadInput."""
    told = validate(Mapped, data, str(path))
    network, per_core = network_of(told)
    plain = routed(network, per_core, "as_needed")
    packed = routed(network, per_core, "as_far_as_possible") if told.compresses else plain
    difference = next(_differences(told, plain, packed), None)
    cores, lines = len(plain.slices) + len(plain.extensions), told.summary.entries_compressed_total
    about = (
        f"{told.meta.cmd}: partition, {cores} cores, keys and masks, {told.summary.entries_uncompressed_total} router lines "
        f"({lines} compressed), system cores; SDRAM as an estimate"
    )
    return Verification(path, "SpiNNaker mapping", about, difference=difference)


def network_of(told: Mapped) -> tuple[Network, int]:
    """(network, neurons per core) that `meta.cmd` names. Raises BadInput for what is no such line."""
    name, *words = told.meta.cmd.split() or [""]
    try:
        if name == "va.py" and 1 <= len(words) <= 2:
            n, per_core = int(words[0]), int(words[1]) if len(words) == 2 else 256
            if 10 <= n <= MOST_CELLS and per_core >= 1:
                return _vogels_abbott(n), per_core
        if name == "net.py" and 5 <= len(words) <= 6:
            count, n, per_core = int(words[0]), int(words[1]), int(words[3])
            delay = float(words[5]) if len(words) == 6 else 1.0
            sound = 1 <= count <= MOST_POPULATIONS and 1 <= n * count <= MOST_CELLS and per_core >= 1 and delay >= 0
            if sound and told.edges is not None and all(0 <= a < count and 0 <= b < count for a, b in told.edges):
                return _populations(count, n, told.edges, delay), per_core
    except ValueError:
        pass
    raise BadInput(
        f"meta.cmd {told.meta.cmd[:80]!r}: expected 'va.py N [NEURONS_PER_CORE]' or 'net.py P N Q NEURONS_PER_CORE SEED "
        "[DELAY]' with `edges` between its populations"
    )


def _vogels_abbott(n: int) -> Network:
    network = Network("va").population("E", n * 4 // 5, "IF_cond_exp").population("I", n - n * 4 // 5, "IF_cond_exp")
    network = network.population("S", 20, "SpikeSourcePoisson")
    for a, b in (("E", "E"), ("E", "I"), ("I", "E"), ("I", "I"), ("S", "E")):
        receptor: Literal["excitatory", "inhibitory"] = "inhibitory" if a == "I" else "excitatory"
        network = network.project(a, b, FixedProbability(0.02), 0.004, 1.0, receptor)
    return network


def _populations(count: int, n: int, edges: list[tuple[int, int]], delay: float) -> Network:
    network = Network("net")
    for k in range(count):
        network = network.population(f"p{k:02d}", n, "IF_curr_exp")
    for a, b in edges:
        network = network.project(f"p{a:02d}", f"p{b:02d}", FixedProbability(0.05), 0.1, delay, "excitatory")
    return network


def routed(network: Network, per_core: int, compress: str) -> Program:
    """Our mapping of a network on a SpiNN-5 board, up to its routing tables."""
    device = load_device("spinnaker-spin5")
    choices = device.choices({"neurons_per_core": per_core, "compress": compress})
    program = Program(network, device, choices, 1.0, normalize_record(network, None))
    for step in passes.passes_for(program):
        program = step(program)
        if step is route_spinnaker:
            break
    return program


def _differences(told: Mapped, plain: Program, packed: Program) -> Iterator[Difference]:
    """In the order in which a mapping comes about: partition, placement, keys, tables, and what is counted in the end."""
    yield from _lines("partition_report", told.partition_report, list(_partition(plain)))
    yield from _placed(told, plain)
    yield from _lines("keys_report", told.keys_report, list(_keys(plain)))
    yield from _tables("tables_uncompressed", told.tables_uncompressed, plain)
    yield from _tables("tables_compressed", told.tables_compressed, packed)
    totals = _summary(plain, packed)
    for name, value in totals.items():
        if getattr(told.summary, name) != value:
            yield Difference(f"summary.{name}", getattr(told.summary, name), value)
    yield from _system(told, plain)
    yield from _sdram(told, plain)


def _parts(program: Program) -> list[tuple[str, str, list[tuple[Slice, str]]]]:
    """(vertex, model, [(slice, its name)]) of every population, then of every delay extension, in order."""
    found = []
    models = {"SpikeSourcePoisson": "SpikeSourcePoissonVertex"}
    for name, population in program.network.populations.items():
        mine = [(s, f"{name}({s.first}:{s.last - 1})") for s in program.slices if s.population == name]
        found.append((name, models.get(population.model.name, "PopulationVertex"), mine))
    for name in dict.fromkeys(s.population for s in program.extensions):
        label = f"Delay extension for {name} with {program.network.populations[name].size} atoms"
        mine = [(s, label) for s in program.extensions if s.population == name]
        found.append((f"{name}_delayed", "DelayExtensionVertex", mine))
    return found


def _partition(program: Program) -> Iterator[str]:
    """The lines of the tool chain's report of slices."""
    for vertex, model, parts in _parts(program):
        size = sum(part.size for part, _ in parts)
        yield from ("", f"**** Vertex: '{vertex}'", f"Model: {model}", f"Pop size: {size}", "Machine Vertices:")
        yield from (f"  Slice ({part.first}:{part.last - 1})    Vertex {name}" for part, name in parts)
    yield ""


def _keys(program: Program) -> Iterator[str]:
    """The lines of the tool chain's report of keys."""
    found = {(zone.population, zone.stages > 0): zone for zone in zones(program)}
    for vertex, model, parts in _parts(program):
        zone = found.get((parts[0][0].population, model == "DelayExtensionVertex"))
        if zone is None:
            continue
        atoms = f" with {sum(part.size for part, _ in parts)} atoms" if model == "PopulationVertex" else ""
        yield f"Vertex: {vertex}{atoms}"
        yield f"    Partition: SPIKE, Routing Info: KeyAndMask:{zone.base:#x}:{zone.mask:#x}"
        for (part, name), unit in zip(parts, zone.units, strict=True):
            pair = f"{program.routing.keys[unit]:#x}:{program.routing.masks[unit]:#x}"
            where = f"Slice: ({part.first}:{part.last - 1})"
            yield f"    Machine Vertex: {name}, {where}, Routing Info: KeyAndMask:{pair}"


def _placed(told: Mapped, program: Program) -> Iterator[Difference]:
    """Core by core: what it holds."""
    ours = {
        (s.site.x, s.site.y, s.site.unit): f"{s.first}..{s.last - 1} of {name}"
        for _, _, parts in _parts(program) for s, name in parts
    }  # fmt: skip
    theirs = {(one.x, one.y, one.p): f"{one.lo}..{one.hi} of {one.vertex}" for one in told.placements_app}
    if len(theirs) != len(told.placements_app):
        yield Difference("placements_app", f"{len(told.placements_app)} entries", f"{len(theirs)} different cores")
    for core in sorted(ours.keys() | theirs.keys()):
        if ours.get(core) != theirs.get(core):
            yield Difference(f"placements_app, core {core}", theirs.get(core, "nothing"), ours.get(core, "nothing"))


def _tables(name: str, told: Tables, program: Program) -> Iterator[Difference]:
    """Chip by chip, line by line, in order."""
    ours = {f"{x},{y}": table for (x, y), table in program.routing.tables.items()}
    for chip in dict.fromkeys((*told, *ours)):
        lines = zip_longest(told.get(chip, []), ours.get(chip, ()))
        for number, (line, entry) in enumerate(lines):
            recorded, emulated = _written(line, line), _written(_of(entry), line)
            if recorded != emulated:
                yield Difference(f"{name}, chip {chip}, line {number}", recorded, emulated)


def _of(entry: TableEntry | None) -> list[int] | None:
    return None if entry is None else [entry.key, entry.mask, entry.route, int(entry.defaultable)]


def _written(line: list[int] | None, recorded: list[int] | None) -> str:
    """A line as text; whether it is defaultable is told for lines that lead to no core."""
    if line is None:
        return "nothing"
    flag = "" if recorded is None or recorded[2] & CORES or line[2] & CORES else f", defaultable {line[3]}"
    return f"key {line[0]:#x} mask {line[1]:#x} route {line[2]:#x}{flag}"


def _summary(plain: Program, packed: Program) -> dict[str, int]:
    sizes, small = ([len(table) for table in p.routing.tables.values()] for p in (plain, packed))
    parts = (*plain.slices, *plain.extensions)
    return {
        "app_cores": len(parts), "app_chips": len({(s.site.x, s.site.y) for s in parts}),
        "entries_uncompressed_total": sum(sizes), "entries_uncompressed_max": max(sizes, default=0),
        "entries_compressed_total": sum(small), "entries_compressed_max": max(small, default=0),
        "chips_with_table": len(sizes),
    }  # fmt: skip


def _system(told: Mapped, program: Program) -> Iterator[Difference]:
    """The cores that the system takes: a gatherer on each Ethernet chip, a monitor on each."""
    machine = program.device.machine
    ours: dict[Any, Any] = {}
    for chip, board in machine.fabric.boards.items():
        first = int(machine.monitor_cores)
        gatherers = int(machine.gatherer_cores) if chip == board else 0
        names = ["SYSTEM:PacketGatherer"] * gatherers + ["SYSTEM:ExtraMonitor"] * int(machine.system_cores)
        ours |= {(*chip, first + k): name for k, name in enumerate(names)}
    theirs = {(x, y, p): name for x, y, p, name in told.placements_system_per_chip}
    for core in sorted(ours.keys() | theirs.keys()):
        if ours.get(core) != theirs.get(core):
            given = theirs.get(core, "nothing"), ours.get(core, "nothing")
            yield Difference(f"placements_system_per_chip, core {core}", *given)


def _sdram(told: Mapped, program: Program) -> Iterator[Difference]:
    """Bytes per core: equal where the estimate is exact, within its range where it is not."""
    estimate, fed = bytes_of_populations(program), {p.target for p in program.network.projections.values()}
    expected: dict[str, tuple[float, float]] = {}
    for _, model, parts in _parts(program):
        population = parts[0][0].population
        for part, name in parts:
            low = high = estimate[population] - (UNFED if _is_unfed(program, population, fed) else 0)
            if model == "DelayExtensionVertex":
                low = high = EXTENSION
            elif program.network.populations[population].model.name == "IF_cond_exp":
                high = low / (1 - ESTIMATE)
            expected[f"{name} at ({part.site.x}, {part.site.y}, {part.site.unit})"] = low, high
    for text in told.sdram_report:
        match = SDRAM.fullmatch(text)
        if match is None:
            raise BadInput(f"sdram_report: {text[:120]!r} cannot be read")
        x, y, p, used, name = match.groups()
        where = f"{name} at ({x}, {y}, {p})"
        low, high = expected.pop(where, (0.0, -1.0))
        if not low <= int(used) <= high:
            told_is = "nothing" if high < 0 else f"{low:g}" if low == high else f"{low:g} to {high:g}"
            yield Difference(f"sdram_report, {where}, bytes", int(used), told_is)
    for where, (low, _) in expected.items():
        yield Difference(f"sdram_report, {where}, bytes", "nothing", low)


def _is_unfed(program: Program, population: str, fed: set[str]) -> bool:
    return population not in fed and program.network.populations[population].model.name == "IF_curr_exp"


def _lines(name: str, told: list[str], ours: list[str]) -> Iterator[Difference]:
    """Line by line; a missing line is one that differs."""
    for number, (a, b) in enumerate(zip_longest(told, ours, fillvalue="nothing")):
        if a != b:
            yield Difference(f"{name}, line {number}", a[:120], b[:120])
