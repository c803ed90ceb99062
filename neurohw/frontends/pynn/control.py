"""setup, run, reset, end and the state queries; and PyNN's procedural interface, which is all made from the classes."""

from typing import Any

from pyNN import common
from pyNN.common.control import DEFAULT_MIN_DELAY, DEFAULT_TIMESTEP
from pyNN.core import deprecated
from pyNN.recording import get_io

from neurohw.device import Device
from neurohw.errors import BadInput
from neurohw.frontends.pynn import simulator
from neurohw.frontends.pynn.connectors import FixedProbabilityConnector
from neurohw.frontends.pynn.populations import Population
from neurohw.frontends.pynn.projections import Projection
from neurohw.frontends.pynn.synapses import StaticSynapse


def setup(
    timestep: float = DEFAULT_TIMESTEP,
    min_delay: Any = DEFAULT_MIN_DELAY,
    device: Device | str | None = None,
    chip_seed: int | None = None,
    trial: int | None = None,
    choices: dict[str, Any] | None = None,
    **extra_params: Any,
) -> int:
    """Begin anew: an empty network, to be run on one specimen of a chip.

    timestep, min_delay (and max_delay): ms. device: a name in `devices/`, a file, or a Device; by default what the
    command line asks for, else "reference". chip_seed: which specimen. trial: the seed of stimuli and temporal noise in
    the first segment; every reset() goes on to the next trial. choices: as in a mapping file.
    What other simulators take (threads, rng_seed, ...) is accepted; report() lists what had no effect.
    """
    if not 0 < timestep < float("inf"):
        raise BadInput(f"setup: timestep must be > 0 ms, got {timestep!r}")
    common.setup(timestep, min_delay, **extra_params)
    max_delay = extra_params.pop("max_delay", "auto")
    given = {"device": device, "chip_seed": chip_seed, "trial": trial, "choices": choices}
    asked = {**simulator.state.defaults, **{name: value for name, value in given.items() if value is not None}}
    simulator.state.clear(timestep, min_delay, max_delay, ignored=tuple(extra_params), **asked)
    return int(rank())


def end(compatible_output: bool = True) -> None:
    """Write what is to be written to files at the end. The data stay available until the next setup()."""
    waiting, simulator.state.write_on_end = simulator.state.write_on_end, []
    for population, variables, filename in waiting:
        population.write_data(get_io(filename), variables)


def report() -> str:
    """Every approximation between the script and what ran: by the mapping onto the chip, and in each run."""
    return simulator.state.experiment.report()


run, run_until = common.build_run(simulator)
run_for = run
reset = common.build_reset(simulator)
initialize = common.initialize
(
    get_current_time,
    get_time_step,
    get_min_delay,
    get_max_delay,
    num_processes,
    rank,
) = common.build_state_queries(simulator)

create = common.build_create(Population)
connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)
set = common.set
record = common.build_record(simulator)


@deprecated("record('v')")
def record_v(source: Any, filename: Any) -> None:
    """Record the membrane potential of cells to a file."""
    record(["v"], source, filename)


@deprecated("record(['gsyn_exc', 'gsyn_inh'])")
def record_gsyn(source: Any, filename: Any) -> None:
    """Record the synaptic conductances of cells to a file."""
    record(["gsyn_exc", "gsyn_inh"], source, filename)
