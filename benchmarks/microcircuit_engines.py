"""The simulators that benchmarks/microcircuit.py sets side by side; each builds the same network and runs it.

A worker process holds one engine: `python microcircuit_engines.py ENGINE FOLDER MS`, where FOLDER holds what the benchmark
wrote: network.npz (synapses, currents, initial voltages) and network.json (parameters). It answers lines with JSON:

    build    {"cpu": CPU seconds}
    run      {"cpu": CPU seconds per biological second of MS more milliseconds, "rates": of each population (Hz)}
    end      {"memory": MiB that the network took, "peak": peak resident MiB}
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from engines import peak_memory

DT, SEED, TRIAL = 0.1, 1, 0
NEUROHW, BRIAN2, NEST = "neurohw, SpiNNaker", "Brian2, C++", "NEST"


class Engine:
    """`build` makes the network at t = 0; `run` runs `ms` more. What `write_network` wrote is in `given`."""

    def __init__(self, folder: Path, ms: float):
        self.folder, self.ms = folder, ms
        self.plain = json.loads((folder / "network.json").read_text())

    def load(self) -> dict:
        return dict(np.load(self.folder / "network.npz"))

    def build(self) -> None:
        raise NotImplementedError

    def run(self) -> tuple[float, list[int]]:
        """(CPU seconds, spikes of each population)."""
        raise NotImplementedError

    def memory(self) -> float:
        """MiB that the network took at most: peak less what the process had before."""
        return peak_memory(Path("/proc/self/status").read_text())


class Neurohw(Engine):
    """The emulated machine: 128 neurons per core, so that delays fit. Counted: the whole `chip.run`."""

    def build(self) -> None:
        import neurohw as nh

        network = nh.networks.microcircuit(self.plain["scale"], seed=SEED)
        program = nh.map_network(network, "spinnaker-machine", choices={"neurons_per_core": 128}, dt=DT)
        self.table = program.payload.table
        self.chip = nh.fabricate(program.device, seed=1)
        self.chip.load(program)
        self.chip.reset(TRIAL)

    def run(self) -> tuple[float, list[int]]:
        begin = time.process_time()
        recording = self.chip.run(self.ms, trial=TRIAL, reset=False)
        cpu = time.process_time() - begin
        return cpu, [recording.spikes[name][0].size for name in self.plain["names"]]


class Brian2(Engine):
    """A C++ program, as its own examples write it: one group, two Synapses, a PoissonInput for each population.

    Compiled once, with default flags; every run starts anew. Counted: the loop over time steps, by clock() in the program.
    """

    def build(self) -> None:
        import brian2 as b2

        g, p = self.load(), self.plain
        b2.set_device("cpp_standalone", build_on_run=False, directory=None)
        b2.defaultclock.dt = DT * b2.ms
        neuron = p["neuron"]
        group = b2.NeuronGroup(
            int(g["first"][-1]),
            """dv/dt = (v_rest - v)/tau_m + (x_e + x_i + i_0)/c_m : volt (unless refractory)
            dx_e/dt = -x_e/tau_e : amp
            dx_i/dt = -x_i/tau_i : amp
            i_0 : amp (constant)""",
            threshold="v > v_thresh",
            reset="v = v_reset",
            refractory=(neuron["tau_refrac"] + DT) * b2.ms,  # Brian2 counts the step of the spike, PyNN does not
            method="exact",
            namespace={
                "tau_m": neuron["tau_m"] * b2.ms, "tau_e": neuron["tau_syn_E"] * b2.ms, "tau_i": neuron["tau_syn_I"] * b2.ms,
                "c_m": neuron["cm"] * b2.nF, "v_rest": neuron["v_rest"] * b2.mV, "v_thresh": neuron["v_thresh"] * b2.mV,
                "v_reset": neuron["v_reset"] * b2.mV,
            },
        )  # fmt: skip
        group.v, group.i_0 = g["v"] * b2.mV, g["i_offset"] * b2.nA
        objects, inhibitory = [group], g["weight"] < 0
        for variable, mine in (("x_e", ~inhibitory), ("x_i", inhibitory)):
            made = b2.Synapses(group, group, "w : amp", on_pre=f"{variable}_post += w")
            made.connect(i=g["pre"][mine], j=g["post"][mine])
            made.w, made.delay = g["weight"][mine] * b2.nA, g["step"][mine] * DT * b2.ms
            objects.append(made)
        self.monitors = []
        for k, (n, rate) in enumerate(p["background"]):
            mine = group[int(g["first"][k]) : int(g["first"][k + 1])]
            objects.append(b2.PoissonInput(mine, "x_e", n, rate * b2.Hz, p["background_weight"] * b2.nA))
            self.monitors.append(b2.SpikeMonitor(mine, record=True))
        self.where = self.folder / "cpp"
        keep = 'std::ofstream("results/{}") << {};'
        b2.device.insert_code("before_network_run", "double cpu_before = double(clock())/CLOCKS_PER_SEC;")
        cpu = keep.format("cpu", "double(clock())/CLOCKS_PER_SEC - cpu_before")
        status = keep.format("status", 'std::ifstream("/proc/self/status").rdbuf()')
        counts = [
            keep.format(f"count_{k}", f"brian::_dynamic_array_{m.name}_i.size()") for k, m in enumerate(self.monitors)
        ]
        b2.device.insert_code("after_network_run", "\n".join([cpu, status, *counts]))
        b2.Network(*objects, *self.monitors).run(self.ms * b2.ms, report=None)
        b2.device.build(directory=str(self.where), compile=True, run=False, with_output=False)

    def run(self) -> tuple[float, list[int]]:
        subprocess.run([str(self.where / "main")], cwd=self.where, check=True, stdout=subprocess.DEVNULL)
        results = self.where / "results"
        counts = [int((results / f"count_{k}").read_text()) for k in range(len(self.monitors))]
        return float((results / "cpu").read_text()), counts

    def memory(self) -> float:
        return peak_memory((self.where / "results" / "status").read_text())


class Nest(Engine):
    """iaf_psc_exp, static_synapse, a poisson_generator for each population, one thread. Counted: `Simulate`."""

    def build(self) -> None:
        import nest

        nest.set_verbosity("M_ERROR")
        nest.SetKernelStatus({"resolution": DT, "local_num_threads": 1})
        g, p = self.load(), self.plain["neuron"]
        neurons = nest.Create("iaf_psc_exp", int(g["first"][-1]), {
            "C_m": p["cm"] * 1e3, "E_L": p["v_rest"], "V_th": p["v_thresh"], "V_reset": p["v_reset"], "tau_m": p["tau_m"],
            "t_ref": p["tau_refrac"], "tau_syn_ex": p["tau_syn_E"], "tau_syn_in": p["tau_syn_I"],
        })  # fmt: skip
        neurons.V_m, neurons.I_e = g["v"], g["i_offset"] * 1e3
        number = np.array(neurons.tolist())
        each = {"weight": g["weight"] * 1e3, "delay": g["step"] * DT}
        nest.Connect(number[g["pre"]], number[g["post"]], "one_to_one", each)
        drive = {"weight": self.plain["background_weight"] * 1e3, "delay": 1.5}
        self.recorders = nest.Create("spike_recorder", len(self.plain["names"]))
        for k, (n, rate) in enumerate(self.plain["background"]):
            mine = neurons[int(g["first"][k]) : int(g["first"][k + 1])]
            nest.Connect(nest.Create("poisson_generator", 1, {"rate": n * rate}), mine, "all_to_all", drive)
            nest.Connect(mine, self.recorders[k])
        self.seen = np.zeros(len(self.plain["names"]), int)

    def run(self) -> tuple[float, list[int]]:
        import nest

        begin = time.process_time()
        nest.Simulate(self.ms)
        cpu, total = time.process_time() - begin, np.array(self.recorders.n_events)
        counts, self.seen = (total - self.seen).tolist(), total
        return cpu, counts


ENGINES = {NEUROHW: Neurohw, BRIAN2: Brian2, NEST: Nest}


def main(name: str, folder: Path, ms: float) -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # NEST and compilers print
    engine = ENGINES[name](folder, ms)
    if name == NEUROHW:  # compile before anything is counted
        import neurohw as nh

        small = nh.map_network(nh.networks.microcircuit(0.01), "spinnaker-machine", {"neurons_per_core": 128}, dt=DT)
        nh.run(small, nh.fabricate(small.device), 20.0)
    elif name == NEST:
        import nest  # noqa: F401
    before = engine.memory() if name != BRIAN2 else 0.0
    for line in sys.stdin:
        if line.strip() == "build":
            begin, others = time.process_time(), os.times()
            engine.build()
            after = os.times()
            compilers = after.children_user + after.children_system - others.children_user - others.children_system
            answer = {"cpu": time.process_time() - begin + compilers}
            if name == NEUROHW:
                answer["table"] = engine.table.n_bytes / engine.table.n_synapses
        elif line.strip() == "run":
            cpu, spikes = engine.run()
            rates = [1e3 * n / size / ms for n, size in zip(spikes, engine.plain["sizes"], strict=True)]
            answer = {"cpu": cpu / ms * 1e3, "rates": rates}
        else:
            answer = {"memory": engine.memory() - before, "peak": engine.memory()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
