"""One network on one thread and on several, in turns: the cortical microcircuit on emulated SpiNNaker cores, time on the wall.

    python benchmarks/threads.py [--scale 1.0] [--ms 20] [--repeat 100] [--threads 2]

Threads meet twice in every step, so they are only worth anything where each has a core. Runs at whose beginning or end another
process could run (/proc/loadavg) are counted apart, as "busy"; before each run it is waited for up to a second for a quiet moment.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import neurohw as nh


def others() -> int:
    """Processes that run or could, besides this one."""
    return int(Path("/proc/loadavg").read_text().split()[3].split("/")[0]) - 1


def wait_for_quiet(seconds: float = 1.0) -> bool:
    end = time.perf_counter() + seconds
    while others() > 0 and time.perf_counter() < end:
        time.sleep(0.01)
    return others() <= 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--ms", type=float, default=20.0)
    parser.add_argument("--repeat", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    network = nh.networks.microcircuit(given.scale, seed=1)
    program = nh.map_network(network, "spinnaker-machine", choices={"neurons_per_core": 128}, dt=0.1)
    chip = nh.fabricate(program.device, seed=1)
    chip.load(program)
    found: dict[tuple[int, bool], list[tuple[float, float]]] = {}
    for repetition in range(-3, given.repeat):
        for n in (1, given.threads):
            chip.threads = n
            quiet = wait_for_quiet()
            wall, cpu = time.perf_counter(), time.process_time()
            chip.run(given.ms, reset=False)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if repetition >= 0:
                found.setdefault((n, quiet and others() <= 0), []).append((wall, cpu))
    print(f"scale {given.scale:g}, runs of {given.ms:g} ms; seconds per biological second")
    for (n, quiet), runs in sorted(found.items()):
        wall, cpu = np.array(runs).T * 1e3 / given.ms
        print(
            f"{n} threads, {'quiet' if quiet else 'busy'}, {len(runs)} runs: wall {wall.min():.3f} lowest, "
            f"{np.median(wall):.3f} median; CPU {cpu.min():.3f} lowest, {np.median(cpu):.3f} median"
        )


if __name__ == "__main__":
    main()
