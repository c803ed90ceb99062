"""PyNN's synapse types. Each can be built, asked and set; whether it can run `neurohw.synapses` and the device say."""

from typing import Any

from pyNN.standardmodels import build_translations, synapses

from neurohw.frontends.pynn import simulator
from neurohw.frontends.pynn.cells import as_is
from neurohw.frontends.pynn.unavailable import unavailable


class _Delayed:
    def _get_minimum_delay(self) -> float:
        return simulator.state.default_delay


class StaticSynapse(_Delayed, synapses.StaticSynapse):
    __doc__ = synapses.StaticSynapse.__doc__
    translations = as_is(synapses.StaticSynapse)


class TsodyksMarkramSynapse(_Delayed, synapses.TsodyksMarkramSynapse):
    __doc__ = synapses.TsodyksMarkramSynapse.__doc__
    translations = as_is(synapses.TsodyksMarkramSynapse)


class STDPMechanism(_Delayed, synapses.STDPMechanism):
    __doc__ = synapses.STDPMechanism.__doc__
    base_translations = build_translations(
        ("weight", "weight"), ("delay", "delay"), ("dendritic_delay_fraction", "dendritic_delay_fraction")
    )

    def _build_translations(self) -> None:
        parts = (self.timing_dependence, self.weight_dependence)
        self.translations: dict[str, Any] = dict(self.base_translations)  # PyNN's own would change the class's table
        for part in parts:
            self.translations.update(part.translations if part else {})


class SpikePairRule(synapses.SpikePairRule):
    __doc__ = synapses.SpikePairRule.__doc__
    translations = as_is(synapses.SpikePairRule)


class Vogels2011Rule(synapses.Vogels2011Rule):
    __doc__ = synapses.Vogels2011Rule.__doc__
    translations = as_is(synapses.Vogels2011Rule)


class AdditiveWeightDependence(synapses.AdditiveWeightDependence):
    __doc__ = synapses.AdditiveWeightDependence.__doc__
    translations = as_is(synapses.AdditiveWeightDependence)


class MultiplicativeWeightDependence(synapses.MultiplicativeWeightDependence):
    __doc__ = synapses.MultiplicativeWeightDependence.__doc__
    translations = as_is(synapses.MultiplicativeWeightDependence)


class AdditivePotentiationMultiplicativeDepression(synapses.AdditivePotentiationMultiplicativeDepression):
    __doc__ = synapses.AdditivePotentiationMultiplicativeDepression.__doc__
    translations = as_is(synapses.AdditivePotentiationMultiplicativeDepression)


class GutigWeightDependence(synapses.GutigWeightDependence):
    __doc__ = synapses.GutigWeightDependence.__doc__
    translations = as_is(synapses.GutigWeightDependence)


AVAILABLE = {
    synapse.__name__: synapse
    for synapse in (
        StaticSynapse,
        TsodyksMarkramSynapse,
        STDPMechanism,
        SpikePairRule,
        Vogels2011Rule,
        AdditiveWeightDependence,
        MultiplicativeWeightDependence,
        AdditivePotentiationMultiplicativeDepression,
        GutigWeightDependence,
    )
}

UNAVAILABLE = unavailable(
    ("ElectricalSynapse", "MultiQuantalSynapse", "SimpleStochasticSynapse", "StochasticTsodyksMarkramSynapse"),
    "StaticSynapse",
)
