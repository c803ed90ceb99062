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


def standing(asked: NDArray[np.float64], rounded: NDArray[np.float64]) -> int:
    """How many factors near 1, such as decays exp(-dt/tau), became 1 itself, so that what they stand for never happens."""
    return int(((rounded == 1.0) & (asked != 1.0)).sum())


def start(found: words.Words, groups: Any, state: NDArray[np.float64]) -> None:
    """Round the state with which a trial begins."""
    for k, (first, last) in enumerate(zip(groups[1], groups[2], strict=True)):
        for row in range(state.shape[0] if found.lsb.size else 0):
            words.hold(found, k, state, row, first, last)


def told(found: words.Words, effect: FixedPoint, groups: Any, n_steps: int, still: dict[str, int]) -> list[Loss | str]:
    """What words cost in a run of so many steps, initial state included. still: population -> factors that became 1."""
    variables = (found.lsb > 0).sum(
        axis=1
    )  # stored once at the beginning and in each step, the sums of both receptors twice
    stored = int(((groups[2] - groups[1]) * (n_steps * (variables + 2) + variables)).sum())
    changed, vanished, cut = (int(count) for count in found.counts)
    word = f"s{int(effect.integer_bits)}.{int(effect.fraction_bits)}"
    why = f"a state variable left the range of {word}"
    return [
        f"neurons in words {word}: of {stored} stored, {changed} were rounded ({effect.rounding}), {vanished} of them to zero",
        Loss("words saturated", cut, stored, "neurons", why, "take more integer_bits, or larger units"),
        *(
            Loss(
                "decays that stand still",
                n,
                0,
                name,
                f"{word} has too few bits to tell exp(-dt/tau) from 1",
                "take more bits, or a longer time step",
            )
            for name, n in still.items()
        ),
    ]
