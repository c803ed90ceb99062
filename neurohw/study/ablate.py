"""What each non-ideality costs: every chip of a mapping with all its effects, with none, with each alone, without each.

    found = nh.ablate(nh.load_mapping("digits"))
    print(found)

A variant's *distance* is the mean over populations and statistics of (distance to the reference) / (limit), where the
limit is what one more trial of the reference may differ by (see `neurohw.study.compare`): below 1 it cannot be told from the
reference. With fewer than three trials there is no limit, nor where all trials of the reference are the same; then the
mean of the Kolmogorov-Smirnov distances is taken.
Effects interact, so what one costs alone and what leaving it out saves need not be the same; both are given.
"""

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from neurohw.device import Device
from neurohw.errors import BadInput, NeurohwError
from neurohw.files import atomically
from neurohw.mapping import Mapping
from neurohw.study import experiment as study
from neurohw.study.compare import compare
from neurohw.study.comparison import Comparison, Row
from neurohw.study.experiment import Progress, quiet

ALL, NONE = "all effects", "no effect"


@dataclass(frozen=True)
class Variant:
    """A chip with some of its effects. `effect`: the one that is alone, or left out; empty for all and none."""

    chip: str
    effect: str
    alone: bool

    @property
    def label(self) -> str:
        what = (
            (NONE if self.alone else ALL) if not self.effect else f"{'only' if self.alone else 'without'} {self.effect}"
        )
        return f"{self.chip}: {what}"


@dataclass(frozen=True)
class Ablation:
    """distances: by variant, NaN where nothing could be compared. refused: variants that cannot be mapped or run, and why.

    comparison: the whole of it, with a "device" for each variant's label. in_limits: whether distances are in limits.
    """

    distances: dict[Variant, float]
    refused: dict[Variant, str]
    comparison: Comparison = field(repr=False)
    in_limits: bool

    @property
    def chips(self) -> list[str]:
        return list(dict.fromkeys(variant.chip for variant in self.distances))

    def effects(self, chip: str) -> list[str]:
        """The effects of a chip, the most costly first: by what leaving them out saves."""
        names = dict.fromkeys(v.effect for v in (*self.distances, *self.refused) if v.chip == chip and v.effect)
        return sorted(names, key=lambda name: -_number(self.saved(chip, name)))

    def distance(self, chip: str, effect: str = "", alone: bool = False) -> float:
        return self.distances.get(Variant(chip, effect, alone), math.nan)

    def cost(self, chip: str, effect: str) -> float:
        """What the effect adds to the distance when it is the only one."""
        return self.distance(chip, effect, True) - self.distance(chip, "", True)

    def saved(self, chip: str, effect: str) -> float:
        """What leaving the effect out takes off the distance of the whole chip."""
        return self.distance(chip) - self.distance(chip, effect)

    def __str__(self) -> str:
        unit = "in limits of the reference's own spread" if self.in_limits else "mean Kolmogorov-Smirnov distance"
        lines = [f"distance to the reference, {unit}"]
        for chip in self.chips:
            lines += ["", chip, f"  {NONE}: {self.distance(chip, '', True):.3g}; {ALL}: {self.distance(chip):.3g}"]
            lines.append(f"  {'effect':24}{'alone':>10}{'costs':>10}{'left out':>10}{'saves':>10}")
            for name in self.effects(chip):
                cells = (
                    self.distance(chip, name, True),
                    self.cost(chip, name),
                    self.distance(chip, name),
                    self.saved(chip, name),
                )
                lines.append(
                    f"  {name:24}" + "".join(f"{'-' if math.isnan(x) else format(x, '.3g'):>10}" for x in cells)
                )
        lines += [f"refused, {variant.label}: {why}" for variant, why in self.refused.items()]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """For ablation.json."""
        found = [
            {
                "chip": v.chip,
                "effect": v.effect or (NONE if v.alone else ALL),
                "alone": v.alone,
                "distance": x if math.isfinite(x) else None,
            }
            for v, x in self.distances.items()
        ]
        refused = [
            {"chip": v.chip, "effect": v.effect, "alone": v.alone, "why": why} for v, why in self.refused.items()
        ]
        return {"in_limits": self.in_limits, "distances": found, "refused": refused, **self.comparison.as_dict()}

    def write(self, folder: Path, manifest: dict[str, Any]) -> None:
        """ablation.json and ablation.txt, each all or nothing."""
        with atomically(folder / "ablation.json") as temporary:
            temporary.write_text(
                json.dumps({"manifest": manifest, **self.as_dict()}, indent=2, allow_nan=False), encoding="utf-8"
            )
        with atomically(folder / "ablation.txt") as temporary:
            temporary.write_text(f"{self}\n", encoding="utf-8")


def ablate(mapping: Mapping, first_trial: int = 0, progress: Progress = quiet) -> Ablation:
    """Run every variant of every chip of a mapping, the same specimen and trials each, and compare it with the reference.

    Chips without effects (the reference, ideal ones) have no variants. Raises BadInput if no chip has any.
    """
    prepared = study.prepare(mapping, first_trial, progress)
    variants = {
        v: d for name, (_, d) in mapping.devices().items() if d.effects for v, d in variants_of(name, d).items()
    }
    if not variants:
        raise BadInput(f"{mapping.path}: chips: none of them has an effect to leave out; take chips that are not ideal")
    _, references = study.run_reference(prepared, progress)
    recordings, refused = {}, {}
    for number, (variant, device) in enumerate(variants.items()):
        progress(variant.label, number / len(variants))
        entry, whole = prepared.programs[variant.chip]
        try:
            program = whole if device is whole.device else study.map_entry(mapping, prepared.network, entry, device)
            one = replace(prepared, programs={variant.label: (entry, program)})
            recordings[variant] = next(study.run_chips(one))[2]
        except NeurohwError as error:
            refused[variant] = str(error)
    if not recordings:
        raise BadInput(f"{mapping.path}: no variant could be run: {next(iter(refused.values()))}")
    named = {variant.label: found for variant, found in recordings.items()}
    file = mapping.file
    comparison = compare(references, named, file.measure, file.discard, list(prepared.network.neurons))
    in_limits = all(row.yardstick is not None and row.yardstick.limit > 0 for row in comparison.rows)
    distances = {variant: _distance(comparison.of(variant.label), in_limits) for variant in recordings}
    return Ablation(distances, refused, comparison, in_limits)


def variants_of(chip: str, device: Device) -> dict[Variant, Device]:
    """The device itself, without any effect, and with each alone and left out."""
    names = [effect.name for effect in device.effects]
    found = {Variant(chip, "", False): device, Variant(chip, "", True): device.without(*names)}
    for name in names:
        found[Variant(chip, name, True)] = (
            device.without(*(n for n in names if n != name)) if len(names) > 1 else device
        )
        found[Variant(chip, name, False)] = device.without(name)
    return found


def _distance(rows: tuple[Row, ...], in_limits: bool) -> float:
    """The mean over rows that have data."""
    used = [row for row in rows if row.verdict != "no data" and (in_limits or row.distance_kind == "KS")]
    values = [row.distance / row.yardstick.limit if in_limits and row.yardstick else row.distance for row in used]
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan


def _number(value: float) -> float:
    return value if math.isfinite(value) else -math.inf
