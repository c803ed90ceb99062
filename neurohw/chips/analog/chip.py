"""An analog chip: the network's own equations, with the parameters and weights that this specimen happens to have.

What is fixed belongs to a circuit, not to a network: each draw of a specimen is addressed by the number on the machine
of the neuron circuit or synapse circuit that it describes. The same network mapped the same way meets the same
circuits, another network on the same circuits meets their same faults, and a network that is moved meets others.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.float_chip import FloatChip
from neurohw.device.analog import AnalogMachine
from neurohw.device.device import Device
from neurohw.effects.mismatch import Mismatch
from neurohw.effects.spike_loss import SpikeLoss
from neurohw.effects.synapse_loss import SynapseLoss
from neurohw.effects.weight_noise import WeightNoise
from neurohw.effects.weight_resolution import WeightResolution
from neurohw.errors import Unsupported
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

    state_names: ClassVar[tuple[str, ...]] = (*FloatChip.state_names, "programmed")

    def __init__(self, device: Device, seed: int = 0):
        super().__init__(device, seed)
        self.machine = cast(AnalogMachine, device.machine)
        self.mismatch = cast(Mismatch | None, device.effect("mismatch"))
        self.weight_noise = cast(WeightNoise | None, device.effect("weight_noise"))
        self.resolution = cast(WeightResolution | None, device.effect("weight_resolution"))
        self.synapse_loss = cast(SynapseLoss | None, device.effect("synapse_loss"))
        self.spike_loss = cast(SpikeLoss | None, device.effect("spike_loss"))
        self.clipped: dict[str, int] = {}
        self.saturated: dict[str, list[int]] = {}
        self.offered = self.dropped = 0

    @property
    def capabilities(self) -> Capabilities:
        if self.resolution is None:
            return super().capabilities
        units = dict(zip(self.loaded.network.projections, self.loaded.payload.units, strict=True))
        ends = {name: sorted((0.0, float(unit * self.resolution.top))) for name, unit in units.items()}
        spans = {name: (low, high) for name, (low, high) in ends.items()}
        steps = {name: abs(float(unit)) for name, unit in units.items()}
        return Capabilities(("spikes", "v", "weights"), True, "lsb", spans, steps, {}, None, ())

    def _load(self, program: Program) -> None:
        self.clipped, self.saturated, self.silenced = {}, {}, 0
        super()._load(program)

    def effective_weights(self, program: Program) -> NDArray[np.float64]:
        columns, payload = program.payload.table.columns, program.payload
        coded = self.resolution is not None
        self.programmed = columns["code"] * payload.units[columns["projection"]] if coded else columns["weight"].copy()
        self.pattern = self._pattern(columns["circuit"]) if "circuit" in columns else None
        return self.programmed.copy() if self.pattern is None else self.programmed * self.pattern

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
        if self.mismatch is None:
            return program.payload.parameters
        found = {}
        for name, wanted in program.payload.parameters.items():
            first = program.origin.first[name]
            circuits = program.payload.neurons[first : first + program.origin.size[name]]
            found[name], clipped = self.mismatch.specimen(wanted, lambda p: self.key(f"mismatch/{p}"), circuits)
            self.clipped |= {f"{name}.{parameter}": count for parameter, count in clipped.items()}
        return found

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

    def run(
        self, duration: Any, trial: int = 0, stimulus: Mapping[str, Any] | None = None, reset: bool = True
    ) -> Recording:
        self.offered = self.dropped = 0
        return super().run(duration, trial, stimulus, reset)

    def _account(self, n_steps: int, spikes: list[NDArray[Any]]) -> None:
        length = n_steps * self.loaded.dt / self.machine.acceleration
        self.ledger.time += length
        self.age += length
        self.ledger.packets += sum(len(part) for part in spikes)
        self.ledger.dropped_events += self.dropped
        self.ledger.energy += length * sum(self.device.power.values())

    def configure(self, population: str, codes: Mapping[str, NDArray[np.int64]]) -> None:
        raise Unsupported(
            f"{self.device.title}: parameters are set in the network's units, and parameter codes are not modeled; "
            "change the network's parameters and map it again"
        )

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
        self.weights[places] = weights if self.pattern is None else weights * self.pattern[places]

    def _unit(self, projection: str) -> float:
        return float(self.loaded.payload.units[list(self.loaded.network.projections).index(projection)])

    def _saturate(self, projection: str, beyond: NDArray[np.bool_]) -> None:
        count = self.saturated.setdefault(projection, [0, 0])
        count[0] += int(beyond.sum())
        count[1] += beyond.size

    def _losses(self, report: Report) -> Report:
        sizes, found = self.loaded.origin.size, []
        for name, count in self.clipped.items():
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
        return report.add(*found)
