"""IF_curr_exp: leaky integrate-and-fire with exponentially decaying synaptic currents."""

from neurohw.neurons.model import MEMBRANE, VOLTAGE, NeuronModel, Parameter

IF_CURR_EXP = NeuronModel(
    name="IF_curr_exp",
    parameters={
        **MEMBRANE,
        "tau_syn_E": Parameter("ms", 5.0, "decay of the excitatory current", positive=True),
        "tau_syn_I": Parameter("ms", 5.0, "decay of the inhibitory current", positive=True),
    },
    states={
        "v": VOLTAGE,
        "isyn_exc": Parameter("nA", 0.0, "excitatory current"),
        "isyn_inh": Parameter("nA", 0.0, "inhibitory current, <= 0"),
    },
    receptors={"excitatory": "isyn_exc", "inhibitory": "isyn_inh"},
    weight_unit="nA",
    equations="""
    dv/dt = (v_rest - v)/tau_m + (isyn_exc + isyn_inh + i_ext)/cm : volt (unless refractory)
    disyn_exc/dt = -isyn_exc/tau_syn_E : amp
    disyn_inh/dt = -isyn_inh/tau_syn_I : amp
    """,
    method="exact",
    source="PyNN 0.13 standard models",
)
