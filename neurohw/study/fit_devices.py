"""A device file from measured data: conductances of written devices, read again and again while they drift.

Of every device the power law  ln g = ln g_1 - nu ln(t / t0)  is fitted by least squares; t0 is the earliest time in the data.
From the devices of one target follow

    programming    sd(g_1), less the variance with which g_1 is known from so few reads
    drift          mean(nu) and sd(nu), less likewise
    read noise     the rms of g about the power law; over all targets  rms = slope g + constant, both >= 0

White noise is what a fit of this kind can see: what is slower than the measurement lies in g_1 and in nu.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import nnls

from neurohw import data_files
from neurohw.device import load_device
from neurohw.device.device import Device, read_yaml
from neurohw.errors import BadInput
from neurohw.files import atomically
from neurohw.study.csv_tables import Table, check, read_table

LARGEST = 1e12
"""uS, and s: more than any device conducts or any experiment lasts."""
COLUMNS = ("device", "target_uS", "time_s", "conductance_uS")
MIN_DEVICES, MIN_TIMES, MIN_SPAN = 10, 3, 10.0
"""For each target; times of each device, and the latest over the earliest of them."""
MAX_DEGREE = 2
Values = NDArray[np.float64]


@dataclass(frozen=True)
class OfTarget:
    """What the devices of one target (uS) gave; `noise`: rms about the power law, `level`: of conductances of this size (uS)."""

    target: float
    n: int
    mean: float
    sigma: float
    nu_mean: float
    nu_sd: float
    noise: float
    level: float


@dataclass(frozen=True)
class Fit:
    """Coefficients, what they are from, and what they leave over.

    polynomial: sigma of a write (uS) over r = target / g_max. slope, constant (uS): of the white read noise. t0: s.
    """

    path: Path
    digest: str
    targets: tuple[OfTarget, ...]
    g_max: float
    t0: float
    polynomial: tuple[float, ...]
    slope: float
    constant: float

    def sigma(self, target: Any) -> Values:
        """sd of a write towards `target` (uS), as fitted."""
        return np.asarray(np.polyval(self.polynomial[::-1], np.asarray(target, float) / self.g_max), float)

    def noise(self, g: Any) -> Values:
        """sd of a read of `g` (uS), as fitted."""
        return self.slope * np.asarray(g, float) + self.constant

    def __str__(self) -> str:
        lines = [
            f"{self.path.name}: {sum(one.n for one in self.targets)} devices, t0 {self.t0:g} s, g_max {self.g_max:g} uS",
            "  target uS  devices  g at t0 uS    sigma uS (fitted)    nu mean      nu sd    noise uS (fitted)",
        ]
        for one in self.targets:
            lines.append(
                f"  {one.target:9.4g}  {one.n:7d}  {one.mean:10.4g}  {one.sigma:10.4g} ({self.sigma(one.target):6.4g})  "
                f"{one.nu_mean:9.4g}  {one.nu_sd:9.4g}  {one.noise:10.4g} ({self.noise(one.level):6.4g})"
            )
        return "\n".join(lines)


def fit(path: Any) -> Fit:
    """The fit of a CSV file with the columns device, target_uS, time_s (since programming), conductance_uS.

    Raises BadInput, with line or target: a column is missing; NaN; a time or conductance that is not positive, a negative
    target; fewer than 10 devices at a target; fewer than 3 times of a device, or within less than a decade.
    """
    path = Path(path)
    table = read_table(path)
    check(path, table, COLUMNS)
    check(path, table, ("target_uS",), 0.0)
    for name in ("time_s", "conductance_uS"):
        if (table[name] <= 0).any():
            k = int(np.argmin(table[name]))
            raise BadInput(
                f"{path}: line {table.lines[k]}: {name} is {table[name][k]:g}; the power law needs it above 0"
            )
        if table[name].max() > LARGEST:
            k = int(np.argmax(table[name]))
            raise BadInput(
                f"{path}: line {table.lines[k]}: {name} is {table[name][k]:g}; beyond {LARGEST:g} it is no measurement"
            )
    t0 = float(table["time_s"].min())
    found = tuple(_of_target(path, table, target, t0) for target in np.unique(table["target_uS"]))
    g_max = max(one.target for one in found)
    if g_max <= 0:
        raise BadInput(f"{path}: every target is 0 uS; there is nothing to scale by")
    levels = np.array([one.level for one in found])
    basis = np.stack([levels, np.ones(levels.size)], axis=1)
    slope, constant = nnls(basis, np.array([one.noise for one in found]))[0]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return Fit(path, digest, found, g_max, t0, _polynomial(path, found, g_max), float(slope), float(constant))


def _of_target(path: Path, table: Table, target: float, t0: float) -> OfTarget:
    mine = table["target_uS"] == target
    device, x, y = table["device"][mine], np.log(table["time_s"][mine] / t0), np.log(table["conductance_uS"][mine])
    names, which = np.unique(device, return_inverse=True)
    if names.size < MIN_DEVICES:
        raise BadInput(f"{path}: target {target:g} uS: {names.size} devices; a spread needs at least {MIN_DEVICES}")
    n = np.bincount(which)
    low, high = np.full(names.size, np.inf), np.full(names.size, -np.inf)
    np.minimum.at(low, which, x)
    np.maximum.at(high, which, x)
    short = (n < MIN_TIMES) | (high - low < np.log(MIN_SPAN) * (1 - 1e-9))
    if short.any():
        name = names[np.flatnonzero(short)[0]]
        raise BadInput(
            f"{path}: target {target:g} uS, device {name:g}: an exponent needs at least {MIN_TIMES} reads, the last at "
            f"{MIN_SPAN:g} times the time of the first or later"
        )
    sums = [np.bincount(which, weights) for weights in (x, y)]
    mean_x, mean_y = sums[0] / n, sums[1] / n
    dx = x - mean_x[which]
    sxx = np.bincount(which, dx * dx)
    nu = -np.bincount(which, dx * y) / sxx
    left = y - mean_y[which] + nu[which] * dx
    variance = np.bincount(which, left * left).sum() / (n - 2).sum()  # relative; one for the target, as devices are few
    start = np.exp(mean_y + nu * mean_x)
    unsure_start = variance * np.mean(start**2 * (1 / n + mean_x**2 / sxx))
    g = np.exp(y)
    noise = np.sqrt(
        np.sum((g - np.exp(y - left)) ** 2) / (n - 2).sum()
    )  # not from `variance`, which low reads dominate
    return OfTarget(
        float(target), names.size, float(start.mean()), float(np.sqrt(max(start.var(ddof=1) - unsure_start, 0.0))),
        float(nu.mean()), float(np.sqrt(max(nu.var(ddof=1) - variance * np.mean(1 / sxx), 0.0))),
        float(noise), float(g.mean()),
    )  # fmt: skip


def _polynomial(path: Path, found: tuple[OfTarget, ...], g_max: float) -> tuple[float, ...]:
    """sigma over r: of the highest degree, up to 2, that the targets allow and that stays positive within the range."""
    r, sigma = np.array([one.target for one in found]) / g_max, np.array([one.sigma for one in found])
    weights = np.sqrt([one.n for one in found]) / np.maximum(sigma, 1e-9)
    for degree in range(min(MAX_DEGREE, r.size - 1), -1, -1):
        coefficients = np.polyfit(r, sigma, degree, w=weights)
        if (np.polyval(coefficients, np.linspace(0, 1, 101)) >= 0).all():
            return tuple(float(c) for c in coefficients[::-1])
    raise BadInput(f"{path}: the spread of the written conductances allows no fit")


def device_file(found: Fit, name: str, base: str = "pcm-million") -> str:
    """The text of a device file: the fitted effects and range, everything else as in the device `base`."""
    if load_device(base).substrate != "crossbar":
        raise BadInput(f"--base {base}: not a crossbar; take pcm-million or another device of that kind")
    _, data = read_yaml(data_files.find("devices", base))
    n = sum(one.n for one in found.targets)
    data["name"], data["summary"] = name, f"fitted to {found.path.name}: {n} devices, {len(found.targets)} targets"
    data["sources"]["data"] = f"{found.path.name} (sha256 {found.digest}...): {n} devices, read from {found.t0:g} s on"
    data["sources"]["t_read"] = "not measured; taken from no data, as the fitted noise is white"
    g_max = _number(f"{found.g_max:.6g} uS", "measured")
    data["machine"].update(g_max=g_max, g_largest_weight=g_max, devices_per_arm=_number(1, "assumed"))
    for gone in ("pulse_step", "verify_pulses", "refresh_above"):
        data["machine"].pop(gone, None)
    data["effects"] = {**_effects(found), **_others(data["effects"])}
    head = f"# Written by `neurohw devices fit {found.path.name}`; what is not from the data stands as in {base}.\n"
    return head + yaml.dump(
        data, Dumper=_Plain, sort_keys=False, width=120, default_flow_style=None, allow_unicode=True
    )


class _Plain(yaml.SafeDumper):
    """A part that stands twice is written twice: device files have no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _others(effects: dict[str, Any]) -> dict[str, Any]:
    """Effects of the base that say nothing of what was fitted: converters, wires, dead lines."""
    fitted = ("programming_noise", "set_pulse", "drift", "read_noise", "stuck_cells")
    return {name: numbers for name, numbers in effects.items() if name not in fitted}


def _number(value: Any, status: str = "fitted", source: str = "data") -> dict[str, Any]:
    return {"value": value, "source": source, "status": status}


def _effects(found: Fit) -> dict[str, Any]:
    def curve(values: list[float]) -> dict[str, Any]:
        points = zip((one.target / found.g_max for one in found.targets), values, strict=True)
        return {"table": [[_number(_digits(r)), _number(_digits(y))] for r, y in points]}

    t0 = f"{found.t0:.6g} s"
    return {
        "programming_noise": {
            "polynomial": [_number(f"{_digits(c)!r} uS") for c in found.polynomial],
            "g_characterized": _number(f"{found.g_max:.6g} uS", "measured"),
            "drift_exponent": "each write",
        },
        "drift": {
            "t0": _number(t0, "measured"),
            "offset": _number(t0, "measured"),
            "mean": curve([one.nu_mean for one in found.targets]),
            "sd": curve([one.nu_sd for one in found.targets]),
        },
        "read_noise": {
            "t_read": _number("250 ns", "assumed", "t_read"),
            "offset": _number(t0, "measured"),
            "slope": _number(_digits(found.slope)),
            "constant": _number(f"{_digits(found.constant)!r} uS"),
            "floor": _number("0 uS", "assumed"),
            "saturates": False,
        },
    }


def _digits(x: float) -> float:
    return float(f"{x:.6g}")


def write_device(found: Fit, path: Path, base: str = "pcm-million") -> Device:
    """Write the device file and its picture (PNG) beside it; returns the device as it is read back."""
    from neurohw.study.fit_picture import fit_picture

    with atomically(path) as temporary, atomically(path.with_suffix(".png")) as picture:
        temporary.write_text(device_file(found, path.stem, base), encoding="utf-8")
        device = load_device(temporary.absolute())
        picture.write_bytes(fit_picture(found, device))
    return device
