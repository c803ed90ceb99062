"""The PCM effects against the statistics of the published models, cell by cell: |z| < 4 with both samples' errors."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neurohw.chips.crossbar.specimens import Specimens
from neurohw.device import load_device
from neurohw.effects.curve import Curve
from neurohw.effects.drift import Drift
from neurohw.effects.programming_noise import ProgrammingNoise
from neurohw.effects.read_noise import ReadNoise
from neurohw.schema import Number

GOLDEN = Path(__file__).parent.parent / "golden" / "pcm"
N = 100_000
SECOND = 1000.0


def reference(name):
    lines = [line for line in (GOLDEN / name).read_text().splitlines() if not line.startswith("#")]
    return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(lines)]


def z_scores(sample, mean, sd, n_reference):
    """(z of the mean, z of the standard deviation); the kurtosis is that of the sample under test.

    The reference carries 6 significant digits, so half a unit of the sixth is allowed on top."""
    spread, centered = sample.std(), sample - sample.mean()
    kurtosis = (centered**4).mean() / spread**4
    error = np.sqrt(1 / sample.size + 1 / n_reference)
    of_mean = max(abs(sample.mean() - mean) - 1e-6 * abs(mean), 0) / (spread * error)
    of_sd = max(abs(spread - sd) - 1e-6 * sd, 0) / (spread * np.sqrt((kurtosis - 1) / 4) * error)
    return of_mean, of_sd


def programmed(device, target, seed):
    devices = Specimens(device, seed, N)
    devices.program(target)
    return devices


def test_the_million_device_fit():
    device = load_device("pcm-million")
    rows, worst = reference("aihwkit_pcm_reference.csv"), 0.0
    for target in sorted({row["g_target_uS"] for row in rows}):
        devices = programmed(device, target, int(target))
        start = devices.conductances()
        for row in (row for row in rows if row["g_target_uS"] == target):
            t, n = row["t_s"], row["n"]
            found = [
                z_scores(start, row["prog_mean"], row["prog_std"], n),
                z_scores(devices.exponents, row["nu_mean"], row["nu_std"], n),
            ]
            if t:
                devices.wait(t * SECOND - devices.age)
                drifted, read = devices.conductances(), devices.read()
                found += [
                    z_scores(drifted, row["drift_only_mean"], row["drift_only_std"], n),
                    z_scores(read, row["final_mean"], row["final_std"], n),
                ]
                seen = drifted > 0.05
                relative = (read[seen] - drifted[seen]) / drifted[seen]
                share = n * seen.mean()
                found.append((0.0, z_scores(relative, 0.0, row["read_noise_rel_std"], share)[1]))
            worst = max(worst, np.max(found))
    assert worst < 4.0


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


def hermes(n_devices):
    device = load_device("pcm-hermes")
    if n_devices == 2:
        return device, 20.7
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
    return replace(one, effects=(programming, drift, read)), 10.35


@pytest.mark.parametrize("n_devices", [1, 2])
def test_the_hermes_fit(n_devices):
    device, g_max = hermes(n_devices)
    rows = [row for row in reference("aihwkit_hermes_reference.csv") if row["num_devices"] == n_devices]
    for share in sorted({row["g_rel"] for row in rows}):
        devices = programmed(device, share * g_max, round(100 * share))
        start = devices.conductances()
        for row in (row for row in rows if row["g_rel"] == share):
            found = [
                z_scores(start, row["prog_mean"], row["prog_std"], 1e5),
                z_scores(devices.exponents, row["nu_mean"], row["nu_std"], 1e5),
            ]
            if row["t_s"]:
                devices.wait(row["t_s"] * SECOND - devices.age)
                found.append(z_scores(devices.read(), row["final_mean"], row["final_std"], 1e5))
            assert np.max(found) < 4.0, (row, found)


@pytest.mark.parametrize("g_max", [12.0, 20.0])
def test_set_pulses(g_max):
    devices = Specimens(load_device("pcm-set").with_(g_max=f"{g_max} uS"), 7, N)
    devices.reset()
    devices.age = SECOND * 38.6 - 0.5
    rows = {row["pulse"]: row for row in reference("demirag_pulse_reference.csv") if row["Gmax"] == g_max}
    for pulse in range(41):
        if pulse:
            devices.age = 0.0
            devices.pulse()
            devices.wait(SECOND * 38.6 - 0.5)
        if pulse not in rows:
            continue
        row, g = rows[pulse], devices.conductances()
        found = [z_scores(g, row["G_mean"], row["G_std"], 4e5)]
        if pulse:
            found.append(z_scores(devices.read(), row["read_mean"], row["read_std"], 4e5))
            p = row["frac_sat"]
            error = np.sqrt(max(p * (1 - p), 1 / N) * (1 / N + 1 / 4e5))
            found.append((abs((devices.devices.g[0] == g_max).mean() - p) / error, 0.0))
        np.testing.assert_allclose(devices.devices.memory[0], row["Pmem"], rtol=2e-5)
        assert np.max(found) < 4.0, (row, found)
