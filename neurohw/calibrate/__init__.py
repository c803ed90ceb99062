"""Calibration: measure a specimen through its public face, as on a bench, and find the codes that make its circuits alike.

The package can be called: `neurohw.calibrate(...)` is its function `calibrate`, since the two have one name.
"""

import sys
from types import ModuleType
from typing import Any

from neurohw.calibrate.procedure import TARGETS, calibrate
from neurohw.calibration import Calibration

__all__ = ["TARGETS", "calibrate"]


class _Callable(ModuleType):
    def __call__(self, *args: Any, **named: Any) -> Calibration:
        return calibrate(*args, **named)


sys.modules[__name__].__class__ = _Callable
