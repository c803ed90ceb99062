"""A chip whose neurons are computed in float64: ideal digital devices as they are, and the base of analog chips and crossbars."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.engine_chip import EngineChip
from neurohw.kernels import float_engine
from neurohw.kernels import float_neurons as fn
from neurohw.kernels.compiling import aligned_zeros
from neurohw.kernels.plastic_delivery import FloatPlasticity
from neurohw.program import Capabilities, Program


class FloatChip(EngineChip):
    """Float64 neurons and synapses. A substrate changes what it loads in `parameters` and `effective_weights`."""

    state_names: ClassVar[tuple[str, ...]] = (*EngineChip.state_names, "state", "weights", "learned", "learned_from")
    neuron_state: ClassVar[tuple[str, ...]] = ("state",)
    draws_background = True

    @property
    def capabilities(self) -> Capabilities:
        unlimited = dict.fromkeys(self.loaded.network.projections, (-np.inf, np.inf))
        plastic = ("STDPMechanism",) if "STDPMechanism" in self.device.supports.synapses else ()
        return Capabilities(("spikes", "v", "weights"), True, "exact", unlimited, {}, {}, None, plastic)

    def _load(self, program: Program) -> None:
        payload = program.payload
        self.table = payload.table
        origin, network = program.origin, program.network
        self.coefficients = aligned_zeros((fn.N_COEFFICIENTS, origin.n_neurons))
        self.i_offset = np.zeros(origin.n_neurons)
        for name, values in self.parameters(program).items():
            self._take(name, values)
        self.weights = self.effective_weights(program)
        plastic = getattr(payload, "plastic", None)
        self.plastic = FloatPlasticity(plastic, program) if plastic is not None else None
        self.learned_from = plastic.weights.astype(np.float64) if plastic is not None else None
        codes = [fn.step_code(network.populations[name].model.name, network.numerics) for name in network.neurons]
        firsts = [origin.first[name] for name in network.neurons]
        lasts = [origin.first[name] + origin.size[name] for name in network.neurons]
        self.groups = tuple(np.array(part, np.int64) for part in (codes, firsts, lasts))
        self.counts = np.zeros(4, np.int64)

    def _take(self, population: str, values: dict[str, NDArray[np.float64]]) -> None:
        """Give the neurons of a population these parameters."""
        program = self.loaded
        first = program.origin.first[population]
        mine = slice(first, first + program.origin.size[population])
        model = program.network.populations[population].model.name
        self.coefficients[:, mine] = fn.coefficients(model, values, program.dt, program.network.numerics)
        self.i_offset[mine] = values["i_offset"]

    def effective_weights(self, program: Program) -> NDArray[np.float64]:
        """The weight (network units) that each synapse of the table has on this specimen."""
        return program.payload.table.columns["weight"].copy()

    def parameters(self, program: Program) -> dict[str, dict[str, NDArray[np.float64]]]:
        """The parameters that each neuron has on this specimen."""
        return program.payload.parameters

    def _reset(self, trial: int) -> None:
        program = self.loaded
        self.learned = self.plastic.fresh(self.learned_from) if self.plastic else None
        self.state = aligned_zeros((fn.N_STATE, program.origin.n_neurons))
        self.state[fn.I_EXT] = self.i_offset
        self.sums = aligned_zeros((2, program.origin.n_neurons))
        for name, population in program.network.neurons.items():
            first = program.origin.first[name]
            for variable in population.initial:
                row = self._state_row(name, variable)
                self.state[row, first : first + population.size] = program.network.initial(name, variable, trial)

    def _resumed(self) -> None:
        _, neurons, changes = self._current_events(0, self.step)
        self.state[fn.I_EXT] = self.i_offset
        np.add.at(self.state[fn.I_EXT], neurons, changes)

    def _advance(self, t, until, arriving, background, events, event, rows, neurons, samples, n_samples, out):
        result = float_engine.run(
            t, until, *self.groups, self.state, self.coefficients, self.sums, self.table.arguments, self.weights, arriving,
            background, self.groups_of_neurons, self.spiked, self.spiked_words, *events, event, 1, rows, neurons,
            samples, n_samples, out, 0, self.counts, *((self.plastic.fixed, self.learned) if self.plastic else ()),
        )  # fmt: skip
        self.ledger.synaptic_events += int(self.counts[0])
        self.ledger.packets += int(self.counts[1])
        self.counts[:] = 0
        return result

    def _state_row(self, population: str, variable: str) -> int:
        return fn.MODELS[self.loaded.network.populations[population].neuron.name].states[variable]

    def sample(self, rows: Any, neurons: Any) -> NDArray[np.float64]:
        return self.state[rows, neurons]

    def _memory(self) -> int:
        return max(super()._memory(), self.plastic.longest if self.plastic else 0)

    def _write(self, projection: str, places: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        if self._is_plastic(projection):
            self.learned_from[places] = self.learned[0][places] = np.abs(weights)
        else:
            self.weights[places] = weights

    def _update(self, projection: str, places: NDArray[np.int64], pulses: NDArray[np.int64]) -> None:
        self._write(projection, places, self._read(projection, places) + pulses)

    def _read(self, projection: str, places: NDArray[np.int64]) -> NDArray[np.float64]:
        if self._is_plastic(projection):
            return self.learned[0][places] * self.plastic.signs[places]
        return self.weights[places]

    def _is_plastic(self, projection: str) -> bool:
        return self.plastic is not None and self.loaded.network.projections[projection].plasticity is not None
