"""What a crossbar chip did and wore out, tile by tile, and how its recordings tell it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.crossbar import engine
from neurohw.report import Loss

Counts = NDArray[np.int64]
LISTED = 8
"""Tiles that a recording's report lists."""


@dataclass(frozen=True, eq=False)
class TileUse:
    """One entry per tile. Of the last run: rows read, columns converted, conversions beyond the range, devices read.

    pulses: SET and RESET pulses since the chip was loaded; worn: of its device that had most. energy: fJ of the last run.
    """

    rows: Counts
    conversions: Counts
    saturated: Counts
    device_reads: Counts
    pulses: Counts
    worn: Counts
    energy: NDArray[np.float64]


def use(chip: Any) -> TileUse:
    """What the tiles of a chip did in its last run, and how worn they are."""
    array, price = chip.array, chip.device.energy
    rows, conversions, saturated = chip.tile_counts
    per_row = array.per_tile(np.ones(array.cell.size)) / np.maximum(_rows_of(array), 1)
    reads = np.round(rows * per_row * chip._arms()).astype(np.int64)
    worn = chip.devices.worn.sum(axis=0) if chip.devices.worn.size else np.zeros(array.cell.size, np.int64)
    most = np.zeros(array.tiles, np.int64)
    if chip.devices.worn.size:
        np.maximum.at(most, array.tile, chip.devices.worn.max(axis=0))
    energy = (
        reads * float(price.get("device_read", 0.0))
        + rows * float(price.get("row_drive", 0.0))
        + conversions * float(price.get("conversion", 0.0))
    )
    return TileUse(rows, conversions, saturated, reads, array.per_tile(worn), most, energy)


def _rows_of(array: Any) -> Counts:
    """Rows in use in each tile."""
    return np.bincount(array.payload.row_tiles, minlength=array.tiles)


def estimates(chip: Any) -> dict[str, tuple[float, str]]:
    """Numbers of the last run for the recording's report."""
    done, machine, price = chip.done, chip.machine, chip.device.energy
    rows, conversions, saturated = (int(count) for count in chip.tile_counts.sum(axis=1))
    reads = done["pair reads"] * chip._arms()
    found: dict[str, tuple[float, str]] = {
        "row_reads": (rows, ""),
        "device_reads": (reads, ""),
        "read_energy": (reads * price.get("device_read", 0.0), "fJ"),
        "weight_refreshes": (done["refreshes"], ""),
    }
    if chip.array.adc is not None:
        found["conversions"] = (conversions, "")
        found["conversion_energy"] = (conversions * price.get("conversion", 0.0), "fJ")
        found["adc_saturated"] = (saturated, "")
    if "row_drive" in price:
        found["drive_energy"] = (rows * price["row_drive"], "fJ")
    if chip.devices.worn.size:
        worn = int(chip.devices.worn.max())
        found["pulses_on_one_device"] = (worn, "")
        if machine.endurance is not None:
            found["endurance_used"] = (worn / machine.endurance, "")
        if machine.pulse_time is not None:
            found["programming_time"] = ((chip.devices.pulses + chip.devices.resets) * machine.pulse_time, "ms")
    if machine.read_time is not None:
        found["busiest_tile_reading"] = (float(chip.tile_counts[engine.READS].max(initial=0)) * machine.read_time, "ms")
    return found


def told(chip: Any) -> list[Loss | str]:
    """Losses and sentences of the last run."""
    found: list[Loss | str] = []
    _, conversions, saturated = (int(count) for count in chip.tile_counts.sum(axis=1))
    if saturated:
        worst = int(chip.tile_counts[engine.SATURATED].argmax())
        why = f"a column brought more than the range of its converter; most in tile {worst}"
        found.append(
            Loss("conversions saturated", saturated, conversions, "converters", why, "choose a larger adc_range")
        )
    if chip.devices.worn.size and chip.machine.endurance is not None:
        over = int((chip.devices.worn > chip.machine.endurance).sum())
        why = f"more pulses than the {chip.machine.endurance:g} that devices are said to endure"
        found.append(Loss("devices worn out", over, chip.devices.worn.size, "all tiles", why, "pulse less often"))
    if chip.tile_counts[engine.READS].any():
        found.append(_by_tile(use(chip)))
    if chip.choices.read_noise == "per column" and chip.bench.noisy:
        found.append(
            "read noise was drawn once per column; where it is clipped, its mean and variance are kept and its shape is "
            "not (choose read_noise: exact for the shape)"
        )
    return found


def _by_tile(used: TileUse) -> str:
    """One sentence on what each tile did; on the busiest ones where there are many."""
    busiest = np.argsort(-used.rows, kind="stable")[:LISTED]
    parts = []
    for k in np.sort(busiest) if used.rows.size <= LISTED else busiest:
        worn = f", {used.pulses[k]} pulses so far" if used.pulses[k] else ""
        parts.append(f"tile {k}: {used.rows[k]} rows read, {used.energy[k] / 1e6:.3g} nJ{worn}")
    which = "" if used.rows.size <= LISTED else f"the busiest of {used.rows.size} tiles; "
    return which + "; ".join(parts)
