"""Going on with a changed program: the state that a chip has reached, carried over to what it was loaded with anew."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import Unsupported
from neurohw.kernels.delivery import cut
from neurohw.program import Program


def kept(chip: Any) -> dict[str, Any]:
    """The state that goes on: the step, the spikes still on their way, and what each neuron holds."""
    if not chip.neuron_state:
        raise Unsupported(f"{chip.device.title} cannot take a changed network in mid-run; reset it first")
    return {name: getattr(chip, name) for name in ("step", "ring", "ring_cuts", *chip.neuron_state)}


def check_plastic(before: Program, after: Program) -> None:
    """Raise Unsupported where the plastic synapses are not the same as before: they go on with their traces."""
    old, new = (getattr(program.payload, "plastic", None) for program in (before, after))
    fields = ("starts", "sources", "waits", "projections", "targets", "receptors", "delays")
    same = old is new if new is None or old is None else all(
        np.array_equal(getattr(old, name), getattr(new, name)) for name in fields
    )  # fmt: skip
    if not same or (old is not None and before.origin.n_neurons != after.origin.n_neurons):
        raise Unsupported(
            "plastic synapses, or the neurons of a network that has some, cannot be added or moved in mid-run; make the "
            "change before the first run, or after a reset"
        )


def put_back(chip: Any, before: Program, state: Mapping[str, Any]) -> None:
    """Give the neurons of a chip that was loaded anew the state they had under the program `before`.

    Neurons are known by population and index; those that are new start from their initial state.
    """
    old, new = before.origin, chip.loaded.origin
    place = np.zeros(old.n_neurons, np.int64)
    for name, population in before.network.neurons.items():
        if new.size.get(name) != population.size:
            raise Unsupported(
                f"population {name!r} has another size than before; a run can only go on with the same neurons"
            )
        place[old.first[name] : old.first[name] + population.size] = new.first[name] + np.arange(population.size)
    chip.step = state["step"]
    for name in chip.neuron_state:
        getattr(chip, name)[..., place] = state[name]
    _spikes_on_their_way(chip, place, state)


def _spikes_on_their_way(chip: Any, place: NDArray[np.int64], state: Mapping[str, Any]) -> None:
    ring, cuts = state["ring"], state["ring_cuts"]
    depth = min(ring.shape[0], chip.ring.shape[0])
    for step in range(max(0, chip.step - depth), chip.step):
        spiked = ring[step % ring.shape[0], : cuts[step % ring.shape[0], -1]]
        row = step % chip.ring.shape[0]
        chip.ring[row, : spiked.size] = np.sort(place[spiked])
        cut(chip.ring[row, : spiked.size], chip.groups_of_neurons, chip.ring_cuts[row])
