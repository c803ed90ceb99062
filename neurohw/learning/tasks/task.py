"""What a task is: samples by number, each a pure function of (seed, number), so that any batch can be made again."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from neurohw.learning.batch import Batch


@runtime_checkable
class Task(Protocol):
    """inputs: input population -> neurons. outputs: readout neurons. steps: of a sample.

    A task that has not as many samples as one likes says in `size` how many.
    """

    @property
    def inputs(self) -> Mapping[str, int]: ...

    @property
    def outputs(self) -> int: ...

    @property
    def steps(self) -> int: ...

    @property
    def dt(self) -> float: ...

    def batch(self, first: int, n: int, seed: int = 0) -> Batch:
        """The samples first..first+n-1 of the stream `seed`."""
