"""Synaptic rows: the targets, weights and delays of each source, made from the rule on demand, a block of sources at a time.

Every draw is addressed by (network seed, projection, source, k-th synapse of that source), so a row is the same whichever
rows are made with it, in which order, and for which chip.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neurohw import connections, rng
from neurohw.connections import Rule
from neurohw.distributions import Distribution, sample
from neurohw.kernels import draws
from neurohw.kernels.noise import uniform
from neurohw.network import Network, Projection

BLOCK_SYNAPSES = 200_000
"""Synapses made at a time: few enough to stay in cache."""
WHOLE = (connections.FixedNumberPre, connections.FromList)
"""Rules that go through all their synapses for the rows of any source; they are cut into longer blocks."""
LONGER = 8


@dataclass(frozen=True, eq=False)
class Rows:
    """The synapses of the sources first..last-1 of one projection, source-major.

    starts: (last - first + 1,), the synapses of source first + i are starts[i]:starts[i + 1].
    targets: index in the target population. weights: network units. delays: ms.
    """

    first: int
    starts: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float64]
    delays: NDArray[np.float64]

    @property
    def sources(self) -> NDArray[np.int64]:
        """The source of every synapse."""
        return self.first + np.repeat(np.arange(self.starts.size - 1), np.diff(self.starts))


def rows(network: Network, projection: Projection, first: int = 0, last: int | None = None) -> Rows:
    """The rows of the sources first..last-1 (default: all) of a projection."""
    n_pre, n_post = network.populations[projection.source].size, network.populations[projection.target].size
    last = n_pre if last is None else last
    stream = rng.key(network.seed, f"{projection.name}/connectivity")
    skip_self = projection.source == projection.target and not getattr(projection.rule, "allow_self_connections", True)
    starts, targets, order = _targets(projection.rule, stream, n_pre, n_post, first, last, skip_self)
    addresses: list[NDArray[np.int64]] = []

    def drawn(value, address):
        key = rng.key(network.seed, f"{projection.name}/{address}")
        if not isinstance(value, Distribution):
            return sample(value, key, order)
        if not addresses:
            addresses.append(_addresses(starts, first))
        return draws.sample(value, key, addresses[0])

    return Rows(first, starts, targets, drawn(projection.weight, "weight"), drawn(projection.delay, "delay"))


def sources_at_a_time(projections: Sequence[Projection], per_source: float) -> int:
    """How many sources, with so many synapses each of all these projections, make a block."""
    longer = LONGER if any(isinstance(p.rule, WHOLE) for p in projections) else 1
    return int(longer * BLOCK_SYNAPSES / (per_source + 1)) + 1


def blocks(network: Network, projection: Projection) -> Iterator[Rows]:
    """All rows of a projection, in blocks of about BLOCK_SYNAPSES synapses."""
    n_pre = network.populations[projection.source].size
    step = sources_at_a_time([projection], network.expected_synapses(projection.name) / n_pre)
    if isinstance(projection.rule, connections.FixedNumberPre):
        step = n_pre
    for first in range(0, n_pre, step):
        yield rows(network, projection, first, min(first + step, n_pre))


def _targets(rule: Rule, stream: np.uint64, n_pre: int, n_post: int, first: int, last: int, skip_self: bool):
    """(starts, targets, place in the rule's own order) of the sources first..last-1."""
    match rule:
        case connections.AllToAll():
            starts, targets = _all_to_all(first, last, n_post, skip_self)
            return starts, targets, np.arange(first * n_post, first * n_post + targets.size)
        case connections.OneToOne():
            sources = np.arange(first, last)
            targets = sources[sources < min(n_pre, n_post)]
            return _starts((sources < min(n_pre, n_post)).astype(np.int64)), targets, targets
        case connections.FixedProbability():
            starts, targets = _bernoulli(stream, rule.p_connect, first, last, n_post, skip_self)
        case connections.FixedTotalNumber():
            starts = _starts(_shared_out(int(stream), rule.n, n_pre)[first:last])
            targets = _with_replacement(stream, starts, first, n_post, skip_self)
        case connections.FixedNumberPost():
            starts, targets = _choose(stream, rule.n, first, last, n_post, skip_self)
        case connections.FixedNumberPre():
            starts_by_target, chosen = _choose(stream, rule.n, 0, n_post, n_pre, skip_self)
            target_of = np.repeat(np.arange(n_post), np.diff(starts_by_target))
            order = np.argsort(chosen, kind="stable")
            order = order[(chosen[order] >= first) & (chosen[order] < last)]
            starts = _starts(np.bincount(chosen[order] - first, minlength=last - first))
            return starts, target_of[order], order
        case connections.FromList():
            chosen = np.flatnonzero((rule.pre >= first) & (rule.pre < last))
            order = chosen[np.argsort(rule.pre[chosen], kind="stable")]
            starts = _starts(np.bincount(rule.pre[order] - first, minlength=last - first))
            return starts, rule.post[order], order
    return starts, targets, np.arange(targets.size)


@lru_cache(maxsize=64)
def _shared_out(stream: int, n: int, n_pre: int) -> NDArray[np.int64]:
    """How many of n synapses fall to each source: a multinomial draw, kept since it is that of all blocks."""
    return rng.generator(rng.subkey(np.uint64(stream), "counts")).multinomial(n, np.full(n_pre, 1 / n_pre))


@njit(cache=True)
def _addresses(starts, first):
    """(source << 32) | k of the k-th synapse of each source."""
    found = np.empty(starts[-1], np.int64)
    for row in range(starts.size - 1):
        mine, base = found[starts[row] : starts[row + 1]], np.int64(first + row) << 32
        for k in range(mine.shape[0]):
            mine[k] = base | k
    return found


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))


@njit(cache=True)
def _all_to_all(first, last, n_post, skip_self):
    starts = np.zeros(last - first + 1, np.int64)
    targets = np.empty((last - first) * n_post, np.int64)
    n = 0
    for source in range(first, last):
        for target in range(n_post):
            if not (skip_self and target == source):
                targets[n] = target
                n += 1
        starts[source - first + 1] = n
    return starts, targets[:n]


@njit(cache=True)
def _bernoulli(key, p, first, last, n_post, skip_self):
    """Every pair with probability p: the gaps between successes are geometric, floor(ln(1 - u) / ln(1 - p))."""
    starts = np.zeros(last - first + 1, np.int64)
    if p == 0.0:
        return starts, np.empty(0, np.int64)
    scale = 0.0 if p >= 1.0 else 1.0 / np.log1p(-p)
    capacity = int((last - first) * (n_post * p + 6.0 * np.sqrt(n_post * p * (1.0 - p)) + 16.0))
    targets = np.empty(capacity, np.int64)
    n = 0
    for source in range(first, last):
        base = np.int64(source) << 32
        target, draw = np.int64(-1), 0
        while True:
            gap = np.log1p(-uniform(key, base | draw)) * scale
            draw += 1
            if gap >= n_post:
                break
            target += 1 + np.int64(gap)
            if target >= n_post:
                break
            if skip_self and target == source:
                continue
            if n == targets.size:
                targets = np.concatenate((targets, np.empty(n_post + targets.size // 4, np.int64)))
            targets[n] = target
            n += 1
        starts[source - first + 1] = n
    return starts, targets[:n].copy()


@njit(cache=True)
def _with_replacement(key, starts, first, n_post, skip_self):
    targets = np.empty(starts[-1], np.int64)
    pool = n_post - 1 if skip_self else n_post
    for row in range(starts.size - 1):
        source = first + row
        base = np.int64(source) << 32
        mine = targets[starts[row] : starts[row + 1]]
        for k in range(mine.shape[0]):
            target = np.int64(uniform(key, base | k) * pool)
            mine[k] = target + 1 if skip_self and target >= source else target
    return targets


@njit(cache=True)
def _choose(key, n, first, last, pool, skip_self):
    """n different members of 0..pool-1 for each of first..last-1: selection sampling (Knuth, TAOCP 2, 3.4.2, algorithm S)."""
    starts = np.arange(0, (last - first + 1)) * n
    chosen = np.empty((last - first) * n, np.int64)
    for row in range(last - first):
        me = first + row
        base = np.int64(me) << 32
        remaining = pool - 1 if skip_self and me < pool else pool
        needed, k = n, starts[row]
        for candidate in range(pool):
            if skip_self and candidate == me:
                continue
            if uniform(key, base | candidate) * remaining < needed:
                chosen[k] = candidate
                k += 1
                needed -= 1
            remaining -= 1
            if needed == 0:
                break
    return starts, chosen
