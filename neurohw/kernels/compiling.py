"""How hot loops are compiled: one thread, cached, and with the promise that the array arguments do not overlap."""

from numba import njit
from numba.core.compiler import CompilerBase, DefaultPassBuilder


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
