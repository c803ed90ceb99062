"""E-prop beside NEST in one run: the same regression, CPU seconds for each training iteration.

    python benchmarks/eprop.py [--repeat 5] [--iterations 10] [--nest-python PYTHON]

100 inputs, 100 (and 400) recurrent LIF neurons, 1 readout, T = 1000 steps of 1 ms, random feedback, rate regularization,
gradient descent after every sequence: the set-up of NEST's own regression test. Weights, inputs and target are drawn once and
given to both; the loss of the first iteration must agree to 1e-9, or nothing is reported. NEST runs in a process of its own, with
one thread, and counts what `Simulate` takes; neurohw counts forward pass, gradients and update. Repetitions are interleaved.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

from neurohw.study import eprop_replay, eprop_setups
from neurohw.study.eprop_cases import BatchConfig

SIZES = (100, 400)
AIM = 10.0
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
CONFIG = {
    "task": "regression", "loss": "mean_squared_error", "seed": 1, "n_in": 100, "n_ad": 0, "n_out": 1, "T": 1000,
    "p_in": 0.05, "periods": [1000, 500, 333, 200], "tau_m": 30.0, "tau_out": 30.0, "v_th": 0.03, "t_ref": 0,
    "tau_a": 2000.0, "beta_a": 0.0, "surrogate": "piecewise_linear", "height": 10.0, "width": 0.03, "c_reg": 300.0,
    "f_target": 10.0, "regular_rec": False, "regular_out": False, "learning_window": 1000, "average_gradient": False,
    "batch": 1, "optimizer": "gradient_descent", "eta": 1e-4, "eps": 1e-8,
}  # fmt: skip
NEST = r"""
import json, sys, time
import numpy as np
import nest

given, iterations = np.load(sys.argv[1]), int(sys.argv[2])
T, n_in, n = int(given["T"]), given["W_in"].shape[1], given["W_in"].shape[0]
nest.set(verbosity=nest.VerbosityLevel.ERROR)
nest.set(resolution=1.0, total_num_virtual_procs=1, eprop_update_interval=float(T), eprop_learning_window=float(T),
         eprop_reset_neurons_on_update=True)
membrane = dict(C_m=1.0, E_L=0.0, I_e=0.0, tau_m=30.0, V_m=0.0, regular_spike_arrival=False)
neurons = nest.Create("eprop_iaf_bsshslm_2020", n, dict(
    membrane, V_th=0.03, t_ref=0.0, c_reg=300.0, f_target=10.0, surrogate_gradient_function="piecewise_linear",
    surrogate_gradient_height=10.0, surrogate_gradient_width=0.03))
readout = nest.Create("eprop_readout_bsshslm_2020", 1, dict(membrane, loss="mean_squared_error"))
relay = nest.Create("parrot_neuron", n_in)
times = [(np.flatnonzero(given["x"][:, i])[None] + 1.0 + T * np.arange(iterations)[:, None]).ravel() for i in range(n_in)]
inputs = nest.Create("spike_generator", n_in, [dict(spike_times=t) for t in times])
target = nest.Create("step_rate_generator", 1, dict(
    amplitude_times=np.arange(T * iterations) + 4.0, amplitude_values=np.tile(given["y"], iterations)))
meter = nest.Create("multimeter", 1, dict(interval=1.0, record_from=["readout_signal", "target_signal"]))
optimizer = dict(type="gradient_descent", batch_size=1, eta=1e-4, Wmin=-100.0, Wmax=100.0)
nest.SetDefaults("eprop_synapse_bsshslm_2020", dict(average_gradient=False, optimizer=optimizer))
plastic = dict(synapse_model="eprop_synapse_bsshslm_2020", delay=1.0, tau_m_readout=30.0)
all_to_all = dict(rule="all_to_all", allow_autapses=False)
nest.Connect(inputs, relay, "one_to_one", dict(synapse_model="static_synapse", delay=1.0))
nest.Connect(relay, neurons, all_to_all, dict(plastic, weight=given["W_in"]))
nest.Connect(neurons, neurons, all_to_all, dict(plastic, weight=given["W_rec"]))
nest.Connect(neurons, readout, all_to_all, dict(plastic, weight=given["W_out"]))
nest.Connect(readout, neurons, all_to_all, dict(
    synapse_model="eprop_learning_signal_connection_bsshslm_2020", delay=1.0, weight=given["B"]))
rate = dict(synapse_model="rate_connection_delayed", delay=1.0)
nest.Connect(target, readout, "one_to_one", dict(rate, receptor_type=2))
nest.Connect(meter, readout)
nest.Simulate(5.0)
seconds = []
for _ in range(iterations):
    began = time.process_time()
    nest.Simulate(float(T))
    seconds.append(time.process_time() - began)
nest.Simulate(5.0)
seen = meter.get("events")
first = (seen["times"] > 4) & (seen["times"] <= 4 + T)
off = (seen["readout_signal"] - seen["target_signal"])[first]
print("RESULT", json.dumps(dict(seconds=seconds, loss=float((off**2).sum() / 2), version=nest.__version__)))
"""


def ours(config: BatchConfig, arrays: dict, iterations: int) -> tuple[list[float], float]:
    """(CPU seconds of each iteration, loss of the first)."""
    run = eprop_replay.batches(config.model_copy(update={"n_iter": iterations}), arrays)
    seconds, losses, began = [], [], time.process_time()
    for one in run:
        seconds.append(time.process_time() - began)
        losses.append(one.loss)
        began = time.process_time()
    return seconds, losses[0]


def nests(python: str, arrays: dict, iterations: int) -> dict | None:
    """What NEST says, or None where it is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.npz"
        weights = {name: arrays[f"{name}0"].astype(float) for name in ("W_in", "W_rec", "W_out")}
        b = arrays["B"].astype(float)
        np.savez(path, **weights, B=b, x=arrays["X"][0], y=arrays["Y"][:, 0], T=len(arrays["Y"]))
        done = subprocess.run(
            [python, "-c", NEST, str(path), str(iterations)],
            env={**os.environ, **THREADS},
            capture_output=True,
            text=True,
            check=False,
        )
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line.removeprefix("RESULT "))
    if "No module named 'nest'" in done.stderr:
        return None
    raise SystemExit(f"NEST failed:\n{done.stderr[-2000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--nest-python", default=sys.executable, help="the Python that has NEST")
    given = parser.parse_args()
    print(
        f"{date.today()}, {platform.machine()}, CPU ms per iteration of {CONFIG['T']} steps: median (lowest) of {given.repeat} runs"
    )
    for n in SIZES:
        config = BatchConfig(**CONFIG, n_reg=n, n_iter=given.iterations)
        arrays = eprop_setups.regression(config, given.iterations)
        ours(config, arrays, 2)  # compiles
        us, them, losses = [], [], set()
        for _ in range(given.repeat):
            seconds, loss = ours(config, arrays, given.iterations)
            us += seconds[1:]
            found = nests(given.nest_python, arrays, given.iterations)
            if found is not None:
                them += found["seconds"][1:]
                losses.add(found["loss"])
                if abs(found["loss"] / loss - 1) > 1e-9:
                    raise SystemExit(
                        f"{n} neurons: loss {loss} here, {found['loss']} in NEST: not the same computation"
                    )
        mine = 1e3 * statistics.median(us)
        print(f"{n:4d} neurons  neurohw {mine:8.2f} ({1e3 * min(us):.2f})", end="")
        if not them:
            print("   NEST: not installed (pip install nest-simulator, --nest-python)")
            continue
        other = 1e3 * statistics.median(them)
        print(
            f"   NEST {found['version']} {other:8.1f} ({1e3 * min(them):.1f})   {other / mine:.0f} times as fast; aim {AIM:g}"
        )


if __name__ == "__main__":
    main()
