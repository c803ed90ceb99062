"""Learning on phase-change memory with every imperfection, and what is left of it an hour, a day, a month later.

    python benchmarks/pcm_learning.py run --lines out/pcm.jsonl                     # resumable
    python benchmarks/pcm_learning.py show --lines out/pcm.jsonl --picture docs/images/pcm_retention.png

The experiment is `mappings/pattern_pcm.yaml`, its chip called PCM; the device with everything is pcm-everything.yaml beside this
file. Losses are mean squared errors: `learning`, of the last ten epochs, as measured while learning; `test`, of three sequences
that were not trained; `fresh`, of the three that were, run once more right after learning. Then the chip is left alone. At each
age the same three are run again: as it is, and with digital gains behind the columns (`neurohw.calibrate.compensate`) from
reads, one for all or one per column, or from spike counts. In the end it learns for three epochs more, from weights a month old,
with gains and without.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurohw.calibrate.compensate import ONE, compensate, measure
from neurohw.device import load_device
from neurohw.learning import experiment
from neurohw.learning.plan import Plan
from neurohw.mapping import load_mapping
from neurohw.study.pictures import COLORS, encode, styled
from neurohw.study.training_pictures import logarithmic

EVERYTHING = Path(__file__).with_name("pcm-everything.yaml")
PATIENCE = 3
"""Epochs of learning that a refresh in the loop takes."""
AGES = {"1 hour": 3.6e6, "1 day": 8.64e7, "30 days": 2.592e9}
WAYS = ("global", "per column", "spike counts")
REFRESHED = "30 days, refreshed"


def devices():
    """name -> device: pcm-set, the one with everything, and steps between them."""
    plain, everything = load_device("pcm-set"), load_device(EVERYTHING)
    return {
        "pcm-set": plain,
        "everything": everything,
        "drift spread, 1/f noise": everything.without("adc", "stuck_cells"),
        "everything, without converters": everything.without("adc"),
        "everything, without stuck cells": everything.without("stuck_cells"),
    }


def case(device):
    """The chip called PCM of the mapping, on another device."""
    found = next(c for c in experiment.cases(load_mapping("pattern_pcm")) if c.name == "PCM")
    return replace(found, device=device)


def measured(device, seed):
    """One training and what comes after it, as one flat line."""
    given = case(device)
    made = given.trainer(seed)
    trained, training = made.train(), made.course(0)
    row = {
        "learning": trained.last("mse"), "test": mse(made, given.tests(seed)), "rate": trained.last("rate"),
        "pulses": trained.ledger.pulses, "resets": trained.ledger.resets, "energy uJ": trained.ledger.energy * 1e-9,
        "fresh": mse(made, training),
    }  # fmt: skip
    chip, program = made.chip, made.chip.loaded
    probes = {
        "probes": [batch.stimulus(0, made.dt) for batch in training],
        "duration": made.learner.duration(training[0]),
    }
    baselines = {way: measure(chip, program, way, **(probes if way == "spike counts" else {})) for way in WAYS}
    done, new = 0.0, np.abs(made.ports["input"].read()).mean()
    for label, age in AGES.items():
        chip.wait(age - done)
        done, row[label] = age, mse(made, training)
        row[f"{label}, conductance"] = float(np.abs(made.ports["input"].read()).mean() / new)
        for way in WAYS:
            compensate(chip, program, baselines[way])
            row[f"{label}, {way}"] = mse(made, training)
            plain(chip, program)
    return {**row, **refreshed(made, training, baselines["per column"])}


def refreshed(made, training, baseline):
    """The losses after three epochs more, with gains per column and without."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        made.save(Path(folder) / "aged.h5")
        for label in ("", ", per column"):
            made.resume(Path(folder) / "aged.h5")
            before = made.chip.ledger.pulses
            if label:
                compensate(made.chip, made.chip.loaded, baseline)
            fields = {name: getattr(made.plan, name) for name in Plan.model_fields}
            made.plan = Plan(**{**fields, "pause": f"{made.plan.pause} ms", "epochs": made.epoch + PATIENCE})
            made.train()
            found[REFRESHED + label] = mse(made, training)
            found[f"pulses{label}"] = made.chip.ledger.pulses - before
    return {f"{REFRESHED}, pulses" if key == "pulses" else key: value for key, value in found.items()}


def plain(chip, program):
    """All gains 1 again."""
    for population in program.network.neurons:
        size = program.origin.size[population]
        chip.configure(population, {f"gain_{r}": np.full(size, ONE) for r in ("excitatory", "inhibitory")})


def mse(made, batches):
    return experiment.evaluate(made, batches)["mse"]


def run(path, names, seeds):
    """Append the runs that are missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {(row["device"], row["seed"]) for row in rows(path)}
    for seed in seeds:
        for name in names:
            if (name, seed) not in done:
                row = {"device": name, "seed": seed, **measured(devices()[name], seed)}
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")


def rows(path):
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def said(found, key, digits=4):
    """mean (range) over the seeds."""
    values = [row[key] for row in found]
    return f"{np.mean(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def tables(found):
    """What each imperfection costs; what is left later."""
    print("| device | seeds | learning | test | pulses | RESETs |\n|---|---|---|---|---|---|")
    by_device = {name: [row for row in found if row["device"] == name] for name in devices()}
    for name, mine in by_device.items():
        if mine:
            pulses, resets = (np.mean([row[key] for row in mine]) for key in ("pulses", "resets"))
            print(
                f"| {name} | {len(mine)} | {said(mine, 'learning')} | {said(mine, 'test', 2)} | {pulses:.0f} | {resets:.0f} |"
            )
    for name, mine in by_device.items():
        if mine:
            print(
                f"\n{name}, {len(mine)} seeds\n\n| | as it is | "
                + " | ".join(WAYS)
                + " | conductance |\n|---|---|---|---|---|---|"
            )
            print(f"| fresh | {said(mine, 'fresh')} | | | | 1 |")
            for age in AGES:
                cells = [said(mine, age), *(said(mine, f"{age}, {way}") for way in WAYS)]
                print(
                    f"| {age} | " + " | ".join(cells) + f" | {np.mean([r[f'{age}, conductance'] for r in mine]):.2f} |"
                )
            pulses = np.mean([row[f"{REFRESHED}, pulses"] for row in mine])
            print(
                f"| {REFRESHED} ({pulses:.0f} pulses) | {said(mine, REFRESHED)} | | {said(mine, f'{REFRESHED}, per column')} | | |"
            )


@styled
def picture(found):
    """Loss over the age of the weights, for each way to compensate: the mean over seeds, with the range as a band."""
    from matplotlib.figure import Figure

    names = [name for name in ("pcm-set", "everything") if any(row["device"] == name for row in found)]
    figure = Figure(figsize=(8.6, 3.6), layout="constrained")
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(names), sharey=True)), names, strict=True):
        mine = [row for row in found if row["device"] == name]
        for k, way in enumerate(("", *WAYS)):
            keys = ["fresh", *(f"{age}, {way}" if way else age for age in AGES)]
            values = np.array([[row[key] for key in keys] for row in mine])
            axes.plot(values.mean(axis=0), "o-", color=COLORS[k], ms=3.5, lw=1.4, label=way or "as it is")
            axes.fill_between(
                range(len(keys)), values.min(axis=0), values.max(axis=0), color=COLORS[k], alpha=0.12, lw=0
            )
        again = [row[REFRESHED] for row in mine]
        axes.plot([len(AGES)], [np.mean(again)], "*", color=COLORS[len(WAYS) + 1], ms=10, label="three epochs more")
        axes.set(title=name, xlabel="after learning")
        axes.set_xticks(range(len(AGES) + 1), ["fresh", *AGES])
    logarithmic(figure.axes[0].yaxis, [row[age] for row in found for age in ("fresh", *AGES)])
    figure.axes[0].set_ylabel("mse of the trained sequences")
    figure.axes[0].legend(fontsize=8)
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=["run", "show"])
    parser.add_argument("--devices", nargs="+", choices=list(devices()), default=list(devices()))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(42, 52)))
    parser.add_argument("--lines", type=Path, default=Path("out/pcm.jsonl"))
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    if given.do == "run":
        run(given.lines, given.devices, given.seeds)
    tables(rows(given.lines))
    if given.picture:
        given.picture.write_bytes(encode(picture(rows(given.lines)), given.picture.suffix[1:]))


if __name__ == "__main__":
    sys.exit(main())
