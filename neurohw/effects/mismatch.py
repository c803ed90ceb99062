"""mismatch: no two analog circuits are alike, so one setting gives each neuron other parameters."""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from neurohw import rng, units
from neurohw.effects.effect import Effect
from neurohw.schema import Described, In, Number, Status

Parameters = dict[str, NDArray[np.float64]]


class Levels(Described):
    """A relative spread that depends on the value: `spread[k]` at `at[k]`, linear between, constant beyond the ends."""

    at: tuple[str, ...] = Field(min_length=1, max_length=100)
    spread: tuple[Annotated[float, Field(ge=0, le=10)], ...] = Field(min_length=1, max_length=100)
    source: str
    status: Status

    @model_validator(mode="after")
    def _ascends(self) -> "Levels":
        if len(self.at) != len(self.spread) or (np.diff(self._values()) <= 0).any():
            raise ValueError("at must ascend, and have as many values as spread")
        return self

    def _values(self) -> NDArray[np.float64]:
        return np.array([units.parse_text(text, "ms", "at") for text in self.at])

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The spread at each value (ms)."""
        return np.interp(values, self._values(), self.spread)


class Mismatch(Effect):
    """Each parameter of each neuron is normal around the value that was asked for, fixed for the life of the specimen.

        p' = p (1 + level s_p z)  for the parameters in `relative`
        p' = p + level s_p z      for those in `absolute` (s_p in mV)

    with one standard normal z for each (parameter, physical neuron), independent of each other. p' is kept to what a
    circuit can do: p' >= least * p for those in `relative` (a refractory period of zero would let a neuron fire at
    thousands of Hz), and v_reset' <= v_reset + reset_room (v_thresh' - v_reset), as a reset above threshold would fire
    for ever.
    level: 1 as measured; a sweep may scale all spreads together. levels: of times in `relative` whose spread was measured
    at several values.

    This is what the makers' own calibration leaves. Where parameters have codes (effect `parameter_codes`), the specimen
    is drawn in them: a circuit has the reference value of a parameter with the code

        own = round(code + level s (sqrt(1 - shared) z + sqrt(shared) z_block))      s = raw[cell], at least code/5

    instead of the typical `code`; z for each (cell, circuit), z_block for each (cell, `block` circuits side by side).
    These integers are the specimen: no run, no mapping and no calibration changes them.
    Not modeled: a mean that is off.
    """

    name: ClassVar[str] = "mismatch"
    paper: ClassVar[str] = (
        "Schmidt, thesis, Heidelberg 2024, doi:10.11588/heidok.00034446; Cramer et al., PNAS 119 (2022) e2109194119"
    )
    relative: dict[str, Annotated[Number, In("", at_least=0)]] = {}
    absolute: dict[str, Annotated[Number, In("mV", at_least=0)]] = {}
    levels: dict[str, Levels] = {}
    least: Annotated[Number, In("", at_least=1e-3, at_most=1)]
    reset_room: Annotated[Number, In("", at_least=0, at_most=1)]
    level: Annotated[Number, In("", at_least=0)]
    raw: dict[str, Annotated[Number, In("", at_least=0)]] = {}
    shared: Annotated[Number, In("", at_least=0, at_most=1)] | None = None
    block: Annotated[Number, In("", at_least=1, whole=True)] | None = None

    def specimen(
        self,
        wanted: Mapping[str, NDArray[np.float64]],
        stream: Callable[[str], np.uint64],
        circuits: NDArray[np.int64],
    ) -> tuple[Parameters, dict[str, int]]:
        """(the parameters that the neurons have, how many of each parameter met a bound).

        wanted: parameter -> value per neuron, in network units. stream: parameter -> its random stream. circuits: the
        physical number of each neuron, which is the counter of its draws.
        """
        found, clipped = dict(wanted), {}
        for name in wanted:
            if name not in self.relative and name not in self.absolute:
                continue
            drawn = self._drawn(name, wanted[name], rng.normal(stream(name), circuits))
            found[name] = np.maximum(drawn, self.least * wanted[name]) if name in self.relative else drawn
            clipped[name] = int((found[name] != drawn).sum())
        if "v_reset" in found and "v_reset" in self.absolute:
            room = np.maximum(found["v_thresh"] - wanted["v_reset"], 0.0)
            kept = np.minimum(found["v_reset"], wanted["v_reset"] + self.reset_room * room)
            clipped["v_reset"] = clipped.get("v_reset", 0) + int((kept != found["v_reset"]).sum())
            found["v_reset"] = kept
        return found, {name: count for name, count in clipped.items() if count}

    def own_codes(
        self, cell: str, code: float, stream: Callable[[str], np.uint64], circuits: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The code with which each circuit has the reference value of a cell whose typical code is `code`."""
        shared = float(self.shared or 0.0)
        z = np.sqrt(1.0 - shared) * rng.normal(stream(f"raw/{cell}"), circuits)
        z += np.sqrt(shared) * rng.normal(stream(f"raw/{cell}/block"), circuits // int(self.block or 1))
        spread = self.level * float(self.raw.get(cell, 0.0))
        return np.rint(np.maximum(code + spread * z, code / 5)).astype(np.int64)

    def _drawn(self, name: str, wanted: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        if name in self.relative:
            spread = self.levels[name].of(wanted) if name in self.levels else self.relative[name]
            return wanted * (1.0 + self.level * spread * z)
        return wanted + self.level * self.absolute[name] * z
