"""Spike sources: given spike times, and Poisson processes."""

from neurohw.neurons.model import Parameter, SourceModel

SPIKE_SOURCE_ARRAY = SourceModel(
    name="SpikeSourceArray",
    parameters={},
    source="PyNN 0.13 standard models; its spike times are the population's `spike_times`",
)
SPIKE_SOURCE_POISSON = SourceModel(
    name="SpikeSourcePoisson",
    parameters={
        "rate": Parameter("Hz", 1.0, "mean rate", never_negative=True),
        "start": Parameter("ms", 0.0, "first time at which it may spike"),
        "duration": Parameter("ms", 1e10, "how long it may spike from `start`", never_negative=True),
    },
    source="PyNN 0.13 standard models",
)
