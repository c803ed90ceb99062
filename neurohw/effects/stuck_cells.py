"""stuck_cells: some devices of an array cannot be programmed and stay at one conductance, high or low."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number

Share = Annotated[Number, In("", at_least=0, at_most=1)]


class StuckCells(Effect):
    """A device is stuck at SET with the probability `stuck_at_set`, at RESET with `stuck_at_reset`; drawn at fabrication.

    Whatever is done to a stuck device, it holds `g_set` or `g_reset` (uS) and does not drift; its reads are as noisy as
    those of others. If the two shares exceed 1 together, those at SET come first.
    """

    name: ClassVar[str] = "stuck_cells"
    paper: ClassVar[str] = "Chen et al., IEEE Trans. Comput. 64, 180 (2015): stuck-at faults of memristive arrays"
    stuck_at_set: Share
    stuck_at_reset: Share
    g_set: Annotated[Number, In("uS", at_least=0)]
    g_reset: Annotated[Number, In("uS", at_least=0)]

    def held(self, key: np.uint64, devices: NDArray[np.int64], n: int = 1) -> NDArray[np.float64]:
        """The conductance (uS) of each stuck device, -1 where it is sound. n: devices that share the arm's g_set."""
        u = rng.uniform(key, devices)
        low = u < float(self.stuck_at_set) + float(self.stuck_at_reset)
        return np.where(u < self.stuck_at_set, self.g_set / n, np.where(low, self.g_reset / n, -1.0))
