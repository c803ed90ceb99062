"""When the weights of a run are taken from the trajectories of their devices: at its beginning, and when they have moved."""

from typing import Any

import numpy as np

from neurohw.chips.crossbar.reader import FROZEN
from neurohw.kernels.fluctuations import BAND, SHORTEST

DRIFT_TOLERANCE = 0.05
"""The weights of a run are taken from the trajectories again when ln(t/t0) of some device has moved by this much: by
then a conductance is off by less than 0.05 nu, that is 0.2 to 0.7 % for the exponents of phase-change memory."""


def look(chip: Any, t: int) -> int:
    """Take the weights from the trajectories where they have moved too far; returns the step to look again at."""
    age, stretch, devices = chip.origin_age + t * chip.loaded.dt, t // _stretch(chip), chip.devices
    now = chip.bench.log_times(devices, age)
    if chip.refreshed is None or chip.refreshed.size != now.size or stretch != chip.noticed:
        stale, chip.refreshed, chip.noticed = np.ones(now.size, bool), now.copy(), stretch
    else:
        stale = now - chip.refreshed > DRIFT_TOLERANCE
    if stale.any():
        old = stale[devices.epoch].any(axis=0)
        places = np.flatnonzero(old) if not old.all() else np.arange(old.size)
        chip.refreshed[stale] = now[stale]
        chip.array.refresh(chip.bench, devices, places, age, chip.weights, chip.arms)
        chip.fresh_at = age if old.all() else None
        chip.done["refreshes"] += 1
    return min(_next(chip, t), (stretch + 1) * _stretch(chip))


def _stretch(chip: Any) -> int:
    """The steps that 1/f noise is taken to stand still for."""
    return max(1, round(SHORTEST * BAND**FROZEN / chip.loaded.dt)) if chip.bench.flickers else 2**62


def _next(chip: Any, t: int) -> int:
    drift = chip.bench.drift
    if drift is None or not chip.devices.times:
        return 2**62
    ages = drift.t0 * np.exp(chip.refreshed[:-1] + DRIFT_TOLERANCE) - drift.offset + np.array(chip.devices.times)
    return max(t + 1, int((ages.min() - chip.origin_age) / chip.loaded.dt) + 1)
