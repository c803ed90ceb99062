"""check_record: can the hardware show what is to be recorded?"""

from neurohw.errors import NotReadable
from neurohw.program import Program

REQUIRES = ("partitioned",)
ESTABLISHES: tuple[str, ...] = ()


def check_record(program: Program) -> Program:
    """The same program; raises NotReadable where a bench could not see a quantity, or not of so many neurons at once."""
    hidden = None if program.device.is_unlimited else program.device.machine.hidden(program.record, program.slices)
    if hidden:
        raise NotReadable(f"{program.device.title} {hidden}")
    return program
