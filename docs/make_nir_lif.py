"""Write mappings/nir_lif.nir: the single-neuron experiment of the NIR paper, Input(1) -> Affine -> LIF -> Output.

    python docs/make_nir_lif.py [PATH]

LIF: tau = 2.5 ms, r = 1, v_leak = 0, v_threshold = 0.1; weight 1, bias 0; rows of 0.1 ms. With input spikes in ROWS_IN
it spikes in ROWS_OUT, as the exact solution, Norse, snnTorch, Nengo and SpiNNaker2 do (Lava and Loihi: one row later).
The input rows also stand in the file, as metadata of the Input node.
Source: Pedersen et al., Nat. Commun. 15 (2024) 8122; github.com/neuromorphs/NIR, paper/01_lif.
"""

import sys
from pathlib import Path

import nir
import numpy as np

DT = 1e-4  # s
# fmt: off
ROWS_IN = (
    60, 220, 270, 310, 320, 350, 370, 400, 410, 430, 440, 450, 460, 470, 480, 490, 500, 510,
    520, 530, 670, 680, 690, 700, 710, 720, 730, 740, 750, 760, 770, 780, 840, 850,
)
# fmt: on
ROWS_OUT = (460, 510, 710, 760)


def graph() -> nir.NIRGraph:
    """The graph; numbers in s and NIR's dimensionless voltage."""
    one, nothing = np.ones(1), np.zeros(1)
    size = np.array([1])
    given = {"spike_rows": np.array(ROWS_IN), "dt": DT}
    return nir.NIRGraph(
        nodes={
            "input": nir.Input(input_type={"input": size}, metadata=given),
            "affine": nir.Affine(weight=np.ones((1, 1)), bias=nothing),
            "lif": nir.LIF(tau=2.5e-3 * one, r=one, v_leak=nothing, v_threshold=0.1 * one, v_reset=nothing),
            "output": nir.Output(output_type={"output": size}),
        },
        edges=[("input", "affine"), ("affine", "lif"), ("lif", "output")],
    )


if __name__ == "__main__":
    default = Path(__file__).resolve().parent.parent / "mappings" / "nir_lif.nir"
    nir.write(sys.argv[1] if len(sys.argv) > 1 else default, graph())
