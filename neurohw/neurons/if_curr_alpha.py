"""IF_curr_alpha: leaky integrate-and-fire with synaptic currents that rise and fall as alpha functions.

A spike of weight w at time 0 gives the current

    i(t) = w (t / tau_syn) exp(1 - t / tau_syn)        its peak is w, at t = tau_syn; its charge e tau_syn w

which two equations make: `rise` jumps by w and decays, and the current follows e times it.
Source: PyNN 0.13, `pyNN/brian2/standardmodels/receptors.py`, current_based_alpha_synapses (where the inhibitory current
decays with tau_syn_E, by mistake); NEST's iaf_psc_alpha, to which PyNN hands weights as they are, normalizes to the same
peak (Rotter & Diesmann, Biol. Cybern. 81, 1999).
"""

from neurohw.neurons.model import MEMBRANE, VOLTAGE, NeuronModel, Parameter

IF_CURR_ALPHA = NeuronModel(
    name="IF_curr_alpha",
    parameters={
        **MEMBRANE,
        "tau_syn_E": Parameter("ms", 0.5, "time to the peak of the excitatory current", positive=True),
        "tau_syn_I": Parameter("ms", 0.5, "time to the peak of the inhibitory current", positive=True),
    },
    states={
        "v": VOLTAGE,
        "isyn_exc": Parameter("nA", 0.0, "excitatory current"),
        "isyn_inh": Parameter("nA", 0.0, "inhibitory current, <= 0"),
        "rise_exc": Parameter("nA", 0.0, "what the excitatory current rises with"),
        "rise_inh": Parameter("nA", 0.0, "what the inhibitory current rises with, <= 0"),
    },
    receptors={"excitatory": "rise_exc", "inhibitory": "rise_inh"},
    weight_unit="nA",
    equations="""
    dv/dt = (v_rest - v)/tau_m + (isyn_exc + isyn_inh + i_ext)/cm : volt (unless refractory)
    disyn_exc/dt = (exp(1)*rise_exc - isyn_exc)/tau_syn_E : amp
    disyn_inh/dt = (exp(1)*rise_inh - isyn_inh)/tau_syn_I : amp
    drise_exc/dt = -rise_exc/tau_syn_E : amp
    drise_inh/dt = -rise_inh/tau_syn_I : amp
    """,
    method="exact",
    source="PyNN 0.13 standard models",
)
