"""Which plasticity rule did the board run? The published CA3 recordings held against four variants of the additive rule.

    python benchmarks/ca3_rules.py tests/golden/spinnaker/ca3.json.gz each
    python benchmarks/ca3_rules.py tests/golden/spinnaker/ca3.json.gz once

A may be a weight (sPyNNaker 7) or be taken times w_max (PyNN's simulators, earlier versions of sPyNNaker); a row's changes
may be held within the limits one by one (sPyNNaker 7) or together, once, at the end. And the inhibition of
CA3cueContRecall may have its weight as in the authors' configuration, or times the number of content cells, as in their
program. Kernels are exchanged here, so they are compiled into a cache of their own.
"""

import gzip
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp()

import numpy as np
from numba import njit

import neurohw as nh
from neurohw.chips.spinnaker import plastic
from neurohw.chips.spinnaker.arithmetic import multiply, wrap
from neurohw.chips.spinnaker.plasticity import Q, faded, grown
from neurohw.networks.ca3_memory import CELLS, RULE, WIRES, wired


@njit
def held_once(t, last_t, last_trace, weights, targets, lags, used, times, traces, table_plus, table_minus, numbers):
    """`pre_spike` of the additive rule, with one limit for the sum of all changes."""
    _, shift, w_min, w_max, a_plus, a_minus = numbers
    for j in range(weights.shape[0]):
        i, lag = targets[j], lags[j]
        begin, end = max(last_t - lag, 0), max(t - lag, 0)
        up, down, latest = 0, 0, 0
        for e in range(1, used[i]):
            if times[i, e] > end:
                break
            latest = e
            if times[i, e] > begin:
                up += faded(last_trace, times[i, e] + lag - last_t, table_plus)
        if latest > 0:
            down = faded(traces[i, latest], t - times[i, latest] - lag, table_minus)
        w = (np.int64(weights[j]) << shift) + multiply(a_plus, wrap(up << Q)) - multiply(a_minus, wrap(down << Q))
        weights[j] = np.uint16(min(w_max, max(w_min, w)) >> shift)
    return grown(last_trace, t - last_t, table_plus)


def differing(told, amplitude, factor):
    """Population -> steps in which the emulated board spikes otherwise than the recorded one."""
    rule = {**RULE, "A_plus": RULE["A_plus"] * amplitude, "A_minus": RULE["A_minus"] * amplitude}
    share = 1.0 if factor else 1.0 / told["content"]
    wires = [(*w[:4], w[4] * (share if w[2] == "others" else 1.0), w[5], rule) for w in WIRES]
    spikes = {"INcue": told["input_cue"], "INcont": told["input_content"]}
    network = wired(told["cues"], told["content"], spikes, {name: cell for name, (_, cell) in CELLS.items()}, wires)
    chip = nh.fabricate("spinnaker-spin5")
    recording = nh.run(nh.map_network(network, "spinnaker-spin5", dt=1.0), chip, float(told["duration"]))
    found = {}
    for name, steps in told["spikes"].items():
        ours = set(zip(*(part.astype(int).tolist() for part in recording.spikes[name]), strict=True))
        found[name] = len({step for step, _ in ours ^ {(step, cell) for step, cells in steps for cell in cells}})
    return found


def main() -> None:
    experiments = json.loads(gzip.decompress(Path(sys.argv[1]).read_bytes()))
    limits = sys.argv[2]
    if limits == "once":
        plastic.pre_spike = held_once  # nothing is compiled yet
    print("limits    A         inhibition        populations exact (of 10), steps that differ")
    for amplitude in (1.0, RULE["w_max"]):
        for factor in (False, True):
            words = []
            for name, told in experiments.items():
                off = {n: k for n, k in differing(told, amplitude, factor).items() if not n.startswith("IN")}
                words.append(f"{name} {sum(k == 0 for k in off.values()):2d}, {sum(off.values()):3d}")
            a = "a weight " if amplitude == 1.0 else "x w_max  "
            print(
                f"{limits:9} {a} {'x content cells' if factor else 'as configured  '}   {';  '.join(words)}", flush=True
            )


if __name__ == "__main__":
    main()
