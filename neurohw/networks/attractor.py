"""Attractor network: groups of neurons that excite themselves and inhibit each other through a common pool, so that one is
active at a time, until it tires.
"""

from neurohw.connections import FixedProbability, OneToOne
from neurohw.distributions import Uniform
from neurohw.errors import BadInput
from neurohw.network import Network

NEURON = {
    "cm": 0.2, "tau_m": 20.0, "tau_refrac": 2.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0,
    "tau_syn_E": 5.0, "tau_syn_I": 10.0, "e_rev_E": 0.0, "e_rev_I": -75.0,
}  # fmt: skip
ADAPTIVE = {"v_spike": -40.0, "delta_T": 1.0, "a": 0.0, "b": 0.02, "tau_w": 400.0}


def attractor(
    groups: int = 4,
    seed: int = 1,
    stabilized: bool = True,
    n_exc: int = 40,
    n_inh: int = 10,
    probability: float = 0.5,
    w_within: float | str | None = None,
    w_to_pool: float | str = 0.002,
    w_pool: float | str = 0.003,
    w_to_basket: float | str = 0.004,
    w_basket: float | str = 0.004,
    background_rate: float | str = 400.0,
    w_background: float | str = 0.0015,
    delay: float | str = 1.0,
) -> Network:
    """`groups` groups ("exc1", ...) of n_exc adaptive neurons, a "pool" of groups * n_inh inhibitory neurons that all of them
    drive and that inhibits all of them, and Poisson background for each excitatory neuron.

    A group that gets ahead excites itself (w_within) and silences the others through the pool; spike-triggered adaptation
    (b = 0.02 nA, tau_w = 400 ms) ends its turn after about 100 ms.
    stabilized: each group also has n_inh "basket" neurons of its own, driven by it and inhibiting it, and more excitation
    within the group to make up for them (w_within by default 6 nS, without them 4 nS). A group whose neurons are too
    excitable, or whose synapses happen to be strong, drives its baskets harder and is held back: the auxiliary population
    keeps the competition between unequal groups fair.
    groups, n_exc, n_inh: numbers; seed: the network's; probability: of every connection. delay: ms, of every synapse.
    w_within, w_to_pool, w_pool, w_to_basket, w_basket: uS, inside a group, to and from the pool, to and from the baskets.
    background_rate (Hz), w_background (uS): of the one Poisson source of each excitatory neuron.

    Status: the plan (minicolumns with basket cells that normalize them, competition between them) is that of cortical
    attractor models; sizes and weights are chosen here, so that it has them in the smallest form. Compare chips with it.
    Sources: Lundqvist et al., Network 17 (2006) 253; Petrovici et al., PLoS ONE 9 (2014) e108590 and arXiv:1703.06043.
    """
    if groups < 2 or not 0 < probability <= 1:
        raise BadInput(f"attractor: needs groups >= 2 and 0 < probability <= 1, got {groups} and {probability:g}")
    within = w_within if w_within is not None else (0.006 if stabilized else 0.004)
    start, random = {"v": Uniform(NEURON["v_reset"], NEURON["v_thresh"])}, FixedProbability(probability)
    others = FixedProbability(probability, allow_self_connections=False)
    network = Network("attractor", seed, source="after Lundqvist et al. 2006")
    names = [f"exc{k}" for k in range(1, groups + 1)]
    for name in names:
        network = network.population(name, n_exc, "EIF_cond_exp_isfa_ista", {**NEURON, **ADAPTIVE}, start)
    network = network.population("pool", groups * n_inh, "IF_cond_exp", NEURON, start)
    for k, name in enumerate(names, 1):
        network = network.population(f"background{k}", n_exc, "SpikeSourcePoisson", {"rate": background_rate})
        network = network.project(f"background{k}", name, OneToOne(), w_background, delay)
        network = network.project(name, name, others, within, delay)
        network = network.project(name, "pool", random, w_to_pool, delay)
        network = network.project("pool", name, random, w_pool, delay, receptor="inhibitory")
        if stabilized:
            network = network.population(f"basket{k}", n_inh, "IF_cond_exp", NEURON, start)
            network = network.project(name, f"basket{k}", random, w_to_basket, delay)
            network = network.project(f"basket{k}", name, random, w_basket, delay, receptor="inhibitory")
    return network
