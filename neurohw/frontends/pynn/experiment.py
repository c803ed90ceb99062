"""One experiment: what a script has built, mapped onto one specimen, from one `setup()` to the next.

The network is mapped when it first runs, and again when it has changed since; after a change in mid-run the chip
goes on in the state it has reached (`resume`), where it can.
"""

from typing import Any

from neurohw.device import Device, load_device
from neurohw.errors import Unsupported
from neurohw.frontends.pynn import plasticity
from neurohw.frontends.pynn.assemble import assemble
from neurohw.network import Network
from neurohw.program import Chip, Program
from neurohw.report import Report
from neurohw.workbench import fabricate, map_network


class Captured(BaseException):
    """The network at the first run(), on its way out of a script; no `except Exception` stops it."""

    def __init__(self, network: Network):
        super().__init__("the script's network is complete")
        self.network = network


class Experiment:
    """device, chip_seed, choices: which specimen, and how. trial: of the first segment; reset() takes the next."""

    def __init__(
        self,
        state: Any,
        device: Device | str = "reference",
        chip_seed: int = 0,
        trial: int = 0,
        choices: Any = None,
        ignored: tuple[str, ...] = (),
    ):
        self.state, self.given_device = state, device
        self.chip_seed, self.first_trial, self.choices = int(chip_seed), int(trial), choices
        self.ignored = ignored
        self.chip: Chip | None = None
        self.program: Program | None = None
        self.reports: list[tuple[float, float, Report]] = []
        self.notes: list[str] = []
        self.changed, self.begun = True, False

    @property
    def trial(self) -> int:
        """The trial of this segment."""
        return self.first_trial + self.state.segment_counter

    def restart(self) -> None:
        """The next run starts at time 0 again, with the weights that there were before they learned."""
        self.begun = False
        if plasticity.forget(self.state.projections):
            self.changed = True

    def advance(self, first: int, last: int) -> None:
        """Run the steps first..last-1 and hand every population and current source its data."""
        state = self.state
        if not state.populations:
            return
        if self.changed or self.program is None or any(s.streams(first, last) for s in state.current_sources):
            self._put_on_chip(first, last)
        assert self.chip is not None
        assert self.program is not None
        duration = (last - first) * state.dt
        recording = self.chip.run(duration, trial=self.trial, reset=not self.begun)
        self.begun = True
        self.reports.append((first * state.dt, last * state.dt, recording.report))
        plasticity.learned(state.projections, self.chip, self.program.network)
        for population in state.populations:
            population.recorder.keep(first, recording, population.network_name)
        for source in state.current_sources:
            source.keep(first, last, self.trial)

    def _put_on_chip(self, first: int, last: int) -> None:
        network, self.notes = assemble(self.state, first, last, self.trial)
        if self.state.capturing:
            raise Captured(network)
        device = load_device(self.given_device) if isinstance(self.given_device, str) else self.given_device
        record = {p.network_name: p.recorder.wanted() for p in self.state.populations}
        if not network.neurons:
            network = with_idle_neuron(network, device)
        program = map_network(network, device, self.choices, dt=self.state.dt, record=record)
        if self.chip is None:
            self.chip = fabricate(device, self.chip_seed)
        if not self.begun:
            self.chip.load(program)
        elif hasattr(self.chip, "resume"):
            self.chip.resume(program)
        else:
            raise Unsupported(
                f"{device.title} cannot take a changed network in mid-run (at {first * self.state.dt:g} ms); "
                "make the change before the first run(), or after reset()"
            )
        self.program, self.changed = program, False

    def report(self) -> str:
        """Every approximation so far, in plain words: of the script, of the mapping, and of each run."""
        lines = [f"Note: {note}" for note in self.notes]
        if self.ignored:
            lines.append(f"Note: setup() took no notice of {', '.join(self.ignored)}")
        if self.program is None:
            return "\n".join([*lines, "Nothing has run yet"])
        lines = [f"{self.program.device.title}, specimen {self.chip_seed}", str(self.program.report), *lines]
        for begin, end, report in self.reports:
            lines += [f"run {begin:g} to {end:g} ms", *(f"  {loss}" for loss in report.losses), *report.notes]
            lines += [] if report.losses else ["  no losses"]
        return "\n".join(lines)


def with_idle_neuron(network: Network, device: Device) -> Network:
    """Sources alone are nothing that a chip can hold: they are given one neuron that nothing reaches."""
    models = [name for name in device.supports.neurons if not name.startswith("SpikeSource")]
    return network.population("idle neuron", 1, models[0])
