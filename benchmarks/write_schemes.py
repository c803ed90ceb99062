"""How much a loss costs by each write scheme, each tuned with the same budget: a table, and a picture.

    python benchmarks/write_schemes.py search --only sign --lines out/schemes.jsonl     # resumable; one scheme, or all
    python benchmarks/write_schemes.py show --lines out/schemes.jsonl --picture docs/images/write_schemes.png

Task, network and rule are those of `mappings/pattern_pcm.yaml`, the device is pcm-set. The same for every scheme: 40 settings
at random for 20 epochs on seed 1, the best twenty of them on seed 2 too; the best twelve for 100 epochs on both seeds; the best of these
for 250 epochs on other seeds, 42 and on, which are the table (--epochs 50 250 250 searches longer). Best is the least mean loss
of the last ten epochs, or the last quarter; a run whose loss is above 5 after its third epoch is given up. `float` is an ideal chip that is written to. The lines are appended run by
run; a run whose line is there, with the same setting, is not run again.

A setting: `rate`, a factor on the learning rates of the mapping, and `readout`, a further one on that of the readout; `range`,
the weight that g_max of all copies together stands for; `clip`; `copies`, pairs for each synapse; `refresh_every`; `start`,
whether the initial weights are written and verified or sent by the scheme; and the scheme's own parameters. In most schemes a
quantum does nothing but divide the rate; there only the rate is drawn. A sign has only the threshold.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurohw import rng
from neurohw.errors import NeurohwError, OutOfRange
from neurohw.learning import experiment
from neurohw.learning.schemes import SCHEMES
from neurohw.mapping import load_mapping
from neurohw.study.pictures import COLORS, encode, styled
from neurohw.study.training_pictures import logarithmic

HOPELESS = 5.0
COSTS = ("while learning", "energy uJ")
TRIALS, KEPT = 40, (20, 12)
EPOCHS = (20, 100, 250)
SEARCH_SEEDS = (1, 2)
COMMON = {
    "rate": (0.03, 3.0),
    "readout": (0.3, 3.0),
    "range": (0.03, 0.5),
    "clip": [3.0, 10.0, 30.0, 100.0, 1000.0],
    "copies": [1],
    "refresh_every": [None, 10, 100],
    "start": ["written"],
}
"""What is drawn for every scheme: (low, high) log-uniform, a list evenly."""
LARGE = [300.0, 1000.0, 3000.0]
"""Clips for schemes that keep nothing: a gradient that is cut never makes a step."""
OWN = {
    "float": {"rate": (0.1, 10.0), "range": [0.1], "refresh_every": [None]},
    "mixed_precision": {"quantum": (0.7, 4.0), "start": ["written", "scheme"]},
    "sign": {"threshold": (0.1, 10.0), "rate": [1.0], "copies": [1, 4], "clip": LARGE},
    "stochastic": {"copies": [1, 4]},
    "stochastic_rounding": {"copies": [1, 4], "start": ["written", "scheme"]},
    "multi_memristor": {"copies": [4], "clip": LARGE, "start": ["written", "scheme"]},
    "tiki_taka": {"every": [1, 3, 10], "gain": (3.0, 300.0)},
}
"""What is drawn for one scheme, in place of the common draw or beside it."""


def setting(scheme, trial):
    """The setting of one trial; every number has its own address, so a changed range leaves the others alone."""
    found = {}
    for name, choice in {**COMMON, **OWN[scheme]}.items():
        u = float(rng.uniform(rng.key(0, f"write_schemes/{scheme}/{trial}/{name}"), 1)[0])
        if isinstance(choice, list):
            found[name] = choice[int(u * len(choice))]
        else:
            found[name] = float(f"{choice[0] * (choice[1] / choice[0]) ** u:.3g}")
    return found


def case(scheme, given, epochs):
    """The chip of the mapping with one setting."""
    wanted = "float" if scheme == "float" else "PCM"
    found = next(c for c in experiment.cases(load_mapping("pattern_pcm")) if c.name == wanted)
    kind = SCHEMES["shadow" if scheme == "float" else scheme]
    own = {name: given[name] for name in OWN[scheme] if name in kind.model_fields and name != "rate"}
    rates = {name: r * given["rate"] for name, r in found.train.optimizer["rate"].items()}
    rates["readout"] *= given["readout"]
    train = found.train.model_copy(
        update={
            "epochs": epochs, "optimizer": {**found.train.optimizer, "rate": rates},
            **{name: given[name] for name in ("clip", "copies", "refresh_every", "start")},
        }
    )  # fmt: skip
    choices = {**found.entry.choices, "g_max_weight": given["range"] / given["copies"]}
    entry = found.entry.model_copy(update={"choices": choices})
    return replace(found, train=train, scheme=kind(**own), entry=entry, name=scheme)


def watched(made):
    """Stops a run that has no hope: a network gone wild makes a hundred times the spikes, and takes as long."""

    def show(said, share):
        if made.epoch >= 3 and made.history["mse"][-1] > HOPELESS:
            raise OutOfRange(f"given up after {made.epoch} epochs")

    return show


def measured(scheme, given, epochs, seed):
    """What one run cost and came to; a run that fails has no mse, and says why."""
    try:
        made = case(scheme, given, epochs).trainer(seed)
        before = made.chip.ledger.pulses, made.chip.ledger.resets
        trained = made.train(watched(made))
    except NeurohwError as error:
        return {"mse": None, "failed": str(error)}
    ledger, synapses = trained.ledger, sum(w.size for w in trained.weights.values())
    return {
        "mse": trained.last("mse", min(10, epochs // 4)), "rate": trained.last("rate"), "pulses": ledger.pulses / synapses,
        "while learning": (ledger.pulses - before[0]) / synapses, "resets": (ledger.resets - before[1]) / synapses,
        "energy uJ": ledger.energy * 1e-9,
    }  # fmt: skip


class Lines:
    """The runs so far, on disk; `run` makes those that are missing."""

    def __init__(self, path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.rows = [json.loads(text) for text in texts]

    def run(self, scheme, trial, epochs, seed):
        asked = {"scheme": scheme, "trial": trial, "epochs": epochs, "seed": seed}
        asked["setting"] = setting(scheme, trial)
        for row in self.rows:
            if all(row.get(key) == value for key, value in asked.items()):
                return row
        row = {**asked, **measured(scheme, asked["setting"], epochs, seed)}
        self.rows.append(row)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        return row


def search(lines, scheme, seeds, epochs=EPOCHS):
    """All runs of one scheme; the same rule for each."""
    first, both = SEARCH_SEEDS[:1], SEARCH_SEEDS
    some = ranked(lines, scheme, range(TRIALS), epochs[0], first)[: KEPT[0]]
    few = ranked(lines, scheme, some, epochs[0], both)[: KEPT[1]]
    chosen = ranked(lines, scheme, few, epochs[1], both)[0]
    for seed in seeds:
        lines.run(scheme, chosen, epochs[2], seed)


def ranked(lines, scheme, trials, epochs, seeds):
    """Trials by their mean loss over seeds, the best first; a failure is the last."""

    def loss(trial):
        rows = [lines.run(scheme, trial, epochs, seed) for seed in seeds]
        return np.mean([np.inf if row["mse"] is None else row["mse"] for row in rows])

    losses = {trial: loss(trial) for trial in trials}
    return sorted(losses, key=lambda trial: losses[trial])


def of(rows, scheme):
    """The rows of the table: those of other seeds than the search had, of the setting that was chosen last."""
    mine = [row for row in rows if row["scheme"] == scheme and row["seed"] not in SEARCH_SEEDS]
    return [row for row in mine if row["mse"] is not None and row["trial"] == mine[-1]["trial"]]


def table(rows):
    """One line for each scheme whose seeds have been run, and its setting."""
    head = "| scheme | mse | range | SET pulses per synapse while learning | RESETs | energy, reads and loading included, uJ | seeds |"
    print(head + "\n|---|---|---|---|---|---|---|")
    settings = []
    for scheme in OWN:
        mine = of(rows, scheme)
        if not mine:
            continue
        losses = [row["mse"] for row in mine]
        mean = {key: np.mean([row[key] for row in mine]) for key in ("while learning", "resets", "energy uJ")}
        print(
            f"| `{scheme}` | {np.mean(losses):.4f} | {min(losses):.4f} to {max(losses):.4f} | {mean['while learning']:.2f} | "
            f"{mean['resets']:.3f} | {mean['energy uJ']:.3g} | {len(mine)} |"
        )
        settings.append(f"{scheme}: trial {mine[0]['trial']}, {json.dumps(mine[0]['setting'])}")
    print(*settings, sep="\n")


@styled
def picture(rows):
    """Loss against pulses, and against energy: small, each seed of the table; a ring, their mean."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 3.8), layout="constrained")
    pair = figure.subplots(1, 2, sharey=True)
    for k, scheme in enumerate(OWN):
        seeds, color = of(rows, scheme), COLORS[k % len(COLORS)]
        if not seeds:
            continue
        for axes, cost in zip(pair, COSTS, strict=True):
            if scheme == "float":
                axes.axhline(
                    np.mean([row["mse"] for row in seeds]), color=color, ls="--", lw=1, label="float (no cost)"
                )
                continue
            axes.plot(*([row[key] for row in seeds] for key in (cost, "mse")), "o", color=color, ms=3.5, alpha=0.6)
            center = [np.mean([row[key] for row in seeds]) for key in (cost, "mse")]
            axes.plot(*center, "o", mfc="none", mec=color, ms=10, mew=1.4, label=scheme)
    shown = [row for scheme in OWN if scheme != "float" for row in of(rows, scheme)]
    for axes, label, cost in zip(
        pair, ("SET pulses per synapse while learning", "energy, uJ, reads included"), COSTS, strict=True
    ):
        axes.set_xlabel(label)
        logarithmic(axes.xaxis, [row[cost] for row in shown])
    logarithmic(pair[0].yaxis, [row["mse"] for row in shown])
    pair[0].set(ylabel="mse of the last ten epochs")
    figure.legend(*pair[0].get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=["search", "show"])
    parser.add_argument("--only", nargs="+", choices=list(OWN), default=list(OWN))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(42, 52)), help="of the table")
    parser.add_argument("--epochs", type=int, nargs=3, default=EPOCHS, help="of the three stages")
    parser.add_argument("--lines", type=Path, default=Path("out/schemes.jsonl"))
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    lines = Lines(given.lines)
    for scheme in given.only if given.do == "search" else ():
        search(lines, scheme, given.seeds, given.epochs)
    table(lines.rows)
    if given.picture:
        given.picture.write_bytes(encode(picture(lines.rows), given.picture.suffix[1:]))


if __name__ == "__main__":
    sys.exit(main())
