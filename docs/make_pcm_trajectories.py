"""Draw docs/images/pcm_trajectories.png: what single PCM devices do over pulses, over a month, and from read to read.

python docs/make_pcm_trajectories.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from neurohw.chips.crossbar.specimens import Specimens
from neurohw.device import load_device

COLORS = ("#1f6fb4", "#d9651b", "#009e73", "#a04d8a", "#8a6d00")
SHOWN = 5
MONTH = 30 * 86400.0


def pulses(panel: plt.Axes) -> None:
    """Conductance after each of 20 SET pulses: five devices, and mean and spread of 2000."""
    devices = Specimens(load_device("pcm-set"), 1, 2000)
    devices.reset()
    g = [devices.devices.g[0].copy()]
    for _ in range(20):
        devices.pulse()
        g.append(devices.devices.g[0].copy())
    g, n = np.array(g), np.arange(21)
    panel.fill_between(n, g.mean(1) - g.std(1), g.mean(1) + g.std(1), color="0.88", linewidth=0)
    panel.plot(n, g.mean(1), color="0.4", linewidth=2)
    for k in range(SHOWN):
        panel.step(n, g[:, k], where="mid", color=COLORS[k], linewidth=1)
    panel.set(title="pcm-set: SET pulses", xlabel="pulses", ylabel="conductance (uS)", xlim=(0, 20), ylim=(0, None))


def month(panel: plt.Axes) -> None:
    """Written once towards 12 uS, read 120 times in a month; lines: without read noise."""
    devices, times = Specimens(load_device("pcm-million"), 4, SHOWN), np.geomspace(1.0, MONTH, 120)
    devices.program(12.0)
    held, read = [], []
    for t in times:
        devices.wait(1e3 * t - devices.age)
        held.append(devices.conductances())
        read.append(devices.read())
    for k in range(SHOWN):
        panel.plot(times, np.array(held)[:, k], color=COLORS[k], linewidth=1.2)
        panel.plot(times, np.array(read)[:, k], ".", color=COLORS[k], markersize=3)
    panel.set(title="pcm-million: written to 12 uS", xlabel="time (s)", xscale="log", ylabel="conductance (uS)")


def from_read_to_read(panel: plt.Axes) -> None:
    """One device each with 1/f and with white noise, 400 reads in a second."""
    for name, shift, color in (("pcm-million", 0.0, COLORS[0]), ("pcm-set", -4.0, COLORS[1])):
        devices = Specimens(load_device(name).without("drift"), 2, 1)
        devices.program(8.0)
        devices.wait("1 day")
        read = []
        for _ in range(400):
            read.append(devices.read()[0] - devices.conductances()[0] + 8.0)
            devices.wait("2.5 ms")
        panel.plot(np.arange(400) * 2.5e-3, np.array(read) + shift, color=color, linewidth=0.8, label=name)
    panel.set(title="a day later: 1/f and white", xlabel="time (s)", ylabel="read (uS, shifted)")
    panel.legend(frameon=False, fontsize=8)


def main() -> None:
    figure, panels = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    for draw, panel in zip((pulses, month, from_read_to_read), panels, strict=True):
        draw(panel)
        panel.spines[["top", "right"]].set_visible(False)
        panel.title.set_fontsize(10)
    figure.savefig(Path(__file__).parent / "images" / "pcm_trajectories.png", dpi=110)


if __name__ == "__main__":
    main()
