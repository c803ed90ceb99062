"""A mapping file carried out: the network on every chip and on the reference, for every trial."""

import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from neurohw import workbench
from neurohw.device import Device, load_device
from neurohw.errors import BadInput, NeurohwError
from neurohw.frontends import read_network
from neurohw.mapping import ChipEntry, Mapping
from neurohw.network import Network
from neurohw.program import Chip, Program
from neurohw.recording import Recording
from neurohw.study.statistics import STATISTICS

Progress = Callable[[str, float], None]
"""Called with what is being done and how far it is, 0 to 1."""
VERSIONED = ("brian2", "numpy", "numba", "scipy", "elephant", "neo", "pynn", "nir", "h5py", "pint", "pydantic")


def quiet(what: str, share: float) -> None:
    """No progress is shown."""


@dataclass(frozen=True, eq=False)
class Experiment:
    """A mapping file with its network and the programs for all chips; `first_trial` shifts the trial seeds."""

    mapping: Mapping
    network: Network
    programs: dict[str, tuple[ChipEntry, Program]]
    first_trial: int = 0

    @property
    def trials(self) -> list[int]:
        return list(range(self.first_trial, self.first_trial + self.mapping.file.trials))


def prepare(mapping: Mapping, first_trial: int = 0, progress: Progress = quiet) -> Experiment:
    """Read the network and map it onto every device; raises with the name of the chip that refuses."""
    unknown = [name for name in mapping.file.measure if name not in STATISTICS]
    if unknown:
        raise BadInput(f"{mapping.path}: measure: no statistic {unknown[0]!r}; there are {', '.join(STATISTICS)}")
    devices = mapping.devices()
    progress("reading the network", 0.0)
    network = read_network(mapping.file.network, mapping.path.parent, f"{mapping.path}: network")
    programs = {}
    for number, (name, (entry, device)) in enumerate(devices.items()):
        progress(f"mapping onto {name}", number / len(devices))
        programs[name] = (entry, _map(mapping, network, entry, device, name))
    return Experiment(mapping, network, programs, first_trial)


def _map(mapping: Mapping, network: Network, entry: ChipEntry, device: Device, name: str) -> Program:
    try:
        return workbench.map_network(network, device, entry.choices, dt=entry.dt, record=mapping.file.record)
    except NeurohwError as error:
        raise type(error)(f"{mapping.path}: chip {name!r}: {error}") from None


def run_chips(experiment: Experiment, progress: Progress = quiet) -> Iterator[tuple[str, Chip, list[Recording]]]:
    """(name, chip, one recording per trial), chip after chip."""
    for name, (entry, program) in experiment.programs.items():
        chip = workbench.fabricate(program.device, entry.seed)
        chip.load(program)
        if entry.age is not None:
            chip.wait(entry.age)
        yield name, chip, _run(experiment, program, chip, name, progress)


def run_reference(experiment: Experiment, progress: Progress = quiet) -> tuple[Program, list[Recording]]:
    """The reference's program and one recording per trial."""
    wanted = experiment.mapping.file.reference
    device = load_device("reference")
    program = workbench.map_network(
        experiment.network, device, wanted.choices, dt=wanted.dt, record=experiment.mapping.file.record
    )
    return program, _run(experiment, program, workbench.fabricate(device), "reference", progress)


def _run(experiment: Experiment, program: Program, chip: Any, name: str, progress: Progress) -> list[Recording]:
    file, recordings = experiment.mapping.file, []
    for number, trial in enumerate(experiment.trials):

        def inside(share: float, done: int = number) -> None:
            progress(f"running {name}, trial {done + 1} of {file.trials}", (done + share) / file.trials)

        inside(0.0)
        if hasattr(chip, "on_progress"):
            chip.on_progress = inside
        recordings.append(workbench.run(program, chip, file.duration, trial, experiment.mapping.stimulus))
    return recordings


def manifest(experiment: Experiment, command: str) -> dict[str, Any]:
    """What determines the numbers of an experiment: versions, files, seeds. `neurohw compare` on `mapping_text` repeats it."""
    mapping = experiment.mapping
    return {
        "command": command,
        "neurohw": version("neurohw"),
        "python": platform.python_version(),
        "platform": sys.platform,
        "versions": {name: version(name) for name in VERSIONED},
        "mapping": mapping.path.name,
        "mapping_fingerprint": mapping.fingerprint,
        "mapping_text": mapping.text,
        "network": {"name": experiment.network.name, "seed": experiment.network.seed, "source": experiment.network.source},
        "trials": experiment.trials,
        "chips": {
            name: {
                "device": program.device.title,
                "device_fingerprint": program.device.fingerprint,
                "chip_seed": entry.seed,
                "dt_ms": program.dt,
                "program": program.fingerprint,
            }
            for name, (entry, program) in experiment.programs.items()
        },
    }
