"""Connection rules, by PyNN's names: who is connected to whom, as a rule and never as a list of 3e8 pairs.

Rows are made per source neuron, on demand, by `neurohw.kernels.rows`; here stands what each rule means and what can be said
of it without making a single synapse.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput


@dataclass(frozen=True)
class AllToAll:
    """Every source to every target."""

    allow_self_connections: bool = True


@dataclass(frozen=True)
class OneToOne:
    """Source i to target i, as far as both exist."""


@dataclass(frozen=True)
class FixedProbability:
    """Every pair independently with probability `p_connect`."""

    p_connect: float
    allow_self_connections: bool = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.p_connect <= 1.0:
            raise BadInput(f"FixedProbability: p_connect {self.p_connect} lies outside [0, 1]")


@dataclass(frozen=True)
class FixedTotalNumber:
    """`n` synapses, source and target of each drawn uniformly with replacement (multapses allowed)."""

    n: int
    allow_self_connections: bool = True

    def __post_init__(self) -> None:
        _natural("FixedTotalNumber", self.n)


@dataclass(frozen=True)
class FixedNumberPost:
    """Every source to `n` different targets."""

    n: int
    allow_self_connections: bool = True

    def __post_init__(self) -> None:
        _natural("FixedNumberPost", self.n)


@dataclass(frozen=True)
class FixedNumberPre:
    """Every target from `n` different sources."""

    n: int
    allow_self_connections: bool = True

    def __post_init__(self) -> None:
        _natural("FixedNumberPre", self.n)


@dataclass(frozen=True, eq=False)
class FromList:
    """Exactly the pairs (pre[k], post[k]). Weights and delays given as arrays of the projection follow the same order."""

    pre: NDArray[np.int64]
    post: NDArray[np.int64]

    def __post_init__(self) -> None:
        for side in ("pre", "post"):
            given = np.asarray(getattr(self, side))
            if given.size and not np.issubdtype(given.dtype, np.integer):
                raise BadInput(f"FromList: {side} must hold whole numbers, got {given.dtype}")
            object.__setattr__(self, side, given.astype(np.int64).ravel())
        if self.pre.shape != self.post.shape:
            raise BadInput(f"FromList: {self.pre.size} sources but {self.post.size} targets")


Rule = AllToAll | OneToOne | FixedProbability | FixedTotalNumber | FixedNumberPost | FixedNumberPre | FromList


def check(rule: Rule, n_pre: int, n_post: int, recurrent: bool) -> list[str]:
    """What is impossible about this rule between populations of these sizes."""
    if isinstance(rule, FromList):
        return [
            f"FromList: {side} index {int(bad[0])} lies outside 0..{n - 1}"
            for side, given, n in (("pre", rule.pre, n_pre), ("post", rule.post, n_post))
            if (bad := given[(given < 0) | (given >= n)]).size
        ]
    if isinstance(rule, FixedNumberPre | FixedNumberPost):
        pool = n_pre if isinstance(rule, FixedNumberPre) else n_post
        pool -= recurrent and not rule.allow_self_connections
        if rule.n > pool:
            return [f"{type(rule).__name__}: n = {rule.n} exceeds the {pool} neurons there are to choose from"]
    if isinstance(rule, FixedTotalNumber) and rule.n and n_post == 1 and recurrent and not rule.allow_self_connections:
        return [f"FixedTotalNumber: n = {rule.n}, but a single neuron has no other to connect to"]
    return []


def expected_synapses(rule: Rule, n_pre: int, n_post: int, recurrent: bool) -> float:
    """The expected number of synapses; exact for all rules but FixedProbability."""
    pairs = n_pre * n_post
    if recurrent and not getattr(rule, "allow_self_connections", True):
        pairs -= min(n_pre, n_post)
    match rule:
        case AllToAll():
            return pairs
        case OneToOne():
            return min(n_pre, n_post)
        case FixedProbability():
            return rule.p_connect * pairs
        case FixedTotalNumber():
            return rule.n
        case FixedNumberPost():
            return rule.n * n_pre
        case FixedNumberPre():
            return rule.n * n_post
        case FromList():
            return rule.pre.size


def _natural(name: str, n: int) -> None:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
        raise BadInput(f"{name}: n must be a whole number >= 0, got {n!r}")
