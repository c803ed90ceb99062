"""PyNN's current sources: each says which current (nA) flows in each time step, and a network is given that as steps.

DCSource and StepCurrentSource are steps by nature. ACSource and NoisyCurrentSource are held constant over each time
step (or over `dt` of the noise) and handed over for one run at a time; the noise is drawn by (trial, source, interval).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN.parameters import ParameterSpace, Sequence
from pyNN.standardmodels import StandardCurrentSource, electrodes

from neurohw import rng
from neurohw.frontends.pynn import simulator
from neurohw.frontends.pynn.cells import as_is

Values = NDArray[Any]


class _Source(StandardCurrentSource):
    """A current into cells. A subclass gives `in_steps`: the current that flows in each of some time steps."""

    def __init__(self, **parameters: Any):
        super().__init__(**parameters)
        self._values: dict[str, Any] = {}
        self._cells: list[Any] = []
        self._kept: list[Values] = []
        self._recording, self._number = False, 0
        given = ParameterSpace(self.default_parameters, self.get_schema(), shape=(1,))
        given.update(**parameters)
        self.set_native_parameters(self.translate(given))

    def in_steps(self, steps: NDArray[np.int64], trial: int) -> Values:
        raise NotImplementedError

    def inject_into(self, cells: Any) -> None:
        cells = list(cells)
        if any(not cell.celltype.injectable for cell in cells):
            raise TypeError("Can't inject current into a spike source.")
        self._cells += cells
        if not any(source is self for source in simulator.state.current_sources):
            self._number = len(simulator.state.current_sources)
            simulator.state.current_sources.append(self)
        simulator.state.changed()

    def set_native_parameters(self, parameters: ParameterSpace) -> None:
        parameters.evaluate(simplify=True)
        values = {name: v.value if isinstance(v, Sequence) else float(v) for name, v in parameters.items()}
        self._values = self._checked({**self._values, **values})
        simulator.state.changed()

    def get_native_parameters(self) -> ParameterSpace:
        return ParameterSpace(self._values)

    def get_parameters(self) -> dict[str, Any]:
        """Every parameter by name: numbers, and arrays for a step current."""
        return dict(self._values)

    def record(self) -> None:
        """Keep the current, for get_data()."""
        self._recording = True

    def targets(self) -> Iterator[tuple[Any, NDArray[np.int64]]]:
        """(population, indices of its cells) for each population that the current flows into."""
        for population in simulator.state.populations:
            mine = [int(cell) - int(population.first_id) for cell in self._cells if cell.parent is population]
            if mine:
                yield population, np.array(mine, np.int64)

    def schedule(self, first: int, last: int, trial: int) -> tuple[Values, Values]:
        """(times in ms, nA from then on) for a run over the steps first..last-1; nothing flows after it."""
        steps = np.arange(first, last + 1)
        current = self.in_steps(steps, trial)
        current[-1] = 0.0
        changes = np.flatnonzero(np.diff(current, prepend=0.0))
        return steps[changes] * simulator.state.dt, current[changes]

    def streams(self, first: int, last: int) -> bool:
        """Whether a run over these steps needs a schedule of its own."""
        return False

    def keep(self, first: int, last: int, trial: int) -> None:
        """A run went over the steps first..last-1."""
        if self._recording:
            self._kept.append(self.in_steps(np.arange(first, last), trial))

    def restart(self) -> None:
        self._kept = []

    def _get_data(self) -> tuple[Values, Values]:
        if not self._recording:
            raise RuntimeError(f"this {type(self).__name__} is not recorded; call its record() before run()")
        state = simulator.state
        now = self.in_steps(np.array([state.steps]), state.experiment.trial)
        current = np.concatenate([*self._kept, now])
        return (state.steps + 1 - current.size + np.arange(current.size)) * state.dt, current

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        return values

    def _window(self) -> tuple[int, int]:
        """The first step with current, and the first without."""
        dt, far = simulator.state.dt, 2**62
        return int(min(round(self._values["start"] / dt), far)), int(min(round(self._values["stop"] / dt), far))


class _Steps(_Source):
    """Steps from the beginning to the end of all time."""

    def _steps(self) -> tuple[NDArray[np.int64], Values]:
        raise NotImplementedError

    def in_steps(self, steps: NDArray[np.int64], trial: int) -> Values:
        at, current = self._steps()
        return np.concatenate(([0.0], current))[np.searchsorted(at, steps, side="right")]

    def schedule(self, first: int, last: int, trial: int) -> tuple[Values, Values]:
        at, current = self._steps()
        return at * simulator.state.dt, current


class _Waveform(_Source):
    """A current that is made for one run at a time."""

    def streams(self, first: int, last: int) -> bool:
        start, stop = self._window()
        return start < last and stop > first


class DCSource(_Steps, electrodes.DCSource):
    __doc__ = electrodes.DCSource.__doc__
    translations = as_is(electrodes.DCSource)

    def _steps(self) -> tuple[NDArray[np.int64], Values]:
        start, stop = self._window()
        if stop <= start:
            return np.empty(0, np.int64), np.empty(0)
        return np.array([start, stop]), np.array([self._values["amplitude"], 0.0])


class StepCurrentSource(_Steps, electrodes.StepCurrentSource):
    __doc__ = electrodes.StepCurrentSource.__doc__
    translations = as_is(electrodes.StepCurrentSource)

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """Times on the time step; of several in one step the last counts."""
        times, amplitudes = (np.asarray(values[name], dtype=float).ravel() for name in ("times", "amplitudes"))
        if times.size != amplitudes.size:
            raise ValueError(f"StepCurrentSource: {times.size} times but {amplitudes.size} amplitudes")
        if (times < 0).any():
            raise ValueError("Step current cannot accept negative timestamps.")
        if (np.diff(times) <= 0).any():
            raise ValueError("Step current timestamps should be monotonically increasing.")
        dt = simulator.state.dt
        steps, last = np.unique(np.rint(times / dt).astype(np.int64)[::-1], return_index=True)
        return {"times": steps * dt, "amplitudes": amplitudes[::-1][last]}

    def _steps(self) -> tuple[NDArray[np.int64], Values]:
        return np.rint(self._values["times"] / simulator.state.dt).astype(np.int64), self._values["amplitudes"]


class ACSource(_Waveform, electrodes.ACSource):
    __doc__ = electrodes.ACSource.__doc__
    translations = as_is(electrodes.ACSource)

    def in_steps(self, steps: NDArray[np.int64], trial: int) -> Values:
        p, (start, stop) = self._values, self._window()
        seconds = 1e-3 * (steps * simulator.state.dt - p["start"])
        wave = p["offset"] + p["amplitude"] * np.sin(2 * np.pi * (p["frequency"] * seconds + p["phase"] / 360))
        return np.where((steps >= start) & (steps < stop), wave, 0.0)


class NoisyCurrentSource(_Waveform, electrodes.NoisyCurrentSource):
    __doc__ = electrodes.NoisyCurrentSource.__doc__
    translations = as_is(electrodes.NoisyCurrentSource)

    def __init__(self, **parameters: Any):
        parameters.pop("rng", None)  # drawn from the trial's seed instead
        super().__init__(**parameters)

    def in_steps(self, steps: NDArray[np.int64], trial: int) -> Values:
        p, (start, stop) = self._values, self._window()
        interval = max(1, round(p["dt"] / simulator.state.dt))
        inside = (steps >= start) & (steps < stop)
        counters = np.where(inside, steps - start, 0) // interval
        noise = rng.normal(rng.key(trial, f"current source {self._number}/noise"), counters)
        return np.where(inside, p["mean"] + p["stdev"] * noise, 0.0)
