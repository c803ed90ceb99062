"""scale_parameters: which codes set the parameters of the neurons, and what a millivolt of the network is on the chip."""

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from neurohw.calibration import Calibration
from neurohw.device.analog import AnalogChoices
from neurohw.effects.parameter_codes import Cell, ParameterCodes
from neurohw.errors import OutOfRange
from neurohw.kernels.circuits import neuron_circuits
from neurohw.program import Program
from neurohw.report import Loss

REQUIRES = ("scaled",)
ESTABLISHES: tuple[str, ...] = ()
LOWEST, HIGHEST = -65.0, -50.0
"""mV on the standard scale, where the lowest and the highest voltage of a population go whose own do not fit."""
OFF = 1e6
"""A threshold above this (mV) is none: the comparator is switched off, which takes no code."""


def scale_parameters(program: Program) -> Program:
    """A program whose scaling has `volts` and, from a calibration or by choice, `codes`.

    With a calibration: the code whose measured value is nearest to what is asked for. Choice `codes: typical`: the same
    code for all circuits, as on a chip that was never calibrated. Else none: the chip has the makers' calibration.
    A code beyond the cell is clipped and reported; choice `out_of_range: refuse` raises OutOfRange instead.
    """
    coded = cast(ParameterCodes | None, program.device.effect("parameter_codes"))
    if coded is None or program.device.is_ideal:
        return program
    assert program.scaling is not None
    choices, calibration = cast(AnalogChoices, program.choices), cast(Calibration | None, program.calibration)
    numbers = neuron_circuits(program)
    volts: dict[str, tuple[float, float]] = {}
    codes: dict[str, dict[str, NDArray[np.int64]]] = {}
    entries: list[Loss | str] = []
    for name, population in program.network.neurons.items():
        cells = coded.of_model(population.neuron.threshold, population.parameters)
        values = {p: program.network.parameter(name, p) for p, c in cells.values() if p in population.parameters}
        volts[name], note = _volts(name, cells, values)
        entries += note
        mine = numbers[program.origin.first[name] : program.origin.first[name] + population.size]
        for cell_name, (parameter, cell) in cells.items():
            asked = values.get(parameter, np.ones(population.size))
            on_chip = asked * volts[name][0] + volts[name][1] if cell.unit == "mV" else asked
            own = np.full(population.size, float(cell.code))
            if calibration is not None:
                own = calibration.of(cell_name, mine)
            wanted = cell.wanted(on_chip, own)
            entries += _beyond(name, parameter, cell_name, cell, wanted[np.abs(asked) < OFF], choices)
            if calibration is not None or choices.codes == "typical":
                codes.setdefault(name, {})[cell_name] = cell.rounded(wanted)
    return program.with_(*entries, scaling=replace(program.scaling, volts=volts, codes=codes))


def _volts(
    name: str, cells: dict[str, tuple[str, Cell]], values: dict[str, NDArray[np.float64]]
) -> tuple[tuple[float, float], list[str]]:
    """((scale, shift) from network to standard mV, what to say of it): the identity where every voltage has a code."""
    pairs = [(cell, values[p][np.abs(values[p]) < OFF]) for p, cell in cells.values() if cell.unit == "mV"]
    codes = [(cell.wanted(v, np.full(v.size, float(cell.code))), cell.top) for cell, v in pairs]
    if all(((c >= 0) & (c <= top)).all() for c, top in codes):
        return (1.0, 0.0), []
    every = np.concatenate([v for _, v in pairs])
    low, high = float(every.min()), float(every.max())
    scale = (HIGHEST - LOWEST) / (high - low) if high > low else 1.0
    said = (
        f"voltages of {name!r}: {low:.4g} to {high:.4g} mV do not fit the cells and go to {LOWEST:g} to {HIGHEST:g} mV"
    )
    return (scale, LOWEST - scale * low), [f"{said}; its spreads are {1 / scale:.3g} times those of the device file"]


def _beyond(
    name: str, parameter: str, cell_name: str, cell: Cell, wanted: NDArray[np.float64], choices: AnalogChoices
) -> list[Loss | str]:
    beyond = (wanted < -0.5) | (wanted > cell.top + 0.5)
    if not beyond.any():
        return []
    worst = wanted[beyond][np.argmax(np.abs(wanted[beyond] - cell.top / 2))]
    why = f"{cell_name} has the codes 0 to {int(cell.top)}; {worst:.0f} would be needed"
    if choices.out_of_range == "refuse":
        raise OutOfRange(f"{name}.{parameter}: {why}; choose a value nearer to {cell.at_code:g} {cell.unit}".rstrip())
    return [
        Loss(
            "parameters clipped",
            int(beyond.sum()),
            wanted.size,
            f"{name}.{parameter}",
            why,
            "choose a value inside the range",
        )
    ]
