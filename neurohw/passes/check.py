"""check: the device validates the network; every reason at once, and before any time or memory is spent."""

from dataclasses import replace

from neurohw.distributions import spread
from neurohw.errors import DoesNotFit, Unsupported, all_reasons
from neurohw.memory import available_bytes
from neurohw.program import Program

REQUIRES: tuple[str, ...] = ()
ESTABLISHES = ("valid",)
BYTES_PER_SYNAPSE = 64
"""Peak while building: one block of synapses with all its columns, and the packed table."""
BYTES_PER_PLASTIC = 200
"""More for a synapse that is plastic: its places, its traces, and the lists by which post spikes find it."""
BYTES_PER_NEURON = 512
"""State, coefficients and parameters."""


def check(program: Program) -> Program:
    """Raise Unsupported for what the device lacks and DoesNotFit for what neither it nor this computer can hold."""
    network, device = program.network, program.device
    all_reasons(Unsupported, f"{network.name} on {device.title}", device.objections(network))
    synapses = sum(network.expected_synapses(name) for name in network.projections)
    neurons = sum(population.size for population in network.populations.values())
    plastic = sum(network.expected_synapses(name) for name in network.plastic)
    needed = 24.0 * synapses + BYTES_PER_SYNAPSE * min(synapses, 8e6) + BYTES_PER_NEURON * neurons
    needed += BYTES_PER_PLASTIC * plastic
    if needed > available_bytes():
        raise DoesNotFit(
            f"{network.name}: {neurons:.3g} neurons and {synapses:.3g} synapses need about {needed / 2**30:.3g} GiB, this computer has "
            f"{available_bytes() / 2**30:.3g} GiB free; make the network smaller or take a computer with more memory"
        )
    _check_delays(program, neurons)
    report = program.report.add(synapses=(synapses, ""), build_memory=(needed / 2**20, "MiB"))
    return replace(program, report=report)


def _check_delays(program: Program, neurons: int) -> None:
    """The spikes of as many steps as the longest delay has are kept: 4 bytes for a neuron and a step."""
    for name, projection in program.network.projections.items():
        mean, sd, _, high = spread(projection.delay)
        longest = min(high, mean + 8.5 * sd)
        needed = (4.0 * neurons + 8.0) * longest / program.dt
        if needed > available_bytes() / 2:
            raise DoesNotFit(
                f"projection {name!r}: a delay of {longest:g} ms is {longest / program.dt:.3g} steps of {program.dt:g} ms, "
                f"whose spikes take {needed / 2**30:.3g} GiB to keep; make the delay shorter or the time step longer"
            )
