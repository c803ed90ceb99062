"""extend_delays on SpiNNaker: cores that hold spikes back where a delay is longer than the ring buffers of the target.

A delay of d steps onto a core with s slots passes (d - 1) // s stages of s steps in the extension, and the rest in the
ring buffer. Each core of a population that needs it has an extension core of its own, which takes its spikes and sends
them again under another key, one per stage. The delays are exact; what it costs is cores, keys and packets.
"""

from neurohw.device.spinnaker import SpinnakerMachine
from neurohw.passes.legalize import likely_longest
from neurohw.program import Program, Slice
from neurohw.report import Resource

REQUIRES = ("partitioned",)
ESTABLISHES: tuple[str, ...] = ()


def extend_delays(program: Program) -> Program:
    """A program with the slices of its delay extensions, in the order in which the tool chain adds them."""
    needed = stages(program)
    extensions = [
        Slice(s.population, s.first, s.last) for name in needed for s in program.slices if s.population == name
    ]
    if not extensions:
        return program
    left = len(program.device.machine.sites()) - len(program.slices)
    return program.with_(Resource("delay extension cores", len(extensions), left), extensions=tuple(extensions))


def stages(program: Program) -> dict[str, int]:
    """Population -> stages of the delay extension it needs, by the order of the first projections."""
    found = dict.fromkeys((p.source for p in program.network.projections.values()), 0)
    for name, p in program.network.projections.items():
        found[p.source] = max(found[p.source], stages_of(program, name))
    return {name: count for name, count in found.items() if count}


def stages_of(program: Program, projection: str) -> int:
    """Stages of delay extension that a projection needs; 0 where the ring buffers of its target hold its delays."""
    machine = program.device.machine
    assert isinstance(machine, SpinnakerMachine)
    return (likely_longest(program, projection) - 1) // machine.delay_slots(machine.neurons_per_unit(program.choices))
