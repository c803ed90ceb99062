"""NIR files as networks: the neuromorphic intermediate representation, with the conventions that its files leave open.

A NIR file (Pedersen et al., Nat. Commun. 15 (2024) 8122) stores continuous equations, but no time step, integration,
reset, spike shape or delay. Here they are arguments or fixed rules:

Time.    Row r of a NIR run is the interval from r dt to (r + 1) dt. Spikes from an Input act in their own row. Every
         further layer costs one step of latency, as on Lava and on chips; a skipped layer is balanced, so paths of
         different depth keep their relative timing. A population k layers behind the first has its row r in step r + k;
         its bias flows from step 0, k rows before its first.
Loops.   An edge back (inside a loop and not leading away from the inputs) takes exactly one step. Frameworks give one
         row to a whole loop: the same for a layer onto itself; feedback across layers comes later here, with a warning.
Sums.    Several edges into a node add up; weights without a neuron between them multiply.
Weights  become mV (IF_curr_delta) or nA (IF_curr_exp), see `nir_nodes`, and hold for this dt only. Positive ones are
         excitatory, negative ones inhibitory, zeros are left out.
Output   nodes are dropped: record the population that feeds them. LI and CubaLI have v_thresh = inf: record v.
"""

import os
import warnings
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from neurohw import units
from neurohw.connections import AllToAll, FromList, OneToOne, Rule
from neurohw.errors import BadInput, NeurohwError, NeurohwWarning, Unsupported
from neurohw.frontends.nir_file import MAX_ELEMENTS, Graph, Node, read_graph
from neurohw.frontends.nir_nodes import NEURON_NODES, Neurons, Rows
from neurohw.network import MAX_NAME, RECEPTORS, Network, Numerics

Drive = tuple[dict[str, Any], NDArray[np.float64]]
"""What arrives somewhere: a sparse matrix (target x source) for each population, and the bias."""
CHOICES = {
    "integration": ("auto", "exact", "euler"),
    "reset": ("set", "subtract"),
    "spike": ("auto", "rectangle", "dirac"),
}


def read_nir(
    path: str | os.PathLike[str],
    dt: float | str,
    integration: Literal["auto", "exact", "euler"] = "auto",
    reset: Literal["set", "subtract"] = "set",
    spike: Literal["auto", "rectangle", "dirac"] = "auto",
    spikes: Mapping[str, tuple[Any, Any]] | None = None,
    seed: int = 1,
) -> Network:
    """The network in a NIR file, for steps of `dt` (ms or text); run it with the same dt.

    integration: "auto" is "euler" where the file follows the exporters' convention r = tau/dt, w_in = tau_syn/dt, else
    "exact". reset: to v_reset, or by subtraction of v_threshold - v_reset. spike: a "rectangle" of height 1 lasting dt,
    or a "dirac" impulse of area 1 s; "auto" is the rectangle, but an impulse onto an IF with r = 1.
    spikes: for each Input node its (times in ms, indices). seed: the network's; nothing in it is random.
    Populations are called like their nodes, inside nested graphs "graph.node". Repaired: scalar parameters, shapes like
    [1, 1, 1], a missing v_reset (0), edges that occur twice.
    Raises BadInput or Unsupported naming file, node and remedy. Warns (NeurohwWarning) if the file was made for another
    dt, has an edge twice, or feeds back across layers.
    """
    for name, value in (("integration", integration), ("reset", reset), ("spike", spike)):
        if value not in CHOICES[name]:
            raise BadInput(f"{name} is one of {', '.join(CHOICES[name])}, got {value!r}")
    step = units.parse(dt, "ms", "dt")
    if step <= 0:
        raise BadInput(f"dt must be > 0 ms, got {step:g} ms")
    file, graph = os.path.basename(str(path)), read_graph(path)
    try:
        sizes = _sizes(graph)
        made_for = _made_for(graph, step)
        if made_for and abs(made_for - step) > 1e-3 * step:
            message = f"{file}: its constants r and w_in were made for dt = {made_for:g} ms, not {step:g} ms"
            warnings.warn(message, NeurohwWarning, stacklevel=2)
        euler = integration == "euler" or (integration == "auto" and made_for is not None)
        numerics, source = (
            Numerics("euler" if euler else "exact", reset, made_for=step),
            f"{file} (NIR), for steps of {step:g} ms",
        )
        network = Network(file.removesuffix(".nir"), seed, numerics=numerics, source=source)
        with np.errstate(invalid="ignore"):  # the spread of an infinite tau_m
            return _build(graph, sizes, Rows(step, euler, spike), dict(spikes or {}), network)
    except NeurohwError as error:
        raise type(error)(f"{file}: {error}") from None


def _made_for(graph: Graph, dt: float) -> float | None:
    """The dt (ms) folded into the constants: tau_mem/r = tau_syn/w_in in Cuba nodes, or tau/r in LIF if it is `dt`."""
    found = []
    for p in (node.values for node in graph.nodes.values()):
        if "tau_syn" in p and (w_in := p.get("w_in", np.ones(1))).all() and (w_in != 1).all():
            found += [(1e3 * p["tau_mem"] / p["r"]).ravel(), (1e3 * p["tau_syn"] / w_in).ravel()]
        elif "tau" in p and (abs(1e3 * p["tau"] / p["r"] - dt) <= 1e-3 * dt).all():
            found += [(1e3 * p["tau"] / p["r"]).ravel()]
    every = np.concatenate(found) if found else np.zeros(1)
    return float(np.median(every)) if every.min() > 0 and np.ptp(every) <= 1e-3 * every.min() else None


def _build(graph: Graph, sizes: dict[str, int], rows: Rows, spikes: dict[str, Any], network: Network) -> Network:
    inputs = [name for name, node in graph.nodes.items() if node.kind == "Input"]
    if unknown := [name for name in spikes if name not in inputs]:
        raise BadInput(f"spikes for {unknown[0]!r}, but the Input nodes are {', '.join(inputs) or 'none'}")
    drives = _drives(graph, sizes)
    latency, back = _timing(inputs, {name: [*drives[name][0]] for name in drives})
    for name in inputs:
        network = network.population(name, sizes[name], "SpikeSourceArray", spike_times=spikes.get(name))
    made: dict[str, Neurons] = {}
    for name in sorted(drives, key=lambda each: (latency[each], each)):
        made[name] = neurons = _neurons(name, graph.nodes[name], sizes[name], drives[name][1], rows)
        parameters = {key: _one(values) for key, values in neurons.parameters.items()}
        initial = {"v": 0.0, **{key: _one(values) for key, values in neurons.initial.items()}}
        network = network.population(name, sizes[name], neurons.model, parameters, initial)
    for target, neurons in made.items():
        for source, matrix in drives[target][0].items():
            steps = 1 if (source, target) in back else latency[target] - latency[source]
            network = _connect(network, source, target, matrix.multiply(neurons.per_weight[:, None]), steps * rows.dt)
    return network


def _neurons(name: str, node: Node, size: int, bias: NDArray[np.float64], rows: Rows) -> Neurons:
    kind = NEURON_NODES[node.kind]
    values = {key: np.asarray(value) for key, value in kind.optional.items()} | node.values
    try:
        return kind.translate({key: _spread(value, size) for key, value in values.items()}, bias, rows)
    except BadInput as error:
        raise BadInput(f"node {name!r}: {error}") from None


def _spread(value: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    return np.full(size, value.item()) if value.size == 1 else value.ravel()


def _one(values: NDArray[np.float64]) -> float | NDArray[np.float64]:
    """One number if all are the same: a device then holds it once."""
    return float(values[0]) if (values == values[0]).all() else values


def _connect(network: Network, source: str, target: str, matrix: Any, delay: float) -> Network:
    """One projection for the positive and one for the negative weights, by the smallest rule that says it."""
    columns = sparse.csc_array(matrix)
    columns.sort_indices()
    synapses = columns.tocoo()  # source-major, the order of AllToAll
    signs = (synapses.data > 0, synapses.data < 0)
    for receptor, chosen in zip(RECEPTORS, signs, strict=True):
        pre, post = synapses.col[chosen].astype(np.int64), synapses.row[chosen].astype(np.int64)
        weight = synapses.data[chosen]
        if not weight.size:
            continue
        if weight.size == matrix.shape[0] * matrix.shape[1]:
            rule: Rule = AllToAll()
        elif weight.size == matrix.shape[0] == matrix.shape[1] and (pre == post).all():
            rule = OneToOne()
        else:
            rule = FromList(pre, post)
        name = f"{source} to {target}" + (" (inhibitory)" if receptor == "inhibitory" else "")
        name = name if len(name) <= MAX_NAME else f"projection {len(network.projections) + 1}"
        network = network.project(source, target, rule, _one(weight), delay, receptor, name=name)
    return network


def _sizes(graph: Graph) -> dict[str, int]:
    """How many values each node gives; a scalar node has the size of its neighbors."""
    takes: dict[str, int | None] = {}
    gives: dict[str, int | None] = {}
    for name, node in graph.nodes.items():
        takes[name] = gives[name] = _own_size(name, node.values)
        if "weight" in node.values:
            takes[name] = node.values["weight"].shape[1]
    changed = True
    while changed:
        changed = False
        for a, b in graph.edges:
            if (gives[a] is None) != (takes[b] is None):
                unknown, size = (a, takes[b]) if gives[a] is None else (b, gives[a])
                takes[unknown] = gives[unknown] = size
                changed = True
    for a, b in graph.edges:
        if gives[a] != takes[b]:
            raise BadInput(f"edge {a} -> {b}: {a} gives {gives[a]} values, but {b} takes {takes[b]}")
    if unsized := [name for name, size in gives.items() if size is None]:
        raise BadInput(f"node {unsized[0]!r}: its size is nowhere given; give its parameters one value per neuron")
    return {name: int(size) for name, size in gives.items() if size is not None}


def _own_size(name: str, p: Mapping[str, NDArray[np.float64]]) -> int | None:
    """How many values a node gives by its own parameters; None if they are scalars, or there are none."""
    shapes = [value.shape for value in p.values()]
    if "weight" in p:
        if p["weight"].ndim != 2 or p.get("bias", np.zeros(())).shape not in ((), (1,), p["weight"].shape[:1]):
            raise BadInput(f"node {name!r}: weight must be (out, in) and bias (out,), but the shapes are {shapes}")
        return p["weight"].shape[0]
    if "shape" in p:
        if np.prod(p["shape"]) > MAX_ELEMENTS:
            raise BadInput(f"node {name!r}: {np.prod(p['shape']):g} values; at most {MAX_ELEMENTS} are read")
        return int(np.prod(p["shape"]))
    if not all(value.size for value in p.values()) or len({s for s in shapes if np.prod(s) > 1}) > 1:
        raise BadInput(f"node {name!r}: its parameters have different shapes {shapes}")
    return max((int(np.prod(shape)) for shape in shapes if shape), default=None)


def _drives(graph: Graph, sizes: dict[str, int]) -> dict[str, Drive]:
    """For every neuron node what arrives there, with all weights on the way multiplied out."""
    before: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for a, b in graph.edges:
        before[b].append(a)
    ends = {name for name, node in graph.nodes.items() if node.kind in (*NEURON_NODES, "Input")}
    given: dict[str, Drive] = {
        name: ({name: sparse.eye_array(sizes[name], format="csr")}, np.zeros(sizes[name])) for name in ends
    }
    try:
        order = [*TopologicalSorter({n: set(before[n]) - ends for n in graph.nodes if n not in ends}).static_order()]
    except CycleError as error:
        raise BadInput(f"a loop without a neuron: {' -> '.join(error.args[1])}; put a neuron into it") from None
    weighted: set[str] = set()
    for name in order:
        node = graph.nodes[name]
        if node.kind in ("Linear", "Affine", "Scale") or weighted.intersection(before[name]):
            weighted.add(name)
        if node.kind == "Output" and name in weighted:
            raise Unsupported(f"node {name!r}: reads weights without a neuron; put an LI before it")
        given[name] = _through(name, node, _sum([given[a] for a in before[name]], _takes(node, sizes[name])))
    drives = {n: _sum([given[a] for a in before[n]], sizes[n]) for n in ends if graph.nodes[n].kind != "Input"}
    for name, (matrices, _) in drives.items():
        for source in matrices:
            kind = graph.nodes[source].kind
            if kind in NEURON_NODES and NEURON_NODES[kind].graded:
                raise Unsupported(
                    f"node {name!r}: takes the voltage of {source!r} ({kind}); only spikes can be sent on"
                )
    return drives


def _takes(node: Node, gives: int) -> int:
    return node.values["weight"].shape[1] if "weight" in node.values else gives


def _sum(arriving: list[Drive], size: int) -> Drive:
    matrices: dict[str, Any] = {}
    bias = np.zeros(size)
    for parts, constant in arriving:
        bias = bias + constant
        for source, matrix in parts.items():
            matrices[source] = matrices[source] + matrix if source in matrices else matrix
    return matrices, bias


def _through(name: str, node: Node, drive: Drive) -> Drive:
    """A drive behind a node of weights."""
    matrices, bias = drive
    if "weight" in node.values:
        weight: Any = sparse.csr_array(node.values["weight"])
    elif "scale" in node.values:
        weight = sparse.diags_array(_spread(node.values["scale"], bias.size), format="csr")
    else:
        return drive
    for matrix in matrices.values():
        products = int(np.diff(weight.tocsc().indptr) @ np.diff(matrix.tocsr().indptr))
        if products > 10 * MAX_ELEMENTS:
            raise BadInput(f"node {name!r}: {products} products with the weights before it; join them before export")
    return {source: weight @ matrix for source, matrix in matrices.items()}, weight @ bias + node.values.get(
        "bias", 0.0
    )


def _timing(inputs: list[str], sources: dict[str, list[str]]) -> tuple[dict[str, int], set[tuple[str, str]]]:
    """The latency of every population in steps, and the edges that lead back.

    level = fewest edges from an Input; an edge inside a loop leads back unless the level rises along it. latency = most
    edges from an Input along those that do not lead back, the first of them not counted.
    """
    names = [*inputs, *sources]
    place = {name: i for i, name in enumerate(names)}
    edges = [(a, b) for b, before in sources.items() for a in before]
    wires = sparse.lil_array((len(names), len(names)))
    for a, b in edges:
        wires[place[a], place[b]] = 1
    _, loop = connected_components(wires.tocsr(), connection="strong")
    level = dict.fromkeys(inputs, 0)
    front = inputs
    while front:
        front = [b for b, before in sources.items() if b not in level and any(a in level for a in before)]
        level |= dict.fromkeys(front, 1 + max(level.values(), default=0))
    far = len(names)
    back = {(a, b) for a, b in edges if loop[place[a]] == loop[place[b]] and level.get(a, far) >= level.get(b, far)}
    forward = {b: [a for a in before if (a, b) not in back] for b, before in sources.items()}
    latency = dict.fromkeys(inputs, 0)
    for name in TopologicalSorter(forward).static_order():
        latency[name] = max((latency[a] + (a not in level or level[a] > 0) for a in forward.get(name, [])), default=0)
    for a, b in sorted(back):
        if latency[a] > latency[b]:
            late = latency[a] - latency[b]
            message = f"the feedback {a} -> {b} comes {late} rows later than in a framework: every layer takes a step"
            warnings.warn(message, NeurohwWarning, stacklevel=4)
    return latency, back
