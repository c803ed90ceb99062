"""Which of the synapses that compete for the same rows a synapse is: the first, the second, ... in the order of its sources."""

import numpy as np
from numba import njit


@njit(cache=True)
def ordinals(order, targets, groups, seen):
    """The ordinal of each synapse among those of the same (target, group); seen[target, group] counts on over calls (uint16).

    order: the order in which synapses are counted. Counting stops at 65,535, which is more than any array of rows can hold.
    """
    found = np.empty(order.size, np.int64)
    for i in order:
        count = seen[targets[i], groups[i]]
        found[i] = count
        if count < np.iinfo(np.uint16).max:
            seen[targets[i], groups[i]] = count + 1
    return found
