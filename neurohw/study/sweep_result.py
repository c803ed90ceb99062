"""What a sweep found: a result for each point, means over specimens, and the files that a user gets."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurohw.files import atomically
from neurohw.mapping import Mapping
from neurohw.study.sweep_points import Levels, Point


@dataclass(frozen=True)
class Row:
    """A statistic of a population in one trial of a point: mean and standard deviation over `size` numbers."""

    population: str
    statistic: str
    trial: int
    mean: float | None
    deviation: float | None
    size: int


@dataclass(frozen=True)
class Result:
    """What a point gave; `problem` where the chip refuses the network at these levels. losses: what -> (count, of)."""

    point: Point
    rows: tuple[Row, ...] = ()
    losses: dict[str, tuple[float, float]] | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Sweep:
    """All results, in the order of the points."""

    mapping: Mapping
    results: tuple[Result, ...]

    @property
    def problems(self) -> list[Result]:
        return [result for result in self.results if result.problem]

    def summary(self) -> dict[tuple[str, Levels, str, str], np.ndarray]:
        """(chip, levels, population, statistic) -> the mean over trials of each specimen that has any."""
        found: dict[tuple[str, Levels, str, str], list[float]] = {}
        for result in self.results:
            trials: dict[tuple[str, str], list[float]] = {}
            for row in result.rows:
                values = trials.setdefault((row.population, row.statistic), [])
                if row.mean is not None:
                    values.append(row.mean)
            for (population, statistic), values in trials.items():
                key = (result.point.chip, result.point.levels, population, statistic)
                found.setdefault(key, []).extend([float(np.mean(values))] if values else [])
        return {key: np.array(values) for key, values in found.items()}

    def write(self, folder: Path, manifest: dict[str, Any]) -> None:
        """sweep.csv (a line for each statistic of each trial), sweep.json (means over specimens), sweep.png."""
        from neurohw.study.sweep_picture import sweep_picture

        axes = list(dict.fromkeys(name for result in self.results for name, _ in result.point.levels))
        with atomically(folder / "sweep.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["chip", *axes, "seed", "trial", "population", "statistic", "mean", "deviation", "size"])
            for result in self.results:
                levels = dict(result.point.levels)
                head = [result.point.chip, *(levels.get(axis, "") for axis in axes), result.point.seed]
                for row in result.rows:
                    values = [row.trial, row.population, row.statistic, row.mean, row.deviation, row.size]
                    writer.writerow([*head, *("" if value is None else value for value in values)])
        with atomically(folder / "sweep.json") as temporary:
            told = {"manifest": manifest, **self.as_dict()}
            temporary.write_text(json.dumps(told, indent=2, allow_nan=False), encoding="utf-8")
        with atomically(folder / "sweep.png") as temporary:
            temporary.write_bytes(sweep_picture(self))

    def as_dict(self) -> dict[str, Any]:
        """Means and standard deviations over specimens, what was lost on average, and which points were refused."""
        groups = [
            {
                "chip": chip, "levels": dict(levels), "population": population, "statistic": statistic,
                "specimens": values.size,
                "mean": float(values.mean()) if values.size else None,
                "deviation": float(values.std(ddof=1)) if values.size > 1 else None,
            }
            for (chip, levels, population, statistic), values in self.summary().items()
        ]  # fmt: skip
        losses = [
            {"chip": r.point.chip, "levels": dict(r.point.levels), "seed": r.point.seed, "losses": r.losses}
            for r in self.results
            if r.losses
        ]
        problems = [
            {"chip": r.point.chip, "levels": dict(r.point.levels), "seed": r.point.seed, "problem": r.problem}
            for r in self.problems
        ]
        return {"statistics": groups, "losses": losses, "problems": problems}
