"""Learning through mismatch: Yin-Yang on specimens of an analog chip, transferred and learned in the loop.

    python benchmarks/mismatch.py --specimens 1 2 3 --epochs 30 --refine 10

matched       learned and tested on a chip of the same circuits without any effect (`device.without(...)`), weights in float64
transferred   those weights written onto a specimen with all effects, tested there
in the loop   from there on learned on the specimen, `refine` epochs
recovered     (in the loop - transferred) / (matched - transferred), of the share of right answers

Hidden neurons and readout are IF_curr_exp circuits that stand in for those of the rule; the surrogate derivatives are those
of a twin in software, which follows the observed spikes; the readout is read from its membranes. Samples follow each other in
one run, twenty at a time, since starting a run costs more than a sample.
"""

import argparse
import json
import sys

import numpy as np

from neurohw.device import load_device
from neurohw.learning.batch import Batch
from neurohw.learning.eprop import EProp
from neurohw.learning.layout import laid_out
from neurohw.learning.optimizers import Adam
from neurohw.learning.plan import Plan
from neurohw.learning.recurrent import RecurrentNetwork
from neurohw.learning.schemes import SCHEMES
from neurohw.learning.tasks import TASKS
from neurohw.learning.trainer import Trainer
from neurohw.workbench import fabricate, map_network

IN_A_ROW = 20
UNUSED = ("readout", "parameter_codes", "configuration_noise", "spike_loss")
"""Effects that the specimens are without: the spread is that after a calibration, and membranes are seen at every step."""
HEADROOM = 2.0
"""The largest weight that a code can hold, in terms of the largest initial one."""
NET = RecurrentNetwork(
    hidden=30, model="IF_curr_delta", recurrent=False, tau_m="15 ms", tau_out="15 ms", v_thresh=10.0, v_rest=-65.0,
    reset="set", gain=8.0,
)  # fmt: skip


class InARow:
    """The task, several samples in one: labels change within it."""

    def __init__(self, task):
        self.task, self.inputs, self.outputs, self.dt = task, task.inputs, task.outputs, task.dt

    def batches(self, first, n, seed):
        found = []
        for k in range(first, first + n, IN_A_ROW):
            b = self.task.batch(k, IN_A_ROW, seed)
            spikes = {name: x.reshape(1, -1, x.shape[2]) for name, x in b.spikes.items()}
            labels = np.repeat(b.labels, self.task.steps)[None]
            found.append(Batch(spikes, labels=labels, mask=b.mask.reshape(1, -1)))
        return found


def trainer(device, weights, chip_seed, epochs, batches, rate):
    task = InARow(TASKS["yin_yang"]())
    network = NET.network(task, 1, {name: HEADROOM * w for name, w in START.items()})
    learner = EProp(network, 1.0, "online", feedback="symmetric", average=True)
    named = {"IF_curr_delta": "IF_curr_exp", "LI": "IF_curr_exp"}
    laid, layout = laid_out(network, weights, device, substitute=named)
    chip = fabricate(device, chip_seed)
    chip.load(map_network(laid, device, {}, dt=1.0, record=learner.record))
    plan = Plan(epochs=epochs, save_every=10**6)
    held = {name: HEADROOM * w for name, w in START.items()}
    made = Trainer(
        chip, learner, lambda epoch: batches, SCHEMES["shadow"](), Adam(rate), plan, held, layout, 1.0, "", chip_seed
    )
    made.begin(weights)
    return made


START = NET.weights(InARow(TASKS["yin_yang"]()), 1)


def right(made, batches):
    return 1.0 - float(np.mean([np.mean(made.look(b).metrics["error"]) for b in batches]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specimens", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--device", default="brainscales2-chip")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--refine", type=int, default=10)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=0.2)
    given = parser.parse_args()
    task = InARow(TASKS["yin_yang"]())
    training, test = task.batches(0, given.samples, 42), task.batches(0, 400, 40)
    device = load_device(given.device)
    plain = device.without(*(effect.name for effect in device.effects))
    made = trainer(plain, START, 0, given.epochs, training, given.rate)
    made.train(lambda said, share: print(said, file=sys.stderr))
    matched, weights = right(made, test), dict(made.weights)
    real = device.without(*UNUSED)
    for seed in given.specimens:
        made = trainer(real, weights, seed, given.refine, training, given.rate / 2)
        transferred = right(made, test)
        made.train(lambda said, share: print(said, file=sys.stderr))
        loop = right(made, test)
        row = {"specimen": seed, "matched": matched, "transferred": transferred, "in the loop": loop,
               "recovered": (loop - transferred) / (matched - transferred)}  # fmt: skip
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    sys.exit(main())
