"""Crossbars: matrix products with noise, programming, drift, and spiking reads, beside NumPy and aihwkit, in one run.

    python benchmarks/crossbar.py [--repeat 15] [--aihwkit PYTHON]

PYTHON: an interpreter that has aihwkit (with a CPU build of torch); by default this one, and a line says so where there is
none. 512 x 512 weights, 128 inputs, one thread, single precision. Engines take turns; CPU seconds, median and lowest.
"""

import argparse
import json
import os
import subprocess
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  after the threads are set

N, BATCH, STEPS = 512, 128, 200
RATES = (0.005, 0.02, 0.1, 1.0)
"""Share of the rows that spike in a step."""


def timed(calls, repeat):
    """name -> CPU ms of each call, in turns; each is called once before."""
    found = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(repeat):
        for name, call in calls.items():
            begin = time.process_time()
            call()
            found[name].append(1e3 * (time.process_time() - begin))
    return found


AIHWKIT = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import torch
torch.set_num_threads(1)
import aihwkit
from aihwkit.nn import AnalogLinear
from aihwkit.inference import PCMLikeNoiseModel
tile, n, batch, repeat = sys.argv[1], *map(int, sys.argv[2:])
if tile == "torch":
    from aihwkit.simulator.configs import TorchInferenceRPUConfig
    config = TorchInferenceRPUConfig()
else:
    from aihwkit.simulator.configs import InferenceRPUConfig
    from aihwkit.simulator.parameters.enums import WeightNoiseType
    config = InferenceRPUConfig()
    kinds = {"one": WeightNoiseType.ADDITIVE_CONSTANT, "own": WeightNoiseType.PCM_READ}
    config.forward.w_noise, config.forward.w_noise_type = 0.0175, kinds[tile]
config.forward.inp_res = config.forward.out_res = 1 / 256
config.forward.out_noise, config.forward.out_bound = 0.04, 12.0
config.noise_model = PCMLikeNoiseModel(g_max=25.0)
config.drift_compensation = None
config.mapping.max_input_size = config.mapping.max_output_size = n
layer = AnalogLinear(n, n, bias=False, rpu_config=config).eval()
plain = torch.nn.Linear(n, n, bias=False)
x, one = torch.rand(batch, n) * 2 - 1, (torch.rand(1, n) < 0.02).float()
label = "aihwkit, " + {"torch": "torch", "one": "C++, one noise for all weights", "own": "C++, each weight its own"}[tile]
calls = {
    label + ": product": lambda: layer(x),
    label + ": one input of 0 and 1": lambda: layer(one),
    label + ": program": lambda: layer.program_analog_weights(),
    label + ": drift": lambda: layer.drift_analog_weights(86400.0),
}
if tile == "torch":
    calls["torch, plain product"] = lambda: plain(x)
found = {name: [] for name in calls}
with torch.no_grad():
    for call in calls.values():
        call()
    for _ in range(repeat):
        for name, call in calls.items():
            begin = time.process_time()
            call()
            found[name].append(1e3 * (time.process_time() - begin))
print(json.dumps({"times": found, "version": f"aihwkit {aihwkit.__version__}, torch {torch.__version__}"}))
"""
TILES = {
    "torch": "its tile in torch (output noise and converters, no read noise of devices)",
    "one": "its tile in C++ (the same, and read noise of all weights alike)",
    "own": "its tile in C++ (the same, and read noise that depends on the weight)",
}


def aihwkit(python, tile, repeat):
    """(times, version), or ({}, why not)."""
    command = [python, "-W", "ignore", "-c", AIHWKIT, tile, str(N), str(BATCH), str(repeat)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if ran.returncode:
        reason = ran.stderr.strip().splitlines()[-1:] or ["no output"]
        return {}, "not installed" if "No module named" in reason[0] else f"failed: {reason[0]}"
    told = json.loads(ran.stdout.strip().splitlines()[-1])
    return told["times"], told["version"]


def network(n):
    import neurohw as nh

    weights = np.random.default_rng(1).uniform(-1, 1, n * n)
    net = nh.Network("layer", 1).population("post", n, "IF_curr_exp", {"v_thresh": 1e6})
    net = net.population("pre", n, "SpikeSourceArray", spike_times=[])
    return net.project("pre", "post", nh.AllToAll(), weight=weights, delay=1.0, synapse="SignedSynapse", name="w")


def chips():
    """name -> a loaded chip: noise that no clip touches (one draw per column), and 1/f noise, which is looked up every 51 ms."""
    import neurohw as nh

    device, net, found = nh.load_device("pcm-million").with_(rows=N, columns=N), network(N), {}
    white = device.with_(**{"read_noise.amplitude": None, "read_noise.slope": 0.03})
    for name, kind, how in (
        ("neurohw, white noise, unclipped", white, "exact"),
        ("neurohw, 1/f noise, clipped device by device", device, "exact"),
        ("neurohw, 1/f noise, clipped reads matched per column", device, "per column"),
    ):
        chip = nh.fabricate(kind, 1)
        chip.load(nh.map_network(net, kind, choices={"idle_arms": "none", "read_noise": how}, dt="1 ms"))
        found[name] = chip
    return found


def spiking(chip, share):
    generator = np.random.default_rng(2)
    step, row = np.nonzero(generator.random((STEPS, N)) < share)
    stimulus, age = {"pre": (step.astype(float), row)}, chip.age

    def call():
        chip.age = age
        chip.run(float(STEPS), stimulus=stimulus)

    return call


def line(name, times, base=None):
    low, median = min(times), float(np.median(times))
    ratio = f"{median / base[0]:.2f} / {low / base[1]:.2f}" if base else ""
    print(f"| {name} | {median:.3g} | {low:.3g} | {ratio} |")
    return median, low


def table(title, times, base):
    print(f"\n### {title}\n\n| | CPU ms: median | lowest | times `{base}`: medians / lowest |\n|---|---|---|---|")
    reference = float(np.median(times[base])), min(times[base])
    for name, values in times.items():
        line(name, values, reference)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--aihwkit", default=sys.executable, metavar="PYTHON")
    given = parser.parse_args()
    from neurohw import load_device, rng
    from neurohw.chips.crossbar.product import product

    generator = np.random.default_rng(1)
    x = generator.uniform(-1, 1, (BATCH, N)).astype(np.float32)
    mean, variance = (generator.uniform(0, 1, (N, N)).astype(np.float32) for _ in range(2))
    signs = np.sign(x)
    adc, keys = load_device("pcm-core").effect("adc"), iter(range(10**9))

    def read(x, variance, adc=None):
        return product(x, mean, variance, rng.key(next(keys), "read"), adc)

    def digital():
        return np.rint(127 * x) * np.float32(1 / 127)

    calls = {
        "NumPy, plain product": lambda: x @ mean,
        "NumPy, a normal for each device": lambda: [
            r @ (mean + np.sqrt(variance) * generator.standard_normal(mean.shape, np.float32)) for r in x[:2]
        ],
        "neurohw, one noise for all devices": lambda: read(x, 0.04),
        "neurohw, each device its own": lambda: read(x, variance),
        "neurohw, each device its own, inputs +-1": lambda: read(signs, variance),
        "neurohw, one noise for all devices, 8-bit converters": lambda: read(digital(), 0.04, adc),
        "neurohw, each device its own, 8-bit converters": lambda: read(digital(), variance, adc),
    }
    times = timed(calls, given.repeat)
    times["NumPy, a normal for each device"] = [BATCH / 2 * t for t in times["NumPy, a normal for each device"]]
    peer = {}
    for tile, what in TILES.items():
        found, version = aihwkit(given.aihwkit, tile, given.repeat)
        print(f"- aihwkit, {what}: {version}")
        peer |= found
    times |= {name: values for name, values in peer.items() if "product" in name}
    table(f"{N} x {N}, {BATCH} inputs", times, "NumPy, plain product")

    bench = chips()
    plain = bench["neurohw, 1/f noise, clipped device by device"]
    every, program, weights = np.arange(plain.array.cell.size), plain.loaded, generator.uniform(-1, 1, N * N)

    def drift():
        plain.array.refresh(plain.bench, plain.devices, every, plain.age + 86400e3, plain.weights, plain.arms)

    held = timed(
        {"neurohw, program": lambda: plain.write("w", weights), "neurohw, drift and read noise": drift}, given.repeat
    )
    held |= {name: values for name, values in peer.items() if name.endswith(("program", "drift"))}
    table(f"programming and drifting {N} x {N} pairs", held, "neurohw, program")
    plain.load(program)

    for share in RATES:
        rows = max(1, round(share * N))
        one = np.zeros((1, N), np.float32)
        one[0, :rows] = 1.0
        calls = {name: spiking(chip, share) for name, chip in bench.items()}
        calls["NumPy, plain product of one input"] = lambda one=one: [one @ mean for _ in range(STEPS)]
        per_step = {
            name: [t / STEPS for t in values] for name, values in timed(calls, max(3, given.repeat // 3)).items()
        }
        if share == 0.02:
            per_step |= {name: values for name, values in peer.items() if name.endswith("0 and 1")}
        table(f"a step in which {100 * share:g} % of the rows are read", per_step, "NumPy, plain product of one input")


if __name__ == "__main__":
    main()
