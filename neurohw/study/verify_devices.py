"""Tables of what a device model gives on average, held against the devices of the emulator, cell by cell.

Both sides are samples, of N1 devices here and N2 in the table. With the standard deviation sd and the kurtosis k of ours,

    z = (emulated - recorded) / error,    error(mean) = sd e,   error(sd) = sd sqrt((k - 1) / 4) e,
    error(share p) = sqrt(p (1 - p)) e,   e = sqrt(1 / N1 + 1 / N2)

where half a unit of the sixth digit, to which tables are rounded, is taken off the difference. A table agrees if |z| < 4 in
every cell; how many cells there are is told beside the worst, and not allowed for.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.crossbar.specimens import Specimens
from neurohw.device import load_device
from neurohw.device.device import Device
from neurohw.errors import BadInput
from neurohw.study.csv_tables import Table, check
from neurohw.study.verification import Difference, Verification

N = 100_000
LIMIT = 4.0
MAX_ROWS = 5000
MAX_PULSES = 1000
SECOND = 1000.0
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """One number of a table, and what came out of the emulator instead."""

    name: str
    where: str
    recorded: float
    emulated: float
    z: float


@dataclass(frozen=True)
class Kind:
    """A kind of table: its columns, the device that it is of, and the cells, held one after the other."""

    columns: tuple[str, ...]
    device: str
    cells: Callable[[Table], Iterator[Cell]]


def is_table(data: Any) -> bool:
    """Are these the columns of a table of device statistics?"""
    return isinstance(data, Table) and _kind(data) is not None


def verify_table(path: Path, data: Table) -> Verification:
    """Hold a table against the devices that it is of."""
    kind = KINDS[str(_kind(data))]
    check(path, data, kind.columns[: kind.columns.index("|")], 0.0)
    for name in {"n", "pulse", "num_devices"} & set(kind.columns):
        check(path, data, [name], 0.0 if name == "pulse" else 1.0)
    if data.rows > MAX_ROWS or data.get("pulse", np.zeros(1)).max() > MAX_PULSES:
        raise BadInput(f"{path}: a table of at most {MAX_ROWS} rows and at most {MAX_PULSES} pulses can be held")
    cells = list(kind.cells(data))
    if not cells:
        return Verification(path)
    worst = max(cells, key=lambda cell: abs(cell.z))
    told = f"worst of {len(cells)} cells: |z| {abs(worst.z):.2f}, {worst.name} at {worst.where}"
    difference = None
    if not abs(worst.z) < LIMIT:
        far = sum(not abs(cell.z) < LIMIT for cell in cells)
        name = f"{worst.where}, {worst.name}, z {worst.z:.1f} ({far} of {len(cells)} cells beyond {LIMIT:g})"
        difference = Difference(name, worst.recorded, float(f"{worst.emulated:.6g}"))
    return Verification(
        path, "device statistics", f"{kind.device}, {N} devices, {told}", len(cells), difference, word="agrees"
    )


def _kind(data: Table) -> str | None:
    return next((name for name, kind in KINDS.items() if set(kind.columns) - {"|"} <= set(data)), None)


def moments(sample: Values, mean: float, sd: float, n: float, names: tuple[str, str], where: str) -> Iterator[Cell]:
    """The cells of a mean and a standard deviation; NaN where the table has none."""
    error, spread = np.sqrt(1 / sample.size + 1 / n), sample.std()
    centered = sample - sample.mean()
    kurtosis = (centered**4).mean() / spread**4 if spread > 0 else 3.0
    for name, recorded, found, scale in (
        (names[0], mean, sample.mean(), 1.0),
        (names[1], sd, spread, np.sqrt((kurtosis - 1) / 4)),
    ):
        if np.isfinite(recorded):
            off = float(found - recorded)
            left = np.sign(off) * max(abs(off) - rounding(recorded), 0.0)
            yield Cell(name, where, recorded, float(found), _ratio(left, spread * scale * error))


def share(found: float, recorded: float, n1: int, n2: float, name: str, where: str) -> Cell:
    """The cell of a share of all devices."""
    variance = max(recorded * (1 - recorded), 1 / n1)
    return Cell(name, where, recorded, found, _ratio(found - recorded, np.sqrt(variance * (1 / n1 + 1 / n2))))


def rounding(x: float) -> float:
    """Half a unit of the sixth digit."""
    return 0.5 * 10.0 ** (np.floor(np.log10(abs(x))) - 5) if x else 0.0


def _ratio(off: float, error: float) -> float:
    return 0.0 if off == 0 else float(off / error) if error > 0 else float(np.inf)


def written(device: Device, rows: Table, targets: Values, sizes: Values) -> Iterator[Cell]:
    """Programmed once, drifting, read at each time: the tables of the fits of write-and-verify.

    targets: uS, of each row; sizes: how many devices the table has it from.
    """
    for number, target in enumerate(np.unique(targets)):
        mine = np.flatnonzero(targets == target)
        devices = Specimens(device, number, N)
        devices.program(target)
        start, n = devices.conductances(), sizes[mine[0]]
        where, row = f"{target:g} uS", {name: column[mine[0]] for name, column in rows.items()}
        yield from moments(start, row["prog_mean"], row["prog_std"], n, ("prog_mean", "prog_std"), where)
        yield from moments(devices.exponents, row["nu_mean"], row["nu_std"], n, ("nu_mean", "nu_std"), where)
        for k in mine[np.argsort(rows["t_s"][mine])]:
            row = {name: column[k] for name, column in rows.items()}
            if row["t_s"] > 0:  # at 0 the tables hold what was programmed
                devices.wait(row["t_s"] * SECOND - devices.age)
                yield from _at(devices, row, n, f"{where}, {row['t_s']:g} s")


def _at(devices: Specimens, row: dict[str, float], n: float, where: str) -> Iterator[Cell]:
    """The cells of one time."""
    read = devices.read()
    yield from moments(read, row["final_mean"], row["final_std"], n, ("final_mean", "final_std"), where)
    if "drift_only_mean" in row:
        names, drifted = ("drift_only_mean", "drift_only_std"), devices.conductances()
        yield from moments(drifted, row[names[0]], row[names[1]], n, names, where)
        seen = drifted > 0.05
        relative = (read[seen] - drifted[seen]) / drifted[seen]
        spread = row["read_noise_rel_std"]
        yield from moments(relative, np.nan, spread, n * seen.mean(), ("", "read_noise_rel_std"), where)


def _million(rows: Table) -> Iterator[Cell]:
    return written(load_device("pcm-million"), rows, rows["g_target_uS"], rows["n"])


def _hermes(rows: Table) -> Iterator[Cell]:
    """Of the two columns of the published table, the one of which there is a device: two devices per arm."""
    device = load_device("pcm-hermes")
    same = (rows["num_devices"] == device.machine.devices_per_arm) & (rows["g_max"] == device.machine.g_max)
    rows = Table((name, column[same]) for name, column in rows.items())
    targets = np.round(rows["g_rel"] * device.machine.g_max, 9)
    return written(device, rows, targets, np.full(targets.size, 1e5))


def _pulses(rows: Table) -> Iterator[Cell]:
    """From a RESET on, one SET pulse after the other, each followed by a read at t0."""
    n = 4e5
    for g_max in np.unique(rows["Gmax"]):
        devices = Specimens(load_device("pcm-set").with_(g_max=f"{g_max} uS"), 7, N)
        at_t0 = float(devices.device.effect("drift").t0 - devices.device.effect("drift").offset)
        devices.reset()
        for pulse in range(int(rows["pulse"][rows["Gmax"] == g_max].max(initial=0)) + 1):
            if pulse:
                devices.pulse()
            devices.wait(at_t0)
            for k in np.flatnonzero((rows["Gmax"] == g_max) & (rows["pulse"] == pulse)):
                row = {name: column[k] for name, column in rows.items()}
                yield from _pulsed(devices, row, g_max, n, f"pulse {pulse}, Gmax {g_max:g} uS")


def _pulsed(devices: Specimens, row: dict[str, float], g_max: float, n: float, where: str) -> Iterator[Cell]:
    g, stored = devices.conductances(), devices.devices.g[0].astype(float)
    yield from moments(g, row["G_mean"], row["G_std"], n, ("G_mean", "G_std"), where)
    below = share(float((g < row["G_median"]).mean()), 0.5, N, n, "G_median", where)
    yield Cell("G_median", where, row["G_median"], float(np.median(g)), below.z)
    if np.isfinite(row["read_mean"]):
        yield from moments(devices.read(), row["read_mean"], row["read_std"], n, ("read_mean", "read_std"), where)
    yield share(float((stored >= np.float32(g_max)).mean()), row["frac_sat"], N, n, "frac_sat", where)
    memory = float(devices.devices.memory[0, 0])
    same = abs(memory - row["Pmem"]) <= 1e-5 * row["Pmem"]  # held in single precision
    yield Cell("Pmem", where, row["Pmem"], memory, 0.0 if same else np.inf)


KINDS = {
    "million": Kind(
        ("g_target_uS", "n", "t_s", "prog_mean", "prog_std", "nu_mean", "nu_std", "final_mean", "final_std",
         "drift_only_mean", "drift_only_std", "|", "read_noise_rel_std"), "pcm-million", _million,
    ),
    "hermes": Kind(
        ("num_devices", "g_max", "g_rel", "t_s", "prog_mean", "prog_std", "nu_mean", "nu_std", "final_mean",
         "final_std", "|"), "pcm-hermes (rows of two devices per arm)", _hermes,
    ),
    "pulses": Kind(
        ("Gmax", "pulse", "G_mean", "G_std", "G_median", "frac_sat", "Pmem", "|", "read_mean", "read_std"),
        "pcm-set", _pulses,
    ),
}  # fmt: skip
"""What tables there are; columns behind the bar may hold NaN."""
