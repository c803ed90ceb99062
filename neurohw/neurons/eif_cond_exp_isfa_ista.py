"""EIF_cond_exp_isfa_ista: the adaptive exponential neuron (AdEx) with exponentially decaying conductances.

The exponential drives v upwards once it has passed v_thresh, and a spike is when v passes v_spike; then the adaptation current
w grows by b. Above v_spike the exponential is held at its value there, as in NEST's aeif models: v leaves that region at the
end of the step, and how far it got is of no meaning.

Method: the midpoint rule for all variables, which is Brian2's rk2 and what PyNN's own Brian2 backend solves this model with. Its
step must be shorter than twice every time constant, and than 2 cm/g. Error: under a constant current each interval between
spikes is half a step too long, 0.05 ms at 0.1 ms, since a reset waits for the end of its step (forward Euler: a whole step).
Source: Brette & Gerstner, J. Neurophysiol. 94 (2005) 3637-3642; the bound: NEST, aeif_cond_alpha.
"""

from dataclasses import replace

from neurohw.neurons.model import MEMBRANE, VOLTAGE, NeuronModel, Parameter

EIF_COND_EXP_ISFA_ISTA = NeuronModel(
    name="EIF_cond_exp_isfa_ista",
    parameters={
        "v_rest": replace(MEMBRANE["v_rest"], default=-70.6),
        "cm": replace(MEMBRANE["cm"], default=0.281),
        "tau_m": replace(MEMBRANE["tau_m"], default=9.3667, may_be_infinite=False),
        "tau_refrac": MEMBRANE["tau_refrac"],
        "v_thresh": Parameter("mV", -50.4, "where the exponential takes over"),
        "v_spike": Parameter("mV", -40.0, "where a spike is counted", may_be_infinite=False),
        "v_reset": replace(MEMBRANE["v_reset"], default=-70.6),
        "i_offset": MEMBRANE["i_offset"],
        "delta_T": Parameter("mV", 2.0, "slope of the exponential", positive=True),
        "a": Parameter("nS", 4.0, "adaptation by the voltage"),
        "b": Parameter("nA", 0.0805, "adaptation by a spike"),
        "tau_w": Parameter("ms", 144.0, "time constant of adaptation", positive=True),
        "tau_syn_E": Parameter("ms", 5.0, "decay of the excitatory conductance", positive=True),
        "tau_syn_I": Parameter("ms", 5.0, "decay of the inhibitory conductance", positive=True),
        "e_rev_E": Parameter("mV", 0.0, "excitatory reversal potential"),
        "e_rev_I": Parameter("mV", -80.0, "inhibitory reversal potential"),
    },
    states={
        "v": VOLTAGE,
        "w": Parameter("nA", 0.0, "adaptation current"),
        "gsyn_exc": Parameter("uS", 0.0, "excitatory conductance"),
        "gsyn_inh": Parameter("uS", 0.0, "inhibitory conductance"),
    },
    receptors={"excitatory": "gsyn_exc", "inhibitory": "gsyn_inh"},
    weight_unit="uS",
    equations="""
    dv/dt = (v_rest - v + delta_T*exp((clip(v, -1000*mV, v_spike) - v_thresh)/delta_T))/tau_m + (gsyn_exc*(e_rev_E - v) + gsyn_inh*(e_rev_I - v) + i_ext - w)/cm : volt (unless refractory)
    dw/dt = (a*(v - v_rest) - w)/tau_w : amp
    dgsyn_exc/dt = -gsyn_exc/tau_syn_E : siemens
    dgsyn_inh/dt = -gsyn_inh/tau_syn_I : siemens
    """,
    method="midpoint",
    source="PyNN 0.13 standard models; Brette & Gerstner, J. Neurophysiol. 94 (2005)",
    threshold="v_spike",
    at_spike="w += b",
    resets=("set",),
)
