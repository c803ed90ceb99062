"""The cortical microcircuit of Potjans and Diesmann: four layers under 1 mm^2 of cortex, full scale or smaller."""

from typing import Any, Literal

import numpy as np

from neurohw.connections import FixedTotalNumber, OneToOne
from neurohw.distributions import Normal
from neurohw.errors import BadInput
from neurohw.network import Network

POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
NEURONS = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
K_EXTERNAL = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
RATES = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])  # Hz, at full scale
V_MEAN = (-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43)  # mV, at the start
V_SD = (5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48)  # mV
PROBABILITY = np.array(  # of at least one synapse; row: target, column: source
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
THALAMUS, P_THALAMUS = 902, np.array([0.0, 0.0, 0.0983, 0.0619, 0.0, 0.0, 0.0512, 0.0196])
TAU_SYN = 0.5  # ms
NEURON = {
    "tau_m": 10.0, "cm": 0.25, "tau_refrac": 2.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0,
    "tau_syn_E": TAU_SYN, "tau_syn_I": TAU_SYN,
}  # fmt: skip
WEIGHT, G = 0.0878, -4.0  # nA (a PSP of 0.15 mV), inhibitory relative to excitatory
EXCITATORY = np.arange(8) % 2 == 0


def microcircuit(
    scale: float = 0.1,
    seed: int = 1,
    input: Literal["poisson", "dc"] = "poisson",
    background_rate: float = 8.0,
    thalamus: bool = False,
    thalamus_rate: float | str = 120.0,
    thalamus_start: float | str = 700.0,
    thalamus_duration: float | str = 10.0,
    min_delay: float = 0.1,
) -> Network:
    """Eight populations of IF_curr_exp neurons, at full scale 77,169 with 2.99e8 synapses, firing at 1 to 9 Hz.

    scale: fraction of the neurons and of every in-degree, in (0, 1]. Weights grow by 1/sqrt(scale) and a constant
    current makes up for the missing mean input, which keeps mean and variance of the input (not the correlations) of
    full scale:
        i_i = (1 - sqrt(scale)) tau_syn (sum_j w_ij K_ij rate_j + w_ext K_ext rate_ext).
    seed: the network's. input: "poisson" (one SpikeSourcePoisson per neuron at K_ext scale background_rate) or "dc"
    (its mean current; at a scale below 0.2 most populations then rest below threshold and the network may stay silent).
    background_rate: Hz per external synapse. thalamus: a volley of 902 scale neurons at
    thalamus_rate (Hz) from thalamus_start (ms) for thalamus_duration (ms).
    min_delay: ms; delays are normal, 1.5 +- 0.75 ms (excitatory) and 0.75 +- 0.375 ms, redrawn below min_delay.

    Rates of L23E ... L6I at scale 0.1 and a step of 0.1 ms: 0.5, 2.0, 4.0, 5.0, 6.2, 7.9, 0.8, 7.0 Hz.
    A projection has ln(1 - C) / ln(1 - 1/(N_i N_j)) synapses (multapses allowed), times scale^2. Weights are normal
    with an sd of 10 % and keep their sign; L4E -> L23E is twice as strong.
    Sources: Potjans & Diesmann, Cereb. Cortex 24 (2014) 785; van Albada et al., PLoS Comput. Biol. 11 (2015) e1004490
    (the scaling); rates and initial voltages: github.com/INM-6/microcircuit-PD14-model.
    """
    if not (0 < scale <= 1 and min_delay > 0 and background_rate >= 0):
        raise BadInput("microcircuit: needs 0 < scale <= 1, min_delay > 0 and background_rate >= 0")
    if input not in ("poisson", "dc"):
        raise BadInput(f"microcircuit: input is 'poisson' or 'dc', got {input!r}")
    sizes = np.rint(NEURONS * scale).astype(int)
    if sizes.min() < 1:
        raise BadInput(f"microcircuit: scale {scale:g} leaves a population without neurons; the least is 0.0005")
    weights, synapses, currents = weight_table(), synapse_table(), _currents(scale, input, background_rate)

    network = Network("microcircuit", seed, source="Potjans & Diesmann 2014")
    for i, name in enumerate(POPULATIONS):
        start = {"v": Normal(V_MEAN[i], V_SD[i])}
        network = network.population(name, int(sizes[i]), "IF_curr_exp", {**NEURON, "i_offset": currents[i]}, start)
    for j, source in enumerate(POPULATIONS):
        for i, target in enumerate(POPULATIONS):
            rule = FixedTotalNumber(round(synapses[i, j] * scale**2))
            if rule.n:
                network = network.project(
                    source, target, rule, *_synapse(weights[i, j], scale, EXCITATORY[j], min_delay)
                )
    if input == "poisson":
        for i, target in enumerate(POPULATIONS):
            rate = float(K_EXTERNAL[i] * scale * background_rate)
            network = network.population(f"{target}_background", int(sizes[i]), "SpikeSourcePoisson", {"rate": rate})
            network = network.project(
                f"{target}_background", target, OneToOne(), WEIGHT / np.sqrt(scale), max(1.5, min_delay)
            )
    if thalamus:
        volley = {"rate": thalamus_rate, "start": thalamus_start, "duration": thalamus_duration}
        network = network.population("thalamus", max(1, round(THALAMUS * scale)), "SpikeSourcePoisson", volley)
        for i in np.flatnonzero(P_THALAMUS):
            rule = FixedTotalNumber(round(_n_synapses(P_THALAMUS[i], THALAMUS * NEURONS[i]) * scale**2))
            network = network.project("thalamus", POPULATIONS[i], rule, *_synapse(WEIGHT, scale, True, min_delay))
    return network


def synapse_table() -> np.ndarray:
    """Synapses at full scale, real numbers; row: target, column: source."""
    return _n_synapses(PROBABILITY, np.outer(NEURONS, NEURONS))


def weight_table() -> np.ndarray:
    """Mean weights (nA) at full scale; row: target, column: source."""
    weights = np.tile(np.where(EXCITATORY, WEIGHT, G * WEIGHT), (8, 1))
    weights[0, 2] *= 2
    return weights


def _n_synapses(probability: Any, pairs: Any) -> Any:
    """Synapses that, dealt at random to `pairs`, leave a pair unconnected with probability 1 - `probability`."""
    return np.log1p(-probability) / np.log1p(-1.0 / pairs)


def _currents(scale: float, input: str, background_rate: float) -> list[float]:
    """i_offset of each population (nA); tau_syn in ms and rates in Hz, hence the 1e-3."""
    recurrent = (weight_table() * synapse_table() / NEURONS[:, None]) @ RATES
    external = WEIGHT * K_EXTERNAL * background_rate
    external_share = 1.0 if input == "dc" else 1.0 - np.sqrt(scale)
    return (1e-3 * TAU_SYN * ((1.0 - np.sqrt(scale)) * recurrent + external_share * external)).tolist()


def _synapse(weight: float, scale: float, excitatory: bool, min_delay: float) -> tuple[Normal, Normal]:
    """(weight, delay) of a projection, as distributions."""
    w, d = weight / np.sqrt(scale), 1.5 if excitatory else 0.75
    sign = (0.0, np.inf) if excitatory else (-np.inf, 0.0)
    return Normal(w, 0.1 * abs(w), *sign), Normal(d, d / 2, low=min_delay)
