"""What makes a balanced network uneven on BrainScaleS-1: neuron parameters or weights. About half a minute.

python benchmarks/uneven.py
"""

import numpy as np

from neurohw import networks, workbench
from neurohw.device import load_device

N, BEGIN, END = 2000, 200.0, 1200.0
KEPT = ((), ("weight_noise",), ("mismatch",), ("mismatch", "weight_noise"))


def main() -> None:
    wafer = load_device("brainscales1-wafer").without("synapse_loss", "spike_loss", "weight_resolution")
    network = networks.vogels_abbott(n=N, seed=1)
    for kept in KEPT:
        device = wafer.without(*sorted({"mismatch", "weight_noise"} - set(kept)))
        program = workbench.map_network(network, device)
        for seed in (1, 2):
            recording = workbench.run(program, workbench.fabricate(device, seed), END, trial=seed)
            rates = []
            for name in ("excitatory", "inhibitory"):
                times, who = recording.spikes[name]
                rates.append(np.bincount(who[times > BEGIN], minlength=recording.sizes[name]))
            every = np.concatenate(rates)
            print(
                f"{' and '.join(kept) or 'neither':26} specimen {seed}: {every.mean():5.1f} Hz, CV across neurons "
                f"{every.std() / every.mean():.2f}, silent {100 * (every == 0).mean():.0f} %"
            )


if __name__ == "__main__":
    main()
