"""IF_curr_delta: leaky integrate-and-fire whose membrane jumps by the weight (mV) when a spike arrives.

The jump takes effect at the end of the step in which the spike arrives, before the threshold is looked at; while the neuron is
refractory it is lost.
"""

from neurohw.neurons.model import MEMBRANE, VOLTAGE, NeuronModel

IF_CURR_DELTA = NeuronModel(
    name="IF_curr_delta",
    parameters=dict(MEMBRANE),
    states={"v": VOLTAGE},
    receptors={"excitatory": "v", "inhibitory": "v"},
    weight_unit="mV",
    equations="dv/dt = (v_rest - v)/tau_m + i_ext/cm : volt (unless refractory)",
    method="exact",
    source="PyNN 0.13 standard models",
)
