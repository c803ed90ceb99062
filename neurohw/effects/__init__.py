"""The physical effects by name, as they stand in the `effects:` section of a device file."""

from neurohw.effects.drift import Drift
from neurohw.effects.effect import Effect
from neurohw.effects.programming_noise import ProgrammingNoise
from neurohw.effects.read_noise import ReadNoise
from neurohw.effects.set_pulse import SetPulse

EFFECTS: dict[str, type[Effect]] = {effect.name: effect for effect in (ProgrammingNoise, SetPulse, Drift, ReadNoise)}

__all__ = ["EFFECTS", "Effect"]
