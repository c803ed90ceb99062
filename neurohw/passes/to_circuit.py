"""to_circuit: codes and parameters for analog circuits; what rounding costs is counted."""

from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.device.analog import AnalogMachine
from neurohw.effects.weight_resolution import WeightResolution
from neurohw.kernels.circuits import circuit_of, neuron_circuits, realized
from neurohw.kernels.lowering import Block, assemble
from neurohw.kernels.table import SynapseTable
from neurohw.neurons import NeuronModel
from neurohw.passes.scale_codes import resolution_of, scaled_weights
from neurohw.passes.to_float import parameters
from neurohw.program import Program
from neurohw.report import Loss

REQUIRES = ("scaled",)
ESTABLISHES = ("lowered",)


@dataclass(frozen=True, eq=False)
class CircuitPayload:
    """What an analog chip loads.

    table: columns `circuit` (its number on the machine), and `code` with `projection`, or `weight` (network units)
    where weights have no codes. units: signed network weight of one code, by projection in network order. parameters:
    population -> name -> value per neuron, as asked for. neurons: number on the machine of each neuron's first circuit.
    links: the link of each spike source. codes: population -> cell -> the code of each neuron, where the program sets
    them. volts: population -> (scale, shift) from the network's mV to the standard scale; see `scale_parameters`.
    """

    table: SynapseTable
    units: NDArray[np.float64]
    parameters: dict[str, dict[str, NDArray[np.float64]]]
    neurons: NDArray[np.int64] | None
    links: NDArray[np.int64] | None
    codes: dict[str, dict[str, NDArray[np.int64]]] = field(default_factory=dict)
    volts: dict[str, tuple[float, float]] = field(default_factory=dict)


def to_circuit(program: Program) -> Program:
    """A program with a CircuitPayload."""
    assert program.scaling is not None
    assert program.routing is not None
    ideal, resolution = program.device.is_ideal, resolution_of(program)
    units = np.array([program.scaling.unit[name] for name in program.network.projections], np.float64)
    tally = _Tally(units, resolution) if resolution else None
    rounding = rng.key(program.network.seed, "weight_resolution/rounding")

    def fill(block: Block) -> dict[str, NDArray[Any]]:
        kept, weights = realized(program, block), scaled_weights(program, block)
        columns = {"keep": kept} if ideal else {"keep": kept, "circuit": circuit_of(program, block)}
        if resolution is None or tally is None:
            return {**columns, "weight": weights}
        address = block.projections.astype(np.int64) << 40 | block.rank
        codes = resolution.codes(weights, units[block.projections], rounding, address)
        tally.add(block.projections[kept], np.abs(weights[kept]), codes[kept])
        return {**columns, "code": codes, "projection": block.projections}

    table = assemble(program, _columns(ideal, resolution), fill)
    neurons = None if ideal else neuron_circuits(program)
    codes, volts = {name: dict(of) for name, of in program.scaling.codes.items()}, dict(program.scaling.volts)
    signed = units * _signs(program)
    values, shared = _shared(program, parameters(program), neurons)
    payload = CircuitPayload(table, signed, values, neurons, program.routing.links, codes, volts)
    losses = [*(tally.losses(program) if tally else []), *shared]
    report = program.report.add(*losses, table_memory=(table.n_bytes / 2**20, "MiB"))
    return replace(program, payload=payload, report=report)


def _shared(
    program: Program, wanted: dict[str, dict[str, NDArray[np.float64]]], neurons: NDArray[np.int64] | None
) -> tuple[dict[str, dict[str, NDArray[np.float64]]], list[Loss]]:
    """(parameters, losses) where all neurons of an array have some in common: the mean of what is asked for."""
    machine = cast(AnalogMachine, program.device.machine)
    if neurons is None or not machine.shared_parameters:
        return wanted, []
    found, losses, origin = {name: dict(values) for name, values in wanted.items()}, list[Loss](), program.origin
    array = neurons // int(machine.circuits_per_array)
    for parameter in machine.shared_parameters:
        having = [name for name in wanted if parameter in wanted[name]]
        if not having:
            continue
        mine = {name: array[origin.first[name] : origin.first[name] + origin.size[name]] for name in having}
        of, values = (np.concatenate([part[name] for name in having]) for part in (mine, _column(wanted, parameter)))
        total, count = np.bincount(of, values), np.maximum(np.bincount(of), 1)
        for name in having:
            found[name][parameter] = (total / count)[mine[name]]
            moved = int((np.abs(found[name][parameter] - wanted[name][parameter]) > 1e-9).sum())
            why = f"all neurons of a {machine.array} share it, and have the mean of what is asked for"
            remedy = f"the same value for all neurons of a {machine.array}"
            losses.append(Loss("parameters shared", moved, origin.size[name], f"{name}.{parameter}", why, remedy))
    return found, losses


def _column(wanted: dict[str, dict[str, NDArray[np.float64]]], parameter: str) -> dict[str, NDArray[np.float64]]:
    return {name: values[parameter] for name, values in wanted.items() if parameter in values}


def _signs(program: Program) -> NDArray[np.float64]:
    """The sign of each projection's weights."""
    signs = [
        _target(program, name).inhibitory_sign if p.receptor == "inhibitory" else 1
        for name, p in program.network.projections.items()
    ]
    return np.array(signs, np.float64)


def _target(program: Program, projection: str) -> NeuronModel:
    return cast(NeuronModel, program.network.populations[program.network.projections[projection].target].model)


def _columns(ideal: bool, resolution: WeightResolution | None) -> dict[str, Any]:
    circuit = {} if ideal else {"circuit": np.dtype(np.uint32)}
    if resolution is None:
        return {**circuit, "weight": np.dtype(np.float64)}
    code = np.dtype(np.uint8 if resolution.top < 256 else np.uint16)
    return {**circuit, "code": code, "projection": np.dtype(np.uint16)}


class _Tally:
    """What quantization did to each projection, summed over blocks."""

    def __init__(self, units: NDArray[np.float64], resolution: WeightResolution):
        self.units, self.resolution = units, resolution
        self.count, self.zero, self.clipped, self.changed, self.error, self.total = np.zeros((6, units.size))

    def add(self, projections: NDArray[np.int64], weights: NDArray[np.float64], codes: NDArray[np.int64]) -> None:
        """weights: absolute values; codes: what they became."""
        units = self.units[projections]
        change = np.abs(codes * units - weights)
        for total, values in (
            (self.count, np.ones(weights.size)),
            (self.zero, (codes == 0) & (weights > 0)),
            (self.clipped, weights > (self.resolution.top + 0.5) * units),
            (self.changed, change > 1e-9 * weights),
            (self.error, change),
            (self.total, weights),
        ):
            total += np.bincount(projections, values, self.units.size)

    def losses(self, program: Program) -> list[Loss]:
        """Three entries for each projection; those that count nothing are left out of a report."""
        found, bits, top = [], int(self.resolution.bits), self.resolution.top
        remedy = "choices weight_scaling per projection, or weights closer together"
        for k in np.flatnonzero(self.count):
            name = list(program.network.projections)[k]
            code = f"one code of {bits} bits is {self.units[k]:.3g} {_target(program, name).weight_unit}"
            mean = 100 * self.error[k] / (self.total[k] or 1.0)
            for what, count, why in (
                ("weights rounded to zero", self.zero[k], code),
                ("weights clipped", self.clipped[k], f"{code}, and {top} is the largest"),
                ("weights quantized", self.changed[k], f"{code}; the mean change is {mean:.2g} % of the mean weight"),
            ):
                found.append(Loss(what, float(count), float(self.count[k]), name, why, remedy))
        return found
