"""Population, PopulationView and Assembly: parameters and initial values as one array per name, one value per cell."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import common, errors
from pyNN.parameters import LazyArray, ParameterSpace, Sequence, simplify

from neurohw.errors import BadInput, DoesNotFit
from neurohw.frontends.pynn import simulator
from neurohw.frontends.pynn.assemble import spike_times
from neurohw.frontends.pynn.recording import Recorder
from neurohw.memory import available_bytes
from neurohw.network import SpikeTimes

BYTES_PER_CELL = 500
"""An ID with its attributes, and the cell's parameters."""


class Assembly(common.Assembly):
    __doc__ = common.Assembly.__doc__
    _simulator = simulator

    @property
    def local_size(self) -> int:
        """What PyNN's connectors ask for when they report progress; its own assemblies lack it."""
        return self.size


class _Cells:
    """Parameters by PyNN's own names; a view works on the arrays of the population at the root of its tree."""

    _assembly_class = Assembly
    _simulator = simulator
    celltype: Any
    size: int

    def _root(self) -> tuple["Population", NDArray[np.int64]]:
        raise NotImplementedError

    def _get_view(self, selector: Any, label: str | None = None) -> "PopulationView":
        return PopulationView(self, selector, label)

    def _get_parameters(self, *names: str) -> ParameterSpace:
        unknown = [name for name in names if name not in self.celltype.translations]
        if unknown:
            known = self.celltype.get_parameter_names()
            raise errors.NonExistentParameterError(unknown[0], type(self.celltype).__name__, known)
        return self.celltype.reverse_translate(self._get_native_parameters(*names))

    def _get_native_parameters(self, *names: str) -> ParameterSpace:
        root, mine = self._root()
        return ParameterSpace({name: simplify(root.parameters[name][mine]) for name in names}, shape=(self.size,))

    def _set_parameters(self, parameter_space: ParameterSpace) -> None:
        parameter_space.evaluate(simplify=False)
        root, mine = self._root()
        for name, values in parameter_space.items():
            _check(name, np.atleast_1d(values))
            if name == "spike_times":
                root.keep_past_spikes()
            root.parameters[name][mine] = values
        simulator.state.changed()

    def _set_initial_value_array(self, variable: str, value: LazyArray) -> None:
        root, mine = self._root()
        if variable not in root.celltype.default_initial_values:
            known = ", ".join(root.celltype.default_initial_values) or "none"
            raise errors.NonExistentParameterError(variable, type(root.celltype).__name__, [known])
        drawn = np.asarray(value.evaluate(simplify=False), dtype=float)
        if not value.is_homogeneous:  # a random value is drawn once: what initial_values tells is what is simulated
            value.base_value, value.operations = drawn, []
        root.initial.setdefault(variable, np.zeros(root.size))[mine] = drawn
        if simulator.state.steps > root.made_at:
            late = f"initialize({variable}=...) at {simulator.state.t:g} ms takes effect at the next reset()"
            warnings.warn(late, stacklevel=3)
        simulator.state.changed()


class PopulationView(_Cells, common.PopulationView):
    __doc__ = common.PopulationView.__doc__

    def _root(self) -> tuple["Population", NDArray[np.int64]]:
        return self.grandparent, self.index_in_grandparent(np.arange(self.size))

    @property
    def initial_values(self) -> dict[str, LazyArray]:
        """The initial values of the cells of this view (a copy)."""
        root, mine = self._root()
        return {name: LazyArray(values[mine], shape=(self.size,)) for name, values in root.initial.items()}


class Population(_Cells, common.Population):
    __doc__ = common.Population.__doc__
    _recorder_class = Recorder

    def _create_cells(self) -> None:
        state = simulator.state
        if self.size < 1:
            raise BadInput(f"population {self.label!r}: size must be a whole number >= 1, got {self.size}")
        if (needed := BYTES_PER_CELL * self.size) > available_bytes() / 2:
            raise DoesNotFit(
                f"population {self.label!r}: {self.size} cells of PyNN take {needed / 2**30:.3g} GiB, more than half "
                f"of the {available_bytes() / 2**30:.3g} GiB that are free; make the population smaller"
            )
        self.all_cells = np.array([simulator.ID(state.id_counter + i) for i in range(self.size)], dtype=object)
        self._mask_local = np.ones(self.size, bool)
        for cell in self.all_cells:
            cell.parent = self
        given = self.celltype.native_parameters
        given.shape = (self.size,)
        given.evaluate(simplify=False)
        self.parameters: dict[str, NDArray[Any]] = {}
        for name, values in given.items():
            _check(name, np.atleast_1d(values))
            self.parameters[name] = np.array(np.broadcast_to(values, self.size))
        self.initial: dict[str, NDArray[np.float64]] = {}
        self.network_name, self.made_at = "", state.steps
        self._past: list[NDArray[np.float64]] = []
        self._times_hold_from = 0.0
        state.id_counter += self.size
        state.populations.append(self)
        state.changed()

    def _root(self) -> tuple["Population", NDArray[np.int64]]:
        return self, np.arange(self.size)

    def restart(self) -> None:
        """Back to time 0: spike times that were replaced in mid-run are gone."""
        self._past, self._times_hold_from, self.made_at = [], 0.0, 0

    def keep_past_spikes(self) -> None:
        """Spike times are about to be replaced: those that have been are still on their way to their targets."""
        now = simulator.state.t
        if now > self._times_hold_from:
            self._past, self._times_hold_from = self._joined(self._lists(self._times_hold_from, now)), now

    def all_spike_times(self) -> SpikeTimes:
        """What this SpikeSourceArray has emitted and will emit."""
        return spike_times(self._joined(self._lists(self._times_hold_from, np.inf)))

    def _joined(self, lists: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        past = self._past or [np.empty(0)] * self.size
        return [np.concatenate(pair) for pair in zip(past, lists, strict=True)]

    def _lists(self, first: float, last: float) -> list[NDArray[np.float64]]:
        lists = [np.asarray(times.value, dtype=float) for times in self.parameters["spike_times"]]
        early = 1e-6 * simulator.state.dt
        return [times[(times >= first - early) & (times < last - early)] for times in lists]


def _check(name: str, values: NDArray[Any]) -> None:
    if name == "spike_times":
        for times in values:
            if not isinstance(times, Sequence):
                raise errors.InvalidParameterValueError(f"spike_times: expected a list per cell, got {times!r}")
            if not np.isfinite(times.value).all() or np.any(np.less(times.value, 0)):
                raise errors.InvalidParameterValueError("spike_times must be finite and >= 0 ms")
            if np.any(np.diff(times.value) < 0):
                raise errors.InvalidParameterValueError("spike_times of a SpikeSourceArray must increase")
