"""The program: a network lowered onto a device, with the way back and the report of what was lost; and what a chip's face is.

A program passes through `neurohw.passes`, each of which returns a new one with one decision more. Numbering: the neurons of all
populations in order are 0..N-1; spike sources follow as N.. where a presynaptic index is meant.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from neurohw import storage
from neurohw.device.device import Device
from neurohw.device.machine import Site
from neurohw.digest import digest
from neurohw.errors import BadInput
from neurohw.network import Network
from neurohw.recording import Recording
from neurohw.report import Report


@dataclass(frozen=True)
class Slice:
    """Neurons (or sources) first..last-1 of a population, on one unit of the machine."""

    population: str
    first: int
    last: int
    site: Site | None = None

    @property
    def size(self) -> int:
        return self.last - self.first


@dataclass(frozen=True, eq=False)
class DelayPlan:
    """The delays (steps) that each projection may use; a synapse takes the nearest to what it asks for.

    allowed: projection -> ascending steps. between: ms from slice to slice where the substrate fixes them (last row: from outside).
    """

    allowed: Mapping[str, NDArray[np.int64]]
    between: NDArray[np.float64] | None = None

    @cached_property
    def slots(self) -> NDArray[np.int64]:
        """Every delay in use."""
        parts = [np.asarray(steps, np.int64) for steps in self.allowed.values()]
        return np.unique(np.concatenate(parts)) if parts else np.ones(1, np.int64)

    def steps(self, projection: str, delays: NDArray[np.float64], dt: float) -> NDArray[np.int64]:
        """The step delay of each synapse: the nearest allowed one, halves upwards."""
        allowed = self.allowed[projection]
        if allowed.size == 1:
            return np.full(delays.shape, allowed[0])
        wanted = np.floor(delays / dt + 0.5 + 1e-9).astype(np.int64)
        above = np.clip(np.searchsorted(allowed, wanted), 0, allowed.size - 1)
        below = np.maximum(above - 1, 0)
        nearer_below = wanted - allowed[below] < allowed[above] - wanted
        return np.where(nearer_below, allowed[below], allowed[above])


@dataclass(frozen=True)
class TableEntry:
    """A line of a multicast router: packets whose `key & mask` matches go out by all links and to all cores of `route`.

    route: bits 0..5 are the links E, NE, N, W, SW, S, bit 6 + p is core p. defaultable: a router without this line would do
    the same, since a packet that matches no line leaves by the link opposite to the one it came by.
    """

    key: int
    mask: int
    route: int
    defaultable: bool = False

    @property
    def links(self) -> tuple[int, ...]:
        return tuple(link for link in range(6) if self.route >> link & 1)

    @property
    def cores(self) -> tuple[int, ...]:
        return tuple(core for core in range(self.route.bit_length() - 6) if self.route >> core + 6 & 1)


@dataclass(frozen=True, eq=False)
class Routing:
    """How spikes travel: links from slice to slice, and what a substrate's routers hold.

    keys, masks: of each slice, then of each extension; key -1 for those that send nothing (digital).
    tables: chip (x, y) -> the lines of its router, first match first. visits: routers that a packet of each slice, then of
    each extension, passes (digital). reached: rows (sender, receiver), numbers of slices, then extensions: whose packets
    come to whose core. crossed: rows (sender, x, y, link): the links that its packets take (digital).
    circuits: projection -> number of the synapse circuit of each synapse, in row order; LOST where it has none (analog).
    links: the link by which each spike source enters (analog).
    """

    hops: NDArray[np.int64]
    keys: NDArray[np.int64] | None = None
    masks: NDArray[np.int64] | None = None
    tables: Mapping[tuple[int, int], tuple[TableEntry, ...]] = field(default_factory=dict)
    visits: NDArray[np.int64] | None = None
    reached: NDArray[np.int64] | None = None
    crossed: NDArray[np.int64] | None = None
    circuits: Mapping[str, NDArray[np.uint32]] | None = None
    links: NDArray[np.int64] | None = None


MIN_STEP = 1e-3
"""The shortest time step, ms."""

LOST = np.uint32(0xFFFFFFFF)
"""The circuit number of a synapse that is not realized."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """How a weight becomes what the device holds. unit: projection -> network weight of one code (LSB, or uS).

    shifts: (population, receptor) -> ring-buffer shift, where weights are fixed-point words.
    gain: projection -> factor on the weights onto each target neuron, where losses are compensated.
    columns: (receptors, neurons), the factor on the unit of whatever ends there, where columns are scaled for themselves.
    codes: population -> cell -> code of each neuron, where the mapping sets parameters by codes (analog).
    volts: population -> (scale, shift) from the network's mV to those that a chip's codes are made for (analog).
    """

    unit: Mapping[str, float] = field(default_factory=dict)
    shifts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    gain: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    columns: NDArray[np.float64] | None = None
    codes: Mapping[str, Mapping[str, NDArray[np.int64]]] = field(default_factory=dict)
    volts: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Program:
    """A network on a device: decisions, payload, report. Frozen; passes return new ones.

    choices: what the mapping chose, an instance of the substrate's own Choices.
    record: population -> variable -> neuron indices. payload: what the chip of this substrate loads.
    extensions: units that hold no neurons of their own but send the spikes of these neurons again, later.
    established: the predicates that hold. fingerprint: hash of everything that determines the run, set by `seal`.
    """

    network: Network
    device: Device
    choices: Any
    dt: float
    record: Mapping[str, Mapping[str, NDArray[np.int64]]]
    calibration: Any = None
    requested: Network | None = None
    slices: tuple[Slice, ...] = ()
    extensions: tuple[Slice, ...] = ()
    delays: DelayPlan | None = None
    routing: Routing | None = None
    scaling: Scaling | None = None
    payload: Any = None
    report: Report = Report()
    established: tuple[str, ...] = ()
    fingerprint: str = ""

    def with_(self, *entries: Any, **changes: Any) -> "Program":
        """A new program with these fields changed and these entries added to its report."""
        return replace(self, **changes, report=self.report.add(*entries))

    @cached_property
    def origin(self) -> "Origin":
        """The way back from numbers to populations."""
        return Origin.of(self.network)

    @property
    def decided(self) -> tuple[Any, ...]:
        """What the fingerprint is of: the network, the device, and every decision."""
        decisions = [self.slices, self.scaling, self.delays]
        return self.network, self.device.fingerprint, self.device.title, self.choices, self.dt, decisions

    def save(self, path: Any) -> None:
        """Write to one HDF5 file, which `load_program` reads; see `neurohw.storage`."""
        storage.save(self, "program", path)

    def checked(self) -> "Program":
        """This program; raises BadInput where its parts contradict each other, as those of a file may."""
        if self.fingerprint != digest(*self.decided):
            raise BadInput(
                f"the fingerprint {self.fingerprint[:20]!r} is not that of what is there; the file was changed"
            )
        if not MIN_STEP <= self.dt < np.inf:
            raise BadInput(f"dt {self.dt:g} ms: the time step must be at least {MIN_STEP:g} ms")
        normalize_record(self.network, self.record)
        if self.payload is None and self.device.substrate != "reference":
            raise BadInput(f"there is nothing for a {self.device.title} to load")
        table = getattr(self.payload, "table", None)
        if table is not None:
            shape = (self.origin.n_presynaptic, self.origin.n_neurons)
            slots = self.delays.slots if self.delays else np.empty(0, np.int64)
            if (table.n_sources, table.n_targets) != shape or not np.array_equal(table.delays, slots):
                raise BadInput(
                    f"the synapse table is not one of {shape[0]} sources, {shape[1]} neurons and these delays"
                )
            plastic = getattr(self.payload, "plastic", None)
            if plastic is None and any(map(self.network.expected_synapses, self.network.plastic)):
                raise BadInput("the plastic synapses are missing")
            if plastic is not None:
                plastic.checked_for(self)
            self._check_traffic()
            rows = getattr(self.payload, "rows", None)
            if rows is not None and rows.shape != (shape[0], slots.size):
                raise BadInput(
                    f"rows has the shape {rows.shape}, but there are {shape[0]} sources and {slots.size} delays"
                )
        return self

    def _check_traffic(self) -> None:
        """Raise BadInput where packets come from or go to units that there are not."""
        reached = self.routing.reached if self.routing else None
        if reached is None or self.routing is None:
            return
        crossed, n = self.routing.crossed, len(self.slices) + len(self.extensions)
        inside = reached.ndim == 2 and reached.shape[1:] == (2,) and ((reached >= 0) & (reached < n)).all()
        sent = crossed is not None and crossed.ndim == 2 and crossed.shape[1:] == (4,)
        visits = self.routing.visits
        if not inside or crossed is None or not sent or ((crossed[:, 0] < 0) | (crossed[:, 0] >= n)).any():
            raise BadInput(f"routing: packets that come from or go to none of the {n} slices and extensions")
        if visits is None or visits.shape != (n,):
            raise BadInput(f"routing: visits is not one number for each of the {n} slices and extensions")


@dataclass(frozen=True)
class Origin:
    """The way back: which neurons of the whole are which population's."""

    first: Mapping[str, int]
    size: Mapping[str, int]
    n_neurons: int
    n_presynaptic: int

    @classmethod
    def of(cls, network: Network) -> "Origin":
        first, total = {}, 0
        for name, population in [*network.neurons.items(), *network.sources.items()]:
            first[name] = total
            total += population.size
        sizes = {name: population.size for name, population in network.populations.items()}
        return cls(first, sizes, sum(p.size for p in network.neurons.values()), total)

    def spikes(
        self, steps: NDArray[np.int64], ids: NDArray[np.int64], dt: float, without: Collection[str] = ()
    ) -> dict[str, Any]:
        """Raw (step, presynaptic index) events as population -> (times in ms, indices); without: populations left out."""
        found = {}
        for name, first in self.first.items():
            if name in without:
                continue
            mine = (ids >= first) & (ids < first + self.size[name])
            found[name] = (steps[mine] * dt, ids[mine] - first)
        return found


def normalize_record(network: Network, given: Mapping[str, Any] | None) -> dict[str, dict[str, NDArray[np.int64]]]:
    """population -> variable -> indices, from what a user writes.

    given: {"all": ["spikes"], "excitatory": ["v"], "inhibitory": {"v": 10}}; a number k means k neurons, evenly spread.
    Spikes are always recorded. Raises BadInput for unknown populations and variables.
    """
    record: dict[str, dict[str, NDArray[np.int64]]] = {name: {} for name in network.populations}
    if given is not None and not isinstance(given, Mapping):
        raise BadInput(f"record: expected population -> variables, such as {{'all': ['v']}}, got {given!r}")
    for name, wanted in (given or {}).items():
        if name != "all" and name not in network.populations:
            raise BadInput(f"record: no population {name!r}; there are all, {', '.join(network.populations)}")
        variables = _variables(wanted, f"record: {name}")
        for population in network.populations if name == "all" else (name,):
            known, size = network.populations[population].model.recordable, network.populations[population].size
            for variable, which in variables.items():
                if variable in known and variable != "spikes":
                    record[population][variable] = _indices(which, size, f"record: {population}: {variable}")
                elif variable not in known and name != "all":
                    raise BadInput(f"record: {population!r} has no {variable!r}; it has {', '.join(known)}")
        there = {variable for population in network.populations.values() for variable in population.model.recordable}
        if nowhere := [variable for variable in variables if variable not in there]:
            raise BadInput(f"record: no population has {nowhere[0]!r}; there are {', '.join(sorted(there))}")
    return record


def _variables(wanted: Any, where: str) -> dict[str, Any]:
    """variable -> which neurons (None: all)."""
    given = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(given, Mapping):
        return dict(given)
    if not isinstance(given, list | tuple | set | frozenset) or not all(isinstance(name, str) for name in given):
        raise BadInput(f"{where}: expected variables such as [spikes, v] or {{v: 10}}, got {wanted!r}")
    return dict.fromkeys(given)


def _indices(which: Any, size: int, where: str) -> NDArray[np.int64]:
    if which is None or (isinstance(which, str) and which == "all"):
        return np.arange(size)
    if isinstance(which, int) and not isinstance(which, bool):
        if not which >= 1:
            raise BadInput(f"{where}: a number of neurons must be >= 1, got {which}")
        return np.linspace(0, size - 1, min(which, size)).astype(np.int64)
    indices = np.asarray(which)
    if (
        indices.ndim != 1
        or not np.issubdtype(indices.dtype, np.integer)
        or (indices.size and not (0 <= indices.min() <= indices.max() < size))
    ):
        raise BadInput(f"{where}: expected a number of neurons or a list of indices in 0..{size - 1}, got {which!r}")
    return indices.astype(np.int64)


@dataclass(frozen=True)
class Capabilities:
    """What the hardware lets a bench see and do.

    readable: quantities that can be observed. weight_range, weight_step: network units, per projection where they differ.
    updates: kinds of `update` ("pulses": +1 is one SET pulse on the positive arm; "lsb": +1 is one code; none: only `write`).
    """

    readable: tuple[str, ...]
    writable: bool
    updates: Literal["pulses", "lsb", "exact", "none"]
    weight_range: Mapping[str, tuple[float, float]]
    weight_step: Mapping[str, float]
    parameter_codes: Mapping[str, tuple[int, int]]
    adc_bits: int | None
    plasticity: tuple[str, ...]


@dataclass
class Ledger:
    """What the chip has done since it was made. Energy in fJ, time in ms of the chip's own clock.

    reads: rows (or words) read; device_reads: single devices that were read in them.
    """

    reads: int = 0
    device_reads: int = 0
    pulses: int = 0
    resets: int = 0
    packets: int = 0
    dropped_events: int = 0
    synaptic_events: int = 0
    energy: float = 0.0
    time: float = 0.0


@runtime_checkable
class Chip(Protocol):
    """One fabricated specimen; the only thing a trainer or a calibration may touch. Stateful, like a board on a desk.

    What the hardware cannot do raises Unsupported, what it cannot show NotReadable.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def ledger(self) -> Ledger: ...

    def load(self, program: Program) -> None:
        """Put a program on the chip: weights are written, the state is reset."""

    def configure(self, population: str, codes: Mapping[str, NDArray[np.int64]]) -> None:
        """Set parameter codes of the neurons of a population, where the hardware has them."""

    def run(
        self, duration: Any, trial: int = 0, stimulus: Mapping[str, Any] | None = None, reset: bool = True
    ) -> Recording:
        """Run for `duration` (ms or text). reset: start from the initial state of this trial; else go on where it stopped."""

    def write(self, projection: str, weights: NDArray[np.float64]) -> None:
        """Program and verify weights (network units), in the order of the projection's rows (source-major)."""

    def update(self, projection: str, pulses: NDArray[np.int64]) -> None:
        """Change weights by signed whole steps: +1 is a SET pulse on the positive arm, or one LSB."""

    def refresh(self, projection: str, policy: str) -> None:
        """Let the chip restore saturated weights by its own noisy reads."""

    def read(self, projection: str, arms: bool = False) -> NDArray[np.float64]:
        """The weights (network units) as the hardware reads them; arms: both conductances (uS), shape (2, synapses)."""

    def wait(self, time: Any) -> None:
        """Let time pass on the bench (ms or text such as "1 day")."""

    def snapshot(self) -> Any:
        """The chip's whole state, for `restore`."""

    def restore(self, state: Any) -> None:
        """Take back a state of this very chip."""
