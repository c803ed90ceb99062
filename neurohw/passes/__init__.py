"""The passes, in order: each takes a program and returns a new one with one decision more, or the payload.

Each pass is a module with one function; REQUIRES names the predicates that must hold before it, ESTABLISHES those after it.
"""

import sys
from collections.abc import Callable
from dataclasses import replace

from neurohw.passes.assign_synapses import assign_synapses
from neurohw.passes.check import check
from neurohw.passes.check_record import check_record
from neurohw.passes.fix_delays import fix_delays
from neurohw.passes.legalize import legalize
from neurohw.passes.partition import partition
from neurohw.passes.place import place
from neurohw.passes.predicates import PREDICATES
from neurohw.passes.predict import predict
from neurohw.passes.route import route
from neurohw.passes.row_delays import row_delays
from neurohw.passes.scale import scale_as_is
from neurohw.passes.scale_codes import scale_codes
from neurohw.passes.scale_conductance import scale_conductance
from neurohw.passes.scale_parameters import scale_parameters
from neurohw.passes.scale_spinnaker import scale_spinnaker
from neurohw.passes.seal import seal
from neurohw.passes.spinnaker.extend_delays import extend_delays
from neurohw.passes.spinnaker.place import place_spinnaker
from neurohw.passes.spinnaker.route import route_spinnaker
from neurohw.passes.to_circuit import to_circuit
from neurohw.passes.to_conductance import to_conductance
from neurohw.passes.to_equations import to_equations
from neurohw.passes.to_fixed_point import to_fixed_point
from neurohw.passes.to_float import to_float
from neurohw.program import Program

Pass = Callable[[Program], Program]

PASSES: dict[str, tuple[Pass, ...]] = {
    "reference": (check, legalize, partition, place, route, scale_as_is, to_equations, predict, seal),
    "ideal digital": (check, legalize, partition, place, route, scale_as_is, to_float, predict, seal),
    "spinnaker": (
        check,
        legalize,
        partition,
        check_record,
        extend_delays,
        place_spinnaker,
        route_spinnaker,
        scale_spinnaker,
        to_fixed_point,
        predict,
        seal,
    ),
    "crossbar": (
        check,
        legalize,
        row_delays,
        partition,
        place,
        route,
        scale_conductance,
        to_conductance,
        predict,
        seal,
    ),
    "analog": (
        check,
        legalize,
        partition,
        check_record,
        place,
        route,
        fix_delays,
        assign_synapses,
        scale_codes,
        scale_parameters,
        to_circuit,
        predict,
        seal,
    ),
}


def passes_for(program: Program) -> tuple[Pass, ...]:
    """The passes of this device's substrate."""
    substrate = program.device.substrate
    return PASSES["ideal digital" if substrate == "spinnaker" and program.device.is_ideal else substrate]


def apply(program: Program) -> Program:
    """Run all passes; after each one every predicate established so far is checked again."""
    for step in passes_for(program):
        module = sys.modules[step.__module__]
        missing = [name for name in module.REQUIRES if name not in program.established]
        assert not missing, f"{step.__name__} needs {missing}, but only {program.established} hold"
        program = step(program)
        program = replace(program, established=(*program.established, *module.ESTABLISHES))
        for name in program.established:
            PREDICATES[name](program)
    return program
