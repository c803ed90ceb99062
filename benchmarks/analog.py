"""Many specimens of a BrainScaleS-2 chip: neurohw against one Brian2 run for each, on the same parameters, weights and spikes.

    python benchmarks/analog.py                                  # 200 specimens, 1 s each; Brian2 on 4 of them
    python benchmarks/analog.py --specimens 20 --brian 2

512 neurons, 64 sources onto all and 10 % recurrent inhibition, time step 0.1 ms. neurohw: fabricate, load and run each
specimen, with every effect of the device, and once more without noise in time and converters, which Brian2 does not
compute. Brian2: the network is built once, and for each specimen its parameters and weights are set and it runs, with the
spikes given as arrays; targets NumPy and Cython. And once more with a network built for each specimen, which is what
running a script for each would do (Cython, its code compiled before). CPU seconds of this process, all interleaved;
compiling is not counted on either side.
"""

import argparse
import time

import numpy as np

from neurohw import workbench
from neurohw.connections import AllToAll, FixedProbability
from neurohw.device import load_device
from neurohw.kernels.rows import rows
from neurohw.network import Network

DT, SECONDS, N, SOURCES, RATE = 0.1, 1.0, 512, 64, 50.0
BARE = ("temporal_noise", "configuration_noise", "readout", "spike_loss")


def network(model: str) -> Network:
    draws, n = np.random.default_rng(1), round(SOURCES * RATE * SECONDS)
    steps = np.unique(
        np.stack([draws.integers(0, SOURCES, n), draws.integers(0, round(1e3 * SECONDS / DT), n)]), axis=1
    )
    given = steps[1] * DT, steps[0]
    weight, inhibition = (0.1, -0.03) if model == "IF_curr_exp" else (0.002, 0.001)
    made = Network("specimens").population("cells", N, model, {"tau_refrac": 2.0})
    made = made.population("input", SOURCES, "SpikeSourceArray", spike_times=given)
    made = made.project("input", "cells", AllToAll(), weight, delay=DT, name="in")
    rule = FixedProbability(0.1, False)
    return made.project("cells", "cells", rule, inhibition, delay=DT, receptor="inhibitory", name="within")


class Brian:
    """The same network, its numbers changed from specimen to specimen."""

    def __init__(self, program, target: str):
        import brian2 as b2

        b2.prefs.codegen.target = target
        b2.prefs.logging.file_log = False
        b2.defaultclock.dt = DT * b2.ms
        self.b2, self.target, net = b2, target, program.network
        current = net.populations["cells"].model.name == "IF_curr_exp"
        drive = "(ge + gi)/capacity" if current else "(ge*(e_rev_E - v) + gi*(e_rev_I - v))/capacity"
        unit = "amp" if current else "siemens"
        self.group = b2.NeuronGroup(
            N,
            f"""dv/dt = (v_rest - v)/tau_m + {drive} : volt (unless refractory)
            dge/dt = -ge/tau_syn_E : {unit}
            dgi/dt = -gi/tau_syn_I : {unit}
            tau_m : second (constant)\ntau_syn_E : second (constant)\ntau_syn_I : second (constant)
            v_rest : volt (constant)\nv_reset : volt (constant)\nv_thresh : volt (constant)
            e_rev_E : volt (constant)\ne_rev_I : volt (constant)\ntau_refrac : second (constant)""",
            threshold="v > v_thresh",
            reset="v = v_reset",
            refractory="tau_refrac",
            method="exact" if current else "exponential_euler",
            namespace={"capacity": 1.0 * b2.nF},
        )
        given = net.populations["input"].spike_times
        source = b2.SpikeGeneratorGroup(SOURCES, given.indices, given.times * b2.ms)
        self.synapses, self.lines = {}, {}
        for name, pre, state in (("in", source, "ge"), ("within", self.group, "gi")):
            made = rows(net, net.projections[name])
            self.synapses[name] = b2.Synapses(
                pre, self.group, f"w : {unit}", on_pre=f"{state}_post += w", delay=DT * b2.ms
            )
            self.synapses[name].connect(i=made.sources, j=made.targets)
        self.spikes = b2.SpikeMonitor(self.group)
        self.net = b2.Network(self.group, source, self.spikes, *self.synapses.values())
        self.net.store()

    def run(self, parameters, weights) -> int:
        """One specimen; returns its number of spikes."""
        self.b2.prefs.codegen.target = self.target
        self.net.restore()
        scale = {"tau": 1e-3, "v_r": 1e-3, "v_t": 1e-3, "e_r": 1e-3}
        for name in (
            "tau_m",
            "tau_syn_E",
            "tau_syn_I",
            "v_rest",
            "v_reset",
            "v_thresh",
            "tau_refrac",
            "e_rev_E",
            "e_rev_I",
        ):
            if name in parameters:
                self.group.variables[name].get_value()[:] = parameters[name] * scale[name[:3]]
        self.group.variables["v"].get_value()[:] = -65e-3
        unit = 1e-9 if "e_rev_E" not in parameters else 1e-6
        for name, values in weights.items():
            self.synapses[name].variables["w"].get_value()[:] = values * unit
        self.net.run(SECONDS * self.b2.second)
        return int(self.spikes.num_spikes)


def ours(program, device, seed: int) -> int:
    chip = workbench.fabricate(device, seed)
    chip.load(program)
    return int(chip.run(1e3 * SECONDS).spikes["cells"][0].size)


def built_anew(program, parameters, weights) -> int:
    return Brian(program, "cython").run(parameters, weights)


def timed(call, *arguments):
    begin = time.process_time()
    found = call(*arguments)
    return found, time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specimens", type=int, default=200)
    parser.add_argument("--brian", type=int, default=4, help="specimens that Brian2 runs too, on each target")
    parser.add_argument("--models", nargs="+", default=["IF_curr_exp", "IF_cond_exp"])
    given = parser.parse_args()
    whole = load_device("brainscales2-chip")
    bare = whole.without(*BARE)
    for model in given.models:
        programs = {
            device.title: (workbench.map_network(network(model), device, dt=DT), device) for device in (whole, bare)
        }
        brians = [Brian(programs[bare.title][0], target) for target in ("numpy", "cython")]
        times: dict[str, list[float]] = {name: [] for name in (*programs, "numpy", "cython", "built")}
        counts: dict[str, list[int]] = {name: [] for name in times}
        for program, device in programs.values():
            ours(program, device, 0)  # compiles
        every = max(1, given.specimens // max(1, given.brian))
        for seed in range(given.specimens):
            for name, (program, device) in programs.items():
                count, seconds = timed(ours, program, device, seed)
                times[name].append(seconds)
                counts[name].append(count)
            if seed % every == 0:
                program, device = programs[bare.title]
                chip = workbench.fabricate(device, seed)
                chip.load(program)
                parameters = chip.parameters(program)["cells"]
                weights = {name: chip.weights[chip.places(name)] for name in program.network.projections}
                for brian in brians:
                    if not times[brian.target]:
                        brian.run(parameters, weights)  # compiles
                    count, seconds = timed(brian.run, parameters, weights)
                    times[brian.target].append(seconds)
                    counts[brian.target].append(count)
                count, seconds = timed(built_anew, program, parameters, weights)
                times["built"].append(seconds)
                counts["built"].append(count)
        show(model, given, times, counts, [whole.title, bare.title])


def show(model, given, times, counts, names) -> None:
    best = min(("numpy", "cython"), key=lambda target: float(np.median(times[target])))
    each = float(np.median(times[best]))
    print(f"{model}: {given.specimens} specimens of {N} neurons, {SECONDS:g} s at {DT:g} ms, CPU seconds")
    for target in ("numpy", "cython"):
        print(f"  Brian2, {target:7} {np.median(times[target]):8.3f} s per specimen ({len(times[target])} of them)")
    print(
        f"  Brian2, built anew {float(np.median(times['built'])):7.3f} s per specimen ({len(times['built'])} of them)"
    )
    for name, label in zip(names, ("every effect", "what Brian2 computes"), strict=True):
        total, mean = sum(times[name]), float(np.mean(times[name]))
        print(
            f"  neurohw, {label:21} {mean:8.4f} s per specimen, {total:.1f} s in all: {each / mean:.1f} times faster than the "
            f"better of these, {float(np.median(times['built'])) / mean:.1f} than building anew"
        )
    same = counts[names[1]][:: max(1, given.specimens // max(1, given.brian))][: len(counts[best])]
    print(f"  spikes of the same specimens: neurohw {same}, Brian2 {counts[best]}")


if __name__ == "__main__":
    main()
