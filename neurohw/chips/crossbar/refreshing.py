"""Refresh: pairs that are full on both sides are RESET and given their difference again.

A SET pulse only adds, so training pushes both arms of a pair upwards, until one is full and the pair can no longer follow.
"""

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.crossbar.devices import Bench
from neurohw.chips.crossbar.state import Devices

Indices = NDArray[np.int64]
Values = NDArray[np.float64]


def saturated(arms: Values, limit: float) -> NDArray[np.bool_]:
    """Which pairs are to be refreshed, from one read of both arms (uS): max(G+, G-) > limit and |G+ - G-| < limit / 4.

    Source: Demirag et al. 2021 (arXiv:2108.01804).
    """
    return (np.maximum(arms[0], arms[1]) > limit) & (np.abs(arms[0] - arms[1]) < 0.25 * limit)


def reset_and_rewrite(bench: Bench, d: Devices, places: Indices, difference: Values, address: str, age: float) -> None:
    """RESET both arms, then int(|difference| / pulse_step) SET pulses on the arm of its sign; nobody looks at the result.

    As published. The first pulses after a RESET add more than the mean step, so differences come out too large.
    Source: Demirag et al. 2021.
    """
    counts = (np.abs(difference) / bench.step + 1e-9).astype(np.int64)
    for arm, sign in ((0, 1.0), (1, -1.0)):
        bench.reset(d, arm, places, address, age)
        bench.pulses(d, arm, places, np.where(sign * difference > 0, counts, 0), address, age)


def reset_and_verify(bench: Bench, d: Devices, places: Indices, difference: Values, address: str, age: float) -> None:
    """RESET both arms, then pulses and noisy reads until the arm of the sign is within half a step of the difference."""
    wanted = np.clip(difference, -bench.g_max * bench.n, bench.g_max * bench.n)
    for arm, sign in ((0, 1.0), (1, -1.0)):
        carries = sign * wanted > 0
        bench.program(d, arm, places[carries], sign * wanted[carries], address, age)
        bench.reset(d, arm, places[~carries], address, age)


POLICIES = {"reset_and_rewrite": reset_and_rewrite, "reset_and_verify": reset_and_verify}
