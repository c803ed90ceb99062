"""Recorded e-prop, held against ours: spikes to the bit, membranes, readouts, losses and weights to rounding.

Tolerance: 1e-9 absolute, relative for losses, ten thousand times the rounding that is found and far below any error of
method. Two things are known of recorders that commit weights when a spike comes to a synapse (NEST does): recurrent and
readout weights of a continuous run may have been committed by a spike after its last step, by up to a few updates; and in
sequences whose inputs spike in their first steps the last step of the sequence before is missed, about 1e-6. What is
allowed for these is in `weight_tolerance`, what was found in the words that a verification says of itself.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.schema import validate
from neurohw.study import eprop_cases, eprop_replay
from neurohw.study.eprop_cases import Arrays, BatchConfig, Case, OnlineConfig
from neurohw.study.verification import Difference, Verification

TOLERANCE = 1e-9
COMMITTED = {"gradient_descent": 1e-3, "adam": 1e-2}
MISSED = 1e-5
QUIET = 3
"""Steps at the beginning of a sequence; without input in them no recorder's weights miss anything."""


def is_case(data: Any) -> bool:
    """Is this JSON meant to be a recorded run of e-prop?"""
    return (
        isinstance(data, Mapping)
        and isinstance(data.get("config"), Mapping)
        and "loss" in data
        and "surrogate" in data["config"]
    )


def verify_case(path: Path, data: Mapping[str, Any]) -> Verification:
    """Hold `path` (read as `data`) and the arrays beside it against ours; raises BadInput."""
    case = validate(Case, data, str(path))
    arrays, c = eprop_cases.read(path, case), case.config
    if isinstance(c, BatchConfig):
        found, steps = list(_batches(case, c, arrays)), c.n_iter * c.batch * c.T
        about = f"2020 form, {c.task}, {c.n_iter} iterations"
    else:
        found, steps = list(_continuous(case, c, arrays)), c.n_iter * c.T
        about = f"online form, {c.model}, {steps} steps"
    about += f", {c.n_in} inputs, {c.n_rec} neurons, {int(arrays['z'].sum())} spikes"
    off = [one for one in found if isinstance(one, float)]
    differences = [one for one in found if isinstance(one, Difference)]
    about += f"; weights within {max(off, default=0.0):.1e}"
    return Verification(path, "e-prop", about, steps, differences[0] if differences else None)


def weight_tolerance(c: BatchConfig | OnlineConfig, arrays: Arrays) -> dict[str, float]:
    """How far each matrix of a recorded run may be off, by what its recorder is known to do."""
    if isinstance(c, OnlineConfig):
        return {"W_in": TOLERANCE, "W_rec": COMMITTED[c.optimizer], "W_out": COMMITTED[c.optimizer]}
    misses = arrays["X"][1:, :QUIET].any()
    return dict.fromkeys(("W_in", "W_rec", "W_out"), MISSED if misses else TOLERANCE)


def _batches(case: Case, c: BatchConfig, arrays: Arrays) -> Iterator[Difference | float]:
    allowed, kept = weight_tolerance(c, arrays), [int(k) for k in arrays["weight_iters"]]
    for k, one in enumerate(eprop_replay.batches(c, arrays)):
        which = slice(k * c.batch, (k + 1) * c.batch)
        yield from _spikes(arrays["z"][which], one.found.z, k * c.batch)
        if k == 0:
            traces = {"V_m_seq0": one.found.v[0], "psi_seq0": one.found.psi[0]}
            if one.found.a.shape[1]:
                cells = eprop_replay.rule_of(c).cells
                traces["adaptation_seq0"] = one.found.a[0] / cells.rho * (cells.beta > 0)
            for name, ours in traces.items():
                if name in arrays:
                    yield from _differ(name, arrays[name], ours, TOLERANCE)
        yield from _differ(f"readout of iteration {k + 1}", arrays["readout"][which], one.readout, TOLERANCE)
        if abs(one.loss - case.loss[k]) > TOLERANCE * abs(case.loss[k]):
            yield Difference(f"loss of iteration {k + 1}", case.loss[k], one.loss)
        if k + 1 in kept:
            for name, ours in one.weights.items():
                recorded = arrays[name][kept.index(k + 1)]
                yield float(np.abs(recorded - ours).max())
                yield from _differ(f"{name} after iteration {k + 1}", recorded, ours, allowed[name])


def _continuous(case: Case, c: OnlineConfig, arrays: Arrays) -> Iterator[Difference | float]:
    found = eprop_replay.continuous(c, arrays)
    yield from _spikes(arrays["z"], found.z, 0)
    which = slice(None) if case.trace_neurons is None else case.trace_neurons
    for name, ours in (("V_m", found.v[0]), ("psi", found.psi[0])):
        if name in arrays:
            yield from _differ(name, arrays[name], ours[:, which], TOLERANCE)
    yield from _differ("readout", arrays["readout"], found.y[0], TOLERANCE)
    errors = found.y[0] - arrays["Y"]
    for k, loss in enumerate((errors**2).reshape(c.n_iter, -1).sum(axis=1) / 2 / c.n_out):
        if abs(loss - case.loss[k]) > TOLERANCE * abs(case.loss[k]):
            yield Difference(f"loss of iteration {k + 1}", case.loss[k], float(loss))
    for (name, tolerance), ours in zip(weight_tolerance(c, arrays).items(), found.weights, strict=True):
        yield float(np.abs(arrays[name] - ours.T).max())
        yield from _differ(name, arrays[name], ours.T, tolerance)


def _spikes(recorded: NDArray, ours: NDArray, first: int) -> Iterator[Difference]:
    """The first step in which other neurons spike."""
    places = np.argwhere(recorded != ours)
    if len(places):
        s, t, i = (int(k) for k in places[0])
        yield Difference(f"spike (sequence {first + s})", int(recorded[s, t, i]), int(ours[s, t, i]), i, t)


def _differ(name: str, recorded: NDArray, ours: NDArray, tolerance: float) -> Iterator[Difference]:
    """The first number beyond the tolerance; NaN is beyond any."""
    off = ~(np.abs(recorded - ours) <= tolerance)
    if off.any():
        place = tuple(int(k) for k in np.argwhere(off)[0])
        yield Difference(f"{name}[{', '.join(map(str, place))}]", float(recorded[place]), float(ours[place]))
