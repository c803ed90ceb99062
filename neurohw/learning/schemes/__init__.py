"""The write schemes by name: how a wanted change of weights becomes what a chip can do."""

from neurohw.learning.schemes.mixed_precision import MixedPrecision
from neurohw.learning.schemes.multi_memristor import MultiMemristor
from neurohw.learning.schemes.scheme import Scheme, Written
from neurohw.learning.schemes.shadow import Shadow
from neurohw.learning.schemes.sign import Sign
from neurohw.learning.schemes.stochastic import Stochastic
from neurohw.learning.schemes.stochastic_rounding import StochasticRounding
from neurohw.learning.schemes.tiki_taka import TikiTaka

SCHEMES: dict[str, type[Scheme]] = {
    scheme.name: scheme
    for scheme in (Shadow, Sign, Stochastic, MultiMemristor, MixedPrecision, StochasticRounding, TikiTaka)
}

__all__ = ["SCHEMES", "Scheme", "Written"]
