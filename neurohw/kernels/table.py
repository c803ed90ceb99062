"""The synapse table: packed rows, bucketed by delay, that a spike's synapses are pulled from at the step they are due.

For each presynaptic neuron one contiguous row; inside it the synapses are grouped into buckets

    bucket = (block * 2 + receptor) * slots + slot        slot: which of the delays in use; block: 65,536 targets each

so that at step t the synapses of a spike of step t - delays[slot] that fall due stand side by side, and the accumulator they
are added to stays in cache. Measured against ring buffers this is 5 to 6 times faster at scale.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw.errors import BadInput, all_reasons

BLOCK = 65_536


@dataclass(frozen=True, eq=False)
class SynapseTable:
    """starts[s] + offsets[s, bucket] is where a bucket of source s begins in `targets` and in every column.

    delays: (slots,), the delay in steps of each slot, ascending. targets: index within the block of 65,536 neurons.
    """

    delays: NDArray[np.int64]
    starts: NDArray[np.int64]
    offsets: NDArray[np.uint32]
    targets: NDArray[np.uint16]
    columns: dict[str, NDArray]
    n_targets: int

    @property
    def n_synapses(self) -> int:
        return self.targets.size

    @property
    def n_bytes(self) -> int:
        own = self.starts.nbytes + self.offsets.nbytes + self.targets.nbytes
        return own + sum(column.nbytes for column in self.columns.values())

    def checked(self) -> "SynapseTable":
        """This table; raises BadInput where a compiled loop would read beyond its end, as that of a file may let it."""
        n_blocks = max(1, -(-self.n_targets // BLOCK))
        buckets, n = n_blocks * 2 * self.delays.size, self.starts.size - 1
        reasons = []
        if self.delays.size == 0 or self.delays.min() < 0 or (np.diff(self.delays) <= 0).any():
            reasons.append("delays must be >= 0 and ascend")
        if self.n_targets < 1 or n < 0 or self.offsets.shape != (n, buckets + 1):
            reasons.append(f"offsets has the shape {self.offsets.shape} instead of {(n, buckets + 1)}")
        elif not _is_packed(self.starts, self.offsets, self.targets, self.n_targets, 2 * self.delays.size):
            reasons.append("rows or targets lie outside the table")
        if sizes := [name for name, column in self.columns.items() if column.shape[:1] != self.targets.shape]:
            reasons.append(f"column {sizes[0]!r} has another length than targets")
        all_reasons(BadInput, "synapse table", reasons)
        return self

    def per_source(self) -> NDArray[np.int64]:
        """Synapses of each source."""
        return self.offsets[:, -1].astype(np.int64)


@njit(cache=True)
def _is_packed(starts, offsets, targets, n_targets, per_block):
    """Whether every bucket lies where the last one ends, and its targets within the neurons of its block."""
    if starts[0] != 0 or starts[-1] != targets.size:
        return False
    for s in range(starts.size - 1):
        if offsets[s, 0] != 0 or starts[s] + np.int64(offsets[s, -1]) != starts[s + 1] or starts[s + 1] > targets.size:
            return False
        for b in range(offsets.shape[1] - 1):
            first, last = starts[s] + np.int64(offsets[s, b]), starts[s] + np.int64(offsets[s, b + 1])
            if not starts[s] <= first <= last <= starts[s + 1]:
                return False
            room = n_targets - b // per_block * BLOCK
            for j in range(first, last):
                if targets[j] >= room:
                    return False
    return True


class TableBuilder:
    """Takes synapses in blocks of consecutive sources and packs them; `columns` names what each synapse carries."""

    def __init__(self, n_sources: int, n_targets: int, delays: NDArray[np.int64], columns: dict[str, np.dtype]):
        self.n_sources, self.n_targets = n_sources, n_targets
        self.delays = np.unique(np.asarray(delays, np.int64))
        self.n_blocks = max(1, -(-n_targets // BLOCK))
        self.n_buckets = self.n_blocks * 2 * self.delays.size
        self._starts = np.zeros(n_sources + 1, np.int64)
        self._offsets = np.zeros((n_sources, self.n_buckets + 1), np.uint32)
        self._columns: dict[str, list[NDArray]] = {name: [] for name in ("targets", *columns)}
        self._dtypes = {"targets": np.dtype(np.uint16), **{name: np.dtype(kind) for name, kind in columns.items()}}
        self._filled = 0

    def append(self, first: int, sources, targets, receptors, delays, **columns: NDArray) -> NDArray[np.int64]:
        """Add all synapses of the sources first..max(sources); blocks must come in ascending order of sources.

        sources, targets: global indices; receptors: 0 or 1; delays: steps. Returns the permutation applied: packed = given[p].
        """
        n_sources = (int(sources.max()) + 1 - first) if sources.size else 0
        slot = np.searchsorted(self.delays, delays)
        bucket = ((targets // BLOCK) * 2 + receptors) * self.delays.size + slot
        order, counts = _bucket_sort(sources - first, bucket, n_sources, self.n_buckets)
        self._starts[first + 1 : first + n_sources + 1] = counts.sum(axis=1)
        self._offsets[first : first + n_sources, 1:] = np.cumsum(counts, axis=1)
        self._columns["targets"].append((targets[order] % BLOCK).astype(np.uint16))
        for name, values in columns.items():
            self._columns[name].append(np.ascontiguousarray(values[order], dtype=self._dtypes[name]))
        return order

    def build(self) -> SynapseTable:
        """The finished table."""
        joined = {}
        for name, kind in self._dtypes.items():
            parts = self._columns[name] or [np.empty(0, kind)]
            joined[name] = np.concatenate(parts)
            parts.clear()
        targets = joined.pop("targets")
        return SynapseTable(self.delays, np.cumsum(self._starts), self._offsets, targets, joined, self.n_targets)


@njit(cache=True)
def _bucket_sort(sources, buckets, n_sources, n_buckets):
    """Stable counting sort by (source, bucket): the order, and the count of every pair."""
    counts = np.zeros((n_sources, n_buckets), np.int64)
    for i in range(sources.size):
        counts[sources[i], buckets[i]] += 1
    place = np.empty((n_sources, n_buckets), np.int64)
    n = 0
    for s in range(n_sources):
        for b in range(n_buckets):
            place[s, b] = n
            n += counts[s, b]
    order = np.empty(sources.size, np.int64)
    for i in range(sources.size):
        s, b = sources[i], buckets[i]
        order[place[s, b]] = i
        place[s, b] += 1
    return order, counts
