"""An analog chip: the network's own equations, with the parameters and weights that this specimen happens to have.

What is fixed belongs to a circuit, not to a network: each draw of a specimen is addressed by the number on the machine
of the neuron circuit or synapse circuit that it describes. The same network mapped the same way meets the same
circuits, another network on the same circuits meets their same faults, and a network that is moved meets others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.chips.analog.circuits import GAINS, Circuits
from neurohw.chips.analog.view import gain_places, seen
from neurohw.chips.float_chip import FloatChip
from neurohw.device.analog import AnalogMachine
from neurohw.device.device import Device
from neurohw.effects.configuration_noise import ConfigurationNoise
from neurohw.effects.mismatch import Mismatch
from neurohw.effects.parameter_codes import ParameterCodes
from neurohw.effects.readout import Readout
from neurohw.effects.spike_loss import SpikeLoss
from neurohw.effects.synapse_loss import SynapseLoss
from neurohw.effects.temporal_noise import TemporalNoise
from neurohw.effects.weight_noise import WeightNoise
from neurohw.effects.weight_resolution import WeightResolution
from neurohw.kernels import analog_engine
from neurohw.kernels.circuits import realized
from neurohw.kernels.lowering import Block
from neurohw.network import SpikeTimes
from neurohw.program import Capabilities, Program
from neurohw.recording import Recording
from neurohw.report import Loss, Report


class AnalogChip(FloatChip):
    """One specimen: FloatChip with mismatch, weight codes, a pattern on the weights, dead synapses, slow links.

    programmed: the weight (network units) that each synapse of the table was set to; weights: what it comes to on this
    specimen.
    """

    state_names: ClassVar[tuple[str, ...]] = (
        *FloatChip.state_names, "programmed", "coefficients", "i_offset", "gain", "set_codes", "sending", "configured",
    )  # fmt: skip

    def __init__(self, device: Device, seed: int = 0):
        super().__init__(device, seed)
        self.machine = cast(AnalogMachine, device.machine)
        self.mismatch = cast(Mismatch | None, device.effect("mismatch"))
        self.coded = cast(ParameterCodes | None, device.effect("parameter_codes"))
        self.configuration_noise = cast(ConfigurationNoise | None, device.effect("configuration_noise"))
        self.temporal_noise = cast(TemporalNoise | None, device.effect("temporal_noise"))
        self.readout = cast(Readout | None, device.effect("readout"))
        self.weight_noise = cast(WeightNoise | None, device.effect("weight_noise"))
        self.resolution = cast(WeightResolution | None, device.effect("weight_resolution"))
        self.synapse_loss = cast(SynapseLoss | None, device.effect("synapse_loss"))
        self.spike_loss = cast(SpikeLoss | None, device.effect("spike_loss"))
        self.saturated: dict[str, list[int]] = {}
        self.offered = self.dropped = self.sent = self.unsent = 0

    @property
    def capabilities(self) -> Capabilities:
        codes = {name: (0, int(cell.top)) for name, cell in self.coded.cells.items()} if self.coded else {}
        bits = int(self.readout.bits) if self.readout else None
        if self.resolution is None:
            return replace(super().capabilities, parameter_codes=codes, adc_bits=bits)
        units = dict(zip(self.loaded.network.projections, self.loaded.payload.units, strict=True))
        ends = {name: sorted((0.0, float(unit * self.resolution.top))) for name, unit in units.items()}
        spans = {name: (low, high) for name, (low, high) in ends.items()}
        steps = {name: abs(float(unit)) for name, unit in units.items()}
        return Capabilities(("spikes", "v", "weights"), True, "lsb", spans, steps, codes, bits, ())

    def _load(self, program: Program) -> None:
        self.saturated, self.silenced, self.configured = {}, 0, 0
        self.circuits = Circuits(self.device, self.key, program) if program.payload.neurons is not None else None
        self.gain: NDArray[np.float64] | None = None
        if self.coded is not None and self.circuits is not None:
            self.gain = np.ones((2, program.origin.n_neurons))
            self.gain_of = gain_places(program.payload.table)
        super()._load(program)

    def effective_weights(self, program: Program) -> NDArray[np.float64]:
        columns, payload = program.payload.table.columns, program.payload
        coded = self.resolution is not None
        self.programmed = columns["code"] * payload.units[columns["projection"]] if coded else columns["weight"].copy()
        self.pattern = self._pattern(columns["circuit"]) if "circuit" in columns else None
        return self._realized(self.programmed, slice(None))

    def _realized(self, programmed: NDArray[np.float64], places: Any) -> NDArray[np.float64]:
        """What programmed weights at these places of the table come to: times the synapse's pattern and its neuron's gain."""
        found = programmed.copy() if self.pattern is None else programmed * self.pattern[places]
        return found if self.gain is None else found * self.gain.ravel()[self.gain_of[places]]

    def _pattern(self, circuits: NDArray[np.uint32]) -> NDArray[np.float64] | None:
        """The factor of each synapse of the table on this specimen; None where all are 1."""
        found: NDArray[np.float64] | None = None
        if self.weight_noise is not None:
            found = self.weight_noise.factors(self.key("weight_noise"), circuits)
            self.silenced = int((found == 0).sum())
        if self.synapse_loss is not None and self.synapse_loss.dead > 0:
            alive = self.synapse_loss.alive(self.key("synapse_loss"), circuits)
            self.dead = int((~alive).sum())
            self.silenced = 0 if found is None else int(((found == 0) & alive).sum())
            found = alive.astype(float) if found is None else found * alive
        return found

    def parameters(self, program: Program) -> dict[str, dict[str, NDArray[np.float64]]]:
        if self.circuits is None:
            return cast(dict[str, dict[str, NDArray[np.float64]]], program.payload.parameters)
        return {name: self.circuits.parameters(name) for name in program.network.neurons}

    @property
    def set_codes(self) -> dict[str, dict[str, NDArray[np.int64]]]:
        """The parameter codes that are set, by population and cell."""
        return self.circuits.codes if self.circuits else {}

    @set_codes.setter
    def set_codes(self, codes: dict[str, dict[str, NDArray[np.int64]]]) -> None:
        if self.circuits:
            self.circuits.codes = codes

    def _take(self, population: str, values: dict[str, NDArray[np.float64]]) -> None:
        super()._take(population, values)
        if self.gain is not None:
            first = self.loaded.origin.first[population]
            for receptor, gain in enumerate(GAINS):
                self.gain[receptor, first : first + self.loaded.origin.size[population]] = values[gain]

    def configure(self, population: str, codes: Mapping[str, Any]) -> None:
        if self.circuits is None:
            super().configure(population, codes)
        self.loaded  # noqa: B018  (raises where nothing is loaded)
        self.circuits.configure(population, codes)
        self._set_up([population])

    def _set_up(self, populations: Iterable[str]) -> None:
        """Let what is set act on these populations, with the noise of this trial's configuration."""
        trial = self.configured if self.configuration_noise else None
        for name in populations:
            self._take(name, self.circuits.parameters(name, trial))
        if self.gain is not None:
            self.weights = self._realized(self.programmed, slice(None))

    def _reset(self, trial: int) -> None:
        self.configured = trial
        self.sending: tuple[NDArray[np.int64], NDArray[np.int64]] = (np.empty(0, np.int64), np.empty(0, np.int64))
        if self.configuration_noise is not None:
            self._set_up(self.loaded.network.neurons)
        super()._reset(trial)

    @property
    def draws_background(self) -> bool:  # type: ignore[override]
        return not self._loses_spikes

    @property
    def _loses_spikes(self) -> bool:
        links = self.loaded.payload.links
        return self.spike_loss is not None and links is not None and links.size > 0

    def _arriving(self, first: int, last: int, trial: int, given: Mapping[str, SpikeTimes]) -> Any:
        links = self.loaded.payload.links
        if self.spike_loss is None or not self._loses_spikes:
            return super()._arriving(first, last, trial, given)
        dt, acceleration = self.loaded.dt, float(self.machine.acceleration)
        frame = self.spike_loss.frame(dt, acceleration)
        begin = first // frame * frame
        sources, starts = super()._arriving(begin, last, trial, given)
        steps = np.repeat(np.arange(begin, last), np.diff(starts))
        link = links[sources - self.loaded.origin.n_neurons] % int(self.spike_loss.links)
        arrives = self.spike_loss.passed(steps, link, dt, acceleration)
        new = steps >= self.step
        self.offered += int(new.sum())
        self.dropped += int((new & ~arrives).sum())
        keep = arrives & (steps >= first)
        return sources[keep], np.searchsorted(steps[keep], np.arange(first, last + 1))

    def _advance(self, t, until, arriving, background, events, event, rows, neurons, samples, n_samples, out):
        if self.temporal_noise is None:
            return super()._advance(
                t, until, arriving, background, events, event, rows, neurons, samples, n_samples, out
            )
        t, n_samples, n_out = analog_engine.run(
            t, until, *self.groups, self.state, self.coefficients, self.sums, self.table.arguments, self.weights, arriving,
            background, self.groups_of_neurons, self.spiked, self.spiked_words, rows, neurons, samples, n_samples, out,
            self.counts, self.noise_per_step, self.loaded.payload.neurons,
            rng.subkey(self.key("temporal_noise"), f"trial/{self.configured}"),
        )  # fmt: skip
        self.ledger.synaptic_events += int(self.counts[0])
        self.ledger.packets += int(self.counts[1])
        self.counts[:] = 0
        return t, event, n_samples, n_out

    def run(
        self, duration: Any, trial: int = 0, stimulus: Mapping[str, Any] | None = None, reset: bool = True
    ) -> Recording:
        self.offered = self.dropped = self.sent = self.unsent = 0
        if self.temporal_noise is not None:
            self.noise_per_step = self._noise_per_step()
        return super().run(duration, trial, stimulus, reset)

    def _noise_per_step(self) -> NDArray[np.float64]:
        found = np.zeros(self.loaded.origin.n_neurons)
        for name, population in self.loaded.network.neurons.items():
            first = self.loaded.origin.first[name]
            tau_m = self.loaded.payload.parameters[name]["tau_m"]
            scale = self.loaded.payload.volts.get(name, (1.0, 0.0))[0]
            found[first : first + population.size] = self.temporal_noise.per_step(tau_m, self.loaded.dt) / scale
        return found

    def _recording(self, events, samples, begin: int, until: int, trial: int) -> Recording:
        kept = self._brought_out(events)
        recording = super()._recording(kept, samples, begin, until, trial)
        return seen(self, recording, begin, trial) if self.readout is not None else recording

    def _brought_out(self, events: NDArray[np.int64]) -> NDArray[np.int64]:
        """The spikes that the links to the outside carry; `sending`: those of the frame that is not over yet."""
        loss = self.spike_loss
        if loss is None:
            return events
        dt, acceleration = self.loaded.dt, float(self.machine.acceleration)
        array = self.loaded.payload.neurons // int(self.machine.circuits_per_array)
        links = array[events[:, 1]] * int(loss.out_links) // len(self.machine.arrays)
        steps, old = events[:, 0], self.sending[0].size
        every, link = np.concatenate((self.sending[0], steps)), np.concatenate((self.sending[1], links))
        passed = loss.passed(every, link, dt, acceleration, out=True)
        frame = loss.frame(dt, acceleration, out=True)
        unfinished = every >= self.step // frame * frame
        self.sending = every[unfinished], link[unfinished]
        self.sent, self.unsent = steps.size, int((~passed[old:]).sum())
        self.ledger.dropped_events += self.unsent
        return events[passed[old:]]

    def _account(self, n_steps: int, spikes: list[NDArray[Any]]) -> None:
        length = n_steps * self.loaded.dt / self.machine.acceleration
        self.ledger.time += length
        self.age += length
        self.ledger.packets += sum(len(part) for part in spikes)
        self.ledger.dropped_events += self.dropped
        self.ledger.energy += length * sum(self.device.power.values())

    def _keep(self, block: Block) -> NDArray[np.bool_]:  # type: ignore[override]
        return realized(self.loaded, block)

    def _write(self, projection: str, places: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        there = places >= 0
        places, weights = places[there], weights[there]
        if self.resolution is not None:
            unit = self._unit(projection)
            codes = self.resolution.codes(weights, abs(unit))
            self._saturate(projection, np.abs(weights) > (self.resolution.top + 0.5) * abs(unit))
            weights = np.asarray(codes * unit)
        self._program(places, weights)

    def _update(self, projection: str, places: NDArray[np.int64], pulses: NDArray[np.int64]) -> None:
        there = places >= 0
        places, pulses = places[there], pulses[there]
        if self.resolution is None:
            self._program(places, self.programmed[places] + pulses)
            return
        unit = self._unit(projection)
        codes = np.rint(self.programmed[places] / unit).astype(np.int64) + pulses
        self._saturate(projection, (codes < 0) | (codes > self.resolution.top))
        self._program(places, np.clip(codes, 0, self.resolution.top) * unit)

    def _read(self, projection: str, places: NDArray[np.int64]) -> NDArray[np.float64]:
        found = np.full(places.shape, np.nan)  # where a synapse was lost
        found[places >= 0] = self.programmed[places[places >= 0]]
        return found

    def _program(self, places: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        self.programmed[places] = weights
        self.weights[places] = self._realized(weights, places)

    def _unit(self, projection: str) -> float:
        return float(self.loaded.payload.units[list(self.loaded.network.projections).index(projection)])

    def _saturate(self, projection: str, beyond: NDArray[np.bool_]) -> None:
        count = self.saturated.setdefault(projection, [0, 0])
        count[0] += int(beyond.sum())
        count[1] += beyond.size

    def _losses(self, report: Report) -> Report:
        sizes, found = self.loaded.origin.size, list[Loss | str]()
        for name, count in (self.circuits.clipped if self.circuits else {}).items():
            population = name.rsplit(".", 1)[0]
            found.append(
                Loss("parameters clipped", count, sizes[population], name, "mismatch met a bound of the circuit")
            )
        for name, (count, of) in self.saturated.items():
            found.append(Loss("weights clipped", count, of, name, "written or updated beyond the codes"))
        if self.silenced:
            why = "their weight noise leaves nothing (a factor below zero)"
            found.append(Loss("synapses lost", self.silenced, self.table.n_synapses, "all projections", why))
        if self.synapse_loss is not None and self.synapse_loss.dead > 0:
            why = f"dead synapse circuits, {100 * self.synapse_loss.dead:.3g} % on this device"
            found.append(Loss("synapses lost", self.dead, self.table.n_synapses, "all projections", why))
        if self.spike_loss is not None:
            rate = self.spike_loss.rate * 1e3 / self.machine.acceleration
            why = f"a link from outside carries {rate:.4g} events/s of network time"
            remedy = "spread the sources over more links (choices: inputs_per_bus) or lower their rates"
            found.append(Loss("spikes dropped", self.dropped, self.offered, "spike sources", why, remedy))
            rate = self.spike_loss.out_rate * 1e3 / self.machine.acceleration
            why = f"a link to the outside carries {rate:.4g} events/s of network time; they acted on the chip"
            remedy = "choices neurons_per_unit: fewer neurons share a link, or a quieter network"
            found.append(Loss("recorded spikes dropped", self.unsent, self.sent, "neurons", why, remedy))
        calibration = self.loaded.calibration
        if calibration is not None and calibration.specimen not in (None, self.seed):
            found.append(f"the calibration is of specimen {calibration.specimen}, this is specimen {self.seed}")
        return report.add(*found)
