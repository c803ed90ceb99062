"""Figures of a comparison: rasters, distributions, effect sizes, floorplans, losses; each a matplotlib Figure.

No pyplot, no global state; backgrounds are transparent and names are drawn as they are (no mathtext in a population's
name).
"""

import io
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, Literal

import numpy as np

from neurohw.recording import Recording
from neurohw.report import Report
from neurohw.study.comparison import REFERENCE, Comparison
from neurohw.study.statistics import STATISTICS

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F6A00", "#6A4C93")
"""Okabe and Ito's palette, told apart by color-blind readers, in an order where neighbors contrast."""
INK, GRAY, PALE = "#24292f", "#8b949e", "#d0d7de"
GOOD, BAD = "#1a7f37", "#cf222e"
MAX_NEURONS, MAX_DOTS = 400, 60_000

STYLE: Any = {
    "text.parse_math": False, "font.size": 9, "font.family": "DejaVu Sans", "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": GRAY, "axes.linewidth": 0.8, "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False,
    "axes.spines.right": False, "axes.titlesize": 9.5, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "legend.frameon": False, "xtick.labelsize": 8, "ytick.labelsize": 8, "svg.hashsalt": "neurohw",
}  # fmt: skip

Cell = tuple[float, float, str, float, str]


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name may hold any script
        yield


def styled(draw: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(draw)
    def styled(*arguments: Any, **options: Any) -> Any:
        with _style():
            return draw(*arguments, **options)

    return styled


def encode(figure: Any, kind: Literal["svg", "png"] = "svg") -> bytes:
    """The figure as the bytes of a transparent SVG or PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with _style():
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(buffer, format=kind, transparent=True, dpi=170, metadata=metadata)
    return buffer.getvalue()


@styled
def rasters(reference: Recording, recording: Recording, title: str = "chip", populations: Sequence[str] = ()) -> Any:
    """Spikes on the reference (left) and on the chip (right), and under each the populations' rates in 5 ms bins.

    At most 400 neurons are drawn, the first ones of each population in proportion to its size.
    """
    from matplotlib.figure import Figure

    names = [name for name in populations or reference.spikes if name in reference.spikes and name in recording.spikes]
    figure = Figure(figsize=(9.2, 4.0), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(3.2, 1))
    total = sum(reference.sizes[name] for name in names)
    shown = {n: max(1, round(min(1.0, MAX_NEURONS / total) * reference.sizes[n])) for n in names}
    for column, (one, label) in enumerate(((reference, "reference"), (recording, title))):
        dots, lines, floor = axes[0, column], axes[1, column], 0
        for k, name in enumerate(names):
            color = COLORS[k % len(COLORS)]
            times, indices = one.spikes[name]
            kept = np.flatnonzero(indices < shown[name])[:MAX_DOTS]
            mark = {"s": 900 / max(sum(shown.values()), 90), "linewidths": 0, "rasterized": True}
            dots.scatter(times[kept], floor + indices[kept], color=color, **mark)
            edges = np.linspace(0, max(one.duration, 1e-9), max(2, int(one.duration / 5) + 1))
            rate = np.histogram(times, edges)[0] / (one.sizes[name] * (edges[1] - edges[0])) * 1e3
            lines.stairs(rate, edges, color=color, linewidth=1, label=name)
            if not times.size:
                dots.text(0.5, floor + shown[name] / 2, f"{name}: no spikes", color=color, transform=_mixed(dots))
            floor += shown[name]
        dots.set_title(label)
        dots.set_ylim(-0.5, floor - 0.5)
        lines.set_xlabel("time (ms)")
        lines.set_xlim(0, max(one.duration, 1e-9))
    axes[0, 0].set_ylabel("neuron" if total <= MAX_NEURONS else f"neuron ({floor} of {total} shown)")
    axes[1, 0].set_ylabel("rate (Hz)")
    axes[1, 0].set_ylim(bottom=0)
    if names:
        handles, labels = axes[1, 0].get_legend_handles_labels()
        columns = _columns(names)
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, handlelength=1.2)
    return figure


def _columns(names: Sequence[str], characters: int = 110) -> int:
    """How many entries of a legend stand in one line."""
    return max(1, min(len(names), characters // (max(map(len, names)) + 6)))


def _mixed(axes: Any) -> Any:
    return axes.get_yaxis_transform()


@styled
def distributions(comparison: Comparison, device: str) -> Any:
    """One panel per population and statistic: the chip's distribution over the band of the reference's trials."""
    from matplotlib.figure import Figure

    names, measure = comparison.populations, comparison.measure
    figure = Figure(figsize=(max(2.3 * len(measure), 4.0), 0.5 + 1.75 * len(names)), layout="constrained")
    axes = figure.subplots(len(names), len(measure), squeeze=False)
    verdicts = {(row.population, row.statistic): row.verdict for row in comparison.of(device)}
    for i, population in enumerate(names):
        for j, statistic in enumerate(measure):
            panel = axes[i, j]
            key = (population, statistic)
            _distribution(panel, comparison.samples[REFERENCE][key], comparison.samples[device][key], verdicts[key])
            unit = STATISTICS[statistic].unit
            panel.set_title(STATISTICS[statistic].title if i == 0 else "")
            panel.set_xlabel((unit or " ") if i == len(names) - 1 else "")
            panel.set_ylabel(population if j == 0 else "", fontweight="bold")
            panel.set_yticks([])
            panel.spines["left"].set_visible(False)
    handles = [
        figure.axes[0].fill_between([], [], color=PALE, label="range of the reference's trials"),
        *figure.axes[0].plot([], [], color=INK, linewidth=1.8, label="chip, inside the spread or not judged"),
        *figure.axes[0].plot([], [], color=BAD, linewidth=1.8, label="chip, outside the spread"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=1.6)
    return figure


def _distribution(panel: Any, references: Sequence[Any], chips: Sequence[Any], verdict: str) -> None:
    everything = np.concatenate([*references, *chips])
    color = BAD if verdict == "outside" else INK
    if not everything.size:
        panel.text(0.5, 0.5, "no data", color=GRAY, ha="center", va="center", transform=panel.transAxes)
        panel.set_xticks([])
        return
    if max(one.size for one in (*references, *chips)) <= 1:
        for trials, y, ink in ((references, 1, GRAY), (chips, 0, color)):
            values = np.concatenate(trials)
            panel.plot(values, np.full(values.size, y), "o", color=ink, markersize=5, alpha=0.8)
        panel.set_ylim(-1, 2)
        return
    edges = _edges(everything, max(one.size for one in (*references, *chips)))
    band = np.array([_density(one, edges) for one in references if one.size])
    if len(band):
        panel.stairs(band.max(0), edges, baseline=band.min(0), fill=True, color=PALE, linewidth=0)
        panel.stairs(band.mean(0), edges, color=GRAY, linewidth=1)
    line = np.array([_density(one, edges) for one in chips if one.size])
    if len(line):
        panel.stairs(line.mean(0), edges, color=color, linewidth=1.6)
    else:
        panel.text(0.97, 0.9, "chip: no data", color=BAD, ha="right", transform=panel.transAxes)
    panel.set_ylim(bottom=0)


def _edges(values: Any, size: int) -> Any:
    """About 2 sqrt(n) bins; where the values are multiples of a number (rates are counts), so is the width."""
    low, high = np.percentile(values, [0.2, 99.8])
    width = (high - low) / np.clip(2 * np.sqrt(size), 8, 40) or max(abs(low), 1.0) * 0.05
    distinct = np.unique(np.round(values, 6))
    if 1 < distinct.size < values.size / 4:
        grain = np.diff(distinct).min()
        width = grain * np.ceil(width / grain)
        low = distinct[np.searchsorted(distinct, low - 1e-6)] - grain / 2
    return low + width * np.arange(-1, np.ceil((high - low) / width) + 2)


def _density(sample: Any, edges: Any) -> Any:
    return np.histogram(sample, edges)[0] / (sample.size * (edges[1] - edges[0]))


@styled
def effects(comparison: Comparison, device: str) -> Any:
    """Cohen's d with its 95 % interval for every statistic; gray: as far as two trials of the reference lie apart."""
    from matplotlib.figure import Figure

    rows = [row for row in comparison.of(device) if row.effect.d is not None]
    figure = Figure(figsize=(6.4, 0.9 + 0.26 * max(len(rows), 2)), layout="constrained")
    panel = figure.subplots()
    panel.axvline(0, color=GRAY, linewidth=0.8)
    for y, row in enumerate(reversed(rows)):
        color = BAD if row.verdict == "outside" else INK
        if row.yardstick and row.yardstick.largest_effect is not None:
            width = 2 * row.yardstick.largest_effect
            panel.barh(y, width, left=-width / 2, height=0.7, color=PALE)
        panel.plot(np.array([row.effect.low, row.effect.high], float), [y, y], color=color, linewidth=1.4)
        panel.plot(np.array([row.effect.d], float), [y], "o", color=color, markersize=4.5)
    labels = [f"{row.population}, {STATISTICS[row.statistic].label}" for row in reversed(rows)]
    panel.set_yticks(range(len(rows)), labels)
    panel.set_ylim(-0.7, max(len(rows), 1) - 0.3)
    reach = max((abs(v) for row in rows for v in (row.effect.low, row.effect.high) if v is not None), default=1.0)
    if reach > 3:
        panel.set_xscale("symlog", linthresh=1.0)
        panel.set_xticks([sign * tick for tick in (1, 3, 10, 30, 100) if tick <= reach for sign in (-1, 1)] + [0])
        panel.xaxis.set_major_formatter("{x:g}")
    panel.set_xlim(-1.15 * max(reach, 0.8), 1.15 * max(reach, 0.8))
    panel.set_xlabel("effect size d (0.2 small, 0.5 medium, 0.8 large); right: more on the chip")
    panel.tick_params(axis="y", length=0)
    return figure


@styled
def floorplan(cells: Sequence[Cell], arrangement: Literal["grid", "hexagonal"] = "grid", title: str = "") -> Any:
    """Where things are on the chip: cells (x, y, label, fill 0..1, population); color: population, depth: fill.

    grid: squares of side 1 centered on (x, y). hexagonal: the axial coordinates of a hexagonal mesh (SpiNNaker's), row
    y shifted by half a cell to the right of row y + 1.
    """
    from matplotlib.colors import to_rgba
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, RegularPolygon

    hexagonal = arrangement == "hexagonal"
    centers = [(x - 0.5 * y, y * np.sqrt(0.75)) if hexagonal else (x, y) for x, y, *_ in cells] or [(0.0, 0.0)]
    (left, bottom), (right, top) = np.min(centers, axis=0), np.max(centers, axis=0)
    scale = min(8.6 / (right - left + 1.2), 5.5 / (top - bottom + 1.2), 0.62)
    names = list(dict.fromkeys(cell[4] for cell in cells if cell[4]))
    size = (max(scale * (right - left + 1.2), 2.6), scale * (top - bottom + 1.2) + 0.35 + 0.2 * (len(names) // 4 + 1))
    figure = Figure(figsize=size, layout="constrained")
    panel = figure.subplots()
    colors = {name: COLORS[k % len(COLORS)] for k, name in enumerate(names)}
    for (x, y), (_, _, label, fill, population) in zip(centers, cells, strict=False):
        face = to_rgba(colors.get(population, GRAY), 0.15 + 0.75 * float(np.clip(fill, 0, 1))) if population else "none"
        corners, radius, turn = (6, 0.56, 0.0) if hexagonal else (4, 0.66, np.pi / 4)
        shape = RegularPolygon((x, y), corners, radius=radius, orientation=turn, facecolor=face, edgecolor=GRAY, lw=0.6)
        panel.add_patch(shape)
        if label and scale > 0.28:
            panel.text(x, y, label[:12], ha="center", va="center", fontsize=min(7.5, 11 * scale))
    panel.set_xlim(left - 0.6, right + 0.6)
    panel.set_ylim(bottom - 0.65, top + 0.65)
    panel.set_aspect("equal")
    panel.axis("off")
    panel.set_title(title)
    if names:
        handles = [Patch(facecolor=colors[name], label=name) for name in names[:16]]
        figure.legend(handles=handles, loc="outside lower center", ncols=_columns(names, int(11 * size[0])), fontsize=8)
    return figure


@styled
def losses(reports: Mapping[str, Report]) -> Any:
    """Bars: which share of what was lost, per device, for losses that know how many there were."""
    from matplotlib.figure import Figure

    bars = [(f"{device}: {x.what}", 100 * x.count / x.of) for device, r in reports.items() for x in r.losses if x.of]
    bars = sorted(bars, key=lambda bar: bar[1])[-24:]
    figure = Figure(figsize=(6.4, 0.8 + 0.24 * max(len(bars), 2)), layout="constrained")
    panel = figure.subplots()
    panel.barh(range(len(bars)), [share for _, share in bars], color=COLORS[1], height=0.6)
    panel.set_yticks(range(len(bars)), [label for label, _ in bars])
    for y, (_, share) in enumerate(bars):
        panel.annotate(f"{share:.2g} %", (share, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8)
    panel.set_xlim(0, max([share for _, share in bars] or [1]) * 1.15)
    panel.set_xlabel("share (%)")
    panel.tick_params(axis="y", length=0)
    return figure
