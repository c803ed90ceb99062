"""scale on SpiNNaker: one ring-buffer shift per population and receptor, from what the tool chain expects to arrive."""

from dataclasses import replace

import numpy as np
from scipy import stats

from neurohw import connections
from neurohw.distributions import Normal, spread
from neurohw.errors import BadInput, Unsupported
from neurohw.kernels.spinnaker_charge import charge_factors
from neurohw.kernels.spinnaker_weights import Incoming, ring_buffer_shifts, shift_for, weight_scale
from neurohw.network import RECEPTORS, Projection
from neurohw.program import Program, Scaling

REQUIRES = ("routed",)
ESTABLISHES = ("scaled",)
CHANCE = 0.01
"""The tool chain takes the largest value that is exceeded with this probability."""


def scale_spinnaker(program: Program) -> Program:
    """A program that knows the shift of every receptor and the weight of one LSB of every projection."""
    network, unit = program.network, {}
    shifts: dict[tuple[str, str], int] = {}
    factors = charge_factors(program)
    unknown = [name for name in program.choices.largest_sum if name not in network.neurons]
    if unknown:
        raise BadInput(
            f"choices: largest_sum: no population {unknown[0]!r} of neurons; there are {', '.join(network.neurons)}"
        )
    for name, population in network.neurons.items():
        _check_rules(program, name, factors)
        onto = [p for p in network.projections.values() if p.target == name]
        largest = factors[:, program.origin.first[name] :][:, : population.size].max(axis=1)
        groups = [
            [incoming(program, p, float(factor)) for p in onto if p.receptor == receptor]
            for receptor, factor in zip(RECEPTORS, largest, strict=True)
        ]
        scale = 1024 if population.neuron.weight_unit == "uS" else 1
        chosen = program.choices.largest_sum.get(name, {})
        estimated = ring_buffer_shifts(groups, program.dt, scale)
        for receptor, shift in zip(RECEPTORS, estimated, strict=True):
            shifts[name, receptor] = shift_for(chosen[receptor] * scale) if receptor in chosen else shift
        for p in onto:
            unit[p.name] = 1.0 / weight_scale(shifts[name, p.receptor], scale)
    return replace(program, scaling=Scaling(unit, shifts))


def _check_rules(program: Program, target: str, factors: np.ndarray) -> None:
    """Raise Unsupported where a population's cores would need several rules: they hold one, for all their neurons."""
    onto = [p for p in program.network.plastic.values() if p.target == target]
    if onto and program.choices.overruns != "report":
        raise Unsupported(
            f"projection {onto[0].name!r}: late and dropped packets are not worked out for plastic synapses; "
            "choose overruns: report"
        )
    if any(p.plasticity != onto[0].plasticity for p in onto):
        raise Unsupported(
            f"population {target!r}: a SpiNNaker core has one plasticity rule, but {onto[0].name!r} and another projection "
            "onto it have different ones; give them the same parameters, or make two populations of it"
        )
    first = program.origin.first[target]
    if onto and np.ptp(factors[:, first : first + program.origin.size[target]], axis=1).any():
        raise Unsupported(
            f"population {target!r}: its plastic weights become charges by factors that differ from neuron to neuron, but a "
            "SpiNNaker core has one w_max; give all neurons the same time constants and capacitance"
        )


def incoming(program: Program, projection: Projection, factor: float = 1.0) -> Incoming:
    """What the tool chain knows of a projection: sizes of weights, the likely largest in-degree, rates of its sources."""
    network = program.network
    source, target = network.populations[projection.source], network.populations[projection.target]
    synapses = network.expected_synapses(projection.name)
    mean, sd, low, high = spread(projection.weight)
    if isinstance(projection.weight, Normal):
        tail = stats.norm.isf(CHANCE / max(synapses, 1.0)) * sd
        low, high = max(low, mean - tail), min(high, mean + tail)
    if projection.plasticity is not None:  # taken to be all at the largest that they can reach
        mean = high = max(abs(low), abs(high), projection.plasticity.w_max)
        sd = 0.0
    rate = per_step = None
    if source.is_source and source.spike_times is None:
        rate = float(network.parameter(projection.source, "rate").max())
        steps = 1000.0 / program.dt
        per_step = 1.0 if rate < steps else float(stats.poisson.isf(CHANCE / steps, rate / steps)) + 1.0
    return Incoming(
        weight_mean=abs(mean) * factor,
        weight_sd=sd * factor,
        weight_max=max(abs(low), abs(high)) * factor,
        in_degree=largest_in_degree(projection.rule, source.size, target.size),
        delay_variance=spread(projection.delay)[1] ** 2,
        spikes_per_second=rate,
        spikes_per_step=per_step,
    )


def largest_in_degree(rule: connections.Rule, n_pre: int, n_post: int) -> int:
    """Synapses onto one neuron, the largest number that a rule is likely to make."""
    match rule:
        case connections.AllToAll():
            return n_pre
        case connections.OneToOne():
            return 1
        case connections.FixedNumberPre():
            return rule.n
        case connections.FromList():
            return int(np.bincount(rule.post, minlength=1).max(initial=0))
        case connections.FixedProbability():
            return int(stats.binom.isf(CHANCE / (n_pre * n_post), n_pre, rule.p_connect))
        case connections.FixedNumberPost():
            return int(stats.binom.isf(CHANCE / (n_pre * n_post), n_pre, rule.n / n_post))
        case connections.FixedTotalNumber():
            return int(stats.binom.isf(CHANCE / max(rule.n, 1), rule.n, 1.0 / n_post)) if rule.n else 0
