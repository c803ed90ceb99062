"""scale_codes: what one code of a weight means, so that the largest takes the top; what makes up for lost synapses."""

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from neurohw.device.analog import AnalogChoices, AnalogMachine
from neurohw.effects.weight_resolution import WeightResolution
from neurohw.errors import BadInput
from neurohw.kernels.circuits import realized
from neurohw.kernels.lowering import Block, blocks
from neurohw.program import LOST, Program, Scaling

REQUIRES = ("assigned",)
ESTABLISHES = ("scaled",)


def scale_codes(program: Program) -> Program:
    """unit = (largest weight of all that share the unit) / (largest code), or that of the choice top_weight; 1 where weights
    have no codes.

    What shares a unit: the choice weight_scaling, and the machine's weight_range. gain (choice compensate_loss):
    (synapses asked for) / ((synapses left) (1 - p)) of each target neuron and projection, with p the share of dead
    circuits of the device (which ones they are, only the specimen knows). So the total weight that it asked for is left
    to it in expectation, as far as any is; the variance of its input grows by 1/(1 - p).
    """
    resolution = resolution_of(program)
    gain = _gain(program) if _compensates(program) else {}
    scaling = Scaling(dict.fromkeys(program.network.projections, 1.0), gain=gain)
    if resolution is None:
        return replace(program, scaling=scaling)
    chosen = _chosen(program)
    largest = _largest(replace(program, scaling=scaling))
    shared: dict[object, float] = {}
    for name in largest:
        shared[_share(program, name)] = max(shared.get(_share(program, name), 0.0), largest[name])
    unit = {n: (chosen.get(n) or shared[_share(program, n)] or 1.0) / resolution.top for n in largest}
    return replace(program, scaling=replace(scaling, unit=unit))


def _chosen(program: Program) -> dict[str, float]:
    """projection -> the weight that the largest code was chosen to stand for."""
    chosen, ends = cast(AnalogChoices, program.choices).top_weight, program.network.projections
    if chosen is None:
        return {}
    if not isinstance(chosen, dict):
        return dict.fromkeys(ends, chosen)
    targets = {projection.target for projection in ends.values()}
    if strange := [name for name in chosen if name not in targets]:
        raise BadInput(
            f"choices: top_weight: no projection ends on {strange[0]!r}; some end on {', '.join(sorted(targets))}"
        )
    return {name: chosen[p.target] for name, p in ends.items() if p.target in chosen}


def resolution_of(program: Program) -> WeightResolution | None:
    """What codes the weights have; None where they have none."""
    return cast(WeightResolution | None, program.device.effect("weight_resolution"))


def scaled_weights(program: Program, block: Block) -> NDArray[np.float64]:
    """The weights of a block (network units), compensated where that was chosen."""
    assert program.scaling is not None
    weights = block.weights
    for k, name in enumerate(program.network.projections):
        if name in program.scaling.gain:
            mine = block.projections == k
            first = program.origin.first[program.network.projections[name].target]
            weights = np.where(
                mine, weights * program.scaling.gain[name][np.where(mine, block.targets - first, 0)], weights
            )
    return weights


def _compensates(program: Program) -> bool:
    circuits = program.routing.circuits if program.routing else None
    if not circuits or not cast(AnalogChoices, program.choices).compensate_loss:
        return False
    return _dead(program) > 0 or any((c == LOST).any() for c in circuits.values())


def _dead(program: Program) -> float:
    """The share of synapse circuits that are dead, as the device file has it."""
    loss = program.device.effect("synapse_loss")
    return min(float(loss.dead), 0.99) if loss is not None else 0.0


def _gain(program: Program) -> dict[str, NDArray[np.float64]]:
    n, names = program.origin.n_neurons, list(program.network.projections)
    asked, left = np.zeros((2, len(names), n))
    for block in blocks(program):
        at = block.projections * n + block.targets
        asked += np.bincount(at, minlength=asked.size).reshape(asked.shape)
        left += np.bincount(at, realized(program, block), left.size).reshape(left.shape)
    gain = np.where(left > 0, asked / (np.maximum(left, 1.0) * (1.0 - _dead(program))), 1.0)
    first, size = program.origin.first, program.origin.size
    target = {name: program.network.projections[name].target for name in names}
    return {
        name: gain[k, first[target[name]] : first[target[name]] + size[target[name]]] for k, name in enumerate(names)
    }


def _largest(program: Program) -> dict[str, float]:
    """The largest absolute weight of each projection among the synapses that are realized."""
    names = list(program.network.projections)
    largest = np.zeros(len(names))
    for block in blocks(program):
        kept = realized(program, block)
        np.maximum.at(largest, block.projections[kept], np.abs(scaled_weights(program, block)[kept]))
    return dict(zip(names, largest.tolist(), strict=True))


def _share(program: Program, name: str) -> object:
    p = program.network.projections[name]
    machine, choices = cast(AnalogMachine, program.device.machine), cast(AnalogChoices, program.choices)
    if machine.weight_range == "row" and choices.weight_scaling == "per projection":
        return name
    return p.target, p.receptor
