"""Spikes of the CA3 memory that a SpiNNaker board has recorded, held against the emulated board, population by population.

A file holds the network's numbers as its authors write them (`network_config`), the spikes of the inputs, and the spikes
of every population, step by step. The network is built from these numbers; what the board recorded is only compared.

One number is not in the file: the authors' program multiplies the weight of the inhibition of CA3cueContRecall (by the
cue cells, and by itself) with the number of content cells. With the weight as it stands in `network_config` CA3cueContRecall
and what follows it differ where several memories are recalled by content; see docs/explanation/spinnaker.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from neurohw import workbench
from neurohw.errors import BadInput
from neurohw.network import Network
from neurohw.networks.ca3_memory import CELLS, INPUTS, RULE, WIRES, wired
from neurohw.schema import Described, validate
from neurohw.study.verification import Difference, Verification

SPIKES = "spikes_by_population_[t,[ids]]"
STEMS = {"INcue": "I", "INcont": "I", "OUTcue": "O", "OUTcont": "O", "CA3MergeCue": "CA3mergeCue",
         "CA3MergeCont": "CA3mergeCont"}  # fmt: skip
"""How the authors' configuration calls a population, where not by its own name; an L for "layer" follows."""
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Step = Annotated[int, Field(strict=True, ge=0, lt=1_000_000)]
Index = Annotated[int, Field(strict=True, ge=0, lt=10_000)]


class Config(Described):
    """The numbers of the network, by the authors' names."""

    neuronParameters: dict[str, dict[str, Finite]]
    initNeuronParameters: dict[str, dict[str, Finite]]
    synParameters: dict[str, dict[str, Finite | str]]


class Recorded(Described):
    """The file as written."""

    source: str = ""
    cueSize: Annotated[int, Field(strict=True, ge=1, le=256)]
    contSize: Annotated[int, Field(strict=True, ge=1, le=256)]
    timestep_ms: Annotated[float, Field(strict=True, ge=0.001, le=1000)]
    simTime: Annotated[float, Field(gt=0, le=1e6)]
    network_config: Config
    output_layer_params: dict[str, Finite]
    input_spikes_cue: list[list[Finite]]
    input_spikes_cont: list[list[Finite]]
    spikes: dict[str, list[tuple[Step, list[Index]]]] = Field(alias=SPIKES)  # type: ignore[literal-required]


def is_recording(data: Any) -> bool:
    """Is this JSON meant to be a recording of the CA3 memory?"""
    return isinstance(data, Mapping) and SPIKES in data


def verify_recording(path: Path, data: Any) -> Verification:
    """Hold `path` (read as `data`) against the emulated board, with a verdict on every population; raises BadInput."""
    told = validate(Recorded, data, str(path))
    network = network_of(told)
    if unknown := [name for name in told.spikes if name not in network.populations]:
        raise BadInput(f"{SPIKES}: no population {unknown[0][:80]!r}; there are {', '.join(network.populations)}")
    emulated = _emulated(told, network)
    off = {name: _differing(name, steps, emulated[name]) for name, steps in told.spikes.items()}
    verdicts = _verdicts(off)
    n_spikes = sum(len(ids) for steps in told.spikes.values() for _, ids in steps)
    about = (
        f"CA3 memory of {told.cueSize} cues and {told.contSize} content cells, {told.simTime:g} ms, {n_spikes} spikes; {verdicts}; "
        f"the inhibition of CA3cueContRecall times {told.contSize}, as in the authors' program"
    )
    first = min((found[0] for found in off.values() if found), key=lambda d: d.step or 0, default=None)
    steps = round(told.simTime / told.timestep_ms)
    return Verification(path, "CA3 memory", about, steps, first, verdicts=verdicts if first else "")


def network_of(told: Recorded) -> Network:
    """The network from the file's numbers. Raises BadInput naming what is missing."""
    cells = {name: dict(_cells(told, name)) for name in CELLS}
    initial = {name: cell.pop("v_init") for name, cell in cells.items()}
    spikes = {}
    for name, trains in (("INcue", told.input_spikes_cue), ("INcont", told.input_spikes_cont)):
        size = told.cueSize if INPUTS[name] == "cues" else told.contSize
        if len(trains) > size:
            raise BadInput(f"{name}: spikes of {len(trains)} cells, but there are {size}")
        spikes[name] = [*trains, *([[]] * (size - len(trains)))]
    wires = [_wire(told, *line[:4]) for line in WIRES]
    return wired(told.cueSize, told.contSize, spikes, cells, wires, initial=initial)


def _cells(told: Recorded, name: str) -> Mapping[str, float]:
    if name.startswith("OUT"):
        return {"v_init": -60.0, **told.output_layer_params}
    key, config = _layer(name), told.network_config
    if key not in config.neuronParameters:
        raise BadInput(f"network_config.neuronParameters: {key} is missing")
    parameters = config.neuronParameters[key]
    start = config.initNeuronParameters.get(key, {}).get("vInit", parameters.get("v_rest", -60.0))
    return {**parameters, "v_init": start}


def _layer(name: str) -> str:
    return f"{STEMS.get(name, name)}L"


def _wire(told: Recorded, source: str, target: str, whom: str, kind: str) -> Any:
    """A line for `wired`, with the numbers of the file."""
    key = f"{_layer(source)}-{_layer(target)}" + ("-inh" if whom == "others" and source != target else "")
    given = told.network_config.synParameters.get(key)
    if given is None:
        raise BadInput(f"network_config.synParameters: {key} is missing")
    wanted = ("initWeight", "delay", *(RULE if kind == "STDP" else ()))
    if missing := [name for name in wanted if not isinstance(given.get(name), int | float)]:
        raise BadInput(f"network_config.synParameters.{key}: {missing[0]} is missing, or no number")
    if given.get("receptor_type") != kind:
        raise BadInput(
            f"network_config.synParameters.{key}: receptor_type {given.get('receptor_type')!r} is not {kind!r}"
        )
    rule = {name: float(given[name]) for name in RULE} if kind == "STDP" else {}
    return source, target, whom, kind, float(given["initWeight"]), float(given["delay"]), rule


def _emulated(told: Recorded, network: Network) -> dict[str, dict[int, list[int]]]:
    """Population -> step -> the cells that spike, on the emulated board."""
    last = max((step for steps in told.spikes.values() for step, _ in steps), default=0)
    program = workbench.map_network(network, "spinnaker-spin5", dt=told.timestep_ms)
    duration = max(told.simTime, last * told.timestep_ms) + told.timestep_ms
    recording = workbench.run(program, workbench.fabricate(program.device), duration)
    found: dict[str, dict[int, list[int]]] = {}
    for name in network.populations:
        times, cells = recording.spikes[name]
        steps = np.rint(times / told.timestep_ms).astype(int)
        found[name] = {int(step): sorted(cells[steps == step].tolist()) for step in np.unique(steps)}
    return found


def _differing(name: str, recorded: list[tuple[int, list[int]]], emulated: Mapping[int, list[int]]) -> list[Difference]:
    """Every step in which a population's spikes are not those of the board."""
    told: dict[int, list[int]] = {}
    for step, cells in recorded:
        told[step] = sorted(told.get(step, []) + cells)
    return [
        Difference(f"spikes of {name}", str(told.get(step, [])), str(emulated.get(step, [])), step=step)
        for step in sorted(told.keys() | emulated.keys())
        if told.get(step, []) != emulated.get(step, [])
    ]


def _verdicts(off: Mapping[str, list[Difference]]) -> str:
    exact = [name for name, found in off.items() if not found]
    differing = [f"{name} on {len(found)} step{'s' * (len(found) > 1)}" for name, found in off.items() if found]
    parts = [f"exact: {', '.join(exact)}"] if exact else []
    return "; ".join(parts + ([f"different: {', '.join(differing)}"] if differing else []))
