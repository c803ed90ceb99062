"""Recorded runs of e-prop: `NAME.json` (parameters, losses) and `NAME.npz` (inputs, spikes, readouts, weights).

Two families, told apart by the key `model`. Without it, sequences of T steps from rest, and weights that change after every
`batch` of them (the form "2020"); with it, one continuous run whose weights change on the way (the form "online").
Matrices are [post, pre], B is [hidden, outputs]; X and z are bits (`NAME_bits`, `NAME_shape`); weights are as of the
end of the iterations `weight_iters`, or of the run.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from neurohw.errors import BadInput
from neurohw.learning.surrogate import SHAPES
from neurohw.schema import Described
from neurohw.study.trace_files import read_arrays

Count = Annotated[int, Field(strict=True, ge=1, le=2**20)]
Steps = Annotated[int, Field(strict=True, ge=0, le=2**20)]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e12, le=1e12)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0, le=1e12)]
MOST = 1 << 28
"""Numbers in one array of a case."""


class Config(Described):
    """What both families have; keys that only tell how inputs were drawn are read and not used."""

    seed: int
    n_in: Count
    n_out: Count
    T: Count
    n_iter: Count
    tau_out: Positive
    tau_m: Positive
    v_th: Positive
    height: Positive
    width: Positive
    surrogate: Literal["piecewise_linear", "exponential", "fast_sigmoid_derivative", "arctan_derivative"]
    t_ref: Steps
    c_reg: Number
    f_target: Number
    optimizer: Literal["gradient_descent", "adam"]
    eta: Positive
    feedback: Literal["random", "symmetric"] = "random"
    p_in: Number = 0.0
    periods: list[Count] = Field(default=[])
    quiet: Steps = 0


class BatchConfig(Config):
    """Sequences from rest."""

    task: Literal["regression", "classification"]
    loss: str
    n_reg: Steps
    n_ad: Steps
    tau_a: Positive
    beta_a: Number
    regular_rec: bool
    regular_out: bool
    learning_window: Count
    average_gradient: bool
    batch: Count
    eps: Positive
    n_cues: Steps = 0
    prob_group: Number = 0.0
    cue: Steps = 0
    spacing: Steps = 0
    recall: Steps = 0

    @property
    def n_rec(self) -> int:
        return self.n_reg + self.n_ad


class OnlineConfig(Config):
    """One continuous run. An adaptive model without its numbers has those of NEST's defaults."""

    model: Literal["eprop_iaf", "eprop_iaf_adapt", "eprop_iaf_psc_delta", "eprop_iaf_psc_delta_adapt"]
    n_rec: Count
    kappa: Number
    kappa_reg: Number
    each_step: bool
    cutoff: Positive
    beta_a: Number = 1.0
    tau_a: Positive = 10.0
    v_reset: Number = 0.0


class Case(Described):
    """The JSON file. The last three are labels."""

    config: BatchConfig | OnlineConfig
    loss: list[Number]
    trace_neurons: list[Steps] | None = None
    numpy_ref_check: Any = None
    nest: str = ""
    mean_rate_hz: Number = 0.0


assert set(Config.model_fields["surrogate"].annotation.__args__) == set(SHAPES)  # type: ignore[union-attr]

Arrays = dict[str, NDArray[Any]]


def read(path: Path, case: Case) -> Arrays:
    """The arrays of a case, checked against its sizes; spikes as booleans. Raises BadInput."""
    c, batches = case.config, isinstance(case.config, BatchConfig)
    sequences, traced = (c.n_iter * c.batch, None) if isinstance(c, BatchConfig) else (1, case.trace_neurons)
    steps = c.T if batches else c.T * c.n_iter
    if steps * sequences * max(c.n_in, c.n_rec) > MOST or max(c.n_in, c.n_rec) * c.n_rec > MOST:
        raise BadInput(f"{path}: larger than what is read, {MOST} numbers in one array")
    lead = (sequences, steps) if batches else (steps,)
    weights: dict[str, tuple[int | None, ...]]
    weights = {"W_in": (c.n_rec, c.n_in), "W_rec": (c.n_rec, c.n_rec), "W_out": (c.n_out, c.n_rec)}
    shapes: dict[str, tuple[int | None, ...]] = {f"{name}0": shape for name, shape in weights.items()}
    shapes |= {name: ((None, *shape) if batches else shape) for name, shape in weights.items()}
    shapes |= {"B": (c.n_rec, c.n_out), "readout": (*lead, c.n_out), "loss": (c.n_iter,)}
    shapes |= {"X_shape": (len(lead) + 1,), "z_shape": (len(lead) + 1,)}
    for name, width in (("X", c.n_in), ("z", c.n_rec)):
        shapes[f"{name}_bits"] = (-(-sequences * steps * width // 8),)
    seen: tuple[int, ...] = (steps, c.n_rec if traced is None else len(traced))
    if isinstance(c, BatchConfig):
        optional = dict.fromkeys(("V_m_seq0", "psi_seq0", "adaptation_seq0"), seen)
        shapes |= {"weight_iters": (None,), "Y": (steps if c.task == "regression" else sequences, c.n_out)}
    else:
        optional = {"V_m": seen, "psi": seen, "trace_neurons": (seen[1],)}
        shapes |= {"Y": (steps, c.n_out)}
    found = read_arrays(path.with_suffix(".npz"), shapes, optional)
    for name, width in (("X", c.n_in), ("z", c.n_rec)):
        if tuple(found[f"{name}_shape"]) != (*lead, width):
            raise BadInput(f"{path}: {name}_shape {tuple(found[f'{name}_shape'])} is not {(*lead, width)}")
        bits = np.unpackbits(found.pop(f"{name}_bits"))[: sequences * steps * width]
        found[name] = bits.reshape(sequences, steps, width).astype(bool)
    return found
