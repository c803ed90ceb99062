"""Calibration: measure a specimen through its public face, as on a bench, and find the codes that make its circuits alike."""

from neurohw.calibrate.procedure import TARGETS, calibrate

__all__ = ["TARGETS", "calibrate"]
