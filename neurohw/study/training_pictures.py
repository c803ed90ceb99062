"""Figures of trainings: how losses fall, and what a loss costs in pulses and energy."""

from typing import Any

import numpy as np

from neurohw.study.pictures import COLORS, styled


def logarithmic(axis: Any, values: Any) -> None:
    """A logarithmic axis with plain numbers, where the values span enough of it; else a linear one."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    given = np.asarray(values, float)
    given = given[given > 0]
    if given.size and given.max() > 4 * given.min():
        set_scale = axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale
        set_scale("log")
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axis.set_minor_formatter(NullFormatter())


MARKS, LINES = "os^", ("-", "--", ":")


def _look(k: int) -> tuple[str, str, str]:
    """(color, marker, line style) of the k-th chip; no two of the first 24 are alike."""
    turn = k // len(COLORS) % len(MARKS)
    return COLORS[k % len(COLORS)], MARKS[turn], LINES[turn]


@styled
def curves(training: Any) -> Any:
    """The metric over the epochs: median over the seeds, with the range as a band; logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 3.6), layout="constrained")
    axes = figure.subplots()
    for k, name in enumerate(training.names):
        runs = [outcome.trained.per_epoch(training.metric) for outcome in training.of(name)]
        n, (color, _, line) = min(map(len, runs)), _look(k)
        values, epochs = np.array([run[:n] for run in runs]), np.arange(1, n + 1)
        axes.plot(epochs, np.median(values, axis=0), color=color, ls=line, lw=1.4, label=name)
        if len(values) > 1:
            axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=color, alpha=0.18, lw=0)
    axes.set(xlabel="epoch", ylabel=training.metric, title="Loss while learning (median and range of seeds)")
    every = [outcome.trained.per_epoch(training.metric) for outcome in training.outcomes]
    logarithmic(axes.yaxis, np.concatenate(every))
    figure.legend(loc="outside right upper", fontsize=8)
    return figure


@styled
def trade_off(training: Any) -> Any:
    """The metric against pulses per synapse, and against energy: one point for each seed, the mean as a ring."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    pair = figure.subplots(1, 2, sharey=True)
    for k, (name, row) in enumerate(zip(training.names, training.rows, strict=True)):
        found, (color, mark, _) = training.of(name), _look(k)
        losses = [outcome.trained.last(training.metric) for outcome in found]
        synapses = sum(w.size for w in found[0].trained.weights.values())
        costs = (
            [outcome.trained.ledger.pulses / synapses for outcome in found],
            [outcome.trained.ledger.energy * 1e-9 for outcome in found],
        )
        for axes, cost in zip(pair, costs, strict=True):
            if max(cost) > 0:
                axes.plot(cost, losses, mark, color=color, ms=3.5, alpha=0.7)
                axes.plot(np.mean(cost), row.loss, mark, mfc="none", mec=color, ms=9, mew=1.4, label=name)
            else:
                axes.axhline(row.loss, color=color, lw=1.0, ls="--", label=f"{name} (no cost)")
    labels = ("pulses per synapse", "energy, uJ (as far as the device file has it)")
    for axes, label in zip(pair, labels, strict=True):
        axes.set_xlabel(label)
        points = [line for line in axes.lines if line.get_marker() in MARKS]
        logarithmic(axes.xaxis, np.concatenate([line.get_xdata() for line in points]) if points else [])
    logarithmic(pair[0].yaxis, [loss for name in training.names for loss in training.losses(name).values()])
    pair[0].set(ylabel=training.metric, title="What a loss costs")
    figure.legend(*pair[1].get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    return figure
