"""PyNN's cell types: those in `neurohw.neurons`, under the same names, parameters and units.

Each model of the table that PyNN has is there as PyNN's standard cell, unchanged; a model that PyNN lacks is made one
from what the table says of it. Every other cell of PyNN is there by its name, and says that it is not available.
"""

from typing import Any

from pyNN.standardmodels import StandardCellType, build_translations, cells, receptors
from pyNN.standardmodels.base import StandardCellTypeComponent

from neurohw.frontends.pynn.unavailable import unavailable
from neurohw.neurons import NEURONS, NeuronModel, SourceModel


def as_is(generic: Any) -> Any:
    """Translations that change nothing: neurohw's names and units are PyNN's."""
    return build_translations(*((name, name) for name in generic.default_parameters))


def cell(model: NeuronModel | SourceModel) -> Any:
    """The PyNN cell type of a model."""
    generic: Any = getattr(cells, model.name, None) or _not_in_pynn(model)
    known = {"spikes", *getattr(generic, "units", {})}
    recordable = tuple(variable for variable in model.recordable if variable in known)
    ours = {
        "__doc__": generic.__doc__,
        "__module__": __name__,
        "translations": as_is(generic),
        "recordable": recordable,
    }
    return type(model.name, (generic,), ours)


def _not_in_pynn(model: NeuronModel | SourceModel) -> Any:
    assert isinstance(model, NeuronModel), f"PyNN lacks the source {model.name}"
    described = {**model.parameters, **model.states}
    ours = {
        "__doc__": f"{model.name}, which is neurohw's own. Source: {model.source}.",
        "default_parameters": {name: spec.default for name, spec in model.parameters.items()},
        "default_initial_values": {name: spec.default for name, spec in model.states.items()},
        "units": {name: spec.unit for name, spec in described.items()},
        "conductance_based": model.weight_unit == "uS",
        "voltage_based_synapses": model.weight_unit == "mV",
    }
    return type(model.name, (StandardCellType,), ours)


def _of_pynn() -> set[str]:
    """The names of PyNN's cells and of the parts that its PointNeuron is made of."""
    parts = (StandardCellType, StandardCellTypeComponent, receptors.StandardPostSynapticResponse)
    things = {**vars(cells), **vars(receptors)}.items()
    return {
        name for name, thing in things if isinstance(thing, type) and issubclass(thing, parts) and thing not in parts
    }


AVAILABLE = {model.name: cell(model) for model in NEURONS.values()}

UNAVAILABLE = unavailable(
    tuple(sorted((_of_pynn() | {"AlphaPSR", "ExpPSR"}) - set(AVAILABLE))),
    ", ".join(AVAILABLE),
)
