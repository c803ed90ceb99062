"""The reference mappings of the SpiNNaker tool chain, and the networks that they are mappings of."""

import gzip
import json
from functools import cache
from pathlib import Path

from neurohw import passes
from neurohw.connections import FixedProbability
from neurohw.device import load_device
from neurohw.network import Network
from neurohw.program import Program, normalize_record

FILE = Path(__file__).parent / "golden" / "spinnaker" / "mapping.json.gz"
CASES = json.loads(gzip.decompress(FILE.read_bytes()))["cases"]


def network(case):
    given, names = case["network"], [name for name, _, _ in case["network"]["populations"]]
    made = Network("reference")
    for name, size, model in given["populations"]:
        made = made.population(name, size, model)
    for source, target in given["edges"]:
        receptor = "inhibitory" if names[source] == "I" else "excitatory"
        rule = FixedProbability(given["p_connect"])
        made = made.project(names[source], names[target], rule, given["weight"], given["delay_ms"], receptor)
    return made


def routed(made, device="spinnaker-spin5", **choices):
    """A program up to its routing tables, without a payload."""
    kind = load_device(device) if isinstance(device, str) else device
    program = Program(made, kind, kind.choices(choices), 1.0, normalize_record(made, None))
    for step in passes.passes_for(program):
        program = step(program)
        if step is passes.route_spinnaker:
            return program


@cache
def mapped(name, compress):
    case = CASES[name]
    return routed(network(case), neurons_per_core=case["neurons_per_core"], compress=compress)
