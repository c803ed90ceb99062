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
    at_a_time = None if program.device.is_unlimited else getattr(program.device.machine, "membranes_at_a_time", None)
    n = sum(which.size for variables in program.record.values() for which in variables.values())
    if at_a_time is None or n <= at_a_time:
        return program
    return program.with_(
        f"{n} membranes are recorded, of which {program.device.title} shows {int(at_a_time)} at a time: on a bench, this would "
        f"take {-(-n // int(at_a_time))} runs"
    )
