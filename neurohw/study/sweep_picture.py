"""The picture of a sweep: a column for each grid, a row for each statistic, against the number that takes most values."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurohw.study.pictures import COLORS, encode, styled
from neurohw.study.statistics import STATISTICS
from neurohw.study.sweep_points import Levels, Point, grids, label
from neurohw.study.sweep_result import Sweep

MARKS = "osD^v<>P"
MAX_LINES = 12
Line = tuple[list[Any], list[float], list[float]]


def sweep_picture(sweep: Sweep) -> bytes:
    """A PNG. Points are means over the measured populations and over specimens, bars standard deviations over specimens; a
    chip on which nothing is varied is a level line. Of a grid with many lines the first twelve are drawn.
    """
    return encode(_draw(sweep), "png")


@styled
def _draw(sweep: Sweep) -> Any:
    from matplotlib.figure import Figure

    columns = list(zip(_vary(sweep), grids(sweep.mapping), strict=True))
    measure = sweep.mapping.file.measure
    means = {statistic: _means(sweep, statistic) for statistic in measure}
    most = max(min(MAX_LINES, len({(p.chip, p.levels) for p in points})) for _, points in columns)
    size = (0.6 + 3.8 * len(columns), 0.8 + 2.2 * len(measure) + 0.14 * most)
    figure = Figure(figsize=size, layout="constrained")
    parts = figure.subfigures(1, len(columns), squeeze=False)[0]
    for part, (grid, points) in zip(parts, columns, strict=True):
        axis = max(grid, key=lambda name: len(grid[name]))
        panels = np.atleast_1d(part.subplots(len(measure), 1, sharex=True))
        for panel, statistic in zip(panels, measure, strict=True):
            lines = _lines(points, axis, means[statistic])
            for k, (name, line) in enumerate(list(lines.items())[:MAX_LINES]):
                _line(panel, k, name, line)
            known = STATISTICS[statistic]
            panel.set_ylabel(f"{known.title} ({known.unit})" if known.unit else known.title)
        panels[-1].set_xlabel(axis)
        handles, names = panels[0].get_legend_handles_labels()
        part.legend(handles, names, loc="outside lower center", fontsize=7)
    return figure


def _vary(sweep: Sweep) -> list[dict[str, Any]]:
    return sweep.mapping.file.sweep.vary if sweep.mapping.file.sweep else []


def _means(sweep: Sweep, statistic: str) -> dict[tuple[str, Levels], tuple[float, float]]:
    """(chip, levels) -> mean and deviation over specimens, the populations taken together."""
    found: dict[tuple[str, Levels], list[np.ndarray]] = {}
    for (chip, levels, _, name), values in sweep.summary().items():
        if name == statistic and values.size:
            found.setdefault((chip, levels), []).append(values)
    return {key: _spread(values) for key, values in found.items()}


def _spread(values: list[np.ndarray]) -> tuple[float, float]:
    n = min(one.size for one in values)
    means = np.mean([one[:n] for one in values], axis=0)
    return float(means.mean()), float(means.std(ddof=1)) if n > 1 else 0.0


def _lines(points: Sequence[Point], axis: str, means: dict[tuple[str, Levels], tuple[float, float]]) -> dict[str, Line]:
    """Name of a line -> its levels, means and deviations; a statistic that nothing was found for is a gap."""
    found: dict[str, Line] = {}
    for chip, levels in dict.fromkeys((point.chip, point.levels) for point in points):
        rest = tuple((name, value) for name, value in levels if name != axis)
        x, y, d = found.setdefault(f"{chip}, {label(rest)}" if rest else chip, ([], [], []))
        mean, deviation = means.get((chip, levels), (np.nan, np.nan))
        if axis in dict(levels):
            x.append(dict(levels)[axis])
        y.append(mean)
        d.append(deviation)
    return found


def _line(panel: Any, k: int, name: str, line: Line) -> None:
    x, y, d = line
    color = COLORS[k % len(COLORS)]
    if not x:
        panel.axhline(y[0], color=color, linewidth=1, linestyle="--", label=name)
        return
    plain = all(isinstance(value, int | float) and not isinstance(value, bool) for value in x)
    at = x if plain else [str(value) for value in x]
    mark = MARKS[k // len(COLORS) % len(MARKS)]
    if plain:
        panel.locator_params(axis="x", nbins=6)
    panel.errorbar(at, y, d, color=color, marker=mark, markersize=4, linewidth=1.2, capsize=2, label=name)
