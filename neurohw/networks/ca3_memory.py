"""A content-addressable memory after the hippocampal region CA3: it learns, recalls by cue or by content, and forgets."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from neurohw import units
from neurohw.connections import AllToAll, FromList, OneToOne, Rule
from neurohw.errors import BadInput
from neurohw.network import Network
from neurohw.synapses import STDPMechanism

SLOW = {"cm": 0.27, "i_offset": 0.0, "tau_m": 3.0, "tau_refrac": 1.0, "tau_syn_E": 0.3, "tau_syn_I": 0.3, "v_reset": -60.0,
        "v_rest": -60.0, "v_thresh": -57.0}  # fmt: skip
QUICK = {**SLOW, "cm": 0.14, "tau_m": 0.5}
OUTPUT = {**SLOW, "v_thresh": -57.5}
RULE = {"tau_plus": 3.0, "tau_minus": 3.0, "A_plus": 6.0, "A_minus": 6.0, "w_min": 0.0, "w_max": 6.0}

CELLS = {
    "CA3cueCueRecall": ("cues", SLOW), "CA3contCueRecall": ("content", SLOW), "CA3contCond": ("content", QUICK),
    "CA3contCondInt": ("one", QUICK), "CA3cueContRecall": ("cues", QUICK), "CA3contContRecall": ("content", SLOW),
    "CA3MergeCue": ("cues", SLOW), "CA3MergeCont": ("content", SLOW), "OUTcue": ("cues", OUTPUT), "OUTcont": ("content", OUTPUT),
}  # fmt: skip
"""Population -> how many cells it has, and which."""
INPUTS = {"INcue": "cues", "INcont": "content"}
WIRES = (
    ("INcue", "CA3cueCueRecall", "one", "excitatory", 6.0, 1.0),
    ("INcont", "CA3contCueRecall", "one", "excitatory", 6.0, 1.0),
    ("CA3cueCueRecall", "CA3cueContRecall", "one", "excitatory", 6.0, 2.0),
    ("CA3cueCueRecall", "CA3cueContRecall", "others", "inhibitory", 6.0, 3.0),
    ("CA3cueCueRecall", "CA3contCond", "all", "inhibitory", 6.0, 2.0),
    ("CA3contCueRecall", "CA3contCond", "one", "excitatory", 9.0, 1.0),
    ("CA3contCond", "CA3contContRecall", "one", "excitatory", 6.0, 1.0),
    ("CA3contCueRecall", "CA3contCondInt", "all", "excitatory", 6.0, 1.0),
    ("CA3contCondInt", "CA3contCond", "all", "excitatory", 2.0, 1.0),
    ("CA3cueCueRecall", "CA3contCueRecall", "all", "STDP", 0.0, 1.0),
    ("CA3contContRecall", "CA3cueContRecall", "all", "STDP", 0.0, 1.0),
    ("CA3cueContRecall", "CA3cueContRecall", "others", "inhibitory", 6.0, 2.0),
    ("CA3cueCueRecall", "CA3MergeCue", "one", "excitatory", 6.0, 3.0),
    ("CA3cueContRecall", "CA3MergeCue", "one", "excitatory", 6.0, 1.0),
    ("CA3contCueRecall", "CA3MergeCont", "one", "excitatory", 6.0, 3.0),
    ("CA3contContRecall", "CA3MergeCont", "one", "excitatory", 6.0, 1.0),
    ("CA3MergeCue", "OUTcue", "one", "excitatory", 6.0, 1.0),
    ("CA3MergeCont", "OUTcont", "one", "excitatory", 6.0, 1.0),
)
"""Source, target, to whom (one to one, all, all others), kind, weight (nA), delay (ms). `others` takes its weight times the
number of content cells: as many may call up a cue that is not the one asked for."""
PUBLISHED = (
    "0 learn 0: 0 1 8 9; 10 learn 4: 1 5 6; 20 learn 3: 4 5 6; 30 recall cue 0; 40 recall content 6; "
    "50 recall content 0 4; 60 learn 3: 1 3 4 8; 70 recall cue 3; 80 recall content 6"
)
LEARNING = 3
"""Steps in a row in which cue and content spike to be learned; to be recalled, one of them spikes once."""


def ca3_memory(
    cues: int = 5,
    content: int = 10,
    operations: str = PUBLISHED,
    step: float | str = 1.0,
    amplitude: float | str = 6.0,
    seed: int = 1,
) -> Network:
    """A memory of `cues` entries of `content` bits each, and what is asked of it.

    A cue cell (CA3cueCueRecall) calls up the content cells (CA3contCueRecall) it has learned; content cells
    (CA3contContRecall) call up the cues (CA3cueContRecall) that hold them. Both are learned by plastic synapses, the
    additive pair rule with w_max 6 nA: what spikes together grows to w_max, and what a cue held before fades as it
    learns something new. OUTcue and OUTcont show what was recalled, 5 or 6 steps later.
    operations: "TIME learn CUE: BIT BIT ...; TIME recall cue CUE; TIME recall content BIT ..."; TIME in steps, operations
    at least 6 (and after learning 10) steps apart. step: ms, what the delays are in; the published weights are for 1 ms.
    amplitude: nA, A_plus and A_minus as weights. seed: the network's; nothing in it is drawn.

    Sources: Casanueva-Morato et al., code and recordings of a SpiNNaker board at
    github.com/dancasmor/An-aproach-to-a-spike-based-Content-Addressable-Memory-bio-inspired-in-the-Hippocampus, 08b415bd;
    the factor on the inhibition of CA3cueContRecall stands in its program, not in its network_config.json.
    """
    if cues < 1 or content < 1:
        raise BadInput(f"ca3_memory: needs cues >= 1 and content >= 1, got {cues} and {content}")
    dt, strength = units.parse(step, "ms", "step"), units.parse(amplitude, "nA", "amplitude")
    if not dt > 0:
        raise BadInput(f"ca3_memory: step {dt:g} ms is not > 0")
    trains = input_spikes(operations, cues, content)
    rule = {**RULE, "A_plus": strength, "A_minus": strength}
    wires = [(*wire[:4], wire[4], wire[5] * dt, rule) for wire in WIRES]
    cells = {name: parameters for name, (_, parameters) in CELLS.items()}
    spikes = {name: [[t * dt for t in train] for train in trains[name]] for name in INPUTS}
    return wired(cues, content, spikes, cells, wires, seed)


def wired(
    cues: int,
    content: int,
    spikes: Mapping[str, Sequence[Sequence[float]]],
    cells: Mapping[str, Mapping[str, float]],
    wires: Sequence[tuple[str, str, str, str, float, float, Mapping[str, float]]],
    seed: int = 1,
    initial: Mapping[str, float] | None = None,
) -> Network:
    """The memory from its numbers: spike times (ms) of the inputs, parameters of the cells, and lines as in WIRES.

    Each line has the numbers of the plastic rule behind it. initial: potentials (mV); v_rest where there are none.
    """
    sizes = {"cues": cues, "content": content, "one": 1}
    network = Network("ca3_memory", seed, source="Casanueva-Morato et al.")
    for name, size in INPUTS.items():
        network = network.population(name, sizes[size], "SpikeSourceArray", spike_times=list(spikes[name]))
    for name, (size, _) in CELLS.items():
        network = network.population(
            name, sizes[size], "IF_curr_exp", dict(cells[name]), {"v": initial[name]} if initial else None
        )
    for source, target, whom, kind, weight, delay, numbers in wires:
        synapse: Any = STDPMechanism("additive", **dict[str, Any](numbers)) if kind == "STDP" else "StaticSynapse"
        receptor: Literal["excitatory", "inhibitory"] = "inhibitory" if kind == "inhibitory" else "excitatory"
        signed = -weight if receptor == "inhibitory" else weight
        if whom == "others":
            signed *= content
        rule = _rule(whom, network.populations[source].size)
        network = network.project(source, target, rule, signed, delay, receptor, synapse=synapse)
    return network


def _rule(whom: str, size: int) -> Rule:
    if whom == "others":
        return FromList(*np.nonzero(~np.eye(size, dtype=bool)))
    return OneToOne() if whom == "one" else AllToAll()


def input_spikes(operations: str, cues: int, content: int) -> dict[str, list[list[int]]]:
    """Steps at which each input cell spikes, from the text of `ca3_memory`. Raises BadInput naming the operation."""
    trains: dict[str, list[list[int]]] = {"INcue": [[] for _ in range(cues)], "INcont": [[] for _ in range(content)]}
    for text in filter(None, (part.strip() for part in str(operations).split(";"))):
        time, cue, bits, repeats = _operation(text)
        for name, numbers in (("INcue", cue), ("INcont", bits)):
            for number in numbers:
                if not 0 <= number < len(trains[name]):
                    raise BadInput(
                        f"ca3_memory: {text!r}: {name} has the cells 0..{len(trains[name]) - 1}, not {number}"
                    )
                trains[name][number] += [time + k for k in range(repeats)]
    return {name: [sorted(set(train)) for train in lists] for name, lists in trains.items()}


def _operation(text: str) -> tuple[int, list[int], list[int], int]:
    """(step, cues, bits, spikes in a row) of one operation."""
    time, _, what = text.partition(" ")
    try:
        if what.startswith("learn "):
            cue, _, bits = what.removeprefix("learn ").partition(":")
            return int(time), [int(cue)], [int(bit) for bit in bits.split()], LEARNING
        if what.startswith("recall cue "):
            return int(time), [int(what.removeprefix("recall cue "))], [], 1
        if what.startswith("recall content "):
            return int(time), [], [int(bit) for bit in what.removeprefix("recall content ").split()], 1
    except ValueError:
        pass
    known = "'0 learn 4: 1 5 6', '30 recall cue 0' or '40 recall content 6'"
    raise BadInput(f"ca3_memory: operation {text[:60]!r} cannot be read; write for example {known}")
