"""A network in Brian2: the equations of `neurohw.neurons` with per-neuron parameters, one Synapses per projection."""

import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.chips import brian_equations, brian_plastic
from neurohw.chips.brian_equations import BRIAN_NAMES, DIMENSIONS, SI
from neurohw.kernels.float_neurons import check_step, refractory_steps
from neurohw.kernels.lowering import blocks
from neurohw.network import Population, SpikeTimes
from neurohw.neurons import NeuronModel
from neurohw.program import Program

SCHEDULE = ["start", "synapses", "groups", "thresholds", "resets", "end"]
NUMPY_SECONDS = 60.0
"""A run that NumPy would take longer for is compiled, if there is a compiler: compiling costs 15 to 110 s when cold."""


def choose_target(program: Program, n_steps: int) -> str:
    """NumPy for short runs; compiled code where NumPy would take longer than a minute and there is a compiler."""
    if program.choices.target != "auto":
        return program.choices.target
    network = program.network
    synapses = sum(network.expected_synapses(name) for name in network.projections)
    neurons = sum(population.size for population in network.neurons.values())
    per_step = 60e-6 * (len(network.populations) + len(network.projections)) + 30e-9 * neurons
    seconds = n_steps * (per_step + 60e-9 * synapses * program.dt * 10e-3)
    compiler = any(shutil.which(name) for name in ("cc", "gcc", "clang", "cl"))
    return "cython" if seconds > NUMPY_SECONDS and compiler else "numpy"


class BrianNetwork:
    """The Brian2 objects of one program. Times are in steps of the program; units are Brian2's SI inside."""

    def __init__(
        self,
        program: Program,
        target: str,
        given: Mapping[str, SpikeTimes] | None,
        copies: Mapping[str, int] | None = None,
    ):
        import brian2

        self.b2, self.program, self.target = brian2, program, target
        self.notes: list[str] = []
        self._events: tuple[NDArray, NDArray, NDArray] | None = None
        self._take_over_brian()
        network = program.network
        self.groups = {name: self._group(k, name, p) for k, (name, p) in enumerate(network.neurons.items())}
        self.copies = dict(copies or {name: copies_needed(program, name, given) for name in network.sources})
        self.generators = {
            name: brian2.SpikeGeneratorGroup(
                p.size * self.copies[name], [], [] * brian2.ms, when="start", name=f"source_{k}"
            )
            for k, (name, p) in enumerate(network.sources.items())
        }
        feeding = {p.source for p in network.plastic.values()}
        self.relays = {
            name: brian_plastic.relay(brian2, k, p.size, self.copies[name])
            for k, (name, p) in enumerate(network.sources.items())
            if name in feeding
        }
        self.relayed: dict[str, tuple[NDArray, NDArray]] = {}
        self.synapses = self._synapses()
        self.monitors = {n: brian2.SpikeMonitor(g, name=f"spikes_{k}") for k, (n, g) in enumerate(self.groups.items())}
        self.traced = [(n, v, which) for n, variables in program.record.items() for v, which in variables.items()]
        self.traces = [
            brian2.StateMonitor(self.groups[n], v, record=which, when="before_groups", name=f"trace_{k}")
            for k, (n, v, which) in enumerate(self.traced)
        ]
        parts = (self.groups, self.generators, self.relays, self.synapses, self.monitors)
        objects = [thing for part in parts for thing in part.values()] + self.traces
        if network.currents:
            objects.append(brian2.NetworkOperation(self._inject, when="before_synapses", name="inject"))
        if self.relays:
            objects.append(brian2.NetworkOperation(self._relay, when="start", name="relay"))
        self.network = brian2.Network(*objects)
        self.network.schedule = SCHEDULE
        self.network.store("fresh")
        self.learned_from = {name: self._value(self.synapses[name], "weight").copy() for name in self._plastic}

    def _take_over_brian(self) -> None:
        """Set what all of Brian2 shares: another chip may have set it otherwise since.

        Ctrl-C must interrupt: Brian2 would end its run early, as if it were over, and the rest would go on with that.
        """
        self.b2.prefs.codegen.target = self.target
        self.b2.prefs.core.stop_on_keyboard_interrupt = False
        self.b2.defaultclock.dt = self.program.dt * self.b2.ms

    def _group(self, number: int, name: str, population: Population) -> Any:
        model, numerics = population.model, self.program.network.numerics
        assert isinstance(model, NeuronModel)
        values = {p: self.program.network.parameter(name, p) for p in population.parameters}
        group = self.b2.NeuronGroup(
            population.size,
            brian_equations.text(name, model, values),
            method=brian_equations.method(name, model, numerics, values),
            threshold=brian_equations.threshold(model),
            reset=brian_equations.reset(model, numerics),
            refractory="refractory_time",
            name=f"neurons_{number}",
        )
        self.set_parameters(group, name, model, values)
        _set(group, "i_ext", values["i_offset"] * 1e-9)
        if model.weight_unit == "mV":
            held = "*int(not_refractory)" if "unless refractory" in model.equations else ""
            group.run_regularly(f"v += jump{held}\njump = 0*volt", when="after_groups", name=f"jump_{number}")
        return group

    def set_parameters(self, group: Any, name: str, model: NeuronModel, values: dict[str, NDArray]) -> None:
        """Give a group its parameters; the constant current is part of i_ext and not among them."""
        check_step(model.name, values, self.program.dt, self.program.network.numerics)
        moved, notes = brian_equations.apart(name, model, values)
        self.notes += notes
        for parameter, value in moved.items():
            if parameter != "i_offset":
                _set(group, BRIAN_NAMES.get(parameter, parameter), value * SI[model.parameters[parameter].unit])
        steps = refractory_steps(values.get("tau_refrac", np.zeros(len(group))), self.program.dt)
        _set(group, "refractory_time", (steps + 1) * self.program.dt * 1e-3)

    def _synapses(self) -> dict[str, Any]:
        network, origin = self.program.network, self.program.origin
        names = list(network.projections)
        parts: dict[str, list[Any]] = {name: [] for name in names}
        for block in blocks(self.program):
            for k in np.unique(block.projections):
                mine, p = block.projections == k, network.projections[names[k]]
                order = np.argsort(block.rank[mine])
                pre, post = block.sources[mine] - origin.first[p.source], block.targets[mine] - origin.first[p.target]
                parts[names[k]].append(
                    [column[order] for column in (pre, post, block.weights[mine], block.steps[mine])]
                )
        return {name: self._connect(k, name, parts[name]) for k, name in enumerate(names) if parts[name]}

    def _connect(self, number: int, name: str, parts: list[Any]) -> Any:
        p = self.program.network.projections[name]
        target = self.program.network.populations[p.target].model
        assert isinstance(target, NeuronModel)
        pre, post, weights, steps = (np.concatenate(column) for column in zip(*parts, strict=True))
        if p.plasticity is not None and pre.size:
            source = self.relays.get(p.source) or self.groups[p.source]
            columns = [pre, post, weights, steps]
            label = f"synapses_{number}"
            return brian_plastic.connect(self.b2, self.program, name, source, self.groups[p.target], columns, label)
        copies, from_source = self.copies.get(p.source, 1), p.source in self.generators
        size = self.program.network.populations[p.source].size
        state = "jump" if target.weight_unit == "mV" else target.receptors[p.receptor]
        synapses = self.b2.Synapses(
            self.generators[p.source] if from_source else self.groups[p.source],
            self.groups[p.target],
            f"weight : {DIMENSIONS[target.weight_unit]}",
            on_pre=f"{state}_post += weight",
            name=f"synapses_{number}",
        )
        if pre.size:
            synapses.connect(i=np.concatenate([pre + c * size for c in range(copies)]), j=np.tile(post, copies))
            _set(synapses, "weight", np.tile(weights, copies) * SI[target.weight_unit])
            lag = np.tile(steps, copies) if from_source else steps - 1
            synapses.delay = lag * self.program.dt * self.b2.ms
        else:
            synapses.active = False
            synapses.connect(False)
        return synapses

    def takes(self, given: Mapping[str, SpikeTimes] | None) -> bool:
        """Whether the generators take these spikes; if not, the network must be built anew."""
        return all(copies_needed(self.program, name, given) <= n for name, n in self.copies.items())

    def reset(self, trial: int) -> None:
        """Step 0 with the initial state of a trial; weights stay as they were written, and what was learned is forgotten."""
        written = {name: self._value(s, "weight").copy() for name, s in self.synapses.items()} | self.learned_from
        self.network.restore("fresh")
        for name, values in written.items():
            self._value(self.synapses[name], "weight")[:] = values
        for name, population in self.program.network.neurons.items():
            assert isinstance(population.model, NeuronModel)
            for state, spec in population.neuron.states.items():
                _set(self.groups[name], state, self.program.network.initial(name, state, trial) * SI[spec.unit])

    def set_spikes(self, steps: NDArray[np.int64], sources: NDArray[np.integer]) -> int:
        """Give the sources their spikes; the k-th spike of a source in one step goes to its k-th copy. Returns those left out."""
        dropped = 0
        for name, generator in self.generators.items():
            begin, size = self.program.origin.first[name], self.program.origin.size[name]
            mine = (sources >= begin) & (sources < begin + size)
            at, who = steps[mine], sources[mine] - begin
            same = _ordinals(at, who)
            fits = same < self.copies[name]
            dropped += int((~fits).sum())
            if name in self.relays:
                self.relayed[name] = at, who
            times = (at[fits] + 0.25) * self.program.dt * self.b2.ms
            generator.set_spikes((who + same * size)[fits], times)
        return dropped

    def run(
        self, n_steps: int, events: tuple[NDArray, NDArray, NDArray]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(events (step, neuron) in order, traces (n_steps, recorded)) of the next n_steps."""
        self._events = events
        self._take_over_brian()
        marks = {name: monitor.num_spikes for name, monitor in self.monitors.items()}
        self.network.run(n_steps * self.program.dt * self.b2.ms, namespace={})
        dt, first = self.program.dt * 1e-3, self.program.origin.first
        found = [
            np.column_stack([
                np.round(self._value(m, "t")[marks[name] :] / dt).astype(np.int64),
                self._value(m, "i")[marks[name] :].astype(np.int64) + first[name],
            ])
            for name, m in self.monitors.items()
        ]  # fmt: skip
        raw = np.concatenate(found)
        self._hand_on(raw)
        traces = [
            self._value(m, v)[-n_steps:] / self._unit_of(n, v)
            for m, (n, v, _) in zip(self.traces, self.traced, strict=True)
        ]
        return raw[np.lexsort((raw[:, 1], raw[:, 0]))], np.concatenate([np.empty((n_steps, 0)), *traces], axis=1)

    def _hand_on(self, events: NDArray[np.int64]) -> None:
        """Keep the spikes of the last step for the synapses, which run first in a step: Brian2 forgets them after a run."""
        last = round(float(self.network.t / self.b2.ms) / self.program.dt) - 1
        for name, group in self.groups.items():
            local = events[events[:, 0] == last, 1] - self.program.origin.first[name]
            spiked = local[(local >= 0) & (local < len(group))]
            space = self._value(group, "_spikespace")
            space[: spiked.size], space[-1] = spiked, spiked.size

    def state_now(self) -> NDArray[np.float64]:
        """The recorded variables as they stand."""
        return np.concatenate(
            [self._value(self.groups[n], v)[which] / self._unit_of(n, v) for n, v, which in self.traced]
        )

    @property
    def _plastic(self) -> list[str]:
        return [
            n for n in self.program.network.plastic if n in self.synapses and "direction" in self.synapses[n].variables
        ]

    def n_synapses(self, projection: str) -> int:
        copies = self.copies.get(self.program.network.projections[projection].source, 1)
        if projection in self._plastic:
            copies = 1
        return len(self.synapses[projection]) // copies if projection in self.synapses else 0

    def read(self, projection: str) -> NDArray[np.float64]:
        stored = self._value(self.synapses[projection], "weight")[: self.n_synapses(projection)]
        if projection in self._plastic:
            stored = stored * self._value(self.synapses[projection], "direction")
        return stored / self._weight_unit(projection)

    def write(self, projection: str, weights: NDArray[np.float64]) -> None:
        stored = self._value(self.synapses[projection], "weight")
        if projection in self._plastic:
            stored[:] = self.learned_from[projection][:] = np.abs(weights) * self._weight_unit(projection)
            return
        stored[:] = np.tile(weights, stored.size // weights.size) * self._weight_unit(projection)

    def store(self) -> dict[str, Any]:
        """Brian2's whole state, which another network built from the same program takes too."""
        self._take_over_brian()
        self.network.store("snapshot")
        return self.network._stored_state.pop("snapshot")

    def restore(self, state: dict[str, Any]) -> None:
        self._take_over_brian()
        self.network._stored_state["snapshot"] = state
        self.network.restore("snapshot")
        del self.network._stored_state["snapshot"]

    def _weight_unit(self, projection: str) -> float:
        target = self.program.network.populations[self.program.network.projections[projection].target].model
        assert isinstance(target, NeuronModel)
        return SI[target.weight_unit]

    def _unit_of(self, population: str, variable: str) -> float:
        model = self.program.network.populations[population].model
        assert isinstance(model, NeuronModel)
        return SI[model.states[variable].unit]

    def _relay(self) -> None:
        """Count the spikes of each source in this step."""
        now = round(float(self.network.t / self.b2.ms) / self.program.dt)
        for name, cells in self.relays.items():
            at, who = self.relayed.get(name, (np.empty(0, np.int64), np.empty(0, np.int64)))
            due = slice(*np.searchsorted(at, (now, now + 1)))
            self._value(cells, "count")[:] = np.bincount(who[due], minlength=len(cells))

    def _inject(self) -> None:
        assert self._events is not None
        steps, neurons, changes = self._events
        now = round(float(self.network.t / self.b2.ms) / self.program.dt)
        due = slice(*np.searchsorted(steps, (now, now + 1)))
        for name, group in self.groups.items():
            local = neurons[due] - self.program.origin.first[name]
            mine = (local >= 0) & (local < len(group))
            np.add.at(self._value(group, "i_ext"), local[mine], changes[due][mine] * 1e-9)

    @staticmethod
    def _value(group: Any, variable: str) -> NDArray:
        return group.variables[variable].get_value()


def copies_needed(program: Program, source: str, given: Mapping[str, SpikeTimes] | None) -> int:
    """How many spikes of one neuron of a source may fall into one step: Brian2's generator allows one, so it gets copies."""
    population = program.network.populations[source]
    if population.spike_times is not None:
        train = (given or {}).get(source, population.spike_times)
        at = np.floor(train.times / program.dt + 1e-6).astype(np.int64)
        return 1 + int(_ordinals(at, train.indices).max(initial=0))
    mean = (
        float(program.network.parameter(source, "rate").max())
        * 1e-3
        * max(program.dt, program.network.numerics.stimulus_grid)
    )
    return int(np.ceil(mean + 8 * np.sqrt(mean) + 4))


def _ordinals(steps: NDArray[np.int64], who: NDArray[np.integer]) -> NDArray[np.int64]:
    """For each spike, how many spikes of the same neuron in the same step stand before it."""
    order = np.lexsort((who, steps))
    new = np.ones(order.size, bool)
    new[1:] = (np.diff(steps[order]) != 0) | (np.diff(who[order]) != 0)
    first = np.maximum.accumulate(np.where(new, np.arange(order.size), 0))
    ordinals = np.empty(order.size, np.int64)
    ordinals[order] = np.arange(order.size) - first
    return ordinals


def _set(group: Any, variable: str, values: Any) -> None:
    group.variables[variable].get_value()[:] = values
