"""The cortical microcircuit on emulated SpiNNaker cores beside Brian2 and NEST in one run: memory, build time and speed.

    python benchmarks/microcircuit.py [--scale 0.1] [--repeat 3] [--nest-python PYTHON] [--only ENGINE ...]

Every engine lives in a process of its own and gets the same synapses (source, target, weight, delay), constant currents and
initial voltages; Poisson background is drawn by each engine's own means. Repetitions are interleaved (A B C A B C ...), so
that whatever else the machine does meets all alike; counted are CPU seconds. See benchmarks/README.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
from microcircuit_engines import BRIAN2, DT, ENGINES, NEST, NEUROHW, SEED, TRIAL
from vogels_abbott import THREADS, machine, version

HERE = Path(__file__).parent
AIMS = {BRIAN2: 4.0, NEST: 25.0}
"""How many times faster than these neurohw wants to be, at a scale of 0.1."""
COLUMNS = ("engine", "CPU s per bio s: median", "lowest", "build, CPU s", "bytes per synapse", "peak MiB", "rates, Hz")


def write_network(folder: Path, scale: float, synapses: bool) -> int:
    """What all engines are given, and how many synapses there are. synapses: also as arrays."""
    from neurohw.kernels.rows import rows
    from neurohw.networks.microcircuit import K_EXTERNAL, NEURON, POPULATIONS, WEIGHT, microcircuit

    network = microcircuit(scale, seed=SEED)
    sizes = [network.populations[name].size for name in POPULATIONS]
    first = dict(zip(POPULATIONS, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
    recurrent = [p for p in network.projections.values() if p.source in first]
    plain = {
        "scale": scale, "names": POPULATIONS, "sizes": sizes, "neuron": NEURON, "background_weight": WEIGHT / scale**0.5,
        "background": [(round(k * scale), k * scale / round(k * scale) * 8.0) for k in K_EXTERNAL.tolist()],
    }  # fmt: skip
    (folder / "network.json").write_text(json.dumps(plain))
    arrays = {
        "first": np.cumsum([0, *sizes]),
        "v": np.concatenate([network.initial(name, "v", TRIAL) for name in POPULATIONS]),
        "i_offset": np.concatenate([network.parameter(name, "i_offset") for name in POPULATIONS]),
    }
    if synapses:
        parts = []
        for p in recurrent:
            made = rows(network, p)
            step = np.maximum(np.floor(made.delays / DT + 0.5 + 1e-9), 1).astype(np.int16)
            pre, post = made.sources + first[p.source], made.targets + first[p.target]
            parts.append((pre.astype(np.int32), post.astype(np.int32), made.weights, step))
        columns = dict(
            zip(("pre", "post", "weight", "step"), map(np.concatenate, zip(*parts, strict=True)), strict=True)
        )
        order = np.argsort(columns["pre"], kind="stable")
        arrays |= {name: column[order] for name, column in columns.items()}
    np.savez(folder / "network.npz", **arrays)
    return round(sum(network.expected_synapses(p.name) for p in recurrent))


class Worker:
    """An engine in a process of its own. `ask` sends one line and waits for its answer."""

    def __init__(self, python: str, engine: str, folder: Path, ms: float):
        environment = {**os.environ, **THREADS, "PYTHONPATH": str(HERE.parent), "PYTHONWARNINGS": "ignore"}
        command = [python, str(HERE / "microcircuit_engines.py"), engine, str(folder), str(ms)]
        self.log = open(folder / f"log {engine}", "a")  # noqa: SIM115 - as long as the process
        self.process = subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log
        )

    def ask(self, what: str) -> dict:
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the engine stopped; it printed:\n{Path(self.log.name).read_text()[-2000:]}")
        return json.loads(answer)


def report(found: dict[str, dict], synapses: int, scale: float) -> None:
    print(f"\n### scale {scale:g}: {synapses:,} synapses between neurons\n")
    print(f"| {' | '.join(COLUMNS)} |")
    print("|---" * len(COLUMNS) + "|")
    for name, f in found.items():
        rates = " ".join(f"{rate:.2f}" for rate in f["rates"])
        print(
            f"| {name} | {statistics.median(f['loop']):.3f} | {min(f['loop']):.3f} | {f['build']:.2f} "
            f"| {f['memory'] * 2**20 / synapses:.1f} | {f['peak']:.0f} | {rates} |"
        )
    ours = found.get(NEUROHW)
    if ours is None:
        return
    print(f"\n- neurohw's synapse table: {ours['table']:.2f} bytes per synapse; the aim is 4.5 at most")
    for theirs, aim in AIMS.items():
        if theirs in found:
            other = found[theirs]
            median, least = (pick(other["loop"]) / pick(ours["loop"]) for pick in (statistics.median, min))
            print(
                f"- {median:.1f} times faster than {theirs} by medians, {least:.1f} by the lowest (aim {aim:g}); built "
                f"{other['build'] / ours['build']:.0f} times faster, in {other['memory'] / ours['memory']:.2g} times less memory"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--ms", type=float, default=1000.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--nest-python", default=sys.executable, help="the Python that has NEST, if another")
    parser.add_argument("--only", nargs="*", default=list(ENGINES), choices=list(ENGINES), metavar="ENGINE")
    given = parser.parse_args()
    pythons = {name: given.nest_python if name == NEST else sys.executable for name in given.only}
    installed = {"numba": sys.executable, "brian2": sys.executable, "nest-simulator": given.nest_python}
    versions = {package: version(python, package) for package, python in installed.items()}
    print(f"{date.today()}: {machine()}")
    print(", ".join(f"{package} {found or 'not installed'}" for package, found in versions.items()))
    if versions["nest-simulator"] is None:
        pythons.pop(NEST, None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synapses = write_network(folder, given.scale, synapses=set(pythons) != {NEUROHW})
        found: dict[str, dict] = {engine: {"loop": []} for engine in pythons}
        workers = {engine: Worker(python, engine, folder, given.ms) for engine, python in pythons.items()}
        for engine, worker in workers.items():
            found[engine] |= {("build" if key == "cpu" else key): value for key, value in worker.ask("build").items()}
        for number in range(given.repeat + 1):
            print(f"repetition {number} of {given.repeat}", file=sys.stderr)
            for engine, worker in workers.items():
                answer = worker.ask("run")
                if number:  # the first holds the transient of the initial state
                    found[engine]["loop"].append(answer["cpu"])
                    found[engine]["rates"] = answer["rates"]
        for engine, worker in workers.items():
            found[engine] |= worker.ask("end")
            worker.process.stdin.close()
            worker.process.wait()
        report(found, synapses, given.scale)


if __name__ == "__main__":
    main()
