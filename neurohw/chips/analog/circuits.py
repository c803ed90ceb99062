"""The neuron circuits that a program uses on one specimen: what is set on them, and what that comes to."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.device.device import Device
from neurohw.effects.configuration_noise import ConfigurationNoise
from neurohw.effects.mismatch import Mismatch
from neurohw.effects.parameter_codes import Cell, ParameterCodes
from neurohw.errors import BadInput, Unsupported
from neurohw.program import Program

VOLTAGES = ("v_rest", "v_reset", "v_thresh", "v_spike", "e_rev_E", "e_rev_I")
GAINS = ("gain_E", "gain_I")
Values = dict[str, NDArray[np.float64]]


class Circuits:
    """Parameters of the neurons of a program, in three layers.

    made: what the makers' calibration leaves of what the network asks for; without codes that is what they are.
    own: cell -> the code with which each circuit has the reference value: the specimen itself, whole numbers.
    codes: population -> cell -> what is set: the program's codes, or those that the makers' calibration chose.
    All voltages in here are on the standard scale (see `scale_codes`).
    """

    def __init__(self, device: Device, key: Callable[[str], np.uint64], program: Program):
        self.device, self.key, self.program = device, key, program
        self.mismatch = cast(Mismatch | None, device.effect("mismatch"))
        self.coded = cast(ParameterCodes | None, device.effect("parameter_codes"))
        self.noise = cast(ConfigurationNoise | None, device.effect("configuration_noise"))
        self.clipped: dict[str, int] = {}
        self.made = {name: self._made(name) for name in program.network.neurons}
        self.cells = {name: self._cells(name) for name in program.network.neurons}
        self.own = {name: self._own(name) for name in program.network.neurons}
        self.codes = {name: self._codes(name) for name in program.network.neurons}

    def parameters(self, population: str, trial: int | None = None) -> Values:
        """The parameters in network units; trial: with the noise of that trial's configuration. gain_E, gain_I beside them."""
        found, numbers = dict(self.made[population]), self._numbers(population)
        if self.noise is not None and trial is not None:
            set_by_code = {parameter for parameter, _ in self.cells[population].values()}
            for name in set(found) - set_by_code:
                found[name] = self.noise.off(name, found[name], self._of_trial(trial, name), numbers)
        for name, (parameter, cell) in self.cells[population].items():
            codes: Any = self.codes[population][name].astype(float)
            if self.noise is not None and trial is not None:
                codes = self.noise.off_codes(self.codes[population][name], self._of_trial(trial, name), numbers)
            values = np.maximum(cell.value(codes, cast(Any, self.own[population][name])), LEAST.get(cell.unit, -np.inf))
            switched_off = np.abs(found[parameter]) > OFF
            found[parameter] = np.where(switched_off, found[parameter], values)
        scale, shift = self._volts(population)
        return {p: (values - shift) / scale if p in VOLTAGES else values for p, values in found.items()}

    def configure(self, population: str, codes: Mapping[str, Any]) -> None:
        """Set codes of the neurons of a population. Raises BadInput, or Unsupported where there are none."""
        if self.coded is None:
            raise Unsupported(
                f"{self.device.title}: its parameters are set in the network's units, and it has no parameter codes; "
                "change the network's parameters and map it again"
            )
        if population not in self.codes:
            raise BadInput(f"configure: no population {population!r} of neurons; there are {', '.join(self.codes)}")
        here = self.codes[population]
        for name, given in codes.items():
            if name not in here:
                raise BadInput(f"configure {population!r}: no cell {name!r}; there are {', '.join(here)}")
            values, top = np.asarray(given), int(self.cells[population][name][1].top)
            if not np.issubdtype(values.dtype, np.integer) or values.shape not in ((), here[name].shape):
                raise BadInput(
                    f"configure {population!r}: {name} takes {here[name].size} whole numbers, or one for all"
                )
            if values.size and not 0 <= values.min() <= values.max() <= top:
                raise BadInput(f"configure {population!r}: codes of {name} lie in 0..{top}")
        for name, given in codes.items():
            here[name] = np.broadcast_to(np.asarray(given, np.int64), here[name].shape).copy()

    def _numbers(self, population: str) -> NDArray[np.int64]:
        first = self.program.origin.first[population]
        found: NDArray[np.int64] = self.program.payload.neurons[first : first + self.program.origin.size[population]]
        return found

    def _volts(self, population: str) -> tuple[float, float]:
        return self.program.payload.volts.get(population, (1.0, 0.0))

    def _of_trial(self, trial: int, name: str) -> np.uint64:
        return rng.subkey(self.key(f"configuration_noise/{name}"), f"trial/{trial}")

    def _made(self, population: str) -> Values:
        scale, shift = self._volts(population)
        given = self.program.payload.parameters[population]
        wanted = {p: values * scale + shift if p in VOLTAGES else values for p, values in given.items()}
        if self.coded is not None:
            wanted |= {gain: np.ones(values.size) for gain in GAINS for values in [given["i_offset"]]}
        if self.mismatch is None:
            return wanted
        found, clipped = self.mismatch.specimen(wanted, lambda p: self.key(f"mismatch/{p}"), self._numbers(population))
        self.clipped |= {f"{population}.{parameter}": count for parameter, count in clipped.items()}
        return found

    def _cells(self, population: str) -> dict[str, tuple[str, Cell]]:
        if self.coded is None:
            return {}
        model = self.program.network.populations[population].neuron
        return self.coded.of_model(model.threshold, self.program.payload.parameters[population])

    def _own(self, population: str) -> dict[str, NDArray[np.int64]]:
        numbers = self._numbers(population) if self.coded else np.empty(0, np.int64)
        found: dict[str, Any] = {}
        for name, (_, cell) in self.cells[population].items():
            typical = np.full(numbers.size, round(cell.code))
            drawn = self.mismatch and self.mismatch.own_codes(
                name, cell.code, lambda p: self.key(f"mismatch/{p}"), numbers
            )
            found[name] = typical if drawn is None else drawn
        return found

    def _codes(self, population: str) -> dict[str, NDArray[np.int64]]:
        given = (self.program.payload.codes or {}).get(population, {})
        found = {}
        for name, (parameter, cell) in self.cells[population].items():
            if name in given:
                found[name] = given[name].copy()
                continue
            wanted = cell.wanted(self.made[population][parameter], cast(Any, self.own[population][name]))
            found[name] = cell.rounded(wanted)
            there = np.abs(self.made[population][parameter]) < OFF
            beyond = int((there & ((wanted < -0.5) | (wanted > cell.top + 0.5))).sum())
            if beyond:
                self.clipped[f"{population}.{parameter}"] = self.clipped.get(f"{population}.{parameter}", 0) + beyond
        return found


OFF = 1e6
"""A threshold above this (mV) is none, as for `scale_parameters`: its comparator is switched off."""
LEAST = {"ms": 0.05, "": 0.0}
"""What a time constant and a gain cannot fall below, whatever the noise of a configuration."""
