"""assign_synapses: a circuit for every synapse; those that no row can reach are lost, or the network is refused.

The mechanism, in the words of BrainScaleS-1; BrainScaleS-2 is the case of one bus, one pattern, one synapse per row:

* the neurons of a HICANN and the spike sources are put on buses, `bus_addresses` to each;
* the upper address bits form a pattern; a row (half-row) lets one pattern of one bus through, to one receptor;
* a row offers each neuron s = (neuron size)/circuits_per_synapse synapses, so a neuron with k synapses of one (bus,
  pattern, receptor) needs ceil(k / s) rows, and an array as many as its neediest neuron;
* a driver holds `rows_per_driver` rows, all of one bus.

Where the drivers of an array do not suffice, they go one by one to the bus that realizes most synapses with one driver
more. As the k-th row of a group never realizes more than the one before it, no other choice realizes more. Of a
neuron's synapses those with the lowest addresses are kept. Not modeled, so that real mappings lose more: which driver
can be switched to which bus line, the length of driver chains, the crossing of buses on the wafer.

Source: Vogginger & Mayr, arXiv:2610.07321.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurohw.device.analog import AnalogChoices, AnalogMachine
from neurohw.errors import DoesNotFit
from neurohw.kernels.circuits import neuron_circuits, ordinals
from neurohw.kernels.lowering import Block, blocks
from neurohw.kernels.row_buses import row_buses
from neurohw.network import RECEPTORS
from neurohw.program import LOST, Program
from neurohw.report import Loss, Resource

REQUIRES = ("routed",)
ESTABLISHES = ("assigned",)


@dataclass(frozen=True, eq=False)
class Groups:
    """Which synapses share rows. of: (presynaptic neuron, receptor) -> group, -1 where unused; bus: of each group."""

    of: NDArray[np.int64]
    bus: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Share:
    """The rows of one array. wanted, kept: rows of each group; first: number of its first row; drivers: wanted."""

    wanted: NDArray[np.int64]
    kept: NDArray[np.int64]
    first: NDArray[np.int64]
    drivers: int


def assign_synapses(program: Program) -> Program:
    """A program whose routing knows the circuit of each synapse. An ideal device has no such limit, and no circuits.

    Raises DoesNotFit where the makers' tool would refuse the network.
    """
    if program.device.is_unlimited:
        return program
    machine, choices = program.device.machine, program.choices
    assert isinstance(machine, AnalogMachine)
    assert isinstance(choices, AnalogChoices)
    assert program.routing is not None
    bus, address = buses(program, machine, choices)
    if machine.row_buses is not None:
        bus = row_buses(program, machine)
    grouped = groups(program, machine, bus, address)
    counts = np.zeros((program.origin.n_neurons, grouped.bus.size), np.uint16)
    for block in blocks(program):
        _ordinals(block, grouped, counts)
    first_circuit = neuron_circuits(program)
    array = first_circuit // int(machine.circuits_per_array)
    per_row = machine.synapses_per_row(choices)
    shares = {
        int(a): share_rows(
            counts[array == a],
            grouped.bus,
            per_row,
            int(machine.rows_per_driver),
            int(machine.drivers),
            machine.rows // int(machine.row_buses) if machine.row_buses else None,
        )
        for a in np.unique(array)
    }
    if machine.sources_per_array is not None:
        _too_many_sources(program, machine, array)
    if machine.overfull == "refuse":
        _refuse(program, machine, counts, array, grouped.bus, shares)
    circuits = _circuits(program, machine, grouped, first_circuit, shares, per_row)
    links = np.zeros(program.origin.n_presynaptic - program.origin.n_neurons, np.int64)
    if machine.bus_addresses is not None:
        links = bus[program.origin.n_neurons :] - bus[: program.origin.n_neurons].max(initial=-1) - 1
    routing = replace(program.routing, circuits=circuits, links=links)
    return replace(program, routing=routing, report=program.report.add(*_entries(program, machine, circuits, shares)))


def buses(
    program: Program, machine: AnalogMachine, choices: AnalogChoices
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(bus, place on it) of every presynaptic neuron; the buses of neurons come first, then those of spike sources."""
    bus = np.zeros(program.origin.n_presynaptic, np.int64)
    address = np.zeros(program.origin.n_presynaptic, np.int64)
    if machine.bus_addresses is None:
        bus[program.origin.n_neurons :] = 1
        return bus, address
    most = int(machine.bus_addresses)
    per_input = min(most, choices.inputs_per_bus or most)
    parts = [(program.origin.first[s.population] + s.first, s.size, most) for s in program.slices]
    parts += [(program.origin.first[name], p.size, per_input) for name, p in program.network.sources.items()]
    n = 0
    for first, size, per_bus in parts:
        bus[first : first + size] = n + np.arange(size) // per_bus
        address[first : first + size] = np.arange(size) % per_bus
        n += -(-size // per_bus)
    return bus, address


def groups(program: Program, machine: AnalogMachine, bus: NDArray[np.int64], address: NDArray[np.int64]) -> Groups:
    """Groups by (bus, pattern, receptor), numbered in that order; only those that some projection uses."""
    if machine.bus_addresses is None or machine.row_addresses is None:
        receptors = 2 if machine.row_serves == "receptor" else 1
        n_buses = int(machine.row_buses or 1)
        every = (bus[:, None] if machine.row_buses else 0) * receptors + np.arange(2) % receptors
        return Groups(np.broadcast_to(every, (bus.size, 2)), np.repeat(np.arange(n_buses), receptors))
    patterns = -(-int(machine.bus_addresses) // int(machine.row_addresses))
    missing = patterns * int(machine.row_addresses) - int(machine.bus_addresses)
    pattern = (address + missing) // int(machine.row_addresses)
    used = np.zeros((bus.size, 2), bool)
    for p in program.network.projections.values():
        first = program.origin.first[p.source]
        used[first : first + program.origin.size[p.source], RECEPTORS.index(p.receptor)] = True
    code = (bus * patterns + pattern)[:, None] * 2 + np.arange(2)
    codes, number = np.unique(code[used], return_inverse=True)
    of = np.full(code.shape, -1)
    of[used] = number
    return Groups(of, codes // (2 * patterns))


def share_rows(
    counts: NDArray[np.uint16],
    bus: NDArray[np.int64],
    per_row: int,
    rows_per_driver: int,
    drivers: int,
    rows_per_bus: int | None = None,
) -> Share:
    """How the drivers of one array are shared. counts: (target neurons, groups), the synapses asked for.

    The gain of the r-th row of a group (r = 0, 1, ...) is sum over targets of clip(k - r s, 0, s). The rows of a bus,
    in the order of falling gain, fill its drivers; the drivers of all buses, in the order of falling gain, fill the
    array. rows_per_bus: where each bus has rows of its own, which it must not exceed.
    """
    wanted = -(-counts.max(axis=0, initial=0).astype(np.int64) // per_row)
    group = np.repeat(np.arange(bus.size), wanted)
    row = np.arange(group.size) - np.repeat(np.cumsum(wanted) - wanted, wanted)
    gain = np.empty(group.size, np.int64)
    for r in range(wanted.max(initial=0)):
        these = row == r
        gain[these] = np.clip(counts[:, group[these]].astype(np.int64) - r * per_row, 0, per_row).sum(axis=0)
    order = np.lexsort((row, group, -gain, bus[group]))
    group, gain = group[order], gain[order]
    begins = np.searchsorted(bus[group], np.arange(bus.max(initial=-1) + 1))
    driver_in_bus = (np.arange(group.size) - begins[bus[group]]) // rows_per_driver
    driver, of_row = np.unique(np.stack([bus[group], driver_in_bus]), axis=1, return_inverse=True)
    of_row = of_row.ravel()
    best = np.lexsort((driver[1], driver[0], -np.bincount(of_row, gain, driver.shape[1])))[:drivers]
    is_kept = np.zeros(driver.shape[1], bool)
    is_kept[best] = True
    kept = np.bincount(group[is_kept[of_row]], minlength=bus.size)
    return Share(wanted, kept, _first_rows(bus, kept, rows_per_driver, rows_per_bus), driver.shape[1])


def _first_rows(
    bus: NDArray[np.int64], kept: NDArray[np.int64], rows_per_driver: int, rows_per_bus: int | None
) -> NDArray[np.int64]:
    """The number of each group's first row: the groups of a bus side by side, every bus beginning at a driver."""
    of_bus = np.bincount(bus, kept, bus.max(initial=-1) + 1).astype(np.int64)
    drivers = -(-of_bus // rows_per_driver)
    begins = (np.cumsum(drivers) - drivers) * rows_per_driver
    if rows_per_bus is not None:
        begins = np.arange(begins.size) * rows_per_bus
    within = np.cumsum(kept) - kept - (np.cumsum(of_bus) - of_bus)[bus]
    return begins[bus] + within


def _ordinals(block: Block, grouped: Groups, seen: NDArray[np.uint16]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(ordinal, group) of each synapse of a block, counted in the order of the sources."""
    group = grouped.of[block.sources, block.receptors]
    return ordinals(np.argsort(block.sources, kind="stable"), block.targets, group, seen), group


def _circuits(
    program: Program,
    machine: AnalogMachine,
    grouped: Groups,
    first_circuit: NDArray[np.int64],
    shares: dict[int, Share],
    per_row: int,
) -> dict[str, NDArray[np.uint32]]:
    """The circuit of each synapse: (row on the machine) * row_length + column.

    LOST where none is left, or on imagined rows behind the last real one if the device is to lose nothing.
    """
    array = first_circuit // int(machine.circuits_per_array)
    column = first_circuit % int(machine.circuits_per_array) // int(machine.circuits_per_synapse)
    number = {a: k for k, a in enumerate(shares)}
    of_array = np.array([number[int(a)] for a in array])
    kept, first = (np.array([getattr(share, name) for share in shares.values()]) for name in ("kept", "first"))
    first = first + np.array(list(shares))[:, None] * machine.rows
    missing = np.array([share.wanted - share.kept for share in shares.values()])
    imagined = len(machine.arrays) * machine.rows + (np.cumsum(missing) - missing.ravel()).reshape(missing.shape)
    loses = program.device.effect("synapse_loss") is not None
    found: dict[str, list[NDArray[np.uint32]]] = {name: [] for name in program.network.projections}
    seen = np.zeros((program.origin.n_neurons, grouped.bus.size), np.uint16)
    for block in blocks(program):
        ordinal, group = _ordinals(block, grouped, seen)
        at = of_array[block.targets], group
        row, beyond = ordinal // per_row, ordinal // per_row - kept[at]
        row = np.where(beyond < 0, first[at] + row, imagined[at] + beyond)
        circuit = (row * machine.row_length + column[block.targets] + ordinal % per_row).astype(np.uint32)
        circuit[(beyond >= 0) & loses] = LOST
        for k, name in enumerate(found):
            found[name].append(circuit[block.projections == k])
    return {name: np.concatenate([np.empty(0, np.uint32), *parts]) for name, parts in found.items()}


def _entries(
    program: Program, machine: AnalogMachine, circuits: dict[str, NDArray[np.uint32]], shares: dict[int, Share]
) -> list[Loss | Resource]:
    fullest = max((share.drivers for share in shares.values()), default=0)
    total = sum(c.size for c in circuits.values())
    lost = {name: int((c == LOST).sum()) for name, c in circuits.items()}
    capacity = len(machine.arrays) * machine.rows * machine.row_length
    why = f"its {machine.array}s lack synapse drivers: the fullest would need {fullest} of {int(machine.drivers)}"
    larger = ", ".join(str(size) for size in machine.neuron_sizes[1:])
    remedy = f"try choices neuron_size ({larger}) or compensate_loss, or a sparser network"
    return [
        Resource(f"synapse drivers of the fullest {machine.array}", fullest, int(machine.drivers)),
        Resource("synapse circuits", total - sum(lost.values()), capacity),
        *(Loss("synapses lost", n, circuits[name].size, name, why, remedy) for name, n in lost.items()),
    ]


def _refuse(
    program: Program,
    machine: AnalogMachine,
    counts: NDArray[np.uint16],
    array: NDArray[np.int64],
    bus: NDArray[np.int64],
    shares: dict[int, Share],
) -> None:
    """Raise DoesNotFit, naming the neuron with the largest fan-in, if an array or a bus of it needs more rows than it has."""
    for a, share in shares.items():
        mine = np.flatnonzero(array == a)
        n_buses = int(machine.row_buses or 1)
        of_bus = np.bincount(bus, share.wanted, n_buses)
        if share.wanted.sum() > machine.rows:
            raise DoesNotFit(_too_many(program, machine, counts[mine], mine, share.wanted, machine.rows))
        if machine.row_buses is None or of_bus.max(initial=0) <= machine.rows / n_buses:
            continue
        full = int(np.argmax(of_bus))
        here, rows = bus == full, machine.rows // n_buses
        said = _too_many(
            program, machine, counts[mine][:, here], mine, share.wanted[here], rows, f"{machine.row_bus} {full} of "
        )
        raise DoesNotFit(
            f"{said}. A neuron reaches only the {machine.row_bus} of its event output ({int(machine.circuits_per_output or 0)} "
            "neurons side by side have one); only sources outside the chip can be spread"
        )


def _too_many_sources(program: Program, machine: AnalogMachine, array: NDArray[np.int64]) -> None:
    """Raise DoesNotFit if the rows of an array could not tell all its sources apart."""
    arrays, of = np.unique(array, return_inverse=True)
    heard = np.zeros((arrays.size, program.origin.n_presynaptic), bool)
    for block in blocks(program):
        heard[of[block.targets], block.sources] = True
    most = int(machine.sources_per_array or 0)
    if (n := int(heard.sum(axis=1).max(initial=0))) > most:
        raise DoesNotFit(
            f"{program.network.name} on {program.device.title}: a {machine.array} would listen to {n} sources, and tells "
            f"{most} apart; use fewer sources, or spread their targets over more {machine.array}s (choices neurons_per_unit)"
        )


def _too_many(
    program: Program,
    machine: AnalogMachine,
    counts: NDArray[np.uint16],
    mine: NDArray[np.int64],
    wanted: NDArray[np.int64],
    rows: int,
    where: str = "",
) -> str:
    """counts, mine: synapses and numbers of the neurons of an array; wanted: rows by receptor, of one bus or of each."""
    fan_in = counts.astype(np.int64).sum(axis=1)
    worst = mine[int(np.argmax(fan_in))]
    name = next(n for n, first in program.origin.first.items() if first <= worst < first + program.origin.size[n])
    by_receptor = (
        wanted.reshape(-1, 2).sum(axis=0) if machine.row_serves == "receptor" and wanted.size % 2 == 0 else wanted
    )
    words = RECEPTORS if by_receptor.size == 2 else ("",) * by_receptor.size
    need = " + ".join(f"{rows} {word}".rstrip() for rows, word in zip(by_receptor, words, strict=True))
    half = f", {rows // 2} where a source has both an excitatory and an inhibitory synapse"
    return (
        f"{program.network.name} on {program.device.title}: {where}a {machine.array} needs {wanted.sum()} rows of "
        f"synapses ({need}) and has {rows}; the largest fan-in is {fan_in.max(initial=0)}, of neuron "
        f"{worst - program.origin.first[name]} in {name!r}. Reduce the fan-in to {rows} in all"
        + (half if machine.row_serves == "receptor" else "")
    )
