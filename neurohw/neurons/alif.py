"""ALIF: leaky integrate-and-fire whose threshold rises with each of its spikes; the neuron of e-prop and of LSNNs.

    v' = (v_rest - v)/tau_m + i/cm,    a' = -a/tau_a,    a spike where v > v_thresh + beta a;    then a += 1

beta = 0 is a LIF neuron. Unlike in PyNN's models the membrane goes on during the refractory period, which only keeps the
neuron from spiking. A weight is a voltage step (mV) at the end of the step in which it arrives.

Learning rules are written in discrete time. In steps of dt with alpha = exp(-dt/tau_m), rho = exp(-dt/tau_a) and reset by
subtraction this is

    v[t] = alpha (v[t-1] - (v_thresh - v_reset) z[t-1]) + W x[t],    a[t] = rho (a[t-1] + z[t-1])

and where a rule takes v[t] = alpha v[t-1] - v_th z[t-1] + ... and a[t] = rho a[t-1] + z[t-1] (Bellec et al. 2020), it is the
same neuron with v_reset = v_thresh - v_th/alpha and beta/rho instead of beta.
Source: Bellec et al., Nat. Commun. 11:3625 (2020), eq. 6 to 9.
"""

from neurohw.neurons.model import MEMBRANE, VOLTAGE, NeuronModel, Parameter

ALIF = NeuronModel(
    name="ALIF",
    parameters={
        **MEMBRANE,
        "tau_a": Parameter("ms", 200.0, "decay of the adaptation", positive=True),
        "beta": Parameter("mV", 1.0, "what one spike adds to the threshold"),
    },
    states={"v": VOLTAGE, "a": Parameter("", 0.0, "adaptation: past spikes, decayed")},
    receptors={"excitatory": "v", "inhibitory": "v"},
    weight_unit="mV",
    equations="""
    dv/dt = (v_rest - v)/tau_m + i_ext/cm : volt
    da/dt = -a/tau_a : 1
    """,
    method="exact",
    source="Bellec et al., Nat. Commun. 11:3625 (2020), eq. 6 to 9",
    threshold_rises_by="beta*a",
    at_spike="a += 1",
)
