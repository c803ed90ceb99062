"""The passes, in order: each takes a program and returns a new one with one decision more, or the payload.

What differs between substrates stands in LOWERINGS: for each substrate the passes from `legalize` to `to_*`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from neurohw.passes import check, legalize, partition, place, route, scale, seal, to_equations, to_float
from neurohw.passes.predicates import PREDICATES
from neurohw.program import Program


@dataclass(frozen=True)
class Pass:
    """One step: what must hold before, what holds after."""

    run: Callable[[Program], Program]
    requires: tuple[str, ...]
    establishes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.run.__name__


def _of(module, function: Callable[[Program], Program]) -> Pass:
    return Pass(function, module.REQUIRES, module.ESTABLISHES)


CHECK, LEGALIZE = _of(check, check.check), _of(legalize, legalize.legalize)
PARTITION, PLACE, ROUTE = _of(partition, partition.partition), _of(place, place.place), _of(route, route.route)
SCALE, SEAL = _of(scale, scale.scale_as_is), _of(seal, seal.seal)
TO_EQUATIONS, TO_FLOAT = _of(to_equations, to_equations.to_equations), _of(to_float, to_float.to_float)

PASSES: dict[str, tuple[Pass, ...]] = {
    "reference": (CHECK, LEGALIZE, PARTITION, PLACE, ROUTE, SCALE, TO_EQUATIONS, SEAL),
    "ideal digital": (CHECK, LEGALIZE, PARTITION, PLACE, ROUTE, SCALE, TO_FLOAT, SEAL),
}


def passes_for(program: Program) -> tuple[Pass, ...]:
    """The passes of this device's substrate."""
    substrate = program.device.substrate
    return PASSES["ideal digital" if substrate == "spinnaker" and program.device.is_ideal else substrate]


def apply(program: Program) -> Program:
    """Run all passes; after each one every predicate established so far is checked again."""
    for step in passes_for(program):
        missing = [name for name in step.requires if name not in program.established]
        assert not missing, f"{step.name} needs {missing}, but only {program.established} hold"
        program = step.run(program)
        program = replace(program, established=(*program.established, *step.establishes))
        for name in program.established:
            PREDICATES[name](program)
    return program
