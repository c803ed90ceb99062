"""The mapping: an experiment file `mappings/*.yaml`, which network on which devices, with which seeds, and what to measure."""

import hashlib
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from neurohw import data_files, units
from neurohw.device import Device, load_device
from neurohw.device.device import read_yaml
from neurohw.errors import BadInput
from neurohw.schema import Described, validate


def _milliseconds(text: Any) -> float:
    try:
        return units.parse_text(text, "ms", "time")
    except BadInput as error:
        raise ValueError(str(error)) from None


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError("must be > 0")
    return value


def _not_negative(value: float) -> float:
    if value < 0:
        raise ValueError("must be >= 0")
    return value


def _different(names: list[str]) -> list[str]:
    if twice := [name for k, name in enumerate(names) if name in names[:k]]:
        raise ValueError(f"{twice[0]!r} stands twice")
    return names


Time = Annotated[float, BeforeValidator(_milliseconds), AfterValidator(_not_negative)]
Duration = Annotated[float, BeforeValidator(_milliseconds), AfterValidator(_positive)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class ChipEntry(Described):
    """One chip of the experiment: a device with what is left out or changed, a specimen, and how to map onto it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    device: str
    seed: Seed = 0
    dt: Duration | None = None
    choices: dict[str, Any] = {}
    ideal: bool = False
    without: list[str] = []
    with_: dict[str, float | str] = Field(default={}, alias="with")
    age: Time | None = None
    calibration: str | None = Field(default=None, min_length=1, max_length=1000)
    train: dict[str, Any] = {}
    name: str | None = Field(default=None, min_length=1, max_length=100)


class ReferenceEntry(Described):
    """The reference: its time step, and how Brian2 runs."""

    dt: Duration = 0.1
    choices: dict[str, Any] = {}


class StimulusEntry(Described):
    """Spike times of a source population: `times` in `unit`, with one neuron index for all or one for each."""

    unit: str
    times: list[float] = Field(max_length=1_000_000)
    neurons: int | list[int] = 0


Level = bool | int | float | str


class SweepEntry(Described):
    """What `neurohw sweep` varies: in each grid every combination of its values, on `specimens` chips with seeds that count up
    from the entry's.

    A name is a number of an effect or of the machine ("weight_noise.sigma"), a choice ("choices.compensate_loss"), a
    parameter of a library network ("network.n"), "age" or "dt". populations: those that are measured; by default all.
    """

    specimens: int = Field(default=1, ge=1, le=10_000)
    vary: list[dict[str, Annotated[list[Level], Field(min_length=1, max_length=1000)]]] = Field(
        min_length=1, max_length=100
    )
    populations: list[str] = []


class MappingFile(Described):
    """The file as written. `network` is read by `neurohw.frontends.read_network`; where there is a `train`, both by
    `neurohw.learning.experiment`, and what stands under `train` of a chip takes the place of what stands there."""

    network: dict[str, Any]
    duration: Duration
    trials: int = Field(default=1, ge=1, le=10_000)
    reference: ReferenceEntry = ReferenceEntry()
    chips: list[ChipEntry] = Field(default=[], max_length=1000)
    record: dict[str, Any] = {}
    measure: Annotated[list[str], Field(min_length=1), AfterValidator(_different)] = [
        "rates", "cv_isi", "correlation", "van_rossum",
    ]  # fmt: skip
    discard: Time = 0.0
    stimulus: dict[str, StimulusEntry] = {}
    sweep: SweepEntry | None = None
    train: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _discard_less(self) -> "MappingFile":
        if self.discard >= self.duration:
            raise ValueError(f"discard {self.discard:g} ms leaves nothing of the duration of {self.duration:g} ms")
        return self


@dataclass(frozen=True, eq=False)
class Mapping:
    """A checked mapping file. `path` names it; paths inside it are relative to its folder."""

    path: Path
    file: MappingFile
    text: str

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @property
    def stimulus(self) -> dict[str, tuple[list[float], list[int]]] | None:
        """Spikes by population as (times in ms, neurons); None where the file gives none."""
        given = {}
        for name, entry in self.file.stimulus.items():
            factor = units.parse(f"1 {entry.unit}", "ms", f"{self.path}: stimulus.{name}.unit")
            neurons = entry.neurons if isinstance(entry.neurons, list) else [entry.neurons] * len(entry.times)
            given[name] = ([t * factor for t in entry.times], neurons)
        return given or None

    def devices(self) -> dict[str, tuple[ChipEntry, Device]]:
        """The chips by the name they have in the report: a name given, or the device's with its time step where needed."""
        found: dict[str, tuple[ChipEntry, Device]] = {}
        for number, entry in enumerate(self.file.chips):
            device = self._device(entry, f"{self.path}: chips.{number}")
            name = entry.name or device.title + (f" at {entry.dt:g} ms" if entry.dt is not None else "")
            if name in found and entry.name is None:
                name = f"{name}, seed {entry.seed}"
            if name in found or name == "reference":
                why = "there is a reference anyway" if name not in found else "two chips are called that"
                raise BadInput(f"{self.path}: chips.{number}: {name!r}: {why}; give this one another name")
            found[name] = (entry, device)
        return found

    def _device(self, entry: ChipEntry, where: str) -> Device:
        try:
            near = self.path.parent / entry.device
            device = load_device(near if entry.device.endswith(".yaml") and near.exists() else entry.device)
            device = device.ideal() if entry.ideal else device
            device = device.without(*entry.without) if entry.without else device
            return device.with_(**entry.with_) if entry.with_ else device
        except BadInput as error:
            raise BadInput(f"{where}: {error}") from None


def load_mapping(name_or_path: str | Path) -> Mapping:
    """The mapping of that name in `mappings/`, or of that file. Raises BadInput with the place and the fault."""
    path = data_files.find("mappings", str(name_or_path))
    return mapping_of(*read_yaml(path), path)


def mapping_of(text: str, data: Any, path: Path) -> Mapping:
    """The mapping of a file's text and data, as if it had just been read from `path`."""
    if not isinstance(data, AbstractMapping):
        raise BadInput(f"{path}: expected keys such as network, duration, chips; got {type(data).__name__}")
    return Mapping(path, validate(MappingFile, data, str(path)), text)
