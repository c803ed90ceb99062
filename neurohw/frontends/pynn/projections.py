"""Projection: every connection that a PyNN connector drew, as arrays; one entry per synapse."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import common
from pyNN.parameters import ParameterSpace
from pyNN.space import Space

from neurohw.frontends.pynn import simulator
from neurohw.frontends.pynn.synapses import StaticSynapse


class Connection(common.Connection):
    """One synapse of a projection; its attributes (weight, delay, ...) can be read and set."""

    projection: "Projection"
    number: int

    def __init__(self, projection: "Projection", number: int):
        object.__setattr__(self, "projection", projection)
        object.__setattr__(self, "number", number)

    @property
    def presynaptic_index(self) -> int:
        return int(self.projection.pre_indices[self.number])

    @property
    def postsynaptic_index(self) -> int:
        return int(self.projection.post_indices[self.number])

    def __getattr__(self, name: str) -> float:
        values = object.__getattribute__(self, "projection").values
        if name not in values:
            raise AttributeError(f"a connection has no {name!r}; it has {', '.join(values)}")
        return float(values[name][self.number])

    def __setattr__(self, name: str, value: float) -> None:
        if name not in self.projection.values:
            raise AttributeError(f"a connection has no {name!r}; it has {', '.join(self.projection.values)}")
        self.projection.values[name][self.number] = value
        self.projection.before = None
        simulator.state.changed()

    def as_tuple(self, *names: str) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in names)


class Projection(common.Projection):
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse

    def __init__(
        self,
        presynaptic_neurons: Any,
        postsynaptic_neurons: Any,
        connector: Any,
        synapse_type: Any = None,
        source: str | None = None,
        receptor_type: str | None = None,
        space: Space | None = None,
        label: str | None = None,
    ):
        super().__init__(
            presynaptic_neurons,
            postsynaptic_neurons,
            connector,
            synapse_type,
            source,
            receptor_type,
            space or Space(),
            label,
        )
        self.parts: dict[str, NDArray[np.int64]] = {}
        """neurohw's projections that this one was made into -> which connections, in the order of the rows there."""
        self.before: NDArray[np.float64] | None = None
        """The weights before they learned, for reset()."""
        self._drawn: list[tuple[NDArray[np.int64], int, dict[str, Any]]] = []
        connector.connect(self)
        self._finish()
        simulator.state.projections.append(self)
        simulator.state.changed()

    def _convergent_connect(
        self, presynaptic_indices: Any, postsynaptic_index: int, location_selector: Any = None, **parameters: Any
    ) -> None:
        """Called by the connector for one target at a time; the arrays are made once, at the end."""
        if location_selector is not None:
            raise NotImplementedError("neurohw has point neurons only; leave location_selector out")
        self._drawn.append(
            (np.atleast_1d(np.asarray(presynaptic_indices, np.int64)), int(postsynaptic_index), parameters)
        )

    def _finish(self) -> None:
        drawn, self._drawn = self._drawn, []
        counts = [pre.size for pre, _, _ in drawn]
        self.pre_indices = np.concatenate([np.empty(0, np.int64), *(pre for pre, _, _ in drawn)])
        self.post_indices = np.repeat(np.array([post for _, post, _ in drawn], np.int64), counts)
        self.values: dict[str, NDArray[np.float64]] = {}
        for name in self.synapse_type.get_native_names():
            each = (np.broadcast_to(np.asarray(p[name], float), n) for (_, _, p), n in zip(drawn, counts, strict=True))
            self.values[name] = np.concatenate([np.empty(0), *each])

    def __len__(self) -> int:
        return int(self.pre_indices.size)

    def __getitem__(self, number: int) -> Connection:
        if not -len(self) <= number < len(self):
            raise IndexError(f"connection {number}; there are {len(self)}")
        return Connection(self, number % len(self))

    @property
    def connections(self) -> list[Connection]:
        """Every connection as an object; for whole arrays use get() and set()."""
        return [Connection(self, number) for number in range(len(self))]

    def _set_attributes(self, parameter_space: ParameterSpace) -> None:
        self.before = None
        for name, given in parameter_space.items():
            if given.is_homogeneous:
                self.values[name][:] = given.evaluate(simplify=True)
            else:
                self.values[name][:] = given.evaluate(simplify=False)[self.pre_indices, self.post_indices]
        simulator.state.changed()

    def _columns(self, names: Any) -> list[NDArray[Any]]:
        addresses = {"presynaptic_index": self.pre_indices, "postsynaptic_index": self.post_indices}
        return [addresses[name] if name in addresses else self.values[name] for name in names]

    def _get_attributes_as_list(self, names: Any) -> list[tuple[Any, ...]]:
        return list(zip(*(column.tolist() for column in self._columns(names)), strict=True))

    def _get_attributes_as_arrays(self, names: Any, multiple_synapses: str = "sum") -> list[NDArray[np.float64]]:
        matrices, where = [], (self.pre_indices, self.post_indices)
        combine = {"sum": (np.add, 0.0), "min": (np.minimum, np.inf), "max": (np.maximum, -np.inf)}
        for values in self._columns(names):
            matrix = np.full(self.shape, np.nan)
            if multiple_synapses in combine:
                function, neutral = combine[multiple_synapses]
                matrix[where] = neutral
                function.at(matrix, where, values)
            else:  # an assignment keeps the last of several values
                order = np.arange(len(self))
                order = order[::-1].copy() if multiple_synapses == "first" else order
                matrix[where[0][order], where[1][order]] = values[order]
            matrices.append(matrix)
        return matrices
