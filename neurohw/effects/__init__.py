"""The physical effects by name, as they stand in the `effects:` section of a device file."""

from neurohw.effects.adc import Adc
from neurohw.effects.configuration_noise import ConfigurationNoise
from neurohw.effects.dac import Dac
from neurohw.effects.dead_lines import DeadLines
from neurohw.effects.drift import Drift
from neurohw.effects.effect import Effect
from neurohw.effects.fixed_point import FixedPoint
from neurohw.effects.ir_drop import IrDrop
from neurohw.effects.mismatch import Mismatch
from neurohw.effects.parameter_codes import ParameterCodes
from neurohw.effects.programming_noise import ProgrammingNoise
from neurohw.effects.read_noise import ReadNoise
from neurohw.effects.readout import Readout
from neurohw.effects.set_pulse import SetPulse
from neurohw.effects.spike_loss import SpikeLoss
from neurohw.effects.stuck_cells import StuckCells
from neurohw.effects.synapse_loss import SynapseLoss
from neurohw.effects.temporal_noise import TemporalNoise
from neurohw.effects.weight_noise import WeightNoise
from neurohw.effects.weight_resolution import WeightResolution

EFFECTS: dict[str, type[Effect]] = {
    effect.name: effect
    for effect in (
        ProgrammingNoise, SetPulse, Drift, ReadNoise, StuckCells, Mismatch, WeightResolution, WeightNoise, SynapseLoss, SpikeLoss,
        Adc, Dac, IrDrop, DeadLines, FixedPoint,
        ParameterCodes, ConfigurationNoise, TemporalNoise, Readout,
    )
}  # fmt: skip

__all__ = ["EFFECTS", "Effect"]
