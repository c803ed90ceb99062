"""A calibration: what was measured of each neuron circuit of one specimen through its public face, to be used again.

calibration = nh.calibrate("brainscales2-chip", seed=7)
calibration.save("chip-7.h5")
program = nh.map_network(network, "brainscales2-chip", calibration=nh.load_calibration("chip-7.h5"))
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw import storage
from neurohw.errors import BadInput


@dataclass(frozen=True)
class Residual:
    """What the circuits scatter by in one parameter, as it was measured: before (typical codes for all), and after.

    mean, sd: of all circuits, in `unit`; the sd without the outermost 5 % at either end, as the makers' tests take it.
    """

    parameter: str
    unit: str
    target: float
    raw_mean: float
    raw_sd: float
    mean: float
    sd: float

    @property
    def ratio(self) -> float:
        """sd after / sd before."""
        return self.sd / self.raw_sd if self.raw_sd > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class Calibration:
    """own: cell -> the code with which each of `circuits` has the reference value of that cell, as measured.

    device, fingerprint: the file of the device. specimen: the seed of the chip, where it was known. residuals: by cell.
    """

    device: str
    fingerprint: str
    specimen: int | None
    circuits: NDArray[np.int64]
    own: Mapping[str, NDArray[np.float64]]
    residuals: Mapping[str, Residual]

    def of(self, cell: str, circuits: NDArray[np.int64]) -> NDArray[np.float64]:
        """`own` of these circuits. Raises BadInput for circuits that were not measured."""
        order = np.argsort(self.circuits)
        place = np.searchsorted(self.circuits, circuits, sorter=order)
        found = order[np.minimum(place, order.size - 1)]
        missing = np.flatnonzero(self.circuits[found] != circuits)
        if missing.size:
            raise BadInput(
                f"the calibration holds {self.circuits.size} neuron circuits of {self.device}, but not circuit "
                f"{circuits[missing[0]]}; calibrate the whole chip"
            )
        return self.own[cell][found]

    def save(self, path: Any) -> None:
        """Write to one HDF5 file, which `load_calibration` reads."""
        storage.save(self, "calibration", path)

    def checked(self) -> "Calibration":
        """This calibration; raises BadInput where its parts contradict each other, as those of a file may."""
        sizes = {values.shape for values in self.own.values()}
        if self.circuits.ndim != 1 or not self.circuits.size or sizes - {self.circuits.shape}:
            raise BadInput(f"{self.circuits.size} circuits, but values of the shapes {sorted(sizes)}")
        if not all(np.isfinite(values).all() for values in self.own.values()):
            raise BadInput("it holds NaN or infinity")
        return self

    def __str__(self) -> str:
        specimen = "" if self.specimen is None else f", specimen {self.specimen}"
        lines = [f"calibration of {self.device}{specimen}: {self.circuits.size} neuron circuits"]
        lines += [
            f"{'cell':16} {'parameter':12} {'target':>9} {'before: mean':>13} {'sd':>8} {'after: mean':>12} {'sd':>8} {'ratio':>6}"
        ]
        for cell, r in self.residuals.items():
            target = f"{r.target:g} {r.unit}".rstrip()
            lines.append(
                f"{cell:16} {r.parameter:12} {target:>9} {r.raw_mean:13.4g} {r.raw_sd:8.3g} {r.mean:12.4g} {r.sd:8.3g} "
                f"{r.ratio:6.2f}"
            )
        return "\n".join(lines)


def load_calibration(path: Any) -> Calibration:
    """The calibration that `Calibration.save` wrote. Raises BadInput, naming the file and the place, for anything else."""
    found: Calibration = storage.load(path, "calibration", "Calibration")
    return found
