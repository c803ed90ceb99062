"""How the weights of a network lie on a chip: which projections together make up the weight that is learned.

Where a device has signed synapses, a weight is one projection; elsewhere it is two, one excitatory and one inhibitory. With
`copies` > 1 it is the sum of as many (multi-memristor synapses). `laid_out` makes the network that has them:

    in to rec                    one signed projection, nothing to do
    in to rec +, in to rec -     w = (+) + (-), the first >= 0, the second <= 0
    in to rec #1, in to rec #2   w = #1 + #2
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurohw.device import Device
from neurohw.errors import BadInput, Unsupported
from neurohw.network import Network, Projection
from neurohw.synapses.signed import SIGNED

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """projection as it is learned -> the projections on the chip that it is the sum of.

    pairs: those whose parts are an excitatory and an inhibitory one, in this order. aside: projection -> one of the same
    shape that the chip holds but that acts on nothing (Tiki-taka's fast array).
    """

    parts: Mapping[str, Parts]
    pairs: frozenset[str] = frozenset()
    aside: Mapping[str, str] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "aside", dict(self.aside or {}))


def laid_out(
    network: Network, trained: Iterable[str], device: Device, copies: int = 1, aside: bool = False
) -> tuple[Network, Layout]:
    """The network as this device can hold it, and where its trained weights lie.

    trained: projections, all to all with self-connections. copies: projections that share a weight; each starts with an
    equal part of it. aside: give each trained projection a twin that acts on nothing.
    Raises BadInput for projections that cannot be trained, Unsupported for copies on a device without signed synapses.
    """
    names = list(trained)
    for name in names:
        _check(network, name)
    signed = device.is_unlimited or SIGNED.name in device.supports.synapses
    if copies < 1 or int(copies) != copies:
        raise BadInput(f"copies: a whole number >= 1 is needed, got {copies!r}")
    if not signed and (copies > 1 or aside):
        raise Unsupported(
            f"{device.title}: its synapses have one sign, so a weight is an excitatory and an inhibitory one; several "
            "copies, and arrays set aside, need signed pairs as crossbars have them (pcm-set)"
        )
    new, parts, pairs, twins = replace(network, projections={}), {}, set(), {}
    for name, projection in network.projections.items():
        if name not in names:
            new = replace(new, projections={**new.projections, name: projection})
        elif signed:
            new, parts[name] = _copies(new, projection, int(copies))
        else:
            new, parts[name] = _pair(new, projection)
            pairs.add(name)
    for name in names if aside else ():
        new, twins[name] = _twin(new, network.projections[name])
    return new, Layout({name: parts[name] for name in names}, frozenset(pairs), twins)


def _check(network: Network, name: str) -> None:
    if name not in network.projections:
        raise BadInput(f"no projection {name!r} to train; there are {', '.join(network.projections)}")
    p = network.projections[name]
    if type(p.rule).__name__ != "AllToAll" or not p.rule.allow_self_connections:  # type: ignore[attr-defined]
        raise BadInput(f"projection {name!r}: only AllToAll() projections (self-connections included) can be trained")
    if network.populations[p.target].neuron.inhibitory_sign > 0:
        raise BadInput(f"projection {name!r}: weights onto conductances have no sign; train a model with currents")


def _weights(projection: Projection, network: Network) -> Any:
    """The initial weights as an array; a constant stands for all."""
    if not isinstance(projection.weight, float | np.ndarray):
        raise BadInput(f"projection {projection.name!r}: initial weights are an array or a number, not a distribution")
    n = network.populations[projection.source].size * network.populations[projection.target].size
    return np.broadcast_to(np.asarray(projection.weight, float).ravel(), (n,))


def _added(network: Network, like: Projection, name: str, weight: Any, receptor: Any, synapse: str) -> Network:
    return network.project(like.source, like.target, like.rule, weight, like.delay, receptor, synapse, name)


def _copies(network: Network, p: Projection, copies: int) -> tuple[Network, Parts]:
    names = (p.name,) if copies == 1 else tuple(f"{p.name} #{k + 1}" for k in range(copies))
    weight = _weights(p, network) / copies
    for name in names:
        network = _added(network, p, name, weight, "excitatory", SIGNED.name)
    return network, names


def _pair(network: Network, p: Projection) -> tuple[Network, Parts]:
    names, weight = (f"{p.name} +", f"{p.name} -"), _weights(p, network)
    network = _added(network, p, names[0], np.maximum(weight, 0.0), "excitatory", "StaticSynapse")
    return _added(network, p, names[1], np.minimum(weight, 0.0), "inhibitory", "StaticSynapse"), names


def _twin(network: Network, p: Projection) -> tuple[Network, str]:
    """A projection of the same shape onto neurons of the same model that nothing reads."""
    target, name = f"{p.target} aside", f"{p.name} aside"
    if target not in network.populations:
        old = network.populations[p.target]
        network = network.population(target, old.size, old.model.name, old.parameters)
    twin = replace(p, target=target)
    return _added(network, twin, name, np.zeros_like(_weights(p, network)), "excitatory", SIGNED.name), name
