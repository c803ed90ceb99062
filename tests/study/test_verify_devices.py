"""Tables of published device models held against the emulator's devices: every cell within four standard errors."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neurohw as nh
from neurohw.device import load_device
from neurohw.effects.curve import Curve
from neurohw.effects.drift import Drift
from neurohw.effects.programming_noise import ProgrammingNoise
from neurohw.effects.read_noise import ReadNoise
from neurohw.schema import Number
from neurohw.study import verify_devices
from neurohw.study.csv_tables import Table, read_table

GOLDEN = Path(__file__).parent.parent / "golden" / "pcm"
MILLION, HERMES, PULSES = (
    GOLDEN / f"{name}_reference.csv" for name in ("aihwkit_pcm", "aihwkit_hermes", "demirag_pulse")
)


def test_every_cell_of_the_published_models():
    found = nh.verify(GOLDEN)
    assert [one.agrees and one.difference is None and not one.exact for one in found] == [True] * 3, list(
        map(str, found)
    )
    assert [one.steps for one in found] == [40, 238, 150]
    assert all("worst of" in one.about and "|z|" in one.about for one in found)


ONE_DEVICE = {  # the other column of the published table: pcm-hermes has two devices per arm
    "programming": [0.15781817, 2.32443916, -2.16310839, 0.68841818],
    "mean": {"logarithm": (-0.0387, -0.0182), "low": 0.072, "high": 0.13, "knee": 0.0945,
             "polynomial": [0.0736, -0.0126, -0.0436]},
    "sd": {"logarithm": (-0.0120, -0.0023), "low": 0.0124, "high": 0.04, "knee": 0.3039,
           "polynomial": [0.0104, 0.0116, -0.0165]},
    "amplitude": {
        "logarithm": (-0.0078, 0.0038), "low": 0.0179, "high": 0.04, "knee": 0.1591,
        "polynomial": [0.0088, 0.0768, -0.1352, 0.0664],
    },
}  # fmt: skip


def numbers(value):
    if isinstance(value, dict):
        return {key: numbers(inner) for key, inner in value.items()}
    return type(value)(Number(x) for x in value) if isinstance(value, tuple | list) else Number(value)


def hermes_of_one_device():
    device = load_device("pcm-hermes")
    of = numbers(ONE_DEVICE)
    programming = ProgrammingNoise(
        polynomial=of["programming"], g_characterized=Number(10.35), drift_exponent="each write"
    )
    drift = Drift(t0=Number(200e3), offset=Number(200e3), mean=Curve(**of["mean"]), sd=Curve(**of["sd"]))
    read = ReadNoise(
        amplitude=Curve(**of["amplitude"]), t_read=Number(512e-6), offset=Number(200e3),
        slope=Number(0), constant=Number(0), floor=Number(0), saturates=False,
    )  # fmt: skip
    one = device.with_(g_max="10.35 uS", g_largest_weight="10.35 uS", devices_per_arm=1)
    return replace(one, effects=(programming, drift, read))


def test_the_hermes_fit_of_one_device():
    rows = read_table(HERMES)
    rows = Table((name, column[rows["num_devices"] == 1]) for name, column in rows.items())
    cells = list(verify_devices.written(hermes_of_one_device(), rows, rows["g_rel"] * 10.35, np.full(16, 1e5)))
    assert len(cells) == 40
    assert max(abs(cell.z) for cell in cells) < 4


@pytest.fixture
def table(tmp_path):
    """Write a reference table with a change: `change(lines)` in place, without the comment; few rows, to be quick."""

    def write(path, keep, change=lambda lines: None):
        lines = [line.split(",") for line in path.read_text().splitlines() if not line.startswith("#")]
        lines = [lines[0]] + [line for line in lines[1:] if keep(dict(zip(lines[0], line, strict=True)))]
        change(lines)
        (tmp_path / "table.csv").write_text("\n".join(",".join(line) for line in lines))
        return tmp_path / "table.csv"

    return write


def of_10_us(row):
    return row["g_target_uS"] == "10" and row["t_s"] in ("0", "3600")


def set_cell(name, value):
    def change(lines):
        lines[-1][lines[0].index(name)] = value

    return change


@pytest.mark.parametrize(
    ("name", "value"),
    [("prog_mean", "9.97"), ("nu_std", "0.0083"), ("final_std", "0.98"), ("read_noise_rel_std", "0.08")],
)
def test_a_number_that_is_off_is_found(name, value, table):
    def change(lines):
        for line in lines[1:]:
            line[lines[0].index(name)] = value

    (found,) = nh.verify(table(MILLION, of_10_us, change))
    assert not found.agrees
    assert name in found.difference.variable
    assert found.difference.recorded == float(value)
    assert "DIFFERS" in str(found)
    assert "cells beyond 4" in str(found)


@pytest.mark.parametrize(
    ("name", "value"), [("Pmem", "0.1462"), ("frac_sat", "0.02"), ("G_median", "5.8"), ("read_mean", "5.7")]
)
def test_a_pulse_that_is_off_is_found(name, value, table):
    (found,) = nh.verify(table(PULSES, lambda row: row["pulse"] == "5" and row["Gmax"] == "12", set_cell(name, value)))
    assert name in found.difference.variable


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (set_cell("prog_mean", "nan"), "line 3: prog_mean is nan; it must be a finite number"),
        (set_cell("t_s", "much"), "line 3: t_s: 'much' is no number"),
        (set_cell("g_target_uS", "26"), r"26 uS lies outside \[0, 25\]"),
        (set_cell("t_s", "-5"), "t_s is -5"),
        (set_cell("n", "0"), "n is 0"),
        (lambda lines: lines[-1].pop(), "line 3: 10 values for 12 columns|line 3: 11 values for 12 columns"),
        (lambda lines: lines.__delitem__(slice(1, None)), "no rows"),
        (lambda lines: lines[0].__setitem__(0, "n"), "a name of its own"),
    ],
)
def test_bad_tables(change, why, table):
    (found,) = nh.verify(table(MILLION, of_10_us, change))
    assert re.search(why, found.problem), found.problem


def test_a_table_of_too_many_pulses_is_refused(table):
    (found,) = nh.verify(table(PULSES, lambda row: row["pulse"] == "5", set_cell("pulse", "1e9")))
    assert "at most 1000 pulses" in found.problem


def test_tables_of_no_known_kind(tmp_path):
    shutil.copy(MILLION, tmp_path)
    (tmp_path / "other.csv").write_text("time,voltage\n1,2\n")
    (tmp_path / "aihwkit_pcm_reference.csv").unlink()
    (found,) = nh.verify(tmp_path)
    assert not found.known
    assert not found.problem
