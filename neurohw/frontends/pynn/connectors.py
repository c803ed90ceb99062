"""PyNN's connectors, with one repair.

Since NumPy 2.1 an array without dimensions has no `nonzero()`, and PyNN up to 0.13 asks for it where the connectivity
mask of a single presynaptic cell comes out of a function of indices or distances. Here every mask is given its
dimension back.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from pyNN import connectors
from pyNN.connectors import (
    CSAConnector,
    FixedNumberPostConnector,
    FixedNumberPreConnector,
    FixedTotalNumberConnector,
    FromFileConnector,
    FromListConnector,
    SmallWorldConnector,
)


class _WithDimension:
    def _standard_connect(self, projection: Any, generator: Callable[..., Any], distance_map: Any = None) -> None:
        def columns(*mask: Any) -> Iterator[Any]:
            for column in generator(*mask):
                yield np.atleast_1d(column) if isinstance(column, np.ndarray | np.bool_) else column

        super()._standard_connect(projection, columns, distance_map)  # type: ignore[misc]


class AllToAllConnector(_WithDimension, connectors.AllToAllConnector):
    __doc__ = connectors.AllToAllConnector.__doc__


class ArrayConnector(_WithDimension, connectors.ArrayConnector):
    __doc__ = connectors.ArrayConnector.__doc__


class CloneConnector(_WithDimension, connectors.CloneConnector):
    __doc__ = connectors.CloneConnector.__doc__


class DisplacementDependentProbabilityConnector(_WithDimension, connectors.DisplacementDependentProbabilityConnector):
    __doc__ = connectors.DisplacementDependentProbabilityConnector.__doc__


class DistanceDependentProbabilityConnector(_WithDimension, connectors.DistanceDependentProbabilityConnector):
    __doc__ = connectors.DistanceDependentProbabilityConnector.__doc__


class FixedProbabilityConnector(_WithDimension, connectors.FixedProbabilityConnector):
    __doc__ = connectors.FixedProbabilityConnector.__doc__


class IndexBasedProbabilityConnector(_WithDimension, connectors.IndexBasedProbabilityConnector):
    __doc__ = connectors.IndexBasedProbabilityConnector.__doc__


class OneToOneConnector(_WithDimension, connectors.OneToOneConnector):
    __doc__ = connectors.OneToOneConnector.__doc__


__all__ = [
    "AllToAllConnector",
    "ArrayConnector",
    "CSAConnector",
    "CloneConnector",
    "DisplacementDependentProbabilityConnector",
    "DistanceDependentProbabilityConnector",
    "FixedNumberPostConnector",
    "FixedNumberPreConnector",
    "FixedProbabilityConnector",
    "FixedTotalNumberConnector",
    "FromFileConnector",
    "FromListConnector",
    "IndexBasedProbabilityConnector",
    "OneToOneConnector",
    "SmallWorldConnector",
]
