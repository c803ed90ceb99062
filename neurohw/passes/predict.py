"""predict: what a second of network time will take, in the report, before anything runs."""

import math
from dataclasses import replace

from neurohw.device.spinnaker import SpinnakerMachine
from neurohw.kernels.prediction import busiest, expected_rates, prediction
from neurohw.program import Program

REQUIRES = ("lowered",)
ESTABLISHES: tuple[str, ...] = ()
SECOND = 1e3


def predict(program: Program) -> Program:
    """The program with estimates for 1 s of network time, neurons firing at the choice `expected_rate`."""
    estimates = {"expected rate of neurons": (float(program.choices.expected_rate), "Hz")}
    for name, (value, unit) in prediction(program, SECOND).items():
        per = name if unit.startswith("of ") else f"{name}, per second"
        estimates[per] = (value, unit)
    return replace(program, report=program.report.add(*_overload(program), **estimates))


def _overload(program: Program) -> list[str]:
    """What to do where a core of a SpiNNaker machine has more to do in a mean step than it has time for."""
    machine = program.device.machine
    if program.device.is_unlimited or not isinstance(machine, SpinnakerMachine):
        return []
    load = busiest(program, expected_rates(program, SECOND)) / machine.budget(program.choices, program.dt)
    if load <= 1:
        return []
    factor = math.ceil(load * program.choices.slowdown(program.dt))
    return [
        f"the busiest core needs {load:.3g} times the cycles of a step, so a real board is late at every step: use fewer "
        f"neurons per core, or time_scale_factor: {factor} at least"
    ]
