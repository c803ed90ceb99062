"""A PyNN backend: `import neurohw.pynn as sim` runs a PyNN script on any chip that neurohw describes, or the reference.

    sim.setup(timestep=0.1, device="spinnaker-spin5", chip_seed=7)
    ...                                                 # as with any PyNN simulator
    sim.run(1000.0)
    print(sim.report())                                 # every approximation that was made

PyNN itself is an installed dependency: what is common to all its simulators is used from `pyNN.common`.
"""

from typing import Any

from pyNN import errors, random, space
from pyNN.network import Network
from pyNN.random import GSLRNG, NumpyRNG, RandomDistribution
from pyNN.space import Space
from pyNN.standardmodels import cells as standard

from neurohw.frontends.pynn import cells, simulator, synapses
from neurohw.frontends.pynn.connectors import (
    AllToAllConnector,
    ArrayConnector,
    CloneConnector,
    CSAConnector,
    DisplacementDependentProbabilityConnector,
    DistanceDependentProbabilityConnector,
    FixedNumberPostConnector,
    FixedNumberPreConnector,
    FixedProbabilityConnector,
    FixedTotalNumberConnector,
    FromFileConnector,
    FromListConnector,
    IndexBasedProbabilityConnector,
    OneToOneConnector,
    SmallWorldConnector,
)
from neurohw.frontends.pynn.control import (
    connect,
    create,
    end,
    get_current_time,
    get_max_delay,
    get_min_delay,
    get_time_step,
    initialize,
    num_processes,
    rank,
    record,
    record_gsyn,
    record_v,
    report,
    reset,
    run,
    run_for,
    run_until,
    set,
    setup,
)
from neurohw.frontends.pynn.electrodes import ACSource, DCSource, NoisyCurrentSource, StepCurrentSource
from neurohw.frontends.pynn.populations import Assembly, Population, PopulationView
from neurohw.frontends.pynn.projections import Connection, Projection

name = simulator.name
MODELS: dict[str, Any] = {**cells.AVAILABLE, **cells.UNAVAILABLE, **synapses.AVAILABLE, **synapses.UNAVAILABLE}
globals().update(MODELS)


def list_standard_models() -> list[str]:
    """The names of PyNN's standard cell types that there are."""
    return [name for name in cells.AVAILABLE if hasattr(standard, name)]


__all__ = [
    "ACSource",
    "AllToAllConnector",
    "ArrayConnector",
    "Assembly",
    "CSAConnector",
    "CloneConnector",
    "Connection",
    "DCSource",
    "DisplacementDependentProbabilityConnector",
    "DistanceDependentProbabilityConnector",
    "FixedNumberPostConnector",
    "FixedNumberPreConnector",
    "FixedProbabilityConnector",
    "FixedTotalNumberConnector",
    "FromFileConnector",
    "FromListConnector",
    "GSLRNG",
    "IndexBasedProbabilityConnector",
    "Network",
    "NoisyCurrentSource",
    "NumpyRNG",
    "OneToOneConnector",
    "Population",
    "PopulationView",
    "Projection",
    "RandomDistribution",
    "SmallWorldConnector",
    "Space",
    "StepCurrentSource",
    "cells",
    "connect",
    "create",
    "end",
    "errors",
    "get_current_time",
    "get_max_delay",
    "get_min_delay",
    "get_time_step",
    "initialize",
    "list_standard_models",
    "name",
    "num_processes",
    "random",
    "rank",
    "record",
    "record_gsyn",
    "record_v",
    "report",
    "reset",
    "run",
    "run_for",
    "run_until",
    "set",
    "setup",
    "simulator",
    "space",
    "synapses",
    *MODELS,
]
