"""A device: a type of chip, as a frozen value read from a YAML file whose every number has a unit, a source and a status."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, Field

from neurohw import data_files, units
from neurohw.device.machine import Limits, Range
from neurohw.device.substrates import SUBSTRATES
from neurohw.distributions import spread
from neurohw.effects import EFFECTS, Effect
from neurohw.errors import BadInput
from neurohw.network import Network, Population
from neurohw.neurons import NEURONS, SourceModel
from neurohw.schema import Described, In, Number, validate
from neurohw.synapses import SYNAPSES
from neurohw.synapses.signed import SIGNED

MAX_FILE = 1_000_000


class Supports(Described):
    """What the device has: neuron models and synapse rules by name, and how it treats delays.

    delays: programmable per synapse; per row (a read drives a whole row); or fixed by the substrate.
    """

    neurons: tuple[str, ...]
    synapses: tuple[str, ...]
    delays: Literal["programmable", "rows", "fixed"]
    reset: tuple[Literal["set", "subtract"], ...] = ("set",)
    integration: tuple[Literal["exact", "euler"], ...] = ("exact",)
    currents: bool = True


class DeviceFile(Described):
    """The file as written; `machine` is checked by the substrate, `effects` by each effect."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    substrate: str
    summary: str
    sources: dict[str, str]
    supports: Supports
    time_step: Annotated[Number, In("ms", at_least=1e-3, at_most=1e6)]
    parameters: dict[str, Range] = {}
    machine: dict[str, Any]
    effects: dict[str, dict[str, Any]] = {}
    energy: dict[str, Annotated[Number, In("fJ", at_least=0)]] = {}
    power: dict[str, Annotated[Number, In("pW", at_least=0)]] = {}


@dataclass(frozen=True, eq=False)
class Device:
    """A type of chip. `machine` is its fabric (a Machine of its substrate's own class), `effects` what is not ideal about it,
    `fingerprint` the hash of its file.
    """

    name: str
    substrate: str
    summary: str
    sources: Mapping[str, str]
    supports: Supports
    time_step: float
    parameters: Mapping[str, Limits]
    machine: Any
    effects: tuple[Effect, ...]
    energy: Mapping[str, Number]
    power: Mapping[str, Number]
    fingerprint: str
    is_ideal: bool = False
    variant: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        """The name with what was changed against the file: "pcm-million without drift"."""
        return " ".join((self.name, *self.variant))

    @property
    def is_unlimited(self) -> bool:
        """No capacity, range or delay limit: an ideal device, or the reference."""
        return self.is_ideal or self.substrate == "reference"

    def checked(self) -> "Device":
        """This device; raises BadInput where its parts are not those of its substrate, as those of a file may be."""
        if self.substrate not in SUBSTRATES:
            raise BadInput(f"substrate {self.substrate!r} is none of {', '.join(SUBSTRATES)}")
        if type(self.machine) is not SUBSTRATES[self.substrate].machine:
            raise BadInput(f"a {type(self.machine).__name__} is no machine of the substrate {self.substrate}")
        return self

    def effect(self, name: str) -> Any:
        """The effect of that name, or None where the device has none or it is switched off."""
        if name not in EFFECTS:
            raise BadInput(f"no effect {name!r}; there are {', '.join(EFFECTS)}")
        return next((effect for effect in self.effects if effect.name == name), None)

    def without(self, *names: str) -> "Device":
        """The same device with these effects switched off."""
        for name in names:
            if self.effect(name) is None:
                has = ", ".join(effect.name for effect in self.effects) or "none"
                raise BadInput(f"device {self.name}: it has no effect {name!r} to leave out; it has {has}")
        kept = tuple(effect for effect in self.effects if effect.name not in names)
        return replace(self, effects=kept, variant=(*self.variant, *(f"without {name}" for name in names)))

    def with_(self, **numbers: float | str) -> "Device":
        """The same device with other numbers, as text with a unit or in the coherent system.

        Each name is a field of the machine or of exactly one effect; `effect.field` or `effect_field` names one of several.
        """
        device = self
        for name, value in numbers.items():
            device = device._with_one(name, value)
        return device

    def _with_one(self, name: str, value: float | str) -> "Device":
        effect, _, field_name = name.rpartition(".")
        for one in self.effects:  # adc_bits stands for adc.bits
            if not effect and name.removeprefix(f"{one.name}_") in type(one).model_fields and name.startswith(one.name):
                effect, field_name = one.name, name.removeprefix(f"{one.name}_")
        parts = [e for e in self.effects if e.name == effect] if effect else [self.machine, *self.effects]
        homes: list[Any] = [part for part in parts if field_name in type(part).model_fields]
        if len(homes) != 1:
            found = f"stands in {len(homes)} places" if homes else "is no number of the machine or of an effect"
            names = sorted({f for part in (self.machine, *self.effects) for f in type(part).model_fields})
            raise BadInput(f"device {self.name}: {name!r} {found}; there are {', '.join(names)}")
        home, field_info = homes[0], type(homes[0]).model_fields[field_name]
        given: Any = value
        if isinstance(getattr(home, field_name), Number):
            unit = next((m.unit for m in field_info.metadata if isinstance(m, In)), "")
            given = Number(units.parse(value, unit, f"device {self.name}: {name}"), str(value))
        data = {f: getattr(home, f) for f in type(home).model_fields}
        changed = validate(type(home), {**data, field_name: given}, f"device {self.name}")
        variant = (*self.variant, f"with {name}={value}")
        if home is self.machine:
            return replace(self, machine=changed, variant=variant)
        return replace(self, effects=tuple(changed if e is home else e for e in self.effects), variant=variant)

    def ideal(self) -> "Device":
        """Every effect off; unlimited precision, range, capacity and bandwidth; requested delays; the model in float64."""
        supports = Supports(
            neurons=tuple(NEURONS),
            synapses=tuple(dict.fromkeys((*self.supports.synapses, SIGNED.name))),
            delays="programmable",
            reset=("set", "subtract"),
            integration=("exact", "euler"),
        )
        return replace(self, effects=(), parameters={}, supports=supports, is_ideal=True, variant=("ideal",))

    def choices(self, given: Mapping[str, Any] | None) -> Any:
        """The mapping's choices, checked against what this substrate lets one choose."""
        return validate(SUBSTRATES[self.substrate].choices, dict(given or {}), f"choices for {self.name}")

    def objections(self, network: Network) -> list[str]:
        """Every reason why this device cannot take this network as it stands, capacity aside."""
        reasons = []
        for population in network.populations.values():
            if population.model.name not in self.supports.neurons:
                near = ", ".join(n for n in self.supports.neurons if not isinstance(NEURONS[n], SourceModel))
                reasons.append(
                    f"population {population.name!r}: {self.name} has no {population.model.name}; it has {near}"
                )
            elif not population.is_source and network.numerics.reset not in population.neuron.resets:
                reasons.append(
                    f"population {population.name!r}: a {population.model.name} is reset by {population.neuron.resets[0]!r}, "
                    f"the network asks for {network.numerics.reset!r}"
                )
        for projection in network.projections.values():
            if projection.synapse not in self.supports.synapses:
                has = ", ".join(self.supports.synapses)
                two = projection.synapse == SIGNED.name
                remedy = ": give it twice, once excitatory and once inhibitory" if two else ""
                reasons.append(
                    f"projection {projection.name!r}: {self.name} has no {projection.synapse}; it has {has}{remedy}"
                )
        if network.numerics.reset not in self.supports.reset:
            has = ", ".join(self.supports.reset)
            reasons.append(f"numerics: {self.name} cannot reset by {network.numerics.reset!r}; it can {has}")
        if network.currents and not self.supports.currents:
            reasons.append(f"{self.name} cannot inject currents into neurons; use spikes or i_offset")
        return reasons

    def outside(self, population: Population) -> dict[str, Limits]:
        """The parameters of a population that leave the device's range."""
        found = {}
        for name, value in population.parameters.items():
            limits = self.parameters.get(name)
            _, _, low, high = spread(value)
            if limits and (low < limits.low or high > limits.high):
                found[name] = limits
        return found


def load_device(name_or_path: str | Path) -> Device:
    """The device of that name in `devices/`, or of that file.

    Raises BadInput with the place and the fault: no such file, a YAML tag, an unknown key, a missing or wrong unit.
    """
    path = data_files.find("devices", str(name_or_path))
    text, data = read_yaml(path)
    file = validate(DeviceFile, data, str(path))
    if file.substrate not in SUBSTRATES:
        raise BadInput(f"{path}: substrate: {file.substrate!r} is none of {', '.join(SUBSTRATES)}")
    machine = validate(SUBSTRATES[file.substrate].machine, file.machine, f"{path}: machine")
    unknown = [name for name in file.effects if name not in EFFECTS]
    if unknown:
        raise BadInput(f"{path}: effects.{unknown[0]}: unknown effect; there are {', '.join(EFFECTS)}")
    effects = tuple(validate(EFFECTS[n], numbers, f"{path}: effects.{n}") for n, numbers in file.effects.items())
    for place, word, given, known in (
        ("supports.neurons", "model", file.supports.neurons, list(NEURONS)),
        ("supports.synapses", "synapse rule", file.supports.synapses, list(SYNAPSES)),
    ):
        if strange := [name for name in given if name not in known]:
            raise BadInput(f"{path}: {place}: unknown {word} {strange[0]!r}; there are {', '.join(known)}")
    limits = {
        name: ends.limits(_unit_of(path, name), f"{path}: parameters.{name}") for name, ends in file.parameters.items()
    }
    _check_sources(path, file, [machine, limits, *effects])
    for section, name in SUBSTRATES[file.substrate].needs:
        if name not in getattr(file, section):
            raise BadInput(f"{path}: {section}.{name}: missing; a device of substrate {file.substrate} needs it")
    for rule in file.supports.synapses:
        if rule not in SYNAPSES:
            raise BadInput(f"{path}: supports.synapses: unknown rule {rule!r}; there are {', '.join(SYNAPSES)}")
    return Device(
        file.name, file.substrate, file.summary, file.sources, file.supports, file.time_step, limits, machine,
        effects, file.energy, file.power, hashlib.sha256(text.encode()).hexdigest()[:16],
    )  # fmt: skip


def read_yaml(path: Path) -> tuple[str, Any]:
    """(text, data) of a YAML file, without tags that ask for code. Raises BadInput with the line of the fault."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise BadInput(f"{path}: {path.stat().st_size} bytes; a file of this kind has at most {MAX_FILE}")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}; a file of this kind is text in UTF-8") from None
    return text, parse_yaml(text, str(path))


def parse_yaml(text: str, path: str) -> Any:
    """The data of a YAML text; `path` names it in errors."""
    try:
        return yaml.load(text, _Strict)
    except yaml.YAMLError as error:
        told = " ".join(str(error).split()).replace('"<unicode string>", ', "")
        raise BadInput(f"{path}: not valid YAML: {told[:300]}") from None
    except RecursionError:
        raise BadInput(f"{path}: not valid YAML: lists and keys nested too deeply") from None


class _Strict(yaml.SafeLoader):
    """Safe YAML without what hides or explodes: the same key twice, tags, aliases (an alias bomb can fill memory), and
    control characters (a terminal obeys them). 1e-3 is a number, as in YAML 1.2; in 1.1 it lacks a point.
    """

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # an impossible date, an integer of thousands of digits
            raise yaml.YAMLError(f"{error}, {node.start_mark}") from None

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        value = super().construct_scalar(node)
        if not value.replace("\n", "").replace("\t", "").isprintable():
            raise yaml.YAMLError(f"a character that cannot be printed in {value[:60]!r}, {node.start_mark}")
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool) or key in seen:
                raise yaml.YAMLError(f"key {key!r} is not a plain word or stands twice, {key_node.start_mark}")
            seen.add(key)
        return super().construct_mapping(node, deep)

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"aliases are not allowed, {self.peek_event().start_mark}")
        if getattr(self.peek_event(), "tag", None) is not None:
            raise yaml.YAMLError(f"tags are not allowed, {self.peek_event().start_mark}")
        return super().compose_node(parent, index)


_POINTLESS = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$")
_Strict.add_implicit_resolver("tag:yaml.org,2002:float", _POINTLESS, list("-+0123456789"))


def _unit_of(path: Path, parameter: str) -> str:
    for model in NEURONS.values():
        if parameter in model.parameters:
            return model.parameters[parameter].unit
    raise BadInput(f"{path}: parameters.{parameter}: no neuron model has such a parameter")


def numbers_of(part: Any) -> list[tuple[str, Number]]:
    """Every Number in a part of a device, with the name of its place."""
    if isinstance(part, Number):
        return [("", part)]
    if isinstance(part, BaseModel):
        part = {name: getattr(part, name) for name in type(part).model_fields}
    if isinstance(part, Mapping):
        return [(f"{n}.{rest}".rstrip("."), x) for n, inner in part.items() for rest, x in numbers_of(inner)]
    if isinstance(part, list | tuple):
        return [(f"{n}.{rest}".rstrip("."), x) for n, inner in enumerate(part) for rest, x in numbers_of(inner)]
    return []


def _check_sources(path: Path, file: DeviceFile, parts: list[Any]) -> None:
    for place, number in [pair for part in (file, *parts) for pair in numbers_of(part)]:
        if number.source not in file.sources:
            raise BadInput(f"{path}: {place}: source {number.source!r} is not among sources: {', '.join(file.sources)}")
