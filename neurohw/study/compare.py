"""Chips held against the reference, with the reference's own trial-to-trial spread as the yardstick.

The yardstick. Two trials of the reference (same connectivity, other initial states and stimuli) differ too. For every statistic
each trial is held against every *other* trial of the reference: R_i with R_j (i != j) gives the spread, C_k with R_j (j != k)
gives the chip's distance; a chip that is as good as the reference cannot be told from one more reference trial. The distance of two
trials is the Kolmogorov-Smirnov distance of their samples, or for a statistic of one number per trial the difference. The rule:

    inside  <=>  mean over (k, j != k) of D(C_k, R_j)  <=  max over (i < j) of D(R_i, R_j)

with at least 3 trials of the reference; with fewer there is no yardstick and no verdict, only the numbers. For a chip that draws
from the reference's own distribution the rule says "outside" in FALSE_ALARMS. Trials k = j share a stimulus,
so they are left out here and used for spike-by-spike coincidence instead.

Effect sizes are those of one pair of trials (mean over the same pairs, interval for the sizes of one pair): pooling the trials would
count the same neurons several times and make the interval too narrow.
Source of the rule: van Albada et al., Frontiers in Neuroscience 12:291 (2018).
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from neurohw import units
from neurohw.errors import BadInput
from neurohw.recording import Recording
from neurohw.study import scores, statistics
from neurohw.study.scores import Coincidence, Effect
from neurohw.study.statistics import STATISTICS, Sample

DEFAULT_MEASURE = ("rates", "cv_isi", "correlation", "van_rossum")
MIN_TRIALS = 3
REFERENCE = "reference"


@dataclass(frozen=True)
class Yardstick:
    """The reference against itself, over `pairs` pairs of trials: mean and largest distance, largest |d|."""

    pairs: int
    mean_distance: float
    limit: float
    largest_effect: float | None


@dataclass(frozen=True)
class Row:
    """One statistic of one population on one device. `verdict`: "inside", "outside", "no yardstick" or "no data"."""

    device: str
    population: str
    statistic: str
    unit: str
    mean_reference: float | None
    mean: float | None
    n_reference: float
    n: float
    effect: Effect
    distance_kind: str
    distance: float
    p: float | None
    yardstick: Yardstick | None
    verdict: str


Samples = Mapping[str, Mapping[tuple[str, str], tuple[Sample, ...]]]


@dataclass(frozen=True)
class Comparison:
    """All rows; what spikes coincide, per device and population; the samples themselves (device -> (population, statistic) -> trials)."""

    rows: tuple[Row, ...]
    trials: Mapping[str, int]
    coincidences: Mapping[str, Mapping[str, Coincidence]]
    discard: float = 0.0
    samples: Samples = field(default_factory=dict, repr=False)

    @property
    def devices(self) -> tuple[str, ...]:
        return tuple(name for name in self.trials if name != REFERENCE)

    @property
    def populations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.population for row in self.rows))

    @property
    def measure(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.statistic for row in self.rows))

    def of(self, device: str) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.device == device)

    @property
    def verdicts(self) -> dict[str, str]:
        """One plain sentence per device."""
        return {device: _sentence(device, self.of(device), self.trials[REFERENCE]) for device in self.devices}

    @property
    def verdict(self) -> str:
        """One plain sentence for all devices."""
        judged = {d: {row.verdict for row in self.of(d)} for d in self.devices}
        good = [d for d, kinds in judged.items() if "outside" not in kinds and "inside" in kinds]
        bad = [d for d, kinds in judged.items() if "outside" in kinds]
        if not good and not bad:
            return f"No verdict: a yardstick needs {MIN_TRIALS} trials of the reference, there are {self.trials[REFERENCE]}."
        parts = [f"{_list(good)} cannot be told from one more trial of the reference"] if good else []
        parts += [f"{_list(bad)} {'differ' if len(bad) > 1 else 'differs'} from the reference beyond its own spread"] if bad else []
        return "; ".join(parts) + "."

    def as_dict(self) -> dict[str, Any]:
        """For comparison.json: what is not a finite number is null."""
        return _finite({
            "verdict": self.verdict,
            "verdicts": self.verdicts,
            "trials": dict(self.trials),
            "discard_ms": self.discard,
            "rows": [asdict(row) for row in self.rows],
            "coincidences": {d: {p: {**asdict(c), "share": c.share} for p, c in each.items()} for d, each in self.coincidences.items()},
        })  # fmt: skip

    def to_json(self) -> str:
        return json.dumps(self.as_dict(), indent=2, allow_nan=False)


def compare(
    references: Recording | Sequence[Recording],
    recordings: Recording | Sequence[Recording] | Mapping[str, Recording | Sequence[Recording]],
    measure: Sequence[str] = DEFAULT_MEASURE,
    discard: Any = 0.0,
    populations: Sequence[str] | None = None,
) -> Comparison:
    """Hold recordings against references of the same network.

    references, recordings: one recording per trial, in the same order; recordings by device, or one list for one device (its name is
    taken from the manifest). measure: names in STATISTICS. discard: ms at the start that are left out. populations: default all
    that everybody recorded. Raises BadInput where sizes, durations or populations do not fit together.
    """
    by_device = recordings if isinstance(recordings, Mapping) else {_device_of(_listed(recordings)): recordings}
    trials = {REFERENCE: _listed(references), **{name: _listed(each) for name, each in by_device.items()}}
    if REFERENCE in by_device:
        raise BadInput("recordings: give the reference as references")
    names = _check(trials, measure, populations)
    start = units.parse(discard, "ms", "discard")
    cut = {device: [statistics.after(one, start) for one in each] for device, each in trials.items()}
    samples = {device: _samples(cut[device], cut[REFERENCE], names, measure) for device in cut}
    rows = [_row(device, p, m, samples) for device in by_device for p in names for m in measure]
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


def _row(device: str, population: str, name: str, samples: Samples) -> Row:
    reference, chip = samples[REFERENCE][population, name], samples[device][population, name]
    single = max((one.size for one in (*reference, *chip)), default=0) <= 1
    n = len(reference)
    pairs = [(k, j) for k in range(len(chip)) for j in range(n) if j != k] or [(0, 0)]
    found = [_distance(reference[j], chip[k], single) for k, j in pairs]
    distance = float(np.mean([d for d, _ in found]))
    yardstick = _yardstick(reference, single) if n >= MIN_TRIALS else None
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


def _yardstick(reference: Sequence[Sample], single: bool) -> Yardstick:
    pairs = [(i, j) for j in range(len(reference)) for i in range(j)]
    distances = [_distance(reference[i], reference[j], single)[0] for i, j in pairs]
    effects = [] if single else [scores.effect_size(reference[i], reference[j]).d for i, j in pairs]
    return Yardstick(
        len(pairs), float(np.mean(distances)), max(distances), max((abs(d) for d in effects if d is not None), default=None)
    )


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
        scores.coincidence(reference, chip, population=population) for reference, chip in zip(references, chips, strict=False)
    ])  # fmt: skip


def _listed(given: Recording | Sequence[Recording]) -> list[Recording]:
    return [given] if isinstance(given, Recording) else list(given)


def _device_of(recordings: Sequence[Recording]) -> str:
    return str(recordings[0].manifest.get("device", "chip")) if recordings else "chip"


def _check(trials: Mapping[str, list[Recording]], measure: Sequence[str], populations: Sequence[str] | None) -> tuple[str, ...]:
    """The populations to compare; BadInput where the recordings are not of one network and one duration."""
    if unknown := [name for name in measure if name not in STATISTICS]:
        raise BadInput(f"measure: no statistic {unknown[0]!r}; there are {', '.join(STATISTICS)}")
    if len(trials) < 2 or not all(trials.values()) or not measure:
        raise BadInput("compare: needs a reference, a recording of a chip and a statistic, at least one of each")
    first, *rest = [(f"{device}, trial {k}", one) for device, each in trials.items() for k, one in enumerate(each)]
    common = [name for name in first[1].spikes if all(name in one.spikes for _, one in rest)]
    if missing := [name for name in populations or () if name not in common]:
        raise BadInput(f"populations: {missing[0]!r} was not recorded by everybody; these were: {', '.join(common) or 'none'}")
    names = tuple(populations or common)
    if not names:
        raise BadInput("compare: there is no population that everybody recorded spikes of")
    for where, one in rest:
        if abs(one.duration - first[1].duration) > max(one.dt, first[1].dt):
            raise BadInput(f"{where}: lasts {one.duration:g} ms, but the reference {first[1].duration:g} ms")
        for name in names:
            if one.sizes[name] != first[1].sizes[name]:
                raise BadInput(f"{where}: {name!r} has {one.sizes[name]} neurons, but {first[1].sizes[name]} in the reference")
    return names


def _sentence(device: str, rows: Sequence[Row], trials: int) -> str:
    outside = sorted((r for r in rows if r.verdict == "outside"), key=_excess, reverse=True)
    judged = [r for r in rows if r.verdict in ("inside", "outside")]
    if not judged:
        data = [r for r in rows if r.verdict != "no data"]
        if not data:
            return f"{device}: no data; neither the chip nor the reference has enough spikes."
        return (
            f"{device}: no yardstick with {'a single trial' if trials == 1 else f'{trials} trials'} of the reference; "
            f"the largest difference is in {_describe(max(data, key=lambda r: r.distance))}."
        )
    if not outside:
        return f"{device}: all {len(judged)} statistics lie inside the spread of {trials} reference trials."
    shown = "; ".join(_describe(row) for row in outside[:3]) + (f"; and {len(outside) - 3} more" if len(outside) > 3 else "")
    return f"{device}: {len(outside)} of {len(judged)} statistics lie outside the spread of {trials} reference trials: {shown}."


def _excess(row: Row) -> float:
    return row.distance / max(row.yardstick.limit, 1e-12) if row.yardstick else row.distance


def _describe(row: Row) -> str:
    def number(value: float | None) -> str:
        return "no value" if value is None else f"{value:.3g} {row.unit}".rstrip()

    scale = f", d = {row.effect.d:+.2f}" if row.effect.d is not None else ""
    limit = f" against at most {row.yardstick.limit:.2g}" if row.yardstick else ""
    distance = f", {row.distance_kind} {row.distance:.2g}{limit}"
    title = STATISTICS[row.statistic].title
    title = title if title[:2].isupper() else title.lower()
    return f"{title} of {row.population} ({number(row.mean)}, reference {number(row.mean_reference)}{scale}{distance})"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def pairs_of(trials: int) -> Iterator[tuple[int, int]]:
    """All pairs i < j of trials."""
    return ((i, j) for j in range(trials) for i in range(j))
