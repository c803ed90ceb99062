"""The set-ups of NEST's regression tests of e-prop, drawn as they draw them: NumPy's legacy generator, in this order.

No input spikes in step 0 of a sequence: NEST would not deliver it.
"""

import numpy as np
from numpy.typing import NDArray

from neurohw.learning.tasks import evidence
from neurohw.study.eprop_cases import Arrays, BatchConfig, OnlineConfig


def sines(rng: np.random.RandomState, steps: int, periods: list[int]) -> NDArray[np.float64]:
    """The target of pattern generation, amplitudes drawn first; (steps, 1). Periods beyond `steps` give 0.

        y*(t) = sum_i A_i sin(g_i(t)),   A_i uniform in 0.5..2,   phi_i uniform in 0..2 pi;   less y*(0), divided by max |y*|

    g_i leads from phi_i to phi_i + 2 pi (steps // period_i) in equal steps, both ends included.
    Source: Bellec et al., Nat. Commun. 11:3625 (2020), and their published code.
    """
    amplitudes, phases = rng.uniform(0.5, 2.0, len(periods)), rng.uniform(0.0, 2 * np.pi, len(periods))
    y = np.zeros(steps)
    for a, phi, period in zip(amplitudes, phases, periods, strict=True):
        y += a * np.sin(np.linspace(phi, 2 * np.pi * (steps // period) + phi, steps))
    y -= y[0]
    largest = np.abs(y).max()
    return (y / largest if largest > 0 else y)[:, None]


def regression(c: BatchConfig, n_iter: int) -> Arrays:
    """One frozen input and one target for all iterations."""
    rng = np.random.RandomState(c.seed)
    found = _recurrent(rng, c.n_in, c.n_rec)
    found["W_out0"] = _float32(rng.randn(c.n_rec, c.n_out).T / np.sqrt(c.n_rec))
    found["B"] = _float32(rng.randn(c.n_rec, c.n_out) / np.sqrt(c.n_rec))
    x = rng.rand(c.T, c.n_in) < c.p_in
    x[0] = False
    return found | {"X": np.repeat(x[None], n_iter, 0), "Y": sines(rng, c.T, c.periods)}


def classification(c: BatchConfig, n_iter: int) -> Arrays:
    """Evidence accumulation, drawn anew for each iteration."""
    rng = np.random.RandomState(c.seed)
    found = _recurrent(rng, c.n_in, c.n_rec)
    limit = np.sqrt(3.0 / max(1.0, (c.n_rec + c.n_out) / 2.0))
    found["W_out0"] = _float32(rng.uniform(-limit, limit, (c.n_rec, c.n_out)).T)
    found["B"] = _float32(rng.randn(c.n_rec, c.n_out))
    timing = evidence.Timing(c.n_cues, c.cue, c.spacing, c.T - c.n_cues * (c.cue + c.spacing) - c.recall, c.recall)
    drawn = [evidence.draw(rng, c.batch, c.n_in, timing, c.prob_group, c.p_in) for _ in range(n_iter)]
    labels = np.concatenate([labels for _, labels in drawn])
    x = np.concatenate([x for x, _ in drawn])
    x[:, 0] = False
    return found | {"X": x, "Y": np.eye(c.n_out)[labels]}


def continuous(c: OnlineConfig, n_iter: int) -> Arrays:
    """One run; the input and target of an iteration are repeated."""
    rng = np.random.RandomState(c.seed)
    scale = 1.0 if "psc_delta" in c.model else 0.03
    found = _recurrent(rng, c.n_in, c.n_rec, scale)
    found["W_out0"] = _float32(_float32(rng.randn(c.n_rec, c.n_out).T / np.sqrt(c.n_rec)) * 0.03)
    b = _float32(rng.randn(c.n_rec, c.n_out) / np.sqrt(c.n_rec))
    found["B"] = _float32(b / 0.03 if "psc_delta" in c.model else b * 0.03)
    x = rng.rand(c.T, c.n_in) < c.p_in
    return found | {"X": np.tile(x, (n_iter, 1))[None], "Y": np.tile(sines(rng, c.T, c.periods), (n_iter, 1))}


def _recurrent(rng: np.random.RandomState, n_in: int, n_rec: int, scale: float = 1.0) -> Arrays:
    w_in = _float32(rng.randn(n_in, n_rec).T / np.sqrt(n_in))
    w_rec = _float32(rng.randn(n_rec, n_rec).T / np.sqrt(n_rec))
    np.fill_diagonal(w_rec, 0.0)
    return {"W_in0": _float32(w_in * scale), "W_rec0": _float32(w_rec * scale)}


def _float32(values: NDArray) -> NDArray:
    return values.astype(np.float32)
