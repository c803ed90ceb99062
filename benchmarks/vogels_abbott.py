"""Vogels-Abbott, 4000 neurons: neurohw's chips beside Brian2 and NEST in one run, as CPU seconds per biological second.

    python benchmarks/vogels_abbott.py [--repeat 7] [--nest-python PYTHON] [--only ENGINE]

Every engine lives in a process of its own and gets the same connectivity, delays, initial voltages and stimulus spikes.
Repetitions are interleaved (A B C A B C ...), so that whatever else the machine does meets all alike; the CPU time of a
process, unlike the time on the wall, does not count waiting for a core. See benchmarks/README.md.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np

from neurohw.kernels.rows import rows
from neurohw.kernels.stimulus import poisson_spikes
from neurohw.networks import vogels_abbott
from neurohw.networks.vogels_abbott import MODELS

HERE = Path(__file__).parent
ENGINES = ["neurohw, SpiNNaker", "neurohw, ideal", "Brian2, C++", "Brian2, Cython", "Brian2, NumPy", "NEST"]
N, SEED, TRIAL, DT, DELAY = 4000, 1, 0, 0.1, 0.2
START_MS, RUN_MS = 10.0, 1000.0
COLUMNS = (
    "engine", "CPU s per bio s: median", "lowest", "rate exc / inh, Hz", "build, s", "first 10 ms cold / warm, s",
    "peak MiB",
)  # fmt: skip
AIM = {"current": 3.0, "conductance": 1.5}
"""How many times faster than Brian2's C++ loop neurohw wants to be."""
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def write_network(folder: Path, synapses: str, run_ms: float) -> None:
    """What all engines are given. Connectivity is that of neurohw's rows, in presynaptic order."""
    network = vogels_abbott(N, seed=SEED, synapses=synapses, delay=DELAY)
    populations = network.neurons
    first, n_exc = {"excitatory": 0, "inhibitory": populations["excitatory"].size}, populations["excitatory"].size
    arrays = {"v": np.concatenate([network.initial(name, "v", TRIAL) for name in populations])}
    for name, source in (("exc", "excitatory"), ("inh", "inhibitory"), ("stimulus", "stimulus")):
        parts = [(rows(network, p), first[p.target]) for p in network.projections.values() if p.source == source]
        pre = np.concatenate([part.sources for part, _ in parts]) if parts else np.empty(0, np.int64)
        post = np.concatenate([part.targets + begin for part, begin in parts]) if parts else np.empty(0, np.int64)
        order = np.lexsort((post, pre))
        arrays[f"{name}_pre"], arrays[f"{name}_post"] = pre[order], post[order]
    at, who = np.empty(0, np.int64), np.empty(0, np.int64)
    if "stimulus" in network.populations:
        at, who = poisson_spikes(network, "stimulus", TRIAL, 0.0, run_ms)
    _, keep = np.unique(np.stack((at, who)), axis=1, return_index=True)  # Brian2 takes one spike a source and step
    arrays["stimulus_times"], arrays["stimulus_indices"] = at[keep] * network.numerics.stimulus_grid, who[keep]
    _, _, w_exc, w_inh = MODELS[synapses]
    w_stimulus = network.projections["stimulus to excitatory"].weight if "stimulus" in network.populations else 0.0
    plain = {
        "synapses": synapses, "n": N, "n_exc": n_exc, "n_stimulus": 20, "seed": SEED, "trial": TRIAL, "dt": DT,
        "delay": DELAY, "run_ms": run_ms, "w_exc": w_exc, "w_inh": w_inh, "w_stimulus": w_stimulus,
        "parameters": dict(populations["excitatory"].parameters),
    }  # fmt: skip
    folder.mkdir()
    np.savez(folder / "network.npz", **arrays)
    (folder / "network.json").write_text(json.dumps(plain))


class Worker:
    """An engine in a process of its own. `ask` sends one line and waits for its answer."""

    def __init__(self, python: str, engine: str, folder: Path, cache: Path):
        environment = {
            **os.environ, **THREADS, "NUMBA_CACHE_DIR": str(cache), "BENCHMARK_CACHE": str(cache),
            "PYTHONPATH": str(HERE.parent), "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        self.log = open(folder / "log", "a")  # noqa: SIM115 - closed by `end`
        self.process = subprocess.Popen(
            [python, str(HERE / "engines.py"), engine, str(folder)], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
        )  # fmt: skip

    def ask(self, **what: object) -> dict:
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the engine stopped; it printed:\n{Path(self.log.name).read_text()[-2000:]}")
        return json.loads(answer)

    def end(self) -> float:
        """Close; the CPU seconds of the whole process and of the compilers that it started."""
        self.process.stdin.close()
        _, _, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        self.process.stdout.close()
        self.log.close()
        return usage.ru_utime + usage.ru_stime


def first_run(python: str, engine: str, folder: Path, cache: Path) -> float:
    """CPU seconds from nothing to 10 ms of biology, in a fresh process: imports, build, compilation, run."""
    worker = Worker(python, engine, folder, cache)
    worker.ask(do="build")
    worker.ask(do="run", ms=START_MS)
    return worker.end()


def measure(synapses: str, engines: dict[str, str], repeat: int, folder: Path) -> dict[str, dict]:
    """engine -> figures, for one of the two networks."""
    short, full = folder / f"{synapses} start", folder / synapses
    write_network(short, synapses, START_MS)
    write_network(full, synapses, RUN_MS)
    found: dict[str, dict] = {name: {"loop": []} for name in engines}
    workers = {}
    for name, python in engines.items():
        cache = folder / f"cache {synapses} {name}"
        cache.mkdir()
        found[name]["cold"] = first_run(python, name, short, cache)
        found[name]["warm"] = first_run(python, name, short, cache)
        workers[name] = Worker(python, name, full, cache)
        found[name]["build"] = min(workers[name].ask(do="build")["cpu"] for _ in range(1 if "C++" in name else 3))
        workers[name].ask(do="run", ms=RUN_MS)
    for number in range(repeat):
        print(f"{synapses}: repetition {number + 1} of {repeat}", file=sys.stderr)
        for name, worker in workers.items():
            answer = worker.ask(do="run", ms=RUN_MS)
            found[name]["loop"].append(answer["cpu"])
            found[name]["rates"] = answer["rates"]
    for name, worker in workers.items():
        found[name]["memory"] = worker.ask(do="end")["memory"]
        worker.end()
    return found


def report(synapses: str, found: dict[str, dict], repeat: int) -> None:
    """The table of one network, and the ratios."""
    print(f"\n### {synapses}-based network, {repeat} interleaved runs of 1 s\n")
    print(f"| {' | '.join(COLUMNS)} |")
    print("|---" * len(COLUMNS) + "|")
    for name, f in found.items():
        rates = " / ".join(f"{rate:.1f}" for rate in f["rates"])
        print(
            f"| {name} | {statistics.median(f['loop']):.3f} | {min(f['loop']):.3f} | {rates} | {f['build']:.2f} "
            f"| {f['cold']:.1f} / {f['warm']:.1f} | {f['memory']:.0f} |"
        )
    print()
    for ours in (name for name in found if name.startswith("neurohw")):
        for theirs in (name for name in found if not name.startswith("neurohw")):
            slow, fast = found[theirs]["loop"], found[ours]["loop"]
            median, least = (pick(slow) / pick(fast) for pick in (statistics.median, min))
            aim = f"; the aim is {AIM[synapses]:g}" if theirs == "Brian2, C++" else ""
            print(f"- {ours}: {median:.1f} times faster than {theirs} by medians, {least:.1f} by the lowest{aim}")


def machine() -> str:
    """Processor and cores of this computer, without its name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}{load}"


def version(python: str, package: str) -> str | None:
    """The installed version of a package, or None."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    asked = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--nest-python", default=sys.executable, help="the Python that has NEST, if another")
    parser.add_argument("--only", nargs="*", default=ENGINES, choices=ENGINES, metavar="ENGINE")
    given = parser.parse_args()
    engines = {name: given.nest_python if name == "NEST" else sys.executable for name in given.only}
    versions = {"numba": sys.executable, "brian2": sys.executable, "nest-simulator": given.nest_python}
    installed = {package: version(python, package) for package, python in versions.items()}
    print(f"{date.today()}: {machine()}")
    print(", ".join(f"{package} {found or 'not installed'}" for package, found in installed.items()))
    if installed["nest-simulator"] is None:
        engines.pop("NEST", None)
    with tempfile.TemporaryDirectory() as folder:
        for synapses in AIM:
            report(synapses, measure(synapses, engines, given.repeat, Path(folder)), given.repeat)


if __name__ == "__main__":
    main()
