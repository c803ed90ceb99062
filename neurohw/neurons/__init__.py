"""The neuron models by their PyNN names."""

from neurohw.neurons.alif import ALIF
from neurohw.neurons.dpi_exp import DPI_EXP
from neurohw.neurons.eif_cond_exp_isfa_ista import EIF_COND_EXP_ISFA_ISTA
from neurohw.neurons.if_cond_alpha import IF_COND_ALPHA
from neurohw.neurons.if_cond_exp import IF_COND_EXP
from neurohw.neurons.if_curr_alpha import IF_CURR_ALPHA
from neurohw.neurons.if_curr_delta import IF_CURR_DELTA
from neurohw.neurons.if_curr_exp import IF_CURR_EXP
from neurohw.neurons.izhikevich import IZHIKEVICH, IZK_COND_EXP, IZK_CURR_EXP
from neurohw.neurons.li import LI
from neurohw.neurons.model import NeuronModel, Parameter, SourceModel
from neurohw.neurons.sources import SPIKE_SOURCE_ARRAY, SPIKE_SOURCE_POISSON

NEURONS: dict[str, NeuronModel | SourceModel] = {
    model.name: model
    for model in (
        IF_CURR_EXP,
        IF_COND_EXP,
        IF_CURR_DELTA,
        IF_CURR_ALPHA,
        IF_COND_ALPHA,
        EIF_COND_EXP_ISFA_ISTA,
        IZHIKEVICH,
        IZK_CURR_EXP,
        IZK_COND_EXP,
        ALIF,
        LI,
        DPI_EXP,
        SPIKE_SOURCE_ARRAY,
        SPIKE_SOURCE_POISSON,
    )
}

__all__ = ["NEURONS", "NeuronModel", "Parameter", "SourceModel"]
