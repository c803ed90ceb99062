"""Learning on phase-change memory: what each imperfection costs, and what is left of it an hour, a day, a month later.

    python benchmarks/pcm_learning.py imperfections --seeds 42 43 44
    python benchmarks/pcm_learning.py retention --seeds 42 43 44

The experiment is `mappings/pattern_pcm.yaml`, its chip called PCM; the device with everything is pcm-everything.yaml beside
this file. A line is printed for each run, as JSON with --json. Losses are mean squared errors: of the last ten epochs while
learning, and in `retention` of the three training sequences, run again and not learned from.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurohw.device import load_device
from neurohw.learning import experiment
from neurohw.learning.plan import Plan
from neurohw.mapping import load_mapping

EVERYTHING = Path(__file__).with_name("pcm-everything.yaml")
PATIENCE = 3
"""Epochs of learning that a refresh in the loop takes."""


def case(device, choices=None):
    """The chip called PCM of the mapping, on another device."""
    found = next(c for c in experiment.cases(load_mapping("pattern_pcm")) if c.name == "PCM")
    entry = found.entry.model_copy(update={"choices": {**found.entry.choices, **(choices or {})}})
    return replace(found, device=device, entry=entry)


def devices():
    """name -> device: pcm-set, pcm-set with one imperfection of the other device each, and with all."""
    plain, everything = load_device("pcm-set"), load_device(EVERYTHING)
    extra = ("adc", "stuck_cells")
    found = {"pcm-set": plain, "everything": everything}
    found["+ drift spread, 1/f noise"] = everything.without(*extra)
    found["everything without adc"] = everything.without("adc")
    found["everything without stuck cells"] = everything.without("stuck_cells")
    return found


def imperfections(seeds):
    for name, device in devices().items():
        for seed in seeds:
            made = case(device).trainer(seed)
            found = made.train()
            test = experiment.evaluate(made, case(device).tests(seed))["mse"]
            yield {"device": name, "seed": seed, "mse": found.last("mse"), "test": test, "rate": found.last("rate"),
                   "pulses": found.ledger.pulses, "resets": found.ledger.resets}  # fmt: skip


def retention(seeds):
    """After learning: at each age as it is, with the readout rescaled, and after a short refresh in the loop."""
    for name, device in (("pcm-set", load_device("pcm-set")), ("everything", load_device(EVERYTHING))):
        for seed in seeds:
            made = case(device).trainer(seed)
            made.train()
            training = made.course(0)
            fresh = chip_gain(made)
            row = {"device": name, "seed": seed, "after learning": mse(made, training)}
            done = 0.0
            for label, age in (("1 hour", 3.6e6), ("1 day", 8.64e7), ("30 days", 2.592e9)):
                made.chip.wait(age - done)
                done = age
                row[label] = mse(made, training)
                row[f"{label}, conductance"] = chip_gain(made) / fresh
            before = made.chip.ledger.pulses
            made.plan = Plan(**{**vars_of(made.plan), "epochs": made.epoch + PATIENCE})
            made.train()
            row["30 days, refreshed in the loop"] = mse(made, training)
            row["pulses of the refresh"] = made.chip.ledger.pulses - before
            yield row


def vars_of(plan):
    return {**{name: getattr(plan, name) for name in Plan.model_fields}, "pause": f"{plan.pause} ms"}


def chip_gain(made):
    """Mean |weight| of the input projection, as the chip reads it."""
    return float(np.abs(made.ports["input"].read()).mean())


def mse(made, batches):
    return experiment.evaluate(made, batches)["mse"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=["imperfections", "retention"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    for row in {"imperfections": imperfections, "retention": retention}[given.study](given.seeds):
        said = json.dumps(row) if given.json else ", ".join(
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()
        )  # fmt: skip
        print(said, flush=True)


if __name__ == "__main__":
    sys.exit(main())
