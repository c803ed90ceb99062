"""A NIR file as a flat, checked graph. Read with h5py alone: what other readers choke on is named or repaired here.

File format (HDF5): /version, /node/nodes/<name>/{type, <parameter>...}, /node/edges (n, 2) of names. A node of type
NIRGraph holds nodes and edges of its own; here its nodes get its name and a dot before theirs, and its Input and Output
become joints.
Source: github.com/neuromorphs/NIR, nir/serialization.py (nir 0.1 to 1.0).
"""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput, NeurohwError, NeurohwWarning, Unsupported
from neurohw.frontends.nir_nodes import NEURON_NODES

MAX_ELEMENTS = 2**25  # numbers in one file: 33.5 million weights
MAX_NODES = 2000
MAX_DEPTH = 8
PARAMETERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # node type: (required, optional)
    "Input": (("shape",), ()),
    "Output": (("shape",), ()),
    "Linear": (("weight",), ()),
    "Affine": (("weight", "bias"), ()),
    "Scale": (("scale",), ()),
    "Flatten": ((), ()),
    **{name: (node.required, tuple(node.optional)) for name, node in NEURON_NODES.items()},
}
POSITIVE = ("tau", "tau_mem", "tau_syn", "r", "shape")


@dataclass(frozen=True, eq=False)
class Node:
    """One node: its type ("Joint" for a port of a nested graph) and its parameters as float64 arrays."""

    kind: str
    values: dict[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Graph:
    """The nodes by their (dotted) names, and the edges between them."""

    nodes: dict[str, Node]
    edges: dict[tuple[str, str], None]


def read_graph(path: str | os.PathLike[str]) -> Graph:
    """The graph in the NIR file at `path`.

    Raises BadInput for what is unreadable, malformed or too large, Unsupported for node types without a translation.
    """
    file = os.path.basename(str(path))
    if not os.path.isfile(path):
        raise BadInput(
            f"{path}: {'is a folder' if os.path.isdir(path) else 'there is no such file'}; give one written with nir.write"
        )
    try:
        with h5py.File(path, "r") as root:
            _check_size(root)
            if not isinstance(root.get("node"), h5py.Group):
                raise BadInput("an HDF5 file, but not a NIR graph (no group 'node'); write it with nir.write")
            graph = Graph({}, {})
            _collect(root["node"], "", graph, 0, iter(range(MAX_NODES)))
            return graph
    except NeurohwError as error:
        raise type(error)(f"{file}: {error}") from None
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise BadInput(f"{file}: cannot be read as a NIR file ({error}); write it with nir.write") from None


def _check_size(root: h5py.File) -> None:
    """Before anything is loaded: what the file declares must fit, and must lie in the file itself."""
    total = 0

    def visit(name: str, item: Any) -> None:
        nonlocal total
        if isinstance(item, h5py.Dataset):
            if item.shape is None or item.is_virtual or item.external:
                raise BadInput(f"{name}: a dataset that is empty or stored in another file")
            total += int(np.prod(item.shape, dtype=object))
            if total > MAX_ELEMENTS:
                raise BadInput(f"{name}: shape {item.shape}; a file may hold at most {MAX_ELEMENTS} numbers in all")
        elif any(isinstance(item.get(key, getlink=True), h5py.ExternalLink) for key in item):
            raise BadInput(f"{name}: links to another file; write one file with nir.write")

    visit("/", root)
    root.visititems(visit)


def _collect(group: h5py.Group, prefix: str, graph: Graph, depth: int, budget: Iterator[int]) -> None:
    """Add a (nested) graph's nodes and edges, under their dotted names."""
    if depth > MAX_DEPTH:
        raise BadInput(f"{prefix[:60]}: graphs nested more than {MAX_DEPTH} deep")
    if "nodes" not in group or "edges" not in group:
        raise BadInput(f"{prefix or '/'}: a graph without nodes and edges")
    ports: dict[str, dict[str, list[str]]] = {}
    for key, item in group["nodes"].items():
        name = prefix + key.replace("/", ".")
        if not isinstance(item, h5py.Group) or "type" not in item:
            raise BadInput(f"node {name!r}: it has no type")
        if next(budget, None) is None:
            raise BadInput(f"more than {MAX_NODES} nodes")
        kind = _text(_strings(item["type"], f"node {name!r}: type"))
        if kind == "NIRGraph":
            _collect(item, f"{name}.", graph, depth + 1, budget)
            kinds = {f"{name}.{inner}": _text(_strings(node["type"], inner)) for inner, node in item["nodes"].items()}
            ports[key] = {end: [k for k, kind in kinds.items() if kind == end] for end in ("Input", "Output")}
        elif name in graph.nodes:
            raise BadInput(f"node {name!r}: the name occurs twice; rename one")
        else:
            values = _values(name, kind, item)
            graph.nodes[name] = Node("Joint" if depth and kind in ("Input", "Output") else kind, values)
    _collect_edges(group, prefix, ports, graph)


def _collect_edges(group: h5py.Group, prefix: str, ports: dict[str, dict[str, list[str]]], graph: Graph) -> None:
    names, edges = [*group["nodes"]], group["edges"]
    rows = _strings(edges, f"{prefix}edges") if edges.size else np.empty((0, 2))
    if rows.size and (rows.ndim != 2 or rows.shape[1] != 2):
        raise BadInput(f"{prefix}edges: must be (n, 2) names, but the shape is {rows.shape}")
    known = set(names)
    for row in np.reshape(rows, (-1, 2)):
        start, end = _text(row[0]), _text(row[1])
        for name in (start, end):
            if name not in known:
                there = ", ".join(names[:20])
                raise BadInput(f"edge {start} -> {end}: no node {prefix + name!r}; there are {there}")
        edge = (_joint(start, "Output", ports, prefix), _joint(end, "Input", ports, prefix))
        if edge in graph.edges:
            warnings.warn(f"edge {edge[0]} -> {edge[1]} occurs twice and is read once", NeurohwWarning, stacklevel=2)
        graph.edges[edge] = None


def _joint(name: str, port: str, ports: dict[str, dict[str, list[str]]], prefix: str) -> str:
    """Where an edge really ends: at a node, or at the one port of a nested graph."""
    if name not in ports:
        return prefix + name
    if len(ports[name][port]) != 1:
        raise Unsupported(f"graph {prefix}{name}: {len(ports[name][port])} nodes of type {port}; one is supported")
    return ports[name][port][0]


def _values(name: str, kind: str, item: h5py.Group) -> dict[str, NDArray[np.float64]]:
    if kind not in PARAMETERS:
        raise Unsupported(f"node {name!r}: no translation for {kind}; there are {', '.join(PARAMETERS)}, NIRGraph")
    required, optional = PARAMETERS[kind]
    if missing := [key for key in required if key not in item]:
        raise BadInput(f"node {name!r}: a {kind} needs {', '.join(missing)}")
    there = [key for key in (*required, *optional) if key in item]
    return {key: _numbers(item[key], key, f"node {name!r}: {key}") for key in there}


def _numbers(item: Any, key: str, where: str) -> NDArray[np.float64]:
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiub":
        raise BadInput(f"{where} does not hold numbers")
    array = np.asarray(item[()], dtype=np.float64)
    if not (np.isfinite(array) | (np.isposinf(array) & (key == "v_threshold"))).all():
        raise BadInput(f"{where} holds NaN or infinity")
    if key == "shape" and (array % 1).any():
        raise BadInput(f"{where} holds whole numbers, but {array[array % 1 > 0].flat[0]:g} occurs")
    if key in POSITIVE and (array <= 0).any():
        raise BadInput(f"{where} must be > 0, but {array.min():g} occurs")
    return array


def _strings(item: Any, where: str) -> Any:
    """Read text; what is none is refused before HDF5 follows the pointers in it."""
    if not isinstance(item, h5py.Dataset) or h5py.check_string_dtype(item.dtype) is None:
        raise BadInput(f"{where} does not hold text")
    return item[()]


def _text(value: Any) -> str:
    return value.decode("utf8") if isinstance(value, bytes) else str(value)
