"""IF_cond_exp: leaky integrate-and-fire with exponentially decaying synaptic conductances.

Its exponential Euler step divides by the total conductance, so it needs a leak: tau_m is finite.
"""

from dataclasses import replace

from neurohw.neurons.model import MEMBRANE, VOLTAGE, NeuronModel, Parameter

IF_COND_EXP = NeuronModel(
    name="IF_cond_exp",
    parameters={
        **MEMBRANE,
        "tau_m": replace(MEMBRANE["tau_m"], may_be_infinite=False),
        "tau_syn_E": Parameter("ms", 5.0, "decay of the excitatory conductance", positive=True),
        "tau_syn_I": Parameter("ms", 5.0, "decay of the inhibitory conductance", positive=True),
        "e_rev_E": Parameter("mV", 0.0, "excitatory reversal potential"),
        "e_rev_I": Parameter("mV", -70.0, "inhibitory reversal potential"),
    },
    states={
        "v": VOLTAGE,
        "gsyn_exc": Parameter("uS", 0.0, "excitatory conductance"),
        "gsyn_inh": Parameter("uS", 0.0, "inhibitory conductance"),
    },
    receptors={"excitatory": "gsyn_exc", "inhibitory": "gsyn_inh"},
    weight_unit="uS",
    equations="""
    dv/dt = (v_rest - v)/tau_m + (gsyn_exc*(e_rev_E - v) + gsyn_inh*(e_rev_I - v) + i_ext)/cm : volt (unless refractory)
    dgsyn_exc/dt = -gsyn_exc/tau_syn_E : siemens
    dgsyn_inh/dt = -gsyn_inh/tau_syn_I : siemens
    """,
    method="frozen conductance",
    source="PyNN 0.13 standard models",
)
