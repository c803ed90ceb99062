"""Numbers that hold two samples, or two spike trains, against each other."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput
from neurohw.recording import Recording
from neurohw.study.statistics import Sample, by_neuron

Z95 = 1.96


@dataclass(frozen=True)
class Effect:
    """Cohen's d with its 95 % interval; positive where the chip has more. None where it is not defined."""

    d: float | None = None
    low: float | None = None
    high: float | None = None


def effect_size(reference: Sample, sample: Sample) -> Effect:
    """How far apart two means are, in standard deviations.

    d = (mean(sample) - mean(reference)) / s,   s^2 = ((n-1) s1^2 + (m-1) s2^2) / (n + m - 2)
    95 % interval: d +- 1.96 sqrt((n + m) / (n m) + d^2 / (2 (n + m - 2)))

    Undefined for fewer than two values on a side, or where neither side varies and the means differ.
    Sources: Cohen, Statistical Power Analysis (1988); as the effect_size score of NetworkUnit, with the sign kept.
    """
    n, m = reference.size, sample.size
    if n < 2 or m < 2:
        return Effect()
    shift = float(sample.mean() - reference.mean())
    variance = ((n - 1) * reference.var(ddof=1) + (m - 1) * sample.var(ddof=1)) / (n + m - 2)
    scale = max(abs(float(reference.mean())), abs(float(sample.mean())), 1e-300)
    if np.sqrt(variance) <= 1e-12 * scale:
        return Effect(0.0, 0.0, 0.0) if abs(shift) <= 1e-12 * scale else Effect()
    return interval(shift / float(np.sqrt(variance)), n, m)


def interval(d: float, n: float, m: float) -> Effect:
    """The effect size `d` of samples of n and m values with its 95 % interval."""
    half = Z95 * float(np.sqrt((n + m) / (n * m) + d**2 / (2 * (n + m - 2))))
    return Effect(d, d - half, d + half)


def kolmogorov_smirnov(reference: Sample, sample: Sample) -> tuple[float, float]:
    """The largest gap between two cumulative distributions, and its p-value: (0, 1) for equal samples.

    Where one side has no values at all the gap is 1 (the samples share nothing), where both have none it is 0; p is 1
    then. p is exact for small samples and asymptotic for large ones; with ties (rates are counts) it is conservative.
    """
    from scipy.stats import ks_2samp

    if not reference.size or not sample.size:
        return float(bool(reference.size) != bool(sample.size)), 1.0
    found = ks_2samp(reference, sample, method="asymp" if min(reference.size, sample.size) > 30 else "exact")
    return float(found.statistic), float(found.pvalue)


@dataclass(frozen=True)
class Coincidence:
    """Spikes of a reference found again, one to one, in a recording of the same stimulus.

    window: ms. matched, exact: reference spikes with a partner within the window, and at the same time. by_chance: the
    share that unrelated Poisson neurons of the recording's rates would match. largest_shift: ms, over the neurons with
    as many spikes on both sides, k-th spike to k-th spike; None where there are none.
    """

    window: float
    reference_spikes: int
    recording_spikes: int
    matched: int
    exact: int
    by_chance: float
    largest_shift: float | None

    @property
    def share(self) -> float | None:
        """Matched reference spikes; None where the reference is silent."""
        return self.matched / self.reference_spikes if self.reference_spikes else None

    @property
    def surplus(self) -> int:
        """Spikes of the recording without a partner."""
        return self.recording_spikes - self.matched


def coincidence(
    reference: Recording, recording: Recording, window: float | None = None, population: str | None = None
) -> Coincidence:
    """Match the spikes of the same neurons within `window` (ms; default one step of the coarser recording).

    Each neuron's two trains are walked in order, the earlier unmatched spike dropped when the pair is too far apart;
    for a fixed window this matches as many spikes as any one-to-one matching can. For feed-forward or deterministic
    networks; the spikes of chaotic networks part ways after some hundred ms even between two exact simulators.
    """
    step = max(reference.dt, recording.dt)
    window = step if window is None else float(window)
    if not (np.isfinite(window) and window >= 0):
        raise BadInput(f"window: {window} is not a time in ms >= 0")
    names = [population] if population is not None else [name for name in reference.spikes if name in recording.spikes]
    parts = [_coincidence(reference, recording, name, window) for name in names]
    if not parts:
        raise BadInput("coincidence: the recordings have no population in common")
    return join(parts)


def join(parts: list[Coincidence]) -> Coincidence:
    """Several coincidences (populations, trials) as one."""
    total = sum(p.reference_spikes for p in parts)
    shifts = [p.largest_shift for p in parts if p.largest_shift is not None]
    return Coincidence(
        parts[0].window,
        total,
        sum(p.recording_spikes for p in parts),
        sum(p.matched for p in parts),
        sum(p.exact for p in parts),
        sum(p.by_chance * p.reference_spikes for p in parts) / total if total else 0.0,
        max(shifts, default=None),
    )


def _coincidence(reference: Recording, recording: Recording, name: str, window: float) -> Coincidence:
    for one in (reference, recording):
        if name not in one.spikes:
            raise BadInput(f"population {name!r}: no spikes recorded; there are {', '.join(one.spikes) or 'none'}")
    size = max(reference.sizes[name], recording.sizes[name])
    a, na, ia = by_neuron(reference, name, size)
    b, nb, ib = by_neuron(recording, name, size)
    same = (na == nb) & (na > 0)
    shift = np.abs(a[np.repeat(same, na)] - b[np.repeat(same, nb)])
    chance = 1.0 - np.exp(-2.0 * window * nb / max(recording.duration, 1e-12))
    return Coincidence(
        window,
        a.size,
        b.size,
        _matches(a, na, ia, b, nb, ib, window + 1e-6),
        _matches(a, na, ia, b, nb, ib, 1e-6),
        float((chance * na).sum() / a.size) if a.size else 0.0,
        float(shift.max()) if shift.size else None,
    )


def _matches(a: Sample, na: Any, ia: Any, b: Sample, nb: Any, ib: Any, window: float) -> int:
    """The size of the largest one-to-one matching, all neurons walked side by side."""
    i: NDArray[np.int64] = ia.copy()
    j: NDArray[np.int64] = ib.copy()
    end_i, end_j, matched = ia + na, ib + nb, 0
    going = np.flatnonzero((i < end_i) & (j < end_j))
    while going.size:
        gap = b[j[going]] - a[i[going]]
        matched += int((np.abs(gap) <= window).sum())
        i[going] += gap >= -window  # the reference's spike is used up: matched, or earlier than all that is left
        j[going] += gap <= window
        going = going[(i[going] < end_i[going]) & (j[going] < end_j[going])]
    return matched
