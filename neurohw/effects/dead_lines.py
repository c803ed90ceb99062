"""dead_lines: a row whose driver, or a column whose converter, does not work takes all its cells with it."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.effects.effect import Effect
from neurohw.schema import In, Number


class DeadLines(Effect):
    """Each row of each tile is dead with probability `dead_rows`, each column with `dead_columns`, independently.

    A dead line carries no current: its cells can be programmed and are never seen. Fixed for the life of the specimen.
    """

    name: ClassVar[str] = "dead_lines"
    paper: ClassVar[str] = (
        "Liu et al., DAC 2017, doi:10.1145/3061639.3062310 (faults of whole lines beside single cells)"
    )
    dead_rows: Annotated[Number, In("", at_least=0, at_most=1)]
    dead_columns: Annotated[Number, In("", at_least=0, at_most=1)]

    def alive(self, kind: str, stream: np.uint64, lines: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which lines work; kind: "rows" or "columns"; their numbers on the chip are the counters of the draws."""
        return rng.uniform(rng.subkey(stream, kind), lines) >= (self.dead_rows if kind == "rows" else self.dead_columns)
