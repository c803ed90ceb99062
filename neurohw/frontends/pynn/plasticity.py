"""PyNN's STDPMechanism as a neurohw rule, and learned weights back into the projections that a script asks."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import Unsupported
from neurohw.network import Network
from neurohw.program import Chip
from neurohw.synapses import STDPMechanism

DEPENDENCES = {"AdditiveWeightDependence": "additive", "MultiplicativeWeightDependence": "multiplicative"}
NUMBERS = ("tau_plus", "tau_minus", "A_plus", "A_minus", "w_min", "w_max", "dendritic_delay_fraction")


def synapse_of(projection: Any, which: NDArray[np.bool_]) -> str | STDPMechanism:
    """The synapse rule of those synapses of a PyNN projection, as `Network.project` takes it.

    In the additive rule PyNN's simulators take A_plus and A_minus times w_max, and so does this.
    Raises Unsupported for timing and weight dependences that neurohw has not, and for parameters that differ between
    synapses.
    """
    kind = projection.synapse_type
    if type(kind).__name__ != STDPMechanism.name:
        return type(kind).__name__
    timing, weight = type(kind.timing_dependence).__name__, type(kind.weight_dependence).__name__
    if timing != "SpikePairRule" or weight not in DEPENDENCES:
        raise Unsupported(
            f"STDPMechanism with {timing} and {weight}: neurohw has SpikePairRule with {' or '.join(DEPENDENCES)}"
        )
    numbers = {name: np.unique(projection.values[name][which]) for name in NUMBERS}
    if differing := [name for name, found in numbers.items() if found.size > 1]:
        raise Unsupported(f"STDPMechanism: {differing[0]} differs between synapses; make a projection for each value")
    given = {name: float(found[0]) for name, found in numbers.items()}
    if projection.receptor_type == "inhibitory":  # magnitudes: what goes from -1 to 0 there goes from 0 to 1 here
        given["w_min"], given["w_max"] = sorted((abs(given["w_min"]), abs(given["w_max"])))
    if DEPENDENCES[weight] == "additive":
        given |= {name: given[name] * given["w_max"] for name in ("A_plus", "A_minus")}
    return STDPMechanism(weight_dependence=DEPENDENCES[weight], **given)  # type: ignore[arg-type]


def note_amplitudes(network: Network, notes: list[str]) -> None:
    """Say how amplitudes were understood, since SpiNNaker's tool chain understands them otherwise."""
    for name, p in network.plastic.items():
        if p.plasticity is not None and not p.plasticity.multiplicative:
            notes.append(
                f"{name}: A_plus and A_minus are taken times w_max, as by PyNN's simulators; sPyNNaker 7 takes them as weights"
            )


def learned(projections: Iterable[Any], chip: Chip, network: Network) -> None:
    """Put the weights that a chip has learned where `Projection.get` finds them."""
    for projection in projections:
        for name, where in projection.parts.items():
            if name in network.plastic and where.size:
                if projection.before is None:
                    projection.before = projection.values["weight"].copy()
                projection.values["weight"][where] = chip.read(name)


def forget(projections: Iterable[Any]) -> bool:
    """Give plastic projections the weights back that they had before they learned; whether there were any."""
    found = False
    for projection in projections:
        if projection.before is not None:
            projection.values["weight"][:] = projection.before
            projection.before, found = None, True
    return found
