"""seal: give the program the fingerprint of everything that determines its runs."""

from neurohw.digest import digest
from neurohw.program import Program

REQUIRES = ("lowered",)
ESTABLISHES = ("sealed",)


def seal(program: Program) -> Program:
    """The same program with its fingerprint: network, device, choices, time step and decisions."""
    return program.with_(fingerprint=digest(*program.decided))
