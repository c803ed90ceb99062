"""Drift compensation of crossbars: digital gains behind the columns that make up for what conductances have lost.

    baseline = measure(chip, program, "per column")       # right after the weights were written
    ...                                                   # an hour, a month
    compensate(chip, program, baseline)                   # measures again, sets the gains

All of it by the public face of the chip: `read`, `run`, `configure`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw import units
from neurohw.errors import BadInput, Unsupported
from neurohw.kernels.rows import rows
from neurohw.network import RECEPTORS
from neurohw.program import Program

WAYS = ("global", "per column", "reference row", "spike counts")
READS = 4
"""Reads of every weight that are averaged."""
ONE = 4096
"""The gain code that stands for 1; see `CrossbarChip.configure`."""
HALVINGS = 8
"""Halvings of the interval in which a gain is searched; to 1 % of a factor of eight."""
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Baseline:
    """What a chip was like when its weights were fresh, as far as `way` looks.

    columns: (population, receptor) -> two independent means of reads, each (rows, neurons); counts: population -> spikes of
    each probe. source: of the reference row. probes, duration: what is run to count spikes.
    """

    way: str
    columns: Mapping[tuple[str, str], tuple[Values, Values]]
    counts: Mapping[str, Values]
    source: str | None = None
    probes: tuple[Mapping[str, Any], ...] = ()
    duration: float = 0.0


def measure(
    chip: Any,
    program: Program,
    way: str = "per column",
    source: str | None = None,
    probes: Sequence[Mapping[str, Any]] = (),
    duration: Any = 0.0,
) -> Baseline:
    """What `compensate` will compare with, measured on a chip that holds the program.

    way: "global": one gain for each receptor of each population, from noisy reads of all its weights. "per column": one
    for each column. "reference row": as global, from the weights of one population of sources alone, `source`, that
    was put there to be read (cheap: one row per tile). "spike counts": one for each population, from nothing but the
    number of its spikes in answer to `probes` (stimuli, each run for `duration`): what a chip without weight read-out
    can see. Populations are adjusted in the order of the network, which must lead forward.
    Raises BadInput for an unknown way, or one that lacks what it needs; Unsupported where the chip has no gains.
    """
    if way not in WAYS:
        raise BadInput(f"measure: no way {way!r} to compensate; there are {', '.join(WAYS)}")
    if "gain_excitatory" not in chip.capabilities.parameter_codes:
        raise Unsupported("compensation needs digital gains behind the columns, which this chip does not have")
    if way == "spike counts":
        length = units.parse(duration, "ms", "duration")
        if not probes or length <= 0:
            raise BadInput("measure: spike counts need probes (a list of stimuli) and the duration of each")
        given = tuple(probes)
        return Baseline(way, {}, _counts(chip, program, given, length), None, given, length)
    if way == "reference row" and source not in program.network.sources:
        has = ", ".join(program.network.sources) or "none"
        raise BadInput(f"measure: the reference row needs a population of sources; {source!r} is none of {has}")
    wanted = source if way == "reference row" else None
    first, second = (_columns(chip, program, wanted) for _ in range(2))
    return Baseline(way, {key: (first[key], second[key]) for key in first}, {}, wanted)


def compensate(chip: Any, program: Program, baseline: Baseline) -> dict[str, dict[str, Values]]:
    """Measure again and set the gains; returns population -> receptor -> gain of each column.

    From reads: with a, b the two readings of the baseline and c that of now, gain = sum a b / sum a c over the weights
    of a column (or of all columns): the factor by which a line through the origin has fallen. Two readings, since the
    noise of one would not average out of sum a a. From spikes: the gain, found by bisection, with which the population
    spikes as often as it did; a population that did not spike is left as it is.
    """
    if baseline.way == "spike counts":
        return _by_counts(chip, program, baseline)
    now = _columns(chip, program, baseline.source)
    found: dict[str, dict[str, Values]] = {}
    for (population, receptor), (a, b) in baseline.columns.items():
        c = now[population, receptor]
        above, below = (a * b).sum(axis=0), (a * c).sum(axis=0)
        if baseline.way != "per column":
            above, below = np.full_like(above, above.sum()), np.full_like(below, below.sum())
        gain = np.divide(above, below, out=np.ones_like(above), where=(above > 0) & (below > 0))
        found.setdefault(population, {})[receptor] = gain
    for population, gains in found.items():
        _set(chip, population, gains)
    return found


def _columns(chip: Any, program: Program, source: str | None) -> dict[tuple[str, str], Values]:
    """(population, receptor) -> mean weight read, (rows, neurons); rows are the sources of all projections in turn."""
    network = program.network
    found: dict[tuple[str, str], list[Values]] = {}
    for name, p in network.projections.items():
        if source is not None and p.source != source:
            continue
        made = rows(network, p, 0, network.populations[p.source].size)
        seen = np.mean([chip.read(name) for _ in range(READS)], axis=0)
        dense = np.zeros((network.populations[p.source].size, network.populations[p.target].size))
        np.add.at(dense, (made.sources, made.targets), seen)
        found.setdefault((p.target, p.receptor), []).append(dense)
    return {key: np.concatenate(parts) for key, parts in found.items()}


def _counts(chip: Any, program: Program, probes: Sequence[Mapping[str, Any]], duration: float) -> dict[str, Values]:
    """population -> its spikes in answer to each probe."""
    found: dict[str, list[int]] = {name: [] for name in program.network.neurons}
    for trial, probe in enumerate(probes):
        recording = chip.run(duration, trial=trial, stimulus=probe)
        for name, counts in found.items():
            counts.append(recording.spikes[name][0].size)
    return {name: np.array(counts, float) for name, counts in found.items()}


def _by_counts(chip: Any, program: Program, baseline: Baseline) -> dict[str, dict[str, Values]]:
    found: dict[str, dict[str, Values]] = {}
    for population, wanted in baseline.counts.items():
        if not wanted.any():  # a readout that never spikes tells nothing
            continue
        low, high = np.log2(0.5), np.log2(4.0)
        for _ in range(HALVINGS):
            gain = 2.0 ** (0.5 * (low + high))
            found[population] = {r: np.full(program.origin.size[population], gain) for r in RECEPTORS}
            _set(chip, population, found[population])
            seen = _counts(chip, program, baseline.probes, baseline.duration)[population]
            if seen.sum() < wanted.sum():
                low = np.log2(gain)
            else:
                high = np.log2(gain)
    return found


def _set(chip: Any, population: str, gains: Mapping[str, Values]) -> None:
    top = chip.capabilities.parameter_codes["gain_excitatory"][1]
    codes = {f"gain_{r}": np.clip(np.round(values * ONE), 0, top).astype(np.int64) for r, values in gains.items()}
    chip.configure(population, codes)
