"""What a comparison found, and how to say it in a sentence."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from neurohw.study.scores import Coincidence, Effect
from neurohw.study.statistics import STATISTICS, Sample

MIN_TRIALS = 3
"""Trials of the reference that a yardstick needs."""
REFERENCE = "reference"
Verdict = Literal["inside", "outside", "open"]


@dataclass(frozen=True)
class Yardstick:
    """The reference against itself, over `pairs` pairs of trials: mean distance and largest |d|.

    limit: of the rule, for one row. family_limit: for the farthest of all the device's rows (Bonferroni).
    """

    pairs: int
    mean_distance: float
    limit: float
    family_limit: float
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
    """All rows; coinciding spikes by device and population; the samples by device and (population, statistic)."""

    rows: tuple[Row, ...]
    trials: Mapping[str, int]
    coincidences: Mapping[str, Mapping[str, Coincidence]]
    discard: float = 0.0
    samples: Samples = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """The verdict, and a table of all rows: means, distance, and the limit that one more reference trial may reach."""
        head = f"{'device':24}{'population':16}{'statistic':14}{'reference':>11}{'chip':>11}{'distance':>10}{'limit':>8}  verdict"
        lines = [
            f"{r.device[:23]:24}{r.population[:15]:16}{r.statistic:14}{_short(r.mean_reference):>11}{_short(r.mean):>11}"
            f"{_short(r.distance):>10}{_short(r.yardstick.limit if r.yardstick else None):>8}  {r.verdict}"
            for r in self.rows
        ]
        return "\n".join([self.verdict, head, *lines])

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

    def state(self, device: str) -> Verdict:
        """The device as a whole: "outside", "inside", or "open" where nothing could be judged.

        Of many rows some lie outside by chance, so a device is outside where a row exceeds its family limit, or where
        more rows are outside than chance (5 % of the rows) puts there once in twenty times.
        """
        from scipy.stats import binom

        judged = [row for row in self.of(device) if row.yardstick and row.verdict in ("inside", "outside")]
        if not judged:
            return "open"
        outside = sum(row.verdict == "outside" for row in judged)
        far = any(row.yardstick and row.distance > row.yardstick.family_limit * (1 + 1e-9) for row in judged)
        return "outside" if far or outside > binom.ppf(0.95, len(judged), 0.05) else "inside"

    @property
    def verdicts(self) -> dict[str, str]:
        """One plain sentence per device."""
        trials = self.trials[REFERENCE]
        return {device: _sentence(device, self.of(device), trials, self.state(device)) for device in self.devices}

    @property
    def verdict(self) -> str:
        """One plain sentence for all devices."""
        good, bad = ([d for d in self.devices if self.state(d) == state] for state in ("inside", "outside"))
        if not good and not bad:
            if self.trials[REFERENCE] < MIN_TRIALS:
                return f"No verdict: a yardstick needs {MIN_TRIALS} reference trials, here: {self.trials[REFERENCE]}."
            return "No verdict: there are too few spikes to compare."
        parts = [f"{_list(good)} cannot be told from one more trial of the reference"] if good else []
        if bad:
            verb = "differ" if len(bad) > 1 else "differs"
            parts.append(f"{_list(bad)} {verb} from the reference beyond its own spread")
        return "; ".join(parts) + "."

    def as_dict(self) -> dict[str, Any]:
        """For comparison.json: what is not a finite number is null."""
        return _finite({
            "verdict": self.verdict,
            "verdicts": self.verdicts,
            "trials": dict(self.trials),
            "discard_ms": self.discard,
            "rows": [asdict(row) for row in self.rows],
            "coincidences": {
                device: {population: {**asdict(one), "share": one.share} for population, one in each.items()}
                for device, each in self.coincidences.items()
            },
        })  # fmt: skip

    def to_json(self) -> str:
        return json.dumps(self.as_dict(), indent=2, allow_nan=False)


def _short(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else f"{value:.3g}"


def _sentence(device: str, rows: Sequence[Row], trials: int, state: Verdict) -> str:
    outside = sorted((r for r in rows if r.verdict == "outside"), key=_excess, reverse=True)
    judged = [r for r in rows if r.verdict in ("inside", "outside")]
    if not judged:
        data = sorted((r for r in rows if r.verdict != "no data"), key=lambda r: (r.distance_kind != "KS", -r.distance))
        if not data:
            return f"{device}: no data; neither the chip nor the reference has enough spikes."
        return (
            f"{device}: no yardstick with {'a single trial' if trials == 1 else f'{trials} trials'} of the reference; "
            f"the largest difference is in {_describe(data[0])}."
        )
    if not outside:
        count = f"all {len(judged)} statistics lie" if len(judged) > 1 else "the one statistic lies"
        return f"{device}: {count} inside the spread of {trials} reference trials."
    shown = "; ".join(_describe(row) for row in outside[:3])
    shown += f"; and {len(outside) - 3} more" if len(outside) > 3 else ""
    share = f"{len(outside)} of {len(judged)} statistics {'lie' if len(outside) > 1 else 'lies'}"
    chance = ", no more and no further than chance puts there" if state == "inside" else ""
    return f"{device}: {share} outside the spread of {trials} reference trials{chance}: {shown}."


def _excess(row: Row) -> float:
    return row.distance / max(row.yardstick.limit, 1e-12) if row.yardstick else row.distance


def _describe(row: Row) -> str:
    def number(value: float | None) -> str:
        return "no value" if value is None else f"{value:.3g} {row.unit}".rstrip()

    scale = f", d = {row.effect.d:+.2f}" if row.effect.d is not None else ""
    limit = f" against at most {row.yardstick.limit:.2g}" if row.yardstick else ""
    distance = f", {row.distance_kind} {row.distance:.2g}{limit}"
    label = STATISTICS[row.statistic].label
    return f"{label} of {row.population} ({number(row.mean)}, reference {number(row.mean_reference)}{scale}{distance})"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
