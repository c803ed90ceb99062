"""SDRAM on SpiNNaker: an estimate of what the tool chain sets aside for a core before it makes a single synapse.

A core that receives a projection keeps one row per source neuron, of 3 header words and as many synaptic words as the
longest row is likely to have: the length that is exceeded with a probability of 1e-4 in the whole projection. Rows
stand in blocks, one for each core of the source, all as large as the largest; with a delay extension, one row per
neuron and stage instead. Beside rows there are a constant for the core, one for each neuron, and one for each block.

Against the reports of sPyNNaker 7.4.1: equal for IF_curr_exp with FixedProbability, which the constants were fitted to
(a core without input: 8 bytes more); 2 % too low for IF_cond_exp with 64 neurons per core, 11 % with 256. FromList is
taken for AllToAll.
"""

from scipy import stats

from neurohw import connections
from neurohw.device.spinnaker import SpinnakerMachine
from neurohw.network import Projection
from neurohw.passes.spinnaker.extend_delays import stages_of
from neurohw.program import Program

WORD = 4
HEADER = 3
CHANCE = 1e-4
PER_PROJECTION, PER_BLOCK, PER_STAGE = 40, 12, 104
EXTENSION = 520
SOURCE = 2028
"""Bytes of a projection, a block of rows, a projection with an extension, an extension core, and a source core."""


def bytes_of_populations(program: Program) -> dict[str, float]:
    """Population -> bytes of one of its (full) cores."""
    machine = program.device.machine
    assert isinstance(machine, SpinnakerMachine)
    per_core, found = machine.neurons_per_unit(program.choices), {}
    for name, population in program.network.populations.items():
        if population.is_source:
            found[name] = float(SOURCE)
            continue
        size = min(per_core, population.size)
        rows = sum(_rows(program, p, size) for p in program.network.projections.values() if p.target == name)
        found[name] = float(machine.sdram_per_core) + float(machine.sdram_per_neuron) * size + rows
    return found


def _rows(program: Program, projection: Projection, n_target: int) -> float:
    network, machine = program.network, program.device.machine
    source = network.populations[projection.source]
    per_core = (
        machine.sources_per_unit(program.choices) if source.is_source else machine.neurons_per_unit(program.choices)
    )
    size = min(per_core, source.size)
    blocks = -(-source.size // size)
    n_stages = stages_of(program, projection.name)
    length = longest_row(projection.rule, source.size, network.populations[projection.target].size, n_target)
    one_row = WORD * (HEADER + length)
    return blocks * size * one_row * max(1, n_stages) + PER_PROJECTION + PER_BLOCK * blocks + PER_STAGE * (n_stages > 0)


def longest_row(rule: connections.Rule, n_pre: int, n_post: int, n_target: int) -> int:
    """Synapses of one source onto n_target of n_post neurons, the largest number that a rule is likely to make."""
    chance, share = CHANCE / (n_pre * n_post), n_target / n_post
    match rule:
        case connections.AllToAll() | connections.FromList():
            return n_target
        case connections.OneToOne():
            return 1
        case connections.FixedProbability():
            return _most(chance, n_target, rule.p_connect)
        case connections.FixedNumberPost():
            return _most(chance / 10, rule.n, share)
        case connections.FixedNumberPre():
            return _most(chance / 10, _most(chance, rule.n * n_post, 1 / n_pre), share)
        case connections.FixedTotalNumber():
            return _most(chance, rule.n, share / n_pre)


def _most(chance: float, trials: int, p: float) -> int:
    """Successes that are exceeded with this probability."""
    return int(stats.binom.isf(chance, trials, p)) if trials else 0
