"""Energy of a SpiNNaker machine from the published constants: boards that idle, cores that work, packets that travel."""

import numpy as np
from numpy.typing import ArrayLike

from neurohw.program import Program


def spinnaker_energy(program: Program, network_time: float, sent: ArrayLike) -> dict[str, float]:
    """fJ of `network_time` (ms) in which the slices and extensions of a program send so many packets.

        idle boards   = boards * board_idle * t         t = network_time * time_scale_factor
        active cores  = cores * active_core * t         or, with `energy: per_chip`, chips in use instead of cores
        packets       = sum(sent * routers on its way) * packet

    sPyNNaker's own sum has the per-chip form: it keeps the number of cores of each chip, but multiplies by 0.034 W once
    for each. Neither has what a box, a frame or a power supply take. Source: SpiNNMachine 1!7.4.1.
    """
    device, units = program.device, (*program.slices, *program.extensions)
    time = network_time * program.choices.slowdown(program.dt)
    chips = {(part.site.x, part.site.y) for part in units}
    active = len(chips) if program.choices.energy == "per_chip" else len(units)
    return {
        "idle boards": device.machine.n_boards * float(device.power["board_idle"]) * time,
        "active cores": active * float(device.power["active_core"]) * time,
        "packets": float(np.asarray(sent) @ program.routing.visits) * float(device.energy["packet"]),
    }
