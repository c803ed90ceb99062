"""Handwritten digits on crossbars: a network trained offline, its accuracy from a second to a year after it was written.

    python benchmarks/crossbar_digits.py                 # needs scikit-learn (pip install neurohw[tasks])
    python benchmarks/crossbar_digits.py --specimens 3 --effect-specimens 3      # a quick look

A perceptron (64-48-10) is trained by scikit-learn on its digits and turned into spiking neurons: rates for activities,
biases as currents, the threshold subtracted at a spike (Diehl et al., IJCNN 2015; Rueckauer et al., Front. Neurosci. 11
(2017) 682). Nothing is trained again on the chip. Writes docs/images/crossbar_digits.png, benchmarks/crossbar_digits.json
and mappings/digits.nir, which `neurohw ablate digits` takes.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

import neurohw as nh
from neurohw.calibrate.compensate import compensate, measure

ROOT = Path(__file__).resolve().parents[1]
STEPS, SETTLE, HIDDEN, SEED = 45, 3, 48, 1
"""Steps of 1 ms for which an image is shown; fewer than the 51 in which 1/f noise is taken to stand still."""
AGES = {"1 s": "1 s", "1 hour": "1 hour", "1 day": "1 day", "30 days": "30 days", "1 year": "365 days"}
WAYS = ("none", "global", "per column", "reference row", "spike counts")
DEVICE = "pcm-core"
PROBES = 10


def trained():
    """(weights and biases scaled to rates, images, labels, training images) with the split of seed 0."""
    from sklearn.datasets import load_digits
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.utils._testing import ignore_warnings

    x, y = load_digits(return_X_y=True)
    x, order = x / 16.0, np.random.default_rng(0).permutation(len(y))
    train, test = order[:1437], order[1437:]
    model = MLPClassifier((HIDDEN,), alpha=1e-2, random_state=SEED, max_iter=400)
    ignore_warnings(category=ConvergenceWarning)(model.fit)(x[train], y[train])
    (w1, w2), (b1, b2) = model.coefs_, model.intercepts_
    hidden = np.maximum(x[train] @ w1 + b1, 0)
    s1 = np.percentile(hidden, 99.9)
    s2 = np.percentile(np.maximum(hidden @ w2 + b2, 0), 99.9)
    layers = (w1 / s1, b1 / s1, w2 * s1 / s2, b2 / s2)
    return layers, x[test], y[test], x[train], float(model.score(x[test], y[test]))


def network(layers, reference_row=True):
    w1, b1, w2, b2 = layers
    cell = {"tau_m": 1e6, "v_rest": 0.0, "v_reset": 0.0, "v_thresh": 1.0, "tau_refrac": 0.0, "cm": 1.0}
    net = nh.Network("digits", SEED, numerics=nh.Numerics(reset="subtract"))
    for name, bias in (("hidden", b1), ("out", b2)):
        net = net.population(name, bias.size, "IF_curr_delta", {**cell, "i_offset": bias}, initial={"v": 0.5})
    net = net.population("pixels", 64, "SpikeSourceArray", spike_times=[])
    net = net.project(
        "pixels", "hidden", nh.AllToAll(), weight=w1.ravel(), synapse="SignedSynapse", delay=1.0, name="first"
    )
    net = net.project(
        "hidden", "out", nh.AllToAll(), weight=w2.ravel(), synapse="SignedSynapse", delay=1.0, name="second"
    )
    if reference_row:  # never driven in a run: only there to be read
        net = net.population("reference", 1, "SpikeSourceArray", spike_times=[])
        for target, weights in (("hidden", w1), ("out", w2)):
            half = float(np.abs(weights).max() / 2)
            net = net.project("reference", target, nh.AllToAll(), weight=half, delay=1.0, name=f"reference of {target}")
    return net


def stimulus(image):
    """Spikes at equal distances, as many as the pixel is bright."""
    counts = np.floor(image * STEPS + 0.5).astype(int)
    times = [np.floor((np.arange(n) + 0.5) * STEPS / n) for n in counts if n]
    return {"pixels": (np.concatenate(times), np.repeat(np.arange(64), counts))}


class Study:
    """Images on specimens of variants of the device."""

    def __init__(self, images):
        self.layers, x, y, train, self.offline = trained()
        self.stimuli, self.labels = [stimulus(image) for image in x[:images]], y[:images]
        self.probes = [stimulus(image) for image in train[:PROBES]]
        self.network = network(self.layers)
        self.programs = {}

    def program(self, device):
        if device.title not in self.programs:
            choices = {} if device.is_ideal else {"weight_scaling": "per receptor", "adc_range": 60.0}
            self.programs[device.title] = nh.map_network(self.network, device, choices=choices, dt="1 ms")
        return self.programs[device.title]

    def accuracy(self, chip, program):
        recordings = nh.run(program, chip, float(STEPS + SETTLE), stimulus=self.stimuli)
        votes = np.array([np.bincount(r.spikes["out"][1], minlength=10) for r in recordings])
        return float((votes.argmax(axis=1) == self.labels).mean())

    def aged(self, device, seed, ways=WAYS, ages=AGES):
        """(ways, ages): accuracies of one specimen; gains are set anew at each age."""
        program, found = self.program(device), np.zeros((len(ways), len(ages)))
        for row, way in enumerate(ways):
            chip = nh.fabricate(device, seed)
            chip.load(program)
            start = chip.age
            told = {"source": "reference", "probes": self.probes, "duration": float(STEPS + SETTLE)}
            baseline = None if way == "none" else measure(chip, program, way, **told)
            for column, age in enumerate(ages.values()):
                chip.wait(max(0.0, nh_ms(age) - (chip.age - start)))
                if baseline is not None:
                    compensate(chip, program, baseline)
                found[row, column] = self.accuracy(chip, program)
        return found


def nh_ms(text):
    from neurohw import units

    return units.parse(text, "ms", "age")


def over_time(study, specimens):
    device = nh.load_device(DEVICE)
    return np.array([study.aged(device, seed) for seed in range(specimens)])


def by_effect(study, specimens, age="1 day"):
    """effect -> (accuracy with it alone, accuracy with all but it), without and with compensation, per specimen."""
    device, found = nh.load_device(DEVICE), {}
    names = [effect.name for effect in device.effects]
    for name in (None, *names):
        alone = device.without(*(n for n in names if n != name))
        removed = device.without(name) if name else device
        for how, variant in (("alone", alone), ("removed", removed)):
            runs = [study.aged(variant, seed, ("none", "per column"), {age: age}) for seed in range(specimens)]
            found[f"{name or ('no effect' if how == 'alone' else 'all effects')} {how}"] = np.array(runs)[
                :, :, 0
            ].tolist()
    return found


def picture(times, offline):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    x = np.array([nh_ms(age) / 1e3 for age in AGES.values()])
    for k, way in enumerate(WAYS):
        mean, sd = 100 * times[:, k].mean(axis=0), 100 * times[:, k].std(axis=0, ddof=1)
        axis.errorbar(x * (1 + 0.12 * (k - 2)), mean, sd, marker="o", capsize=2, label=way)
    axis.axhline(100 * offline, color="gray", linestyle=":", label="before it was put on a chip")
    axis.set(xscale="log", xlabel="time since the weights were written", ylabel="test images right, %")
    axis.set_xticks(x, AGES)
    axis.legend(title="compensation", fontsize="small")
    figure.savefig(ROOT / "docs/images/crossbar_digits.png", dpi=110)


def export(layers):
    """The network as a NIR file for `neurohw ablate digits`."""
    import nir

    w1, b1, w2, b2 = (part.astype(np.float32) for part in layers)
    nodes, edges = {}, []
    n = {"hidden": b1.size, "out": b2.size}
    nodes["pixels"] = nir.Input(input_type={"input": np.array([64])})
    for name, source, w, b in (("hidden", "pixels", w1, b1), ("out", "hidden", w2, b2)):
        nodes[f"{name} weights"] = nir.Affine(weight=w.T, bias=b)
        nodes[name] = nir.IF(r=np.ones(n[name], np.float32), v_threshold=np.ones(n[name], np.float32))
        edges += [(source, f"{name} weights"), (f"{name} weights", name)]
    nodes["answer"] = nir.Output(output_type={"output": np.array([10])})
    nir.write(ROOT / "mappings/digits.nir", nir.NIRGraph(nodes=nodes, edges=[*edges, ("out", "answer")]))


def write_mapping(stimuli, labels):
    """mappings/digits.yaml: the first test images, one after another."""
    shown, gap = 2, STEPS + SETTLE
    times = np.concatenate([stimuli[k]["pixels"][0] + gap * k for k in range(shown)]).astype(int)
    pixels = np.concatenate([stimuli[k]["pixels"][1] for k in range(shown)])
    order = np.argsort(times, kind="stable")
    (
        ROOT / "mappings/digits.yaml"
    ).write_text(f"""# {shown} handwritten digits ({", ".join(map(str, labels[:shown]))}), shown for {STEPS} ms each to a network that was trained offline; written by
# benchmarks/crossbar_digits.py. What each non-ideality of a crossbar costs here: neurohw ablate digits
network: {{nir: digits.nir, dt: 1 ms, integration: euler, reset: subtract}}
duration: {gap * shown} ms
trials: 1
reference: {{dt: 1 ms}}
chips:
  - {{device: pcm-core, seed: 1, dt: 1 ms, age: 1 day, choices: {{weight_scaling: per receptor, adc_range: 60}}}}
record: {{all: [spikes]}}
measure: [rates]
stimulus:
  pixels:
    unit: ms
    times: {times[order].tolist()}
    neurons: {pixels[order].tolist()}
""")


def main():
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--specimens", type=int, default=20)
    parser.add_argument("--effect-specimens", type=int, default=10, help="for what each effect costs")
    parser.add_argument("--images", type=int, default=100)
    given = parser.parse_args()
    begin, study = time.process_time(), Study(given.images)
    ideal = nh.load_device(DEVICE).ideal()
    chip = nh.fabricate(ideal)
    print(
        f"perceptron: {study.offline:.3f} of 360 images; spiking, ideal: {study.accuracy(chip, study.program(ideal)):.3f} of {given.images}"
    )
    times = over_time(study, given.specimens)
    print(f"\naccuracy in %, mean (standard deviation) over {given.specimens} specimens\n")
    print("| compensation | " + " | ".join(AGES) + " |\n|---" * 1 + "|---" * len(AGES) + "|")
    for k, way in enumerate(WAYS):
        cells = [
            f"{100 * times[:, k, j].mean():.1f} ({100 * times[:, k, j].std(ddof=1):.1f})" for j in range(len(AGES))
        ]
        print(f"| {way} | " + " | ".join(cells) + " |")
    picture(times, study.offline)
    effects = by_effect(study, given.effect_specimens)
    print(
        f"\nafter a day, over {given.effect_specimens} specimens: one effect alone, and all but one; without and with gains per column\n"
    )
    print("| effect | alone | alone, compensated | removed | removed, compensated |\n|---|---|---|---|---|")
    for name in dict.fromkeys(key.rsplit(" ", 1)[0] for key in effects):
        cells = []
        for how in ("alone", "removed"):
            values = 100 * np.array(effects.get(f"{name} {how}", np.full((2, 2), np.nan)))
            cells += [
                f"{m:.1f} ({s:.1f})" if m == m else ""
                for m, s in zip(values.mean(0), values.std(0, ddof=1), strict=True)
            ]
        print(f"| {name} | " + " | ".join(cells) + " |")
    export(study.layers)
    write_mapping(study.stimuli, study.labels)
    print(f"\n{time.process_time() - begin:.0f} s of CPU")
    data = {"over_time": times.tolist(), "ways": WAYS, "ages": list(AGES), "by_effect": effects}
    (ROOT / "benchmarks/crossbar_digits.json").write_text(json.dumps(data))


if __name__ == "__main__":
    main()
