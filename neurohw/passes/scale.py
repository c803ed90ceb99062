"""scale: what one code of a weight means on this device."""

from dataclasses import replace

from neurohw.program import Program, Scaling

REQUIRES = ("routed",)
ESTABLISHES = ("scaled",)


def scale_as_is(program: Program) -> Program:
    """Weights stay what they are: the reference and ideal digital devices."""
    return replace(program, scaling=Scaling(dict.fromkeys(program.network.projections, 1.0)))
