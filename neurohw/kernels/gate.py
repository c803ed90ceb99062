"""A barrier for compiled threads that meet after every step: they spin, and after a while give way to others.

Blocking and waking takes longer than a step. So threads must have a core each: where one has to wait for its turn, all wait.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array
from numpy.typing import NDArray

from neurohw.kernels.compiling import aligned_zeros

SPINS = 20_000
"""Looks at the gate before a thread gives way: some 20 us, more than a step's threads differ by."""
_give_way: Any = types.ExternalFunction("sched_yield", types.int32())


def gate() -> NDArray[np.int64]:
    """A gate that nobody has come to; its number has a cache line of its own."""
    return aligned_zeros((8,), np.int64)


def leave_open(gate: NDArray[np.int64]) -> None:
    """Let everybody pass from now on."""
    gate[0] = 2**62


def _number(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return make_array(signature.args[0])(context, builder, arguments[0]).data


@intrinsic
def _come(typing_context, gate):
    """Add one to the gate's number; whatever was written before can be seen by those who see it."""

    def generate(context, builder, signature, arguments):
        number = _number(context, builder, signature, arguments)
        return builder.atomic_rmw("add", number, ir.IntType(64)(1), "seq_cst")

    return types.int64(gate), generate


@intrinsic
def _come_so_far(typing_context, gate):
    """The gate's number."""

    def generate(context, builder, signature, arguments):
        return builder.load_atomic(_number(context, builder, signature, arguments), "acquire", 8)

    return types.int64(gate), generate


@njit(cache=True)
def meet(gate, n_threads, times):
    """Wait until all threads have come as often as this one, for which it is the times-th time; returns times + 1."""
    _come(gate)
    spins = 0
    while _come_so_far(gate) < times * n_threads:
        spins += 1
        if spins > SPINS:
            _give_way()
    return times + 1
