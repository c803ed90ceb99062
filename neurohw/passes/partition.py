"""partition: cut populations into slices that fit one unit of the machine (a core, a HICANN, a tile's columns)."""

from neurohw.errors import DoesNotFit
from neurohw.passes.legalize import likely_longest
from neurohw.program import Program, Slice
from neurohw.report import Resource

REQUIRES = ("legal",)
ESTABLISHES = ("partitioned",)


def partition(program: Program) -> Program:
    """Full slices, the last of a population smaller; sources take units only where the machine makes spikes on chip."""
    machine, network, choices = program.device.machine, program.network, program.choices
    if not program.device.is_unlimited:
        choices = machine.for_delays(
            choices, max((likely_longest(program, name) for name in network.projections), default=1)
        )
    per_unit, per_source_unit = machine.neurons_per_unit(choices), machine.sources_per_unit(choices)
    slices: list[Slice] = []
    for name, population in network.populations.items():
        size = per_source_unit if population.is_source else per_unit
        if size is not None:
            slices += [Slice(name, k, min(k + size, population.size)) for k in range(0, population.size, size)]
    available = len(machine.sites())
    word = machine.unit_word
    if len(slices) > available and not program.device.is_unlimited:
        raise DoesNotFit(
            f"{network.name} on {program.device.title}: needs {len(slices)} {word}s of {per_unit} neurons, there are "
            f"{available}; make the network smaller or take a larger machine"
        )
    used = sum(population.size for population in network.neurons.values())
    return program.with_(
        Resource(f"{word}s", len(slices), available),
        Resource("neurons", used, available * per_unit),
        choices=choices,
        slices=tuple(slices),
    )
