"""LI: a leaky integrator that never spikes; the readout of networks that learn.

    v' = (v_rest - v)/tau_m + i/cm

A weight is a voltage step (mV) at the end of the step in which it arrives; so in discrete time
y[t] = kappa y[t-1] + W z[t], kappa = exp(-dt/tau_m), z being what arrives at t.
Source: Bellec et al., Nat. Commun. 11:3625 (2020), eq. 11.
"""

from neurohw.neurons.model import MEMBRANE, VOLTAGE, NeuronModel

LI = NeuronModel(
    name="LI",
    parameters={name: MEMBRANE[name] for name in ("v_rest", "cm", "tau_m", "i_offset")},
    states={"v": VOLTAGE},
    receptors={"excitatory": "v", "inhibitory": "v"},
    weight_unit="mV",
    equations="dv/dt = (v_rest - v)/tau_m + i_ext/cm : volt",
    method="exact",
    source="Bellec et al., Nat. Commun. 11:3625 (2020), eq. 11",
    threshold=float("inf"),
    reset="v_rest",
)
