"""DPI_exp: the silicon neuron of DYNAP chips, currents through differential pair integrators (DPI), in subthreshold CMOS.

With the membrane current I = i_0 exp(kappa v/u_t), the leak I_tau = cm u_t/(kappa tau_m) and the gain g = gain_m:

    tau_m (I + g I_tau)/I  I' = g (I_in - i_ahp - I_tau) + I_fb/I_tau (I + g I_tau) - I (1 + i_ahp/I_tau)
    I_fb = i_0 (I/i_0)^(kappa/(kappa + 1)),    I_in = max(p_E isyn_exc + p_I isyn_inh + i_ext, i_0)
    p = gain_s (1 - exp(-t_pulse/tau_syn)),    isyn' = -isyn/tau_syn,    i_ahp' = -i_ahp/tau_ahp;   at a spike i_ahp += b

A weight (nA) is the current that a synapse's pulse of length t_pulse lets in. The state here is v, the membrane as a
voltage, in which the positive feedback of the last moments before a spike is not stiff: v' = u_t/(kappa I) I'. A
spike is when v passes v_thresh, by default where I is 100 nA. Currents do not fall below the dark current i_0: v' is at
least -v/tau_m, which is felt below a few i_0 only.

Source: Chicca, Stefanini, Bartolozzi & Indiveri, Proc. IEEE 102 (2014) 1367; constants of Rockpool 3.1 (DynapSim).
"""

from dataclasses import replace

from neurohw.neurons.model import MEMBRANE, NeuronModel, Parameter

DPI_EXP = NeuronModel(
    name="DPI_exp",
    parameters={
        "cm": replace(MEMBRANE["cm"], default=3e-3),
        "tau_m": replace(MEMBRANE["tau_m"], may_be_infinite=False),
        "tau_refrac": replace(MEMBRANE["tau_refrac"], default=1.0),
        "v_thresh": Parameter("mV", 432.8, "spike threshold, above the voltage at which i_0 flows"),
        "v_reset": replace(MEMBRANE["v_reset"], default=0.0),
        "i_offset": MEMBRANE["i_offset"],
        "gain_m": Parameter("", 4.0, "gain of the membrane", positive=True),
        "gain_E": Parameter("", 100.0, "gain of the excitatory synapses", positive=True),
        "gain_I": Parameter("", 100.0, "gain of the inhibitory synapses", positive=True),
        "tau_syn_E": Parameter("ms", 10.0, "decay of the excitatory current", positive=True),
        "tau_syn_I": Parameter("ms", 10.0, "decay of the inhibitory current", positive=True),
        "t_pulse": Parameter("ms", 0.01, "length of the pulse that a spike opens a synapse for", positive=True),
        "b": Parameter("nA", 0.0, "adaptation by a spike", never_negative=True),
        "tau_ahp": Parameter("ms", 50.0, "time constant of adaptation", positive=True),
        "i_0": Parameter("nA", 5e-4, "dark current", positive=True),
        "u_t": Parameter("mV", 25.0, "thermal voltage", positive=True),
        "kappa": Parameter(
            "", 0.705, "subthreshold slope factor, the mean of both kinds of transistors", positive=True
        ),
    },
    states={
        "v": Parameter("mV", 0.0, "membrane, as a voltage"),
        "i_ahp": Parameter("nA", 0.0, "adaptation current"),
        "isyn_exc": Parameter("nA", 0.0, "what excitatory pulses let in"),
        "isyn_inh": Parameter("nA", 0.0, "what inhibitory pulses let in"),
    },
    receptors={"excitatory": "isyn_exc", "inhibitory": "isyn_inh"},
    weight_unit="nA",
    equations="""
    dv/dt = clip(u_t/(kappa*tau_m)*(i_0*exp(kappa**2/(kappa + 1)*clip(v, 0*mV, v_thresh)/u_t)*(kappa*tau_m)/(cm*u_t) """
    """+ (gain_m*((clip(gain_E*(1 - exp(-t_pulse/tau_syn_E))*isyn_exc + gain_I*(1 - exp(-t_pulse/tau_syn_I))*isyn_inh """
    """+ i_ext, i_0, i_0*1000000000000) - i_ahp)*(kappa*tau_m)/(cm*u_t) - 1) """
    """- i_0*exp(kappa*clip(v, 0*mV, v_thresh)/u_t)*(kappa*tau_m)/(cm*u_t)*(1 + i_ahp*(kappa*tau_m)/(cm*u_t))) """
    """/(i_0*exp(kappa*clip(v, 0*mV, v_thresh)/u_t)*(kappa*tau_m)/(cm*u_t) + gain_m)), """
    """-v/tau_m, 1000000*mV/ms) : volt (unless refractory)
    di_ahp/dt = -i_ahp/tau_ahp : amp
    disyn_exc/dt = -isyn_exc/tau_syn_E : amp
    disyn_inh/dt = -isyn_inh/tau_syn_I : amp
    """,
    method="midpoint",
    source="Chicca et al., Proc. IEEE 102 (2014) 1367-1388; constants of synsense/rockpool 3.1.0, devices/dynapse",
    at_spike="i_ahp += b",
    resets=("set",),
)
