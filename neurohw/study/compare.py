"""Chips held against the reference, with the reference's own trial-to-trial spread as the yardstick.

The yardstick. Two trials of the reference (same connectivity, other initial states and stimuli) differ too. For every
statistic each trial is held against every *other* trial of the reference: R_i with R_j (i != j) gives the spread, C_k
with R_j (j != k) gives the chip's distance; a chip that is as good as the reference cannot be told from one more
reference trial. The distance of two trials is the Kolmogorov-Smirnov distance of their samples, or for a statistic of
one number per trial the difference. The rule:

    inside  <=>  mean over (k, j != k) of D(C_k, R_j)  <=  limit = mean + t s sqrt(1 + 1/n)

with mean and s (standard deviation) of D(R_i, R_j) over i < j, and t the 97.5 % quantile of Student's t with n - 1
degrees of freedom: where one more trial of the reference may lie, from what n trials show. It needs n >= 3; with fewer
there is no yardstick and no verdict, only the numbers. Tried on drawn trials (n = 3 to 10, 100 to 2000 neurons, with
and without a spread common to all neurons of a trial): a chip that *is* the reference is called "outside" in 0 to 7 %
of the rows, and a shift by half a standard deviation is found in 97 to 100 %. Trials k = j share a stimulus; they are
left out here and used for spike-by-spike coincidence instead.

A device is judged by all its rows together, with the same limit at 2.5 % / rows: see Comparison.state.

Effect sizes are those of one pair of trials (mean over the same pairs, interval for the sizes of one pair): pooling the
trials would count the same neurons several times and make the interval too narrow. Source of the principle: van
Albada et al., Frontiers in Neuroscience 12:291 (2018).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurohw import units
from neurohw.errors import BadInput
from neurohw.recording import Recording
from neurohw.study import scores, statistics
from neurohw.study.comparison import MIN_TRIALS, REFERENCE, Comparison, Row, Samples, Yardstick
from neurohw.study.scores import Coincidence, Effect
from neurohw.study.statistics import STATISTICS, Sample

DEFAULT_MEASURE = ("rates", "cv_isi", "correlation", "van_rossum")


def compare(
    references: Recording | Sequence[Recording],
    recordings: Recording | Sequence[Recording] | Mapping[str, Recording | Sequence[Recording]],
    measure: Sequence[str] = DEFAULT_MEASURE,
    discard: Any = 0.0,
    populations: Sequence[str] | None = None,
) -> Comparison:
    """Hold recordings against references of the same network.

    references, recordings: one recording per trial, in the same order; recordings by device, or one list for one device
    (its name is taken from the manifest). measure: names in STATISTICS. discard: ms at the start that are left out.
    populations: default all that everybody recorded. Raises BadInput where sizes, durations or populations do not fit
    together.
    """
    by_device = recordings if isinstance(recordings, Mapping) else {_device_of(_listed(recordings)): recordings}
    trials = {REFERENCE: _listed(references), **{name: _listed(each) for name, each in by_device.items()}}
    if REFERENCE in by_device:
        raise BadInput("recordings: give the reference as references")
    names = _check(trials, measure, populations)
    start = units.parse(discard, "ms", "discard")
    cut = {device: [statistics.after(one, start) for one in each] for device, each in trials.items()}
    samples = {device: _samples(cut[device], cut[REFERENCE], names, measure) for device in cut}
    several = len(names) * len(measure)
    rows = [_row(device, p, m, samples, several) for device in by_device for p in names for m in measure]
    matched = {d: {p: _coincidence(cut[REFERENCE], cut[d], p) for p in names} for d in by_device}
    return Comparison(tuple(rows), {d: len(each) for d, each in trials.items()}, matched, start, samples)


def _samples(
    mine: Sequence[Recording], references: Sequence[Recording], populations: Sequence[str], measure: Sequence[str]
) -> dict[tuple[str, str], tuple[Sample, ...]]:
    others = [_others(k, mine, references) for k in range(len(mine))]
    return {
        (p, m): tuple(statistics.sample(m, one, p, rest) for one, rest in zip(mine, others, strict=True))
        for p in populations
        for m in measure
    }


def _others(k: int, mine: Sequence[Recording], references: Sequence[Recording]) -> list[Recording]:
    rest = [reference for j, reference in enumerate(references) if j != k]
    return rest or (list(references) if mine is not references else [])


def _row(device: str, population: str, name: str, samples: Samples, rows: int = 1) -> Row:
    reference, chip = samples[REFERENCE][population, name], samples[device][population, name]
    single = max((one.size for one in (*reference, *chip)), default=0) <= 1
    n = len(reference)
    pairs = [(k, j) for k in range(len(chip)) for j in range(n) if j != k] or [(0, 0)]
    found = [_distance(reference[j], chip[k], single) for k, j in pairs]
    distance = float(np.mean([d for d, _ in found]))
    yardstick = _yardstick(reference, single, rows) if n >= MIN_TRIALS else None
    return Row(
        device, population, name, STATISTICS[name].unit,
        _mean(reference), _mean(chip), _size(reference), _size(chip),
        _effect(reference, chip, pairs, single),
        "difference" if single else "KS", distance, None if single else float(np.median([p for _, p in found])),
        yardstick, _verdict(distance, reference, chip, yardstick),
    )  # fmt: skip


def _verdict(distance: float, reference: Sequence[Sample], chip: Sequence[Sample], yardstick: Yardstick | None) -> str:
    if not any(one.size for one in (*reference, *chip)):
        return "no data"
    if yardstick is None:
        return "no yardstick"
    return "inside" if distance <= yardstick.limit * (1 + 1e-9) else "outside"


def _yardstick(reference: Sequence[Sample], single: bool, rows: int) -> Yardstick:
    pairs = [(i, j) for j in range(len(reference)) for i in range(j)]
    distances = np.array([_distance(reference[i], reference[j], single)[0] for i, j in pairs])
    effects = [] if single else [scores.effect_size(reference[i], reference[j]).d for i, j in pairs]
    largest = max((abs(d) for d in effects if d is not None), default=None)
    limit, family = (_limit(distances, len(reference), 0.025 / several) for several in (1, rows))
    return Yardstick(len(pairs), float(distances.mean()), limit, family, largest)


def _limit(distances: Sample, trials: int, tail: float) -> float:
    """Where the distance of one more trial may lie: mean + t s sqrt(1 + 1/n)."""
    from scipy.stats import t

    if not np.isfinite(distances).all():  # some trials of the reference have no value at all, so anything may happen
        return math.inf
    quantile = float(t.ppf(1 - tail, trials - 1))
    return float(distances.mean() + quantile * distances.std(ddof=1) * math.sqrt(1 + 1 / trials))


def _distance(reference: Sample, chip: Sample, single: bool) -> tuple[float, float]:
    if not single:
        return scores.kolmogorov_smirnov(reference, chip)
    if not reference.size or not chip.size:
        return (0.0 if reference.size == chip.size else math.inf), 1.0
    return abs(float(chip[0] - reference[0])), 1.0


def _effect(reference: Sequence[Sample], chip: Sequence[Sample], pairs: list[tuple[int, int]], single: bool) -> Effect:
    if single:
        return scores.effect_size(np.concatenate(reference), np.concatenate(chip))
    effects = [(scores.effect_size(reference[j], chip[k]).d, reference[j].size, chip[k].size) for k, j in pairs]
    known = [(d, n, m) for d, n, m in effects if d is not None]
    if len(known) < len(effects) or not known:
        return Effect()
    d, n, m = (float(np.mean(part)) for part in zip(*known, strict=True))
    return scores.interval(d, n, m)


def _mean(trials: Sequence[Sample]) -> float | None:
    means = [float(one.mean()) for one in trials if one.size]
    return float(np.mean(means)) if means else None


def _size(trials: Sequence[Sample]) -> float:
    return float(np.mean([one.size for one in trials]))


def _coincidence(references: Sequence[Recording], chips: Sequence[Recording], population: str) -> Coincidence:
    return scores.join([
        scores.coincidence(reference, chip, population=population)
        for reference, chip in zip(references, chips, strict=False)
    ])  # fmt: skip


def _listed(given: Recording | Sequence[Recording]) -> list[Recording]:
    return [given] if isinstance(given, Recording) else list(given)


def _device_of(recordings: Sequence[Recording]) -> str:
    return str(recordings[0].manifest.get("device", "chip")) if recordings else "chip"


def _check(
    trials: Mapping[str, list[Recording]], measure: Sequence[str], populations: Sequence[str] | None
) -> tuple[str, ...]:
    """The populations to compare; BadInput where the recordings are not of one network and one duration."""
    if unknown := [name for name in measure if name not in STATISTICS]:
        raise BadInput(f"measure: no statistic {unknown[0]!r}; there are {', '.join(STATISTICS)}")
    if len(trials) < 2 or not all(trials.values()) or not measure:
        raise BadInput("compare: needs a reference, a recording of a chip and a statistic, at least one of each")
    first, *rest = [(f"{device}, trial {k}", one) for device, each in trials.items() for k, one in enumerate(each)]
    common = [name for name in first[1].spikes if all(name in one.spikes for _, one in rest)]
    if missing := [name for name in populations or () if name not in common]:
        raise BadInput(
            f"populations: {missing[0]!r} was not recorded by everybody; these were: {', '.join(common) or 'none'}"
        )
    names = tuple(populations or common)
    if not names:
        raise BadInput("compare: there is no population that everybody recorded spikes of")
    for where, one in rest:
        if abs(one.duration - first[1].duration) > max(one.dt, first[1].dt):
            raise BadInput(f"{where}: lasts {one.duration:g} ms, but the reference {first[1].duration:g} ms")
        for name in names:
            if one.sizes[name] != first[1].sizes[name]:
                raise BadInput(
                    f"{where}: {name!r} has {one.sizes[name]} neurons, but {first[1].sizes[name]} in the reference"
                )
    return names
