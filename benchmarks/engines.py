"""The simulators that the benchmarks set side by side: each builds the same network from the same arrays and runs it.

A worker process holds one engine: `python engines.py ENGINE FOLDER`, where FOLDER holds what `vogels_abbott.py` wrote:
network.npz (connectivity, initial voltages, stimulus) and network.json (parameters). It answers lines of JSON:

    {"do": "build"}                      {"cpu": CPU seconds}
    {"do": "run", "ms": 1000, "spikes": true}   {"cpu": CPU seconds of the run, "rates": [excitatory, inhibitory] (Hz)}
    {"do": "end"}                        {"memory": peak resident MiB}

CPU seconds are those of all threads of the process (user and system). Every engine runs one thread in float64, except
the SpiNNaker chip, which computes in the chip's fixed point.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np


def peak_memory(status: str) -> float:
    """Peak resident MiB from the text of Linux's /proc/self/status (getrusage would inherit the parent's peak)."""
    kilobytes = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "nan")
    return float(kilobytes) / 1024


class Engine:
    """`given`: the arrays and parameters of the folder. `build` makes a network at t = 0, `run` runs it from there."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.given = dict(np.load(folder / "network.npz")) | json.loads((folder / "network.json").read_text())
        self.conductance = self.given["synapses"] == "conductance"

    def build(self) -> None:
        raise NotImplementedError

    def run(self, ms: float) -> tuple[float, list[int]]:
        """(CPU seconds, spikes of the excitatory and of the inhibitory neurons)."""
        raise NotImplementedError

    def memory(self) -> float:
        status = Path("/proc/self/status")
        return peak_memory(status.read_text()) if status.exists() else float("nan")


class Neurohw(Engine):
    """A chip of neurohw. A run is counted whole: reset, stimulus, loop, and the Recording."""

    ideal = False

    def build(self) -> None:
        import neurohw as nh

        g = self.given
        network = nh.networks.vogels_abbott(g["n"], seed=g["seed"], synapses=g["synapses"], delay=g["delay"])
        device = nh.load_device("spinnaker-spin5")
        device = device.ideal() if self.ideal else device
        program = nh.map_network(network, device, dt=g["dt"])
        self.chip = nh.fabricate(device, seed=1)
        self.chip.load(program)

    def run(self, ms: float) -> tuple[float, list[int]]:
        begin = time.process_time()
        recording = self.chip.run(ms, trial=self.given["trial"])
        cpu = time.process_time() - begin
        return cpu, [recording.spikes[name][0].size for name in ("excitatory", "inhibitory")]


class IdealNeurohw(Neurohw):
    ideal = True


class Brian2(Engine):
    """Brian2 as its own examples write it: constants shared by all neurons and synapses, one group, two Synapses.

    Counted is the loop over time steps alone: neither code generation nor set-up.
    """

    target = "numpy"

    def build(self) -> None:
        import brian2 as b2

        b2.prefs.codegen.target = self.target
        if folder := os.environ.get("BENCHMARK_CACHE"):
            b2.prefs.codegen.runtime.cython.cache_dir = folder
        b2.start_scope()
        b2.defaultclock.dt = self.given["dt"] * b2.ms
        self.network = b2.Network(*self._objects(b2))
        if self.target != "cpp_standalone":
            self.network.store()

    def _objects(self, b2):
        g, p = self.given, self.given["parameters"]
        n, n_exc, siemens_or_amp = g["n"], g["n_exc"], b2.usiemens if self.conductance else b2.nA
        constants = {
            "tau_m": p["tau_m"] * b2.ms, "tau_e": p["tau_syn_E"] * b2.ms, "tau_i": p["tau_syn_I"] * b2.ms,
            "c_m": p["cm"] * b2.nF, "v_rest": p["v_rest"] * b2.mV, "v_thresh": p["v_thresh"] * b2.mV,
            "v_reset": p["v_reset"] * b2.mV, "w_exc": g["w_exc"] * siemens_or_amp, "w_inh": g["w_inh"] * siemens_or_amp,
            "w_stimulus": g["w_stimulus"] * siemens_or_amp,
        }  # fmt: skip
        drive, unit = "(x_e + x_i)/c_m", "amp"
        if self.conductance:
            constants |= {"e_e": p["e_rev_E"] * b2.mV, "e_i": p["e_rev_I"] * b2.mV}
            drive, unit = "(x_e*(e_e - v) + x_i*(e_i - v))/c_m", "siemens"
        group = b2.NeuronGroup(
            n,
            f"""dv/dt = (v_rest - v)/tau_m + {drive} : volt (unless refractory)
            dx_e/dt = -x_e/tau_e : {unit}
            dx_i/dt = -x_i/tau_i : {unit}""",
            threshold="v > v_thresh",
            reset="v = v_reset",
            refractory=(p["tau_refrac"] + g["dt"]) * b2.ms,  # Brian2 counts the step of the spike, PyNN does not
            method="exponential_euler" if self.conductance else "exact",
            namespace=constants,
        )
        group.v = g["v"] * b2.mV
        sources = {"exc": group[:n_exc], "inh": group[n_exc:]}
        self.monitors = [b2.SpikeMonitor(sources[name]) for name in ("exc", "inh")]
        if g["stimulus_times"].size:
            times = (g["stimulus_times"] + 0.25 * g["dt"]) * b2.ms
            sources["stimulus"] = b2.SpikeGeneratorGroup(g["n_stimulus"], g["stimulus_indices"], times)
        synapses = []
        for name, source in sources.items():
            receptor = "x_i" if name == "inh" else "x_e"
            made = b2.Synapses(
                source, group, on_pre=f"{receptor} += w_{name}", delay=g["delay"] * b2.ms, namespace=constants
            )
            made.connect(i=g[f"{name}_pre"], j=g[f"{name}_post"])
            synapses.append(made)
        return [group, *synapses, *self.monitors, *([sources["stimulus"]] if "stimulus" in sources else [])]

    def run(self, ms: float) -> tuple[float, list[int]]:
        import brian2 as b2

        self.network.restore()
        clock = []
        self.network.run(ms * b2.ms, report=lambda *_: clock.append(time.process_time()), report_period=1e6 * b2.second)
        return clock[-1] - clock[0], [monitor.num_spikes for monitor in self.monitors]


class Brian2Cython(Brian2):
    target = "cython"


class Brian2Standalone(Brian2):
    """Brian2's C++ program, compiled once for a run of 1 s; its own clock() before and after the loop."""

    target = "cpp_standalone"

    def build(self) -> None:
        import brian2 as b2

        b2.set_device("cpp_standalone", build_on_run=False, directory=None)
        b2.device.reinit()
        b2.device.activate(build_on_run=False, directory=None)
        self.where = self.folder / f"cpp_{os.getpid()}"
        super().build()
        self.ms = self.given["run_ms"]
        keep = 'std::ofstream("results/{}") << {};'
        b2.device.insert_code("before_network_run", "double cpu_before = double(clock())/CLOCKS_PER_SEC;")
        cpu = keep.format("cpu", "double(clock())/CLOCKS_PER_SEC - cpu_before")
        status = keep.format("status", 'std::ifstream("/proc/self/status").rdbuf()')
        counts = [
            keep.format(f"count_{k}", f"brian::_dynamic_array_{monitor.name}_i.size()")
            for k, monitor in enumerate(self.monitors)
        ]
        b2.device.insert_code("after_network_run", "\n".join([cpu, status, *counts]))
        self.network.run(self.ms * b2.ms, report=None)
        b2.device.build(directory=str(self.where), compile=True, run=False, with_output=False)

    def run(self, ms: float) -> tuple[float, list[int]]:
        assert ms == self.ms, "the duration is compiled in"
        subprocess.run([str(self.where / "main")], cwd=self.where, check=True, stdout=subprocess.DEVNULL)
        results = self.where / "results"
        counts = [int((results / f"count_{k}").read_text()) for k in range(2)]
        return float((results / "cpu").read_text()), counts

    def memory(self) -> float:
        return peak_memory((self.where / "results" / "status").read_text())


class Nest(Engine):
    """NEST's own models; iaf_cond_exp is integrated by an adaptive solver. Counted is `Simulate` alone."""

    def build(self) -> None:
        import nest

        nest.set_verbosity("M_ERROR")
        nest.ResetKernel()
        g, p = self.given, self.given["parameters"]
        nest.SetKernelStatus({"resolution": g["dt"], "local_num_threads": 1})
        common = {
            "C_m": p["cm"] * 1e3, "E_L": p["v_rest"], "V_th": p["v_thresh"], "V_reset": p["v_reset"],
            "t_ref": p["tau_refrac"], "tau_syn_ex": p["tau_syn_E"], "tau_syn_in": p["tau_syn_I"],
        }  # fmt: skip
        if self.conductance:
            model, own = "iaf_cond_exp", {"E_ex": p["e_rev_E"], "E_in": p["e_rev_I"], "g_L": p["cm"] / p["tau_m"] * 1e3}
        else:
            model, own = "iaf_psc_exp", {"tau_m": p["tau_m"]}
        neurons = nest.Create(model, g["n"], {**common, **own})
        neurons.V_m = g["v"]
        sources, weights = {"exc": neurons, "inh": neurons}, {"exc": g["w_exc"], "inh": -abs(g["w_inh"])}
        if g["stimulus_times"].size:
            trains = [g["stimulus_times"][g["stimulus_indices"] == k] for k in range(g["n_stimulus"])]
            spikes = [{"spike_times": np.round(t + g["dt"], 6)} for t in trains]  # NEST has the end of the step
            generators = nest.Create("spike_generator", len(spikes), spikes)
            sources["stimulus"], weights["stimulus"] = generators, g["w_stimulus"]
        for name, source in sources.items():
            first = g["n_exc"] if name == "inh" else 0
            pre = np.array(source.tolist())[g[f"{name}_pre"] + first]
            post = np.array(neurons.tolist())[g[f"{name}_post"]]
            per_synapse = {"weight": np.full(pre.size, weights[name] * 1e3), "delay": np.full(pre.size, g["delay"])}
            nest.Connect(pre, post, "one_to_one", per_synapse)
        self.recorders = nest.Create("spike_recorder", 2)
        nest.Connect(neurons[: g["n_exc"]], self.recorders[0])
        nest.Connect(neurons[g["n_exc"] :], self.recorders[1])
        self.fresh = True

    def run(self, ms: float) -> tuple[float, list[int]]:
        import nest

        if not self.fresh:
            self.build()
        begin = time.process_time()
        nest.Simulate(ms)
        cpu, self.fresh = time.process_time() - begin, False
        return cpu, [int(count) for count in self.recorders.n_events]


ENGINES = {
    "neurohw, SpiNNaker": Neurohw,
    "neurohw, ideal": IdealNeurohw,
    "Brian2, C++": Brian2Standalone,
    "Brian2, Cython": Brian2Cython,
    "Brian2, NumPy": Brian2,
    "NEST": Nest,
}


def main(name: str, folder: str) -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # NEST and compilers print
    engine = ENGINES[name](Path(folder))
    sizes = [engine.given["n_exc"], engine.given["n"] - engine.given["n_exc"]]
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "build":
            begin, others = time.process_time(), os.times()
            engine.build()
            after = os.times()
            compilers = after.children_user + after.children_system - others.children_user - others.children_system
            answer = {"cpu": time.process_time() - begin + compilers}
        elif asked["do"] == "run":
            cpu, spikes = engine.run(asked["ms"])
            answer = {"cpu": cpu, "rates": [s / n / asked["ms"] * 1e3 for s, n in zip(spikes, sizes, strict=True)]}
        else:
            answer = {"memory": engine.memory()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
