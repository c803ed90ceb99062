"""Draw docs/images/vogels_abbott.png: the first trial of `mappings/vogels_abbott.yaml` on the reference and on every chip.

python docs/make_picture.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from neurohw.mapping import load_mapping
from neurohw.recording import Recording
from neurohw.study import experiment as study

COLORS = {"excitatory": "#1f6fb4", "inhibitory": "#d9651b"}
SHOWN = {"excitatory": 320, "inhibitory": 80}


def draw(panel: plt.Axes, name: str, recording: Recording) -> None:
    """A raster of some neurons of each population, with the mean rate after the first 100 ms."""
    base = 0
    for population, color in COLORS.items():
        times, neurons = recording.spikes[population]
        shown = neurons < SHOWN[population]
        panel.plot(times[shown], base + neurons[shown], ",", color=color, alpha=0.8, rasterized=True)
        base += SHOWN[population]
    times, _ = recording.spikes["excitatory"]
    rate = 1e3 * (times > 100).sum() / recording.sizes["excitatory"] / (recording.duration - 100)
    panel.set_title(f"{name}\n{rate:.1f} Hz", fontsize=9)
    panel.set(xlim=(0, recording.duration), ylim=(0, base), yticks=[], xlabel="time (ms)")


def main() -> None:
    prepared = study.prepare(load_mapping("vogels_abbott"))
    _, references = study.run_reference(prepared)
    found = {"Brian2 (reference)": references[0]}
    found |= {name: recordings[0] for name, _, recordings in study.run_chips(prepared)}
    figure, panels = plt.subplots(1, len(found), figsize=(2.6 * len(found), 2.7), sharey=True, layout="constrained")
    for panel, (name, recording) in zip(panels, found.items(), strict=True):
        draw(panel, name, recording)
    path = Path(__file__).parent / "images" / "vogels_abbott.png"
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
