"""IF_cond_alpha: leaky integrate-and-fire with synaptic conductances that rise and fall as alpha functions.

A spike of weight w at time 0 gives the conductance g(t) = w (t / tau_syn) exp(1 - t / tau_syn), with its peak w at
t = tau_syn; see `if_curr_alpha`. As for IF_cond_exp, tau_m is finite.
"""

from dataclasses import replace

from neurohw.neurons.model import MEMBRANE, VOLTAGE, NeuronModel, Parameter

IF_COND_ALPHA = NeuronModel(
    name="IF_cond_alpha",
    parameters={
        **MEMBRANE,
        "tau_m": replace(MEMBRANE["tau_m"], may_be_infinite=False),
        "tau_syn_E": Parameter("ms", 0.3, "time to the peak of the excitatory conductance", positive=True),
        "tau_syn_I": Parameter("ms", 0.5, "time to the peak of the inhibitory conductance", positive=True),
        "e_rev_E": Parameter("mV", 0.0, "excitatory reversal potential"),
        "e_rev_I": Parameter("mV", -70.0, "inhibitory reversal potential"),
    },
    states={
        "v": VOLTAGE,
        "gsyn_exc": Parameter("uS", 0.0, "excitatory conductance"),
        "gsyn_inh": Parameter("uS", 0.0, "inhibitory conductance"),
        "rise_exc": Parameter("uS", 0.0, "what the excitatory conductance rises with"),
        "rise_inh": Parameter("uS", 0.0, "what the inhibitory conductance rises with"),
    },
    receptors={"excitatory": "rise_exc", "inhibitory": "rise_inh"},
    weight_unit="uS",
    equations="""
    dv/dt = (v_rest - v)/tau_m + (gsyn_exc*(e_rev_E - v) + gsyn_inh*(e_rev_I - v) + i_ext)/cm : volt (unless refractory)
    dgsyn_exc/dt = (exp(1)*rise_exc - gsyn_exc)/tau_syn_E : siemens
    dgsyn_inh/dt = (exp(1)*rise_inh - gsyn_inh)/tau_syn_I : siemens
    drise_exc/dt = -rise_exc/tau_syn_E : siemens
    drise_inh/dt = -rise_inh/tau_syn_I : siemens
    """,
    method="frozen conductance",
    source="PyNN 0.13 standard models",
)
