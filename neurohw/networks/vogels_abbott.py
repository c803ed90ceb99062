"""The Vogels-Abbott network: benchmarks 1 (conductances, "COBA") and 2 (currents, "CUBA") of Brette et al. 2007."""

from typing import Literal

from neurohw.connections import FixedProbability
from neurohw.distributions import Uniform
from neurohw.errors import BadInput
from neurohw.network import RECEPTORS, Network

MEMBRANE = {"tau_m": 20.0, "cm": 0.2, "tau_refrac": 5.0, "v_reset": -60.0, "v_thresh": -50.0}  # ms, nF, ms, mV, mV
SYNAPSES = {"tau_syn_E": 5.0, "tau_syn_I": 10.0}  # ms
REVERSAL = {"e_rev_E": 0.0, "e_rev_I": -80.0}  # mV
MODELS = {
    # synapses: model, v_rest (mV), excitatory and inhibitory weight (uS or nA)
    "conductance": ("IF_cond_exp", -60.0, 0.006, 0.067),
    "current": ("IF_curr_exp", -49.0, 0.00027 * 60.0, -0.0045 * 20.0),
}


def vogels_abbott(
    n: int = 4000,
    seed: int = 1,
    synapses: Literal["conductance", "current"] = "conductance",
    in_degree: float = 80.0,
    delay: float | str = 0.2,
    w_exc: float | str | None = None,
    w_inh: float | str | None = None,
    stimulus_rate: float | str = 100.0,
    stimulus_duration: float | str = 50.0,
    stimulus_weight: float | str = 0.1,
) -> Network:
    """Balanced random network, 80 % excitatory and 20 % inhibitory, in the asynchronous irregular state.

    n: neurons; seed: the network's. synapses: "conductance" (IF_cond_exp) or "current" (IF_curr_exp).
    in_degree: mean number of synapses per neuron from the whole network; p = in_degree / n, so p = 0.02 at n = 4000.
    With another n the in-degree stays and only p changes (below n = 2000 the conductance network may fall silent); no
    self-connections. delay: ms, of every synapse.
    w_exc, w_inh: by default 6 and 67 nS for conductances, as published (PyNN's script has 4 and 51 nS, with which the
    activity may die within the first second); 16.2 and -90 pA for currents (0.27 and 4.5 nS times the driving forces
    60 and -20 mV at v = -60 mV).
    stimulus_rate (Hz), stimulus_duration (ms), stimulus_weight (uS): 20 Poisson sources, connected with p = 0.01
    whatever n is, start the conductance network. The current network rests above threshold (-49 mV), starts by itself
    and has no stimulus.

    Initial v: uniform in [v_reset, v_thresh). Rates of the first second (n = 4000, step 0.1 ms, over seeds;
    conductances with Brian2 too): 18-20 Hz with conductances (13-17 Hz with PyNN's weights), 5.5-6 Hz with currents.
    Sources: Vogels & Abbott, J. Neurosci. 25 (2005) 10786; Brette et al., J. Comput. Neurosci. 23 (2007) 349; the
    stimulus and the currents as in PyNN's examples/VAbenchmarks.py.
    """
    if n < 5 or not 0 < in_degree <= n:
        raise BadInput(f"vogels_abbott: needs n >= 5 and 0 < in_degree <= n, got n = {n}, in_degree = {in_degree:g}")
    if synapses not in MODELS:
        raise BadInput(f"vogels_abbott: synapses is one of {', '.join(MODELS)}, got {synapses!r}")
    model, v_rest, *weights = MODELS[synapses]
    w_exc, w_inh = (default if given is None else given for given, default in zip((w_exc, w_inh), weights, strict=True))
    conductance = synapses == "conductance"
    parameters = {**MEMBRANE, **SYNAPSES, **(REVERSAL if conductance else {}), "v_rest": v_rest}
    start = {"v": Uniform(MEMBRANE["v_reset"], MEMBRANE["v_thresh"])}
    sizes = {"excitatory": round(0.8 * n), "inhibitory": n - round(0.8 * n)}

    network = Network(f"vogels_abbott ({synapses})", seed, source="Brette et al. 2007, benchmarks 1 and 2")
    for name, size in sizes.items():
        network = network.population(name, size, model, parameters, start)
    rule = FixedProbability(in_degree / n, allow_self_connections=False)
    for source, weight in zip(RECEPTORS, (w_exc, w_inh), strict=True):  # called like what they do
        for target in sizes:
            network = network.project(source, target, rule, weight, delay, receptor=source)
    if conductance:
        poisson = {"rate": stimulus_rate, "duration": stimulus_duration}
        network = network.population("stimulus", 20, "SpikeSourcePoisson", poisson)
        for target in sizes:
            network = network.project("stimulus", target, FixedProbability(0.01), stimulus_weight, delay)
    return network
