"""Programs and networks as HDF5 files: a tree of frozen values, its arrays as datasets, the rest as one JSON text.

    /          format="neurohw-program" (or -network), version=1
    /tree      JSON text as bytes (uint8); every value is itself, or an object with one of the keys
                   tuple, list: [...]   dict: [[key, value], ...]   array: "path in /arrays"   numpy: [dtype, number]
                   model: a neuron model by name   is: the name of a class in CLASSES, with: its fields by name
    /arrays/.. the arrays, under the path that they have in the tree; numbers only, with checksums

A file from elsewhere is not trusted: nothing in it is executed, only the classes of CLASSES are made, each field must
have the type that its class declares, and a class that has a method `checked` has the last word. See also
`neurohw.files.open_hdf5`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import BaseModel

from neurohw.errors import BadInput
from neurohw.files import atomically, open_hdf5
from neurohw.neurons import NEURONS, NeuronModel, SourceModel
from neurohw.schema import Number, validate

VERSION = 1
MAX_DEPTH = 100
CLASSES = {
    name: module
    for module, names in {
        "neurohw.network": "Network Numerics Population Projection Current SpikeTimes",
        "neurohw.distributions": "Uniform Normal",
        "neurohw.connections": "AllToAll OneToOne FixedProbability FixedTotalNumber FixedNumberPre FixedNumberPost "
        "FromList",
        "neurohw.synapses.stdp": "STDPMechanism",
        "neurohw.device.device": "Device Supports",
        "neurohw.device.machine": "Site Limits",
        "neurohw.device.reference": "ReferenceMachine ReferenceChoices",
        "neurohw.device.spinnaker": "SpinnakerMachine SpinnakerChoices",
        "neurohw.device.analog": "AnalogMachine AnalogChoices Layout Matrix",
        "neurohw.device.crossbar": "CrossbarMachine CrossbarChoices",
        "neurohw.effects.adc": "Adc",
        "neurohw.effects.curve": "Curve",
        "neurohw.effects.dac": "Dac",
        "neurohw.effects.dead_lines": "DeadLines",
        "neurohw.effects.drift": "Drift",
        "neurohw.effects.fixed_point": "FixedPoint",
        "neurohw.effects.ir_drop": "IrDrop",
        "neurohw.calibration": "Calibration Residual",
        "neurohw.effects.configuration_noise": "ConfigurationNoise",
        "neurohw.effects.mismatch": "Mismatch Levels",
        "neurohw.effects.parameter_codes": "ParameterCodes VoltageCell TimeCell GainCell",
        "neurohw.effects.readout": "Readout",
        "neurohw.effects.temporal_noise": "TemporalNoise",
        "neurohw.effects.programming_noise": "ProgrammingNoise",
        "neurohw.effects.read_noise": "ReadNoise",
        "neurohw.effects.set_pulse": "SetPulse",
        "neurohw.effects.spike_loss": "SpikeLoss",
        "neurohw.effects.stuck_cells": "StuckCells",
        "neurohw.effects.synapse_loss": "SynapseLoss",
        "neurohw.effects.weight_noise": "WeightNoise",
        "neurohw.effects.weight_resolution": "WeightResolution",
        "neurohw.program": "Program Slice DelayPlan Routing TableEntry Scaling Ledger",
        "neurohw.report": "Report Loss Resource",
        "neurohw.kernels.table": "SynapseTable",
        "neurohw.kernels.plastic_table": "PlasticTable",
        "neurohw.passes.to_float": "FloatPayload",
        "neurohw.passes.to_fixed_point": "FixedPointPayload",
        "neurohw.passes.to_circuit": "CircuitPayload",
        "neurohw.passes.to_conductance": "ConductancePayload",
        "neurohw.schema": "Number",
        "neurohw.chips.crossbar.state": "Devices",
        "neurohw.learning.checkpoint": "Checkpoint",
    }.items()
    for name in names.split()
}
"""What a file may hold, and where it is defined: by name, since this module lies below most of them."""


def save(thing: Any, kind: str, path: Any) -> None:
    """Write a tree of frozen values to one file, all or nothing. Raises BadInput for what CLASSES does not know."""
    import h5py

    with atomically(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(format=f"neurohw-{kind}", version=VERSION)
        tree = _Writer(file.create_group("arrays")).encoded(thing, ())
        _dataset(file, "tree", np.frombuffer(json.dumps(tree).encode(), np.uint8))


def load_program(path: Any) -> Any:
    """The program that `Program.save` wrote; it runs as the original does, bit for bit.

    Raises BadInput, naming the file and the place, for anything else, and where the fingerprint is not that of what the
    file holds.
    """
    return _load("program", "Program", path)


def load_network(path: Any) -> Any:
    """The network that `Network.save` wrote. Raises BadInput, naming the file and the place, for anything else."""
    return _load("network", "Network", path)


def load(path: Any, kind: str, root: str) -> Any:
    """What `save` wrote of this kind, whose class is called `root`; other things that are saved have their own reader."""
    return _load(kind, root, path)


def _load(kind: str, root: str, path: Any) -> Any:
    with open_hdf5(path) as file:
        if file.attrs.get("format") != f"neurohw-{kind}":
            raise BadInput(f"{path}: not a {kind} that neurohw saved, but {str(file.attrs.get('format'))[:60]!r}")
        if (version := file.attrs.get("version")) != VERSION:
            raise BadInput(f"{path}: version {str(version)[:20]} of the format; this neurohw reads version {VERSION}")
        data = file.get("tree")
        if getattr(data, "dtype", None) != np.uint8 or data.ndim != 1:
            raise BadInput(f"{path}: /tree: expected JSON text as bytes")
        try:
            tree = json.loads(data[()].tobytes())
        except ValueError as error:
            raise BadInput(f"{path}: /tree: not JSON: {error}") from None
        reader = _Reader(file.get("arrays"), str(path))
        if not isinstance(tree, dict) or tree.get("is") != root:
            raise BadInput(f"{path}: /tree: expected a {root}")
        return reader.decoded(tree, root.lower())


class _Writer:
    """Turns values into JSON, and arrays into datasets; an array that stands in several places is written once."""

    def __init__(self, arrays: Any):
        self.arrays = arrays
        self.written: dict[int, tuple[str, Any]] = {}

    def encoded(self, value: Any, at: tuple[str, ...]) -> Any:
        """`value` as JSON; `at`: its place in the tree."""
        match value:
            case None | bool() | str():
                return value
            case Number() | BaseModel():
                return self._object(value, at)
            case NeuronModel() | SourceModel():
                return {"model": value.name}
            case np.generic():
                return {"numpy": [value.dtype.name, value.item()]}
            case int() | float():
                return value
            case np.ndarray():
                return {"array": self._array(value, at)}
            case Mapping():
                pairs = enumerate(value.items())
                return {"dict": [[self.encoded(k, at), self.encoded(v, (*at, _word(k, n)))] for n, (k, v) in pairs]}
            case tuple() | list() if type(value) in (tuple, list):
                inner = [self.encoded(one, (*at, str(n))) for n, one in enumerate(value)]
                return {type(value).__name__: inner}
        return self._object(value, at)

    def _object(self, value: Any, at: tuple[str, ...]) -> dict[str, Any]:
        name = type(value).__name__
        if CLASSES.get(name) != type(value).__module__:
            raise BadInput(f"{'.'.join(at) or 'it'}: a {name} cannot be saved")
        whole = {"value": float(value)} if isinstance(value, Number) else {}
        named = whole | {field: getattr(value, field) for field in _field_names(type(value)) if field not in whole}
        return {"is": name, "with": {field: self.encoded(one, (*at, field)) for field, one in named.items()}}

    def _array(self, array: Any, at: tuple[str, ...]) -> str:
        if id(array) not in self.written:
            path = "/".join(part.replace("%", "%25").replace("/", "%2F").replace(".", "%2E") for part in at)
            _dataset(self.arrays, path, array)
            self.written[id(array)] = path, array
        return self.written[id(array)][0]


def _word(key: Any, number: int) -> str:
    return key if isinstance(key, str) and key else str(number)


def _dataset(group: Any, path: str, array: Any) -> None:
    large = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if array.nbytes > 4096 else {}
    group.create_dataset(path, data=array, fletcher32=bool(array.size and array.ndim), **large)


class _Reader:
    """Makes the values of a tree; whatever is not as it was written is BadInput with its place."""

    def __init__(self, arrays: Any, where: str):
        self.arrays, self.where = arrays, where
        self.made: dict[str, Any] = {}

    def decoded(self, node: Any, at: str, depth: int = 0) -> Any:
        """The value of a node of the tree."""
        if node is None or isinstance(node, bool | int | float | str):
            return node
        if depth > MAX_DEPTH or not isinstance(node, dict) or not node:
            self._refuse(at, "not a value")
        kind, inner = next(iter(node.items()))
        make: Callable[[Any, str, int], Any] | None = getattr(self, f"_{kind}", None) if kind in KINDS else None
        if make is None or len(node) != (2 if kind == "is" else 1):
            self._refuse(at, f"unknown kind of value {str(kind)[:40]!r}")
        return make(node if kind == "is" else inner, at, depth + 1)

    def _refuse(self, at: str, what: str) -> NoReturn:
        raise BadInput(f"{self.where}: {at[:200]}: {what}")

    def _all(self, nodes: Any, at: str, depth: int) -> list[Any]:
        if not isinstance(nodes, list):
            self._refuse(at, "expected a list")
        return [self.decoded(node, f"{at}.{n}", depth) for n, node in enumerate(nodes)]

    def _list(self, nodes: Any, at: str, depth: int) -> list[Any]:
        return self._all(nodes, at, depth)

    def _tuple(self, nodes: Any, at: str, depth: int) -> tuple[Any, ...]:
        return tuple(self._all(nodes, at, depth))

    def _dict(self, nodes: Any, at: str, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for pair in nodes if isinstance(nodes, list) else [None]:
            if not isinstance(pair, list) or len(pair) != 2:
                self._refuse(at, "expected pairs of key and value")
            key = self.decoded(pair[0], at, depth)
            if not isinstance(key, str | int | tuple) or key in found:
                self._refuse(at, f"{str(key)[:40]!r} is no key, or stands twice")
            found[key] = self.decoded(pair[1], f"{at}.{key}", depth)
        return found

    def _array(self, path: Any, at: str, depth: int) -> Any:
        if not isinstance(path, str):
            self._refuse(at, "expected the path of an array")
        if path not in self.made:
            data = self.arrays.get(path) if self.arrays is not None else None
            if data is None or getattr(data, "ndim", 0) < 1 or data.dtype.kind not in "biuf" or not data.dtype.isnative:
                self._refuse(at, f"/arrays/{path[:100]}: there is no array of numbers")
            self.made[path] = data[()]
        return self.made[path]

    def _numpy(self, node: Any, at: str, depth: int) -> Any:
        if not isinstance(node, list) or len(node) != 2 or node[0] not in NUMPY or not isinstance(node[1], int | float):
            self._refuse(at, "expected a type and a number")
        return np.dtype(node[0]).type(node[1])

    def _model(self, name: Any, at: str, depth: int) -> Any:
        if not isinstance(name, str) or name not in NEURONS:
            self._refuse(at, f"no neuron model {str(name)[:40]!r}; there are {', '.join(NEURONS)}")
        return NEURONS[name]

    def _is(self, node: Any, at: str, depth: int) -> Any:
        name, given = node["is"], node.get("with")
        if not isinstance(name, str) or name not in CLASSES or not isinstance(given, dict):
            self._refuse(at, f"unknown class {str(name)[:40]!r}")
        cls = getattr(import_module(CLASSES[name]), name)
        if set(given) != set(_field_names(cls)):
            self._refuse(at, f"the fields of a {name} are {', '.join(_field_names(cls))}")
        named = {field: self.decoded(inner, f"{at}.{field}", depth) for field, inner in given.items()}
        if issubclass(cls, BaseModel):
            return validate(cls, named, f"{self.where}: {at}")
        for field, hint in _hints(cls).items():
            if not fits(named[field], hint):
                self._refuse(f"{at}.{field}", f"a {type(named[field]).__name__} where a {name} has {_plain(hint)}")
        try:
            made = cls(**named)
            return made.checked() if hasattr(made, "checked") else made
        except BadInput as error:
            self._refuse(at, str(error))


KINDS = ("tuple", "list", "dict", "array", "numpy", "model", "is")
NUMPY = ("bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "float32", "float64")


def _field_names(cls: Any) -> list[str]:
    if issubclass(cls, Number):
        return ["value", "text", "source", "status"]
    if issubclass(cls, BaseModel):
        return list(cls.model_fields)
    return [field.name for field in fields(cls)] if is_dataclass(cls) else list(cls._fields)


def _hints(cls: Any) -> dict[str, Any]:
    declared = {"value": float, **get_type_hints(cls)} if issubclass(cls, Number) else get_type_hints(cls)
    return {name: declared[name] for name in _field_names(cls)}


def _plain(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))[:100]


def fits(value: Any, hint: Any) -> bool:
    """Whether a value has a declared type; arrays are held to the kind of their numbers."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if origin is np.ndarray:
        number = get_args(inner[1])[0]
        known = isinstance(number, type) and issubclass(number, np.generic)
        return isinstance(value, np.ndarray) and (not known or np.issubdtype(value.dtype, _kind(number)))
    if origin is tuple:
        each = [inner[0]] * len(value) if inner[-1] is Ellipsis and isinstance(value, tuple) else inner
        return isinstance(value, tuple) and len(value) == len(each) and all(map(fits, value, each))
    if origin is list:
        return isinstance(value, list) and all(fits(one, inner[0]) for one in value)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, dict) and all(fits(k, inner[0]) and fits(v, inner[1]) for k, v in value.items())
    if hint in (int, float) and not isinstance(value, bool):
        return isinstance(value, (int, np.integer) if hint is int else (int, float, np.integer, np.floating))
    return isinstance(value, NoneType if hint is None else hint)


def _kind(number: Any) -> Any:
    """The numbers that pass for `number`: of its kind, whatever their size."""
    kinds = (np.bool_, np.unsignedinteger, np.signedinteger, np.floating)
    return next((kind for kind in kinds if issubclass(number, kind)), number)
