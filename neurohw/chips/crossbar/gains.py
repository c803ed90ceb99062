"""The digital factors behind the columns of a crossbar chip, one per receptor and neuron, as codes."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput

NAMES = {"gain_excitatory": 0, "gain_inhibitory": 1}
ONE, TOP = 4096, 65535
"""The code that stands for a factor of 1, and the largest."""


def changed(
    gains: NDArray[np.float64], n_neurons: int, mine: slice, population: str, codes: Mapping[str, NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(receptors, neurons): the gains, with those of a population's neurons set to codes / ONE; empty stands for all 1.

    Raises BadInput for codes that there are not.
    """
    size = mine.stop - mine.start
    for name, given in codes.items():
        values = np.asarray(given)
        if name not in NAMES:
            raise BadInput(f"configure {population!r}: no parameter code {name!r}; there are {', '.join(NAMES)}")
        whole = np.issubdtype(values.dtype, np.integer) and values.shape in ((), (size,))
        if not whole or (values < 0).any() or (values > TOP).any():
            raise BadInput(f"configure {population!r}: {name} takes {size} whole numbers in 0..{TOP}")
    found = gains.copy() if gains.size else np.ones((2, n_neurons))
    for name, given in codes.items():
        found[NAMES[name], mine] = np.asarray(given) / ONE
    return found if codes else gains
