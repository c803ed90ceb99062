"""Synfire chain with feed-forward inhibition: a volley of spikes that either travels down the chain or dies out."""

import numpy as np

from neurohw import rng, units
from neurohw.connections import FixedNumberPre
from neurohw.errors import BadInput
from neurohw.network import Network

NEURON = {
    "cm": 0.29, "tau_m": 10.0, "tau_refrac": 2.0, "v_rest": -70.0, "v_reset": -70.0, "v_thresh": -57.0,
    "tau_syn_E": 1.5, "tau_syn_I": 10.0, "e_rev_E": 0.0, "e_rev_I": -75.0,
}  # fmt: skip


def synfire_chain(
    groups: int = 6,
    seed: int = 1,
    n_exc: int = 100,
    n_inh: int = 25,
    from_exc: int = 60,
    from_inh: int = 25,
    a: float = 2.0,
    sigma: float | str = 1.0,
    onset: float | str = 50.0,
    w_exc: float | str = 0.001,
    w_exc_inh: float | str = 0.0035,
    w_inh: float | str = 0.002,
    delay: float | str = 20.0,
    delay_inh: float | str = 4.0,
) -> Network:
    """`groups` groups of n_exc excitatory and n_inh inhibitory IF_cond_exp neurons ("exc1", "inh1", "exc2", ...).

    Each neuron has from_exc synapses from the excitatory neurons one group before (the "stimulus" before the first),
    each excitatory one from_inh from the inhibitory neurons of its own group. Inhibition comes delay_inh later than
    excitation, so it cuts wide volleys off: those below a separatrix in the (sigma, a) plane die out, those above it
    travel. With the defaults a = 1 travels at sigma = 1 ms and dies at 3 ms, a = 2 travels at 3 ms and dies at 5 ms.
    groups, n_exc, n_inh, from_exc, from_inh: numbers; seed: the network's.
    a: spikes per stimulus neuron; sigma, onset: ms, the packet's a * n_exc spikes are normal around `onset`, drawn by
    counter from the network's seed (before 0 ms they come at 0 ms).
    w_exc, w_exc_inh, w_inh: uS, onto excitatory, onto inhibitory, and from inhibitory neurons. delay: ms, group to
    group; delay_inh: ms, inside a group.

    Status: sizes, fan-in and delays are a digest of the papers; neurons and weights are assumed (from memory, not read
    again); the noise current of the original is left out. So compare chips with it, do not quote numbers from it.
    Sources: Kremkow et al., J. Comput. Neurosci. 28 (2010) 579; Petrovici et al., PLoS ONE 9 (2014) e108590.
    """
    if groups < 1 or not (np.isfinite(a) and 0 <= a <= 1000):
        raise BadInput(f"synfire_chain: needs groups >= 1 and 0 <= a <= 1000, got groups = {groups}, a = {a:g}")
    times = _packet(seed, round(a * n_exc), units.parse(onset, "ms", "onset"), units.parse(sigma, "ms", "sigma"))
    network = Network("synfire_chain", seed, source="Kremkow et al. 2010")
    network = network.population(
        "stimulus", n_exc, "SpikeSourceArray", spike_times=(times, np.arange(times.size) % n_exc)
    )
    before = "stimulus"
    for k in range(1, groups + 1):
        exc, inh = f"exc{k}", f"inh{k}"
        network = network.population(exc, n_exc, "IF_cond_exp", NEURON).population(inh, n_inh, "IF_cond_exp", NEURON)
        network = network.project(before, exc, FixedNumberPre(from_exc), w_exc, delay)
        network = network.project(before, inh, FixedNumberPre(from_exc), w_exc_inh, delay)
        network = network.project(inh, exc, FixedNumberPre(from_inh), w_inh, delay_inh, receptor="inhibitory")
        before = exc
    return network


def _packet(seed: int, spikes: int, onset: float, sigma: float) -> np.ndarray:
    """Times (ms) of a pulse packet; spike k is draw k of its stream, so a larger packet holds the smaller one."""
    if sigma < 0 or onset < 0:
        raise BadInput(f"synfire_chain: sigma and onset are >= 0 ms, got {sigma:g} and {onset:g}")
    return np.maximum(onset + sigma * rng.normal(rng.key(seed, "stimulus/pulse_packet"), spikes), 0.0)
