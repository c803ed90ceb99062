"""A mapping file carried out: the network on every chip and on the reference, for every trial."""

import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from neurohw import units, workbench
from neurohw.calibration import load_calibration
from neurohw.chips.engine_chip import checked_stimulus
from neurohw.device import Device, load_device
from neurohw.errors import BadInput, NeurohwError
from neurohw.frontends import read_network
from neurohw.kernels import budget
from neurohw.kernels.prediction import prediction
from neurohw.mapping import ChipEntry, Mapping, ReferenceEntry
from neurohw.network import Network
from neurohw.program import Chip, Program, normalize_record
from neurohw.recording import Recording
from neurohw.study.statistics import STATISTICS

Progress = Callable[[str, float], None]
"""Called with what is being done and how far it is, 0 to 1."""
VERSIONED = ("brian2", "numpy", "numba", "scipy", "elephant", "neo", "pynn", "nir", "h5py", "pint", "pydantic")


def quiet(what: str, share: float) -> None:
    """No progress is shown."""


@dataclass(frozen=True, eq=False)
class Experiment:
    """A mapping file with its network and all programs; `first_trial` shifts the trial seeds."""

    mapping: Mapping
    network: Network
    reference: Program
    programs: dict[str, tuple[ChipEntry, Program]]
    first_trial: int = 0

    @property
    def trials(self) -> list[int]:
        return list(range(self.first_trial, self.first_trial + self.mapping.file.trials))


def prepare(mapping: Mapping, first_trial: int = 0, progress: Progress = quiet) -> Experiment:
    """Read the network and map it onto every device; raises, naming the chip that refuses, before anything runs."""
    unknown = [name for name in mapping.file.measure if name not in STATISTICS]
    if unknown:
        raise BadInput(f"{mapping.path}: measure: no statistic {unknown[0]!r}; there are {', '.join(STATISTICS)}")
    devices = mapping.devices()
    if not devices:
        raise BadInput(f"{mapping.path}: chips: there are none; write for example chips: [{{device: spinnaker-spin5}}]")
    progress("reading the network", 0.0)
    network = read_network(mapping.file.network, mapping.path.parent, f"{mapping.path}: network")
    stimulus = mapping.stimulus
    with _naming(mapping, ""):
        normalize_record(network, mapping.file.record)
    with _naming(mapping, "reference: "):
        reference = map_entry(mapping, network, mapping.file.reference, load_device("reference"))
    with _naming(mapping, ""):
        checked_stimulus(reference, stimulus)
    programs, least = {}, 0.0
    for number, (name, (entry, device)) in enumerate(devices.items()):
        progress(f"mapping onto {name}", number / len(devices))
        with _naming(mapping, f"chip {name!r}: "):
            program = map_entry(mapping, network, entry, device)
            least += mapping.file.trials * budget.seconds(program, budget.steps_of(program, mapping.file.duration))
            budget.refuse_endless(least, f"{mapping.file.trials} trials of {mapping.file.duration:g} ms")
        programs[name] = (entry, program)
    return Experiment(mapping, network, reference, programs, first_trial)


def map_entry(mapping: Mapping, network: Network, entry: ChipEntry | ReferenceEntry, device: Device) -> Program:
    """The network on a device, as an entry of a mapping file has it."""
    path = entry.calibration if isinstance(entry, ChipEntry) else None
    calibration = load_calibration(mapping.path.parent / path) if path else None
    return workbench.map_network(network, device, entry.choices, calibration, entry.dt, mapping.file.record)


@contextmanager
def _naming(mapping: Mapping, what: str) -> Iterator[None]:
    """Errors inside say which file, and what in it, they are about."""
    try:
        yield
    except NeurohwError as error:
        raise type(error)(f"{mapping.path}: {what}{error}") from None


def predicted(experiment: Experiment, program: Program) -> str:
    """What all trials of a mapping file will take on one of its chips, in a sentence."""
    trials, length = experiment.mapping.file.trials, experiment.mapping.file.duration
    found = prediction(program, trials * length)
    told = ", ".join(f"{name} {value:.3g} {unit}".rstrip() for name, (value, unit) in found.items())
    rate = f"{program.choices.expected_rate:g} Hz"
    return f"Expected for {trials} trial{'s' if trials > 1 else ''} of {units.pretty(length, 'ms')}, neurons firing at {rate}: {told}"


Finished = Callable[[str, int, Recording], None]
"""Called with the chip's name, the trial and its recording, as soon as it is there."""


def run_chips(
    experiment: Experiment, progress: Progress = quiet, finished: Finished | None = None
) -> Iterator[tuple[str, Chip, list[Recording]]]:
    """(name, chip, one recording per trial), chip after chip."""
    for name, (entry, program) in experiment.programs.items():
        with _naming(experiment.mapping, f"chip {name!r}: "):
            chip = workbench.fabricate(program.device, entry.seed)
            chip.load(program)
            if entry.age is not None:
                chip.wait(entry.age)
            recordings = _run(experiment, program, chip, name, progress, finished)
        yield name, chip, recordings


def run_reference(experiment: Experiment, progress: Progress = quiet) -> tuple[Program, list[Recording]]:
    """The reference's program and one recording per trial."""
    program = experiment.reference
    with _naming(experiment.mapping, "reference: "):
        return program, _run(experiment, program, workbench.fabricate(program.device), "reference", progress)


def _run(
    experiment: Experiment,
    program: Program,
    chip: Any,
    name: str,
    progress: Progress,
    finished: Finished | None = None,
) -> list[Recording]:
    file, recordings, age = experiment.mapping.file, [], getattr(chip, "age", None)
    for number, trial in enumerate(experiment.trials):

        def inside(share: float, done: int = number) -> None:
            progress(f"running {name}, trial {done + 1} of {file.trials}", (done + share) / file.trials)

        inside(0.0)
        workbench.back_to(chip, age)
        if hasattr(chip, "on_progress"):
            chip.on_progress = inside
        recordings.append(workbench.run(program, chip, file.duration, trial, experiment.mapping.stimulus))
        if finished is not None:
            finished(name, trial, recordings[-1])
    return recordings


def provenance(mapping: Mapping, command: str) -> dict[str, Any]:
    """Which versions and which file made the numbers."""
    return {
        "command": command,
        "neurohw": version("neurohw"),
        "python": platform.python_version(),
        "platform": sys.platform,
        "versions": {name: version(name) for name in VERSIONED},
        "mapping": mapping.path.name,
        "mapping_fingerprint": mapping.fingerprint,
        "mapping_text": mapping.text,
    }


def manifest(experiment: Experiment, command: str) -> dict[str, Any]:
    """What determines the numbers of an experiment: versions, files, seeds. `neurohw compare` on `mapping_text` repeats it."""
    mapping = experiment.mapping
    return {
        **provenance(mapping, command),
        "network": {
            "name": experiment.network.name,
            "seed": experiment.network.seed,
            "source": experiment.network.source,
        },
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
