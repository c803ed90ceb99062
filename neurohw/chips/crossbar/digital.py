"""Digital neurons beside the tiles: their coefficients and their state as words (effect `fixed_point`), or as they are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.fixed_point import FixedPoint
from neurohw.kernels import float_neurons as fn
from neurohw.kernels import words
from neurohw.kernels.float_neurons.rows import T_REFRAC
from neurohw.neurons import NEURONS, NeuronModel
from neurohw.program import Program
from neurohw.report import Loss


def of(effect: FixedPoint | None, program: Program) -> words.Words:
    """The words of all populations of a network."""
    models = [program.network.populations[name].model.name for name in program.network.neurons]
    lsb = np.zeros((len(models) if effect is not None else 0, fn.N_STATE))
    counts = np.zeros(3, np.int64)
    if effect is None:
        return words.Words(lsb, 0.0, 0.0, 0.0, counts)
    for k, model in enumerate(models):
        for row, unit in units(model).items():
            lsb[k, row] = effect.lsb(unit)
    return words.Words(lsb, effect.half, *effect.codes, counts)


def units(model: str) -> dict[int, str]:
    """The unit of each row of the state that a neuron of this model keeps: what arrives has that of a weight."""
    kind = NEURONS[model]
    assert isinstance(kind, NeuronModel)
    found = {fn.EXC: kind.weight_unit, fn.INH: kind.weight_unit}
    states = {row: kind.states[name].unit for name, row in fn.MODELS[model].states.items() if name in kind.states}
    hidden = {row: kind.weight_unit for name, row in fn.MODELS[model].states.items() if name not in kind.states}
    return {**found, **hidden, **states}


def coefficients(effect: FixedPoint, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of coefficients as words; a refractory time is a count of steps, and stays."""
    rounded = effect.coefficients(values)
    rounded[T_REFRAC] = values[T_REFRAC]
    return rounded


def start(found: words.Words, groups: Any, state: NDArray[np.float64]) -> None:
    """Round the state with which a trial begins."""
    for k, (first, last) in enumerate(zip(groups[1], groups[2], strict=True)):
        for row in range(state.shape[0] if found.lsb.size else 0):
            words.hold(found, k, state, row, first, last)


def told(found: words.Words, effect: FixedPoint, groups: Any, n_steps: int) -> list[Loss | str]:
    """What words cost in a run of so many steps."""
    stored = int(n_steps * ((groups[2] - groups[1]) * ((found.lsb > 0).sum(axis=1) + 2)).sum())
    changed, vanished, cut = (int(count) for count in found.counts)
    word = f"s{int(effect.integer_bits)}.{int(effect.fraction_bits)}"
    why = f"a state variable left the range of {word}"
    return [
        f"neurons in words {word}: of {stored} stored, {changed} were rounded ({effect.rounding}), {vanished} of them to zero",
        Loss("words saturated", cut, stored, "neurons", why, "take more integer_bits, or larger units"),
    ]
