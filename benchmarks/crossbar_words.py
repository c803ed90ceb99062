"""What words of 8, 12 and 16 bits in the neurons cost beside a crossbar: handwritten digits, and a balanced network.

    python benchmarks/crossbar_words.py [--images 100] [--specimens 5]        # needs scikit-learn (pip install neurohw[tasks])

The network of benchmarks/crossbar_digits.py on `pcm-fixed`: one membrane of threshold 1 mV per neuron, so words have two
integer bits. Then 2000 neurons of Vogels & Abbott with currents, second half of a second, in words with seven integer bits
of mV, and of 1/128 nA. "synapses exact": without programming noise, drift and read noise: words are all that is wrong.
"""

import argparse

import numpy as np
from crossbar_digits import SETTLE, STEPS, Study

import neurohw as nh

PCM = ("programming_noise", "drift", "read_noise")
WORDS = {"float": None, "16 bits, s2.13": 13, "12 bits, s2.9": 9, "8 bits, s2.5": 5, "6 bits, s2.3": 3}


def variants(rounding):
    """name -> (device with exact synapses, device as it is)."""
    device = nh.load_device("pcm-fixed").with_(**{"fixed_point.integer_bits": 2, "fixed_point.rounding": rounding})
    for name, bits in WORDS.items():
        one = device.without("fixed_point") if bits is None else device.with_(**{"fixed_point.fraction_bits": bits})
        yield name, one.without(*PCM), one


def results(study, device, seeds):
    """(accuracies, the sentence on words) of specimens."""
    program, found, told = study.program(device), [], ""
    for seed in seeds:
        chip = nh.fabricate(device, seed)
        chip.load(program)
        recordings = nh.run(program, chip, float(STEPS + SETTLE), stimulus=study.stimuli)
        votes = np.array([np.bincount(r.spikes["out"][1], minlength=10) for r in recordings])
        found.append(100 * float((votes.argmax(axis=1) == study.labels).mean()))
        told = next((note for note in recordings[0].report.notes if "neurons in words" in note), "")
    return found, told


def balanced():
    """(name, mean rate in Hz, coefficient of variation of the intervals, words that vanish of all stored) with exact synapses."""
    network = nh.networks.vogels_abbott(n=2000, synapses="current", delay=1.0)
    words = {"fixed_point.integer_bits": 7, "fixed_point.current": "0.0078125 nA"}
    device = nh.load_device("pcm-fixed").without(*PCM)
    for name, bits in (("float", None), ("16 bits, s7.8", 8), ("12 bits, s7.4", 4), ("8 bits, s7.0", 0)):
        for rounding in ("nearest", "down") if bits is not None else ("",):
            one = device.without("fixed_point")
            if bits is not None:
                one = device.with_(**words, **{"fixed_point.fraction_bits": bits, "fixed_point.rounding": rounding})
            choices = {"empty_cells": "none", "idle_arms": "none"}
            program = nh.map_network(network, one, choices=choices, dt="1 ms", record={"all": ["spikes"]})
            recording = nh.run(program, nh.fabricate(one, 1), 1000.0)
            times, neurons = recording.spikes["excitatory"]
            late = times >= 500.0
            note = next((note for note in recording.report.notes if "neurons in words" in note), "")
            yield f"{name} {rounding}".strip(), 2.0 * late.sum() / 1600, variation(times[late], neurons[late]), note


def variation(times, neurons):
    """The mean coefficient of variation of the intervals of neurons with three or more."""
    trains = [np.diff(times[neurons == k]) for k in np.unique(neurons)]
    found = [gaps.std() / gaps.mean() for gaps in trains if gaps.size >= 3]
    return float(np.mean(found)) if found else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--specimens", type=int, default=5)
    given = parser.parse_args()
    study, seeds = Study(given.images), range(1, given.specimens + 1)
    for rounding in ("nearest", "down"):
        print(
            f"\n| {rounding} | synapses exact | PCM, mean (sd) of {given.specimens} specimens |\n|---|---|---|",
            flush=True,
        )
        for name, exact, full in variants(rounding):
            if rounding == "down" and name == "float":
                continue
            alone, told = results(study, exact, seeds[:1])
            both, _ = results(study, full, seeds)
            print(f"| {name} | {alone[0]:.0f} % | {np.mean(both):.1f} ({np.std(both):.1f}) % |", flush=True)
            if told:
                print(f"    {told}", flush=True)
    print("\n| Vogels & Abbott | rate, Hz | CV of intervals |\n|---|---|---|", flush=True)
    for name, rate, cv, told in balanced():
        print(f"| {name} | {rate:.2f} | {cv:.2f} |", flush=True)
        if told:
            print(f"    {told}", flush=True)


if __name__ == "__main__":
    main()
