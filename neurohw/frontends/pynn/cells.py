"""PyNN's cell types: those in `neurohw.neurons`, under the same names, parameters and units."""

from typing import Any

from pyNN.standardmodels import build_translations, cells

from neurohw.frontends.pynn.unavailable import unavailable
from neurohw.neurons import NEURONS


def as_is(generic: Any) -> Any:
    """Translations that change nothing: neurohw's names and units are PyNN's."""
    return build_translations(*((name, name) for name in generic.default_parameters))


class IF_cond_exp(cells.IF_cond_exp):
    __doc__ = cells.IF_cond_exp.__doc__
    translations = as_is(cells.IF_cond_exp)
    recordable = NEURONS["IF_cond_exp"].recordable


class IF_curr_delta(cells.IF_curr_delta):
    __doc__ = cells.IF_curr_delta.__doc__
    translations = as_is(cells.IF_curr_delta)
    recordable = NEURONS["IF_curr_delta"].recordable


class IF_curr_exp(cells.IF_curr_exp):
    __doc__ = cells.IF_curr_exp.__doc__
    translations = as_is(cells.IF_curr_exp)
    recordable = NEURONS["IF_curr_exp"].recordable


class SpikeSourceArray(cells.SpikeSourceArray):
    __doc__ = cells.SpikeSourceArray.__doc__
    translations = as_is(cells.SpikeSourceArray)


class SpikeSourcePoisson(cells.SpikeSourcePoisson):
    __doc__ = cells.SpikeSourcePoisson.__doc__
    translations = as_is(cells.SpikeSourcePoisson)


AVAILABLE = {
    cell.__name__: cell for cell in (IF_cond_exp, IF_curr_delta, IF_curr_exp, SpikeSourceArray, SpikeSourcePoisson)
}

UNAVAILABLE = unavailable(
    (
        "EIF_cond_alpha_isfa_ista",
        "EIF_cond_exp_isfa_ista",
        "GIF_cond_exp",
        "HH_cond_exp",
        "IF_cond_alpha",
        "IF_cond_exp_gsfa_grr",
        "IF_curr_alpha",
        "IF_facets_hardware1",
        "Izhikevich",
        "MultiCompartmentNeuron",
        "PointNeuron",
        "LIF",
        "AdExp",
        "AlphaPSR",
        "CondAlphaPostSynapticResponse",
        "CondBetaPostSynapticResponse",
        "CondExpPostSynapticResponse",
        "CurrExpPostSynapticResponse",
        "ExpPSR",
        "SpikeSourceGamma",
        "SpikeSourceInhGamma",
        "SpikeSourcePoissonRefractory",
    ),
    ", ".join(AVAILABLE),
)
