"""How hot loops are compiled: one thread, cached, and with the promise that the array arguments do not overlap."""

from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_process_triple
from numba import njit, types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array
from numpy.typing import DTypeLike, NDArray

CACHE_LINE = 64


class NoAlias(CompilerBase):
    """Numba's pipeline with LLVM's `noalias` on array arguments, so that loops over many arrays vectorize.

    The promise must hold: never pass overlapping views to a function compiled by `step_kernel`.
    """

    def define_pipelines(self):
        self.state.flags.noalias = True
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


def step_kernel(function):
    """Compile a per-step loop over neurons: `for i in range(v.shape[0])` over separate one-dimensional arrays."""
    return njit(cache=True, pipeline_class=NoAlias, error_model="numpy")(function)


def at(values, i):
    """The value of neuron i: of an array, or of one number that all share. So one loop serves both, compiled apart."""
    return values[i] if isinstance(values, np.ndarray) else values


@overload(at)
def _at(values, i):
    if isinstance(values, types.Array):
        return lambda values, i: values[i]
    return lambda values, i: values


def part(values, first, last):
    """Of an array the slice first:last, of one number that all share the number."""
    return values[first:last] if isinstance(values, np.ndarray) else values


@overload(part)
def _part(values, first, last):
    if isinstance(values, types.Array):
        return lambda values, first, last: values[first:last]
    return lambda values, first, last: values


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """Zeros that begin at a cache line: wide loads and stores that straddle two lines take a third longer."""
    n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(n_bytes + CACHE_LINE, np.uint8)
    first = -raw.ctypes.data % CACHE_LINE
    return raw[first : first + n_bytes].view(dtype).reshape(shape)


PREFETCH = "llvm.prefetch.p0"


@intrinsic
def prefetch(typing_context, array, index):
    """Ask for the cache line of array[index], one-dimensional and contiguous, ahead of its use; beyond the end does no harm."""

    def generate(context, builder, signature, arguments):
        data = make_array(signature.args[0])(context, builder, arguments[0]).data
        number, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        function = builder.module.globals.get(PREFETCH)
        if function is None:
            kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
            function = ir.Function(builder.module, kind, PREFETCH)
        place = builder.bitcast(builder.gep(data, [arguments[1]]), pointer)
        builder.call(function, [place, number(0), number(3), number(1)])  # to read, keep in all caches, data
        return context.get_dummy_value()

    return types.void(array, index), generate


HIGH_WORD = "llvm.umul.fix.i32"


@intrinsic
def high_word(typing_context, a, b):
    """The upper 32 bits of the product of two uint32: loops that take it thus stay 32 bits wide, twice as many a pass."""

    def generate(context, builder, signature, arguments):
        word, wide = ir.IntType(32), ir.IntType(64)
        if not get_process_triple().startswith("x86"):
            product = builder.mul(*(builder.zext(one, wide) for one in arguments))
            return builder.trunc(builder.lshr(product, wide(32)), word)
        function = builder.module.globals.get(HIGH_WORD)
        if function is None:
            function = ir.Function(builder.module, ir.FunctionType(word, [word, word, word]), HIGH_WORD)
        return builder.call(function, [*arguments, word(32)])

    return types.uint32(types.uint32, types.uint32), generate
