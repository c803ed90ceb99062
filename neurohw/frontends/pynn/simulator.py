"""What PyNN asks of a simulator: numbers for the cells, the clock, what has been built, and what runs it."""

from typing import Any

import numpy as np
from pyNN import common

from neurohw.errors import BadInput
from neurohw.frontends.pynn.experiment import Experiment
from neurohw.units import LARGEST

name = "neurohw"


class ID(int, common.IDMixin):
    """The number of a cell; ids of all populations are consecutive in the order in which the cells are made."""

    def __init__(self, n: int):
        int.__init__(n)
        common.IDMixin.__init__(self)


class State(common.control.BaseState):
    """Everything that `setup()` starts anew. Time is counted in whole steps, so that run(a); run(b) is run(a + b)."""

    mpi_rank, num_processes = 0, 1

    def __init__(self) -> None:
        super().__init__()
        self.defaults: dict[str, Any] = {}
        self.capturing = False
        self.clear()

    def clear(self, dt: float = 0.1, min_delay: Any = "auto", max_delay: Any = "auto", **experiment: Any) -> None:
        """Forget the network and its data, and begin a new experiment (arguments: see `Experiment`)."""
        self.dt = float(dt)
        self.given_delays = {"min": min_delay, "max": max_delay}
        self.write_on_end: list[Any] = []
        self.recorders: set[Any] = set()
        self.populations: list[Any] = []
        self.projections: list[Any] = []
        self.current_sources: list[Any] = []
        self.id_counter = 1
        common.Population._nPop = common.Projection._nProj = 0  # names, and with them random streams, begin anew too
        self.segment_counter = -1
        self.experiment = Experiment(self, **experiment)
        self.reset()

    def reset(self) -> None:
        """Back to time 0, in a new segment and with the next trial; the network stays."""
        self.running = False
        self.steps = 0
        self.t_start = 0
        self.segment_counter += 1
        for part in (*self.recorders, *self.populations, *self.current_sources):
            part.restart()
        self.experiment.restart()

    @property
    def t(self) -> float:
        """ms since the last reset."""
        return self.steps * self.dt

    @property
    def min_delay(self) -> float:
        """What was given to setup(), or else the shortest delay of the network."""
        return self._delay("min")

    @property
    def max_delay(self) -> float:
        """What was given to setup(), or else the longest delay of the network."""
        return self._delay("max")

    @property
    def default_delay(self) -> float:
        """The delay of a synapse that names none."""
        given = self.given_delays["min"]
        return self.dt if given == "auto" else float(given)

    def _delay(self, which: str) -> float:
        if self.given_delays[which] != "auto":
            return float(self.given_delays[which])
        extreme = np.min if which == "min" else np.max
        found = [extreme(p.values["delay"]) for p in self.projections if len(p)]
        return float(extreme(found)) if found else self.dt

    def changed(self) -> None:
        """The network is no longer what the chip was given."""
        self.experiment.changed = True

    def run(self, simtime: float) -> None:
        self.run_until(self.t + simtime)

    def run_until(self, tstop: float) -> None:
        if not abs(tstop) < LARGEST:
            raise BadInput(f"run: the time must be finite and below {LARGEST:g} ms, got {tstop!r}")
        until = round(tstop / self.dt)
        self.running = True
        if until > self.steps:
            self.experiment.advance(self.steps, until)
            self.steps = until


state = State()
