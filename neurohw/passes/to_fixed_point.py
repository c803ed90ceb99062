"""to_fixed_point: weights to 16 unsigned bits on the scale of their receptor; parameters stay for the core's own conversion."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurohw.distributions import spread
from neurohw.kernels.lowering import Block, assemble
from neurohw.kernels.plastic_table import PlasticTable, plastic_table, static_only
from neurohw.kernels.rows import Rows
from neurohw.kernels.spinnaker_charge import charge_factors
from neurohw.kernels.spinnaker_weights import to_raw
from neurohw.kernels.spinnaker_words import to_words
from neurohw.kernels.table import SynapseTable
from neurohw.network import RECEPTORS, Projection
from neurohw.passes.spinnaker.conversions import conversion_losses
from neurohw.passes.to_float import parameters
from neurohw.program import Program
from neurohw.report import Loss

REQUIRES = ("scaled",)
ESTABLISHES = ("lowered",)
Counts = dict[str, float]


@dataclass(frozen=True, eq=False)
class FixedPointPayload:
    """table: column `weight` (uint16). shifts: (population, receptor) -> left shift. parameters: as PyNN has them, per neuron.

    plastic: the synapses that are not in the table, their weights uint16.
    """

    table: SynapseTable
    shifts: dict[tuple[str, str], int]
    parameters: dict[str, dict[str, NDArray[np.float64]]]
    plastic: PlasticTable | None = None


def to_fixed_point(program: Program) -> Program:
    """A program with a FixedPointPayload; counts weights that became zero, that wrapped, and the largest rounding."""
    network, scaling = program.network, program.scaling
    assert scaling is not None
    names, factors = list(network.projections), charge_factors(program)
    keep, converted = static_only(program), conversion_losses(program)
    zeros, wrapped, total, worst = (dict.fromkeys(names, 0.0) for _ in range(4))

    def fill(block: Block) -> dict[str, NDArray]:
        raw = np.empty(block.weights.size, np.uint16)
        ends = np.flatnonzero(np.diff(block.projections, append=-1)) + 1  # a block holds one projection after another
        for begin, end in zip([0, *ends][: ends.size], ends, strict=True):
            name = names[block.projections[begin]]
            receptor = factors[block.receptors[begin]]
            lost = to_words(
                block.weights[begin:end], block.targets[begin:end], receptor if (receptor != 1.0).any() else 1.0,
                scaling.unit[name], raw[begin:end],
            )  # fmt: skip
            zeros[name] += lost[0]
            wrapped[name] += lost[1]
            worst[name] = max(worst[name], lost[2])
            total[name] += end - begin
        return {"weight": raw} | ({"keep": keep(block)} if keep else {})

    def words(projection: Projection, made: Rows) -> NDArray[np.uint16]:
        factor = factors[RECEPTORS.index(projection.receptor), made.targets + program.origin.first[projection.target]]
        return to_raw(made.weights * factor, 1.0 / scaling.unit[projection.name])[0]

    machine = program.device.machine
    slots = machine.delay_slots(machine.neurons_per_unit(program.choices))
    table = assemble(program, {"weight": np.dtype(np.uint16)}, fill)
    entries = [entry for name in names for entry in _losses(program, name, zeros, wrapped, total)]
    notes = [f"{n}: weights in steps of {scaling.unit[n]:.4g}, largest relative rounding {worst[n]:.2g}" for n in names]
    plastic = plastic_table(program, lambda projection, steps: (steps - 1) // slots * slots, words)
    program = replace(program, payload=FixedPointPayload(table, dict(scaling.shifts), parameters(program), plastic))
    losses = [*_timed_otherwise(program), *converted, *_empty_synapses(program)]
    return program.with_(*entries, *losses, *notes)


def _losses(program: Program, name: str, zeros: Counts, wrapped: Counts, total: Counts) -> list[Loss]:
    unit = program.scaling.unit[name]
    return [
        Loss(
            "weights rounded to zero", zeros[name], total[name], name,
            f"one step is {unit:.3g}, set by the largest sum expected on this receptor",
            "choose largest_sum smaller, or split the population by weight",
        ),
        Loss(
            "weights wrapped", wrapped[name], total[name], name,
            f"16 bits hold {65535 * unit:.3g} at most and the tool chain keeps the low bits of more",
            "choose largest_sum larger",
        ),
    ]  # fmt: skip


def _timed_otherwise(program: Program) -> list[Loss]:
    """Plastic synapses whose delay lies elsewhere than the network has it: a core takes all that it sees for dendritic."""
    entries, plastic = [], program.payload.plastic
    for name, p in program.network.plastic.items():
        places = plastic.places[name] if plastic else np.empty(0, np.int64)
        fraction, n = p.plasticity.dendritic_delay_fraction, places.size
        if fraction != 1.0:
            why = f"the network has {fraction:g} of each delay in the dendrite, a core takes all of it to be there"
            entries.append(Loss("plastic synapses timed otherwise", n, n, name, why, "use dendritic_delay_fraction 1"))
        elif n:
            held = int((plastic.waits[plastic.segments[places]] > 0).sum())
            why = "a delay extension holds their spikes back, which for the rule lies before the synapse"
            entries.append(Loss("plastic synapses timed otherwise", held, n, name, why, "use shorter delays"))
    return entries


def _empty_synapses(program: Program) -> list[Loss]:
    """Initial synaptic currents or conductances: a core starts with empty synapses."""
    return [
        Loss(
            "initial states dropped", population.size, population.size, f"{name}.{state}",
            "a core starts with empty synapses", "let the current flow through i_offset or inject it",
        )
        for name, population in program.network.neurons.items()
        for state, value in population.initial.items()
        if state != "v" and any(spread(value)[2:])
    ]  # fmt: skip
