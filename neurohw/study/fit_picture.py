"""The picture of a fitted device: its data, the same measured on emulated devices, and the fitted curves."""

from typing import Any

import numpy as np

from neurohw.chips.crossbar.specimens import Specimens
from neurohw.device.device import Device
from neurohw.study.csv_tables import read_table
from neurohw.study.fit_devices import Fit
from neurohw.study.pictures import COLORS, encode, styled

N = 2000
LINES = 6


def fit_picture(found: Fit, device: Device) -> bytes:
    """A PNG with four panels: conductance over time, sigma of a write, drift exponents, read noise."""
    return encode(_draw(found, device), "png")


@styled
def _draw(found: Fit, device: Device) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    over_time, sigma, exponent, noise = figure.subplots(2, 2).ravel()
    _trajectories(over_time, found, device)
    targets = np.array([one.target for one in found.targets])
    fine = np.linspace(0, found.g_max, 200)
    for panel, title, measured, curve in (
        (sigma, "Spread of a write", [one.sigma for one in found.targets], found.sigma(fine)),
        (noise, "Read noise (rms about the power law)", [one.noise for one in found.targets], found.noise(fine)),
    ):
        at = targets if panel is sigma else [one.level for one in found.targets]
        panel.plot(at, measured, "o", color=COLORS[0], label="data")
        panel.plot(fine, curve, color=COLORS[1], label="fitted")
        panel.set(
            title=title,
            xlabel="target (uS)" if panel is sigma else "conductance (uS)",
            ylabel="sd (uS)",
            ylim=(0, None),
        )
        panel.legend()
    exponent.errorbar(
        targets, [one.nu_mean for one in found.targets], [one.nu_sd for one in found.targets], fmt="o-", capsize=3,
        color=COLORS[0],
    )  # fmt: skip
    exponent.set(title="Drift exponent, mean and sd over devices", xlabel="target (uS)", ylabel="nu")
    return figure


def _trajectories(panel: Any, found: Fit, device: Device) -> None:
    """10, 50 and 90 % of the data (points) and of emulated devices (lines) at each time."""
    table, shown = read_table(found.path), found.targets[:: max(1, len(found.targets) // LINES)]
    for k, one in enumerate(shown):
        mine, color = table["target_uS"] == one.target, COLORS[k % len(COLORS)]
        times = np.unique(table["time_s"][mine])
        at = [table["conductance_uS"][mine & (table["time_s"] == t)] for t in times]
        devices, emulated = Specimens(device, k, N), []
        devices.program(one.target)
        for t in times:
            devices.wait(max(0.0, 1e3 * (t - found.t0) - devices.age))
            emulated.append(np.percentile(devices.read(), (10, 50, 90)))
        low, middle, high = np.transpose(emulated)
        panel.fill_between(times, low, high, color=color, alpha=0.25, linewidth=0)
        panel.plot(times, middle, color=color, label=f"{one.target:g} uS")
        panel.plot(times, [np.percentile(g, (10, 50, 90)) for g in at], ".", color=color, markersize=4)
    panel.set(
        title="Points: data; lines: emulated (10, 50, 90 %)", xlabel="time (s)", ylabel="conductance (uS)", xscale="log"
    )
    panel.xaxis.set_major_formatter(lambda t, _: f"{t:g}")
    panel.set_ylim(0, 1.35 * found.g_max)
    panel.legend(fontsize=7, ncols=3, loc="upper right")
