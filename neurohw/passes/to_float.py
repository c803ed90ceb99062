"""to_float: weights and parameters as they are, in float64; what a digital device runs when it is ideal."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurohw.kernels.lowering import Block, assemble
from neurohw.kernels.plastic_table import PlasticTable, plastic_table, static_only
from neurohw.kernels.table import SynapseTable
from neurohw.program import Program

REQUIRES = ("scaled",)
ESTABLISHES = ("lowered",)


@dataclass(frozen=True, eq=False)
class FloatPayload:
    """table: column `weight` (network units). parameters: population -> name -> value per neuron. plastic: see there."""

    table: SynapseTable
    parameters: dict[str, dict[str, NDArray[np.float64]]]
    plastic: PlasticTable | None = None


def to_float(program: Program) -> Program:
    """A program with a FloatPayload."""
    keep = static_only(program)

    def fill(block: Block) -> dict[str, NDArray]:
        return {"weight": block.weights} | ({"keep": keep(block)} if keep else {})

    table = assemble(program, {"weight": np.dtype(np.float64)}, fill)
    plastic = plastic_table(program, lambda projection, steps: steps, lambda projection, made: np.abs(made.weights))
    program = replace(program, report=program.report.add(table_memory=(table.n_bytes / 2**20, "MiB")))
    return program.with_(payload=FloatPayload(table, parameters(program), plastic))


def parameters(program: Program) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Every parameter of every neuron, drawn where it is a distribution."""
    network = program.network
    return {name: {p: network.parameter(name, p) for p in pop.parameters} for name, pop in network.neurons.items()}
