"""to_circuit: codes and parameters for analog circuits; what rounding costs is counted."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurohw.kernels.circuits import circuit_of, realized
from neurohw.kernels.lowering import assemble
from neurohw.kernels.table import SynapseTable
from neurohw.passes.assign_synapses import neuron_circuits
from neurohw.passes.scale_codes import scaled_weights
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
    links: the link of each spike source.
    """

    table: SynapseTable
    units: NDArray[np.float64]
    parameters: dict[str, dict[str, NDArray[np.float64]]]
    neurons: NDArray[np.int64] | None
    links: NDArray[np.int64] | None


def to_circuit(program: Program) -> Program:
    """A program with a CircuitPayload."""
    assert program.scaling is not None
    assert program.routing is not None
    ideal = program.device.is_ideal
    resolution = None if ideal else program.device.effect("weight_resolution")
    units = np.array([program.scaling.unit[name] for name in program.network.projections], float)
    tally = _Tally(len(units))

    def fill(block):
        kept = realized(program, block)
        weights = scaled_weights(program, block)
        columns = {"keep": kept} if ideal else {"keep": kept, "circuit": circuit_of(program, block)}
        if resolution is None:
            return {**columns, "weight": weights}
        codes = resolution.codes(weights, units[block.projections])
        tally.add(block.projections[kept], np.abs(weights[kept]), codes[kept], units, resolution.top)
        return {**columns, "code": codes, "projection": block.projections}

    table = assemble(program, {**({} if ideal else {"circuit": np.dtype(np.uint32)}), **_columns(resolution)}, fill)
    payload = CircuitPayload(
        table,
        units * signs(program),
        parameters(program),
        None if ideal else neuron_circuits(program),
        program.routing.links,
    )
    report = program.report.add(*tally.losses(program), table_memory=(table.n_bytes / 2**20, "MiB"))
    return replace(program, payload=payload, report=report)


def signs(program: Program) -> NDArray[np.float64]:
    """The sign of each projection's weights."""
    populations = program.network.populations
    return np.array([
        populations[p.target].model.inhibitory_sign if p.receptor == "inhibitory" else 1
        for p in program.network.projections.values()
    ], float)  # fmt: skip


def _columns(resolution) -> dict[str, np.dtype]:
    if resolution is None:
        return {"weight": np.dtype(np.float64)}
    return {"code": np.dtype(np.uint8 if resolution.top < 256 else np.uint16), "projection": np.dtype(np.uint16)}


class _Tally:
    """What quantization did to each projection, summed over blocks."""

    def __init__(self, projections: int):
        self.count, self.zero, self.clipped, self.changed, self.error, self.total = np.zeros((6, projections))

    def add(self, projections, weights, codes, units, top: int) -> None:
        """weights: absolute values; codes: what they became."""
        change = np.abs(codes * units[projections] - weights)
        of = {
            "count": None,
            "zero": (codes == 0) & (weights > 0),
            "clipped": weights > (top + 0.5) * units[projections],
            "changed": change > 1e-9 * weights,
            "error": change,
            "total": weights,
        }
        for name, values in of.items():
            getattr(self, name)[:] += np.bincount(projections, values, self.count.size)

    def losses(self, program: Program) -> list[Loss]:
        resolution = program.device.effect("weight_resolution")
        if resolution is None or not self.count.any():
            return []
        found, unit = [], program.scaling.unit
        for k, name in enumerate(program.network.projections):
            if not self.count[k]:
                continue
            weight_unit = program.network.populations[program.network.projections[name].target].model.weight_unit
            code = f"one code of {int(resolution.bits)} bits is {unit[name]:.3g} {weight_unit}"
            mean = f"the mean change is {100 * self.error[k] / (self.total[k] or 1.0):.2g} % of the mean weight"
            scale = "choices weight_scaling per projection, or weights closer together"
            found += [
                Loss("weights rounded to zero", self.zero[k], self.count[k], name, code, scale),
                Loss(
                    "weights clipped",
                    self.clipped[k],
                    self.count[k],
                    name,
                    f"{code}, and {resolution.top} is the largest",
                    scale,
                ),
                Loss("weights quantized", self.changed[k], self.count[k], name, f"{code}; {mean}", scale),
            ]
        return found
