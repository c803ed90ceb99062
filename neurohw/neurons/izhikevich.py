"""Izhikevich's neuron: PyNN's Izhikevich, whose membrane jumps when a spike arrives, and SpiNNaker's IZK_*_exp.

    v' = 0.04 v^2 + 5 v + 140 - u + I,   u' = a (b v - u)        v in mV, time in ms; at v > 30: v = c, u += d

Two things are different between them, which is why one name does not do. PyNN's synapses are voltage steps (mV), and 1
nA is an I of 1000, as if the membrane had 1 pF. On SpiNNaker (where the model goes by PyNN's name) synapses are
currents (nA) or conductances (uS) that decay, and 1 nA is an I of 1, as if it had 1 nF.

Method: the midpoint rule, SpiNNaker's own (Hopkins & Furber, Neural Comput. 27, 2015, who lengthen the step after a
spike, which is not done here); PyNN's other backends take forward Euler (numerics: integration: euler). v passes 30 mV
at a run: each interval between spikes comes out one to two steps too long, and how far v got is of no meaning.
Source: Izhikevich, IEEE Trans. Neural Netw. 14 (2003); PyNN 0.13, `pyNN/brian2/standardmodels/cells.py` for the unit of
I; sPyNNaker 7.4.1, `neuron/models/neuron_model_izh_impl.h`.
"""

from neurohw.neurons.model import NeuronModel, Parameter

PARAMETERS = {
    "a": Parameter("kHz", 0.02, "rate of recovery", never_negative=True),
    "b": Parameter("kHz", 0.2, "how recovery follows the voltage"),
    "c": Parameter("mV", -65.0, "reset potential"),
    "d": Parameter("mV/ms", 2.0, "what recovery gains at a spike"),
    "i_offset": Parameter("nA", 0.0, "constant current"),
}
DECAYS = {
    "tau_syn_E": Parameter("ms", 5.0, "decay of excitation", positive=True),
    "tau_syn_I": Parameter("ms", 5.0, "decay of inhibition", positive=True),
}
STATES = {
    "v": Parameter("mV", -70.0, "membrane potential"),
    "u": Parameter("mV/ms", -14.0, "recovery"),
}
RECOVERY = "du/dt = a*(b*v - u) : volt/second"
QUADRATIC = "dv/dt = 0.04*v**2/ms/mV + 5*v/ms + 140*mV/ms - u"

IZHIKEVICH = NeuronModel(
    name="Izhikevich",
    parameters=PARAMETERS,
    states=STATES,
    receptors={"excitatory": "v", "inhibitory": "v"},
    weight_unit="mV",
    equations=f"""
    {QUADRATIC} + i_ext/pF : volt
    {RECOVERY}
    """,
    method="midpoint",
    source="PyNN 0.13 standard models; Izhikevich, IEEE Trans. Neural Netw. 14 (2003)",
    threshold=30.0,
    reset="c",
    at_spike="u += d",
    resets=("set",),
)

IZK_CURR_EXP = NeuronModel(
    name="IZK_curr_exp",
    parameters={**PARAMETERS, **DECAYS},
    states={
        **STATES,
        "isyn_exc": Parameter("nA", 0.0, "excitatory current"),
        "isyn_inh": Parameter("nA", 0.0, "inhibitory current, <= 0"),
    },
    receptors={"excitatory": "isyn_exc", "inhibitory": "isyn_inh"},
    weight_unit="nA",
    equations=f"""
    {QUADRATIC} + (isyn_exc + isyn_inh + i_ext)/nF : volt
    {RECOVERY}
    disyn_exc/dt = -isyn_exc/tau_syn_E : amp
    disyn_inh/dt = -isyn_inh/tau_syn_I : amp
    """,
    method="midpoint",
    source="sPyNNaker 7.4.1, Izhikevich; Izhikevich, IEEE Trans. Neural Netw. 14 (2003)",
    threshold=30.0,
    reset="c",
    at_spike="u += d",
    resets=("set",),
)

IZK_COND_EXP = NeuronModel(
    name="IZK_cond_exp",
    parameters={
        **PARAMETERS,
        **DECAYS,
        "e_rev_E": Parameter("mV", 0.0, "excitatory reversal potential"),
        "e_rev_I": Parameter("mV", -70.0, "inhibitory reversal potential"),
    },
    states={
        **STATES,
        "gsyn_exc": Parameter("uS", 0.0, "excitatory conductance"),
        "gsyn_inh": Parameter("uS", 0.0, "inhibitory conductance"),
    },
    receptors={"excitatory": "gsyn_exc", "inhibitory": "gsyn_inh"},
    weight_unit="uS",
    equations=f"""
    {QUADRATIC} + (gsyn_exc*(e_rev_E - v) + gsyn_inh*(e_rev_I - v) + i_ext)/nF : volt
    {RECOVERY}
    dgsyn_exc/dt = -gsyn_exc/tau_syn_E : siemens
    dgsyn_inh/dt = -gsyn_inh/tau_syn_I : siemens
    """,
    method="midpoint",
    source="sPyNNaker 7.4.1, Izhikevich_cond; Izhikevich, IEEE Trans. Neural Netw. 14 (2003)",
    threshold=30.0,
    reset="c",
    at_spike="u += d",
    resets=("set",),
)
