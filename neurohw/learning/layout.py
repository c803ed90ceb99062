"""How the weights of a network lie on a chip: which projections together make up the weight that is learned.

Where a device has signed synapses, a weight is one projection; elsewhere it is two, one excitatory and one inhibitory. With
`copies` > 1 it is the sum of as many (multi-memristor synapses). `laid_out` makes the network that has them:

    in to rec                    one signed projection, nothing to do
    in to rec +, in to rec -     w = (+) + (-), the first >= 0, the second <= 0
    in to rec #1, in to rec #2   w = #1 + #2

A device that lacks a model may have one that does the same well enough: `substitute` says which to take for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neurohw.connections import AllToAll
from neurohw.device import Device
from neurohw.errors import BadInput, Unsupported
from neurohw.network import Network, Population, Projection
from neurohw.synapses.signed import SIGNED

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """projection as it is learned -> the projections on the chip that it is the sum of.

    pairs: those whose parts are an excitatory and an inhibitory one, in this order. aside: projection -> one of the same
    shape that the chip holds but that acts on nothing (Tiki-taka's fast array). scale: projection -> what the chip has
    for a weight of 1, where it is not 1.
    """

    parts: Mapping[str, Parts]
    pairs: frozenset[str] = frozenset()
    aside: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)


def laid_out(
    network: Network,
    trained: Iterable[str],
    device: Device,
    copies: int = 1,
    aside: bool = False,
    substitute: Mapping[str, str] | None = None,
) -> tuple[Network, Layout]:
    """The network as this device can hold it, and where its trained weights lie.

    trained: projections, all to all with self-connections. copies: projections that share a weight; each starts with an
    equal part of it. aside: give each trained projection a twin that acts on nothing. substitute: model -> the one to
    take where the device lacks it (see `stand_in`).
    Raises BadInput for projections that cannot be trained, Unsupported for copies on a device without signed synapses.
    """
    names = list(trained)
    for name in names:
        _check(network, name)
    network, scale = substituted(network, device, substitute or {})
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
    scale = {name: scale[name] for name in names if name in scale}
    return new, Layout({name: parts[name] for name in names}, frozenset(pairs), twins, scale)


def substituted(network: Network, device: Device, substitute: Mapping[str, str]) -> tuple[Network, dict[str, float]]:
    """(the network with models that the device has, projection -> factor on its weights)."""
    lacking = {
        name: substitute[p.model.name]
        for name, p in network.neurons.items()
        if p.model.name not in device.supports.neurons and p.model.name in substitute
    }
    if not lacking:
        return network, {}
    new, factors = replace(network, populations={}, projections={}), {}
    for name, p in network.populations.items():
        if name in lacking:
            parameters, factors[name] = stand_in(p, lacking[name])
            new = new.population(name, p.size, lacking[name], parameters)
        else:
            new = replace(new, populations={**new.populations, name: p})
    scale = {name: factors[q.target] for name, q in network.projections.items() if q.target in factors}
    for name, q in network.projections.items():
        weight = _weights(q, network) * scale[name] if name in scale else q.weight
        new = replace(new, projections={**new.projections, name: replace(q, weight=weight)})
    return new, scale


NEVER = 1e4
"""A threshold (mV) that a readout does not reach."""
TAU_SYN = 1.0
"""ms; a synaptic current this short acts on slow membranes almost as a step of the voltage."""


def stand_in(population: Population, model: str) -> tuple[dict[str, Any], float]:
    """(parameters, factor on weights) of `model` in place of a population of LI, ALIF without adaptation or IF_curr_delta.

    IF_curr_delta: the same equation. IF_curr_exp: a current of 1 ms that brings the same charge, weight cm/tau_syn (nA for
    each mV). A readout gets a threshold of 10 V. Raises Unsupported for other models.
    """
    own, kind = population.parameters, population.model.name
    if model not in ("IF_curr_delta", "IF_curr_exp") or kind not in ("LI", "ALIF", "IF_curr_delta"):
        raise Unsupported(
            f"population {population.name!r}: {model} cannot stand in for {kind}; IF_curr_delta and IF_curr_exp can, for "
            "LI, ALIF and IF_curr_delta"
        )
    if kind == "ALIF" and np.any(np.asarray(own["beta"]) != 0):
        raise Unsupported(f"population {population.name!r}: its threshold adapts (beta); {model} has none that does")
    wanted = ("v_rest", "cm", "tau_m", "i_offset", "v_reset", "v_thresh", "tau_refrac")
    parameters = {name: own[name] for name in wanted if name in own}
    if kind == "LI":
        parameters |= {"v_thresh": NEVER, "v_reset": own["v_rest"], "tau_refrac": 0.0}
    if model == "IF_curr_delta":
        return parameters, 1.0
    cm = own["cm"]
    if not isinstance(cm, float):
        raise Unsupported(
            f"population {population.name!r}: weights cannot be converted, since its cm is not one number"
        )
    return {**parameters, "tau_syn_E": TAU_SYN, "tau_syn_I": TAU_SYN}, cm / TAU_SYN


def _check(network: Network, name: str) -> None:
    if name not in network.projections:
        raise BadInput(f"no projection {name!r} to train; there are {', '.join(network.projections)}")
    p = network.projections[name]
    if not isinstance(p.rule, AllToAll) or not p.rule.allow_self_connections:
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
