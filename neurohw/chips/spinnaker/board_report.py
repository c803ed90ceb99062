"""What a run would have cost on a real board, in words: cores against their clock, links against their rate, energy."""

import math
from collections.abc import Sequence

import numpy as np

from neurohw.chips.spinnaker.workload import CoreLoad, LinkLoad, Workload
from neurohw.device.spinnaker_fabric import LINK_NAMES
from neurohw.report import Loss, Report, Resource, percent

JOULE = 1e15
"""fJ."""
NAMED = 3
"""How many of the busiest are named."""


def board_report(report: Report, workload: Workload, energy: dict[str, float]) -> Report:
    """A run's report with the load of cores and links, steps over budget, and energy (fJ, by what took it)."""
    cores = [core for core in workload.cores() if not math.isnan(core.mean_cycles)]
    estimates = {f"energy of {what}": (amount / JOULE, "J") for what, amount in energy.items()}
    mean = float(np.mean([core.mean_cycles for core in cores])) if cores else 0.0
    estimates["mean load of a core"] = (mean, "cycles per step")
    if cores:
        peak = max(core.peak_cycles / core.budget for core in cores)
        program = workload.program
        estimates["time_scale_factor that suffices"] = (math.ceil(peak * program.choices.slowdown(program.dt)), "")
    return report.add(*_of_cores(cores, workload), *_of_links(workload.links(), workload), **estimates)


def _place(core: CoreLoad) -> str:
    return f"core ({core.x}, {core.y}, {core.core}) of {core.population}"


def _of_cores(cores: Sequence[CoreLoad], workload: Workload) -> list[Loss | Resource | str]:
    if not cores:
        return []
    busiest, fullest = (
        max(cores, key=lambda core: core.peak_cycles),
        max(cores, key=lambda core: core.most_packets_in_a_step),
    )
    over = sum(core.steps_over_budget for core in cores)
    queue = int(workload.machine.packet_queue)
    return [
        Resource(f"cycles of a step on {_place(busiest)}", round(busiest.peak_cycles), busiest.budget),
        Resource(f"packets of a step to {_place(fullest)}, and its queue", fullest.most_packets_in_a_step, queue),
        Loss(
            "steps over budget", over, len(cores) * workload.n_steps, "all cores",
            f"a step has {busiest.budget:g} cycles at {float(workload.machine.clock) / 1e3:g} MHz, and the work takes more"
            + _consequence(workload),
            "use fewer neurons per core, or a time_scale_factor",
        ),  # without numbers of this run, so that trials add up
    ]  # fmt: skip


def _consequence(workload: Workload) -> str:
    late = workload.program.choices.overruns == "late"
    return "" if late else "; a real board is late here, this run was not (choose overruns: late)"


def _of_links(links: Sequence[LinkLoad], workload: Workload) -> list[Resource | str]:
    if not links or not workload.n_steps:
        return []
    peak = max(links, key=lambda link: link.most_in_a_step)
    seconds = 1e-3 * workload.program.dt * workload.n_steps
    named = ", ".join(f"{_way(link)} {link.packets / seconds:.4g}" for link in links[:NAMED])
    share = links[0].packets / (workload.n_steps * links[0].limit)
    return [
        Resource(f"packets of a step on link {_way(peak)}", peak.most_in_a_step, peak.limit),
        f"busiest links, in packets per second of network time: {named}; the first is {percent(share)} full",
    ]


def _way(link: LinkLoad) -> str:
    return f"({link.x}, {link.y}) {LINK_NAMES[link.link]}"
