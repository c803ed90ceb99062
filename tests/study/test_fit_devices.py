"""A device file from measured data: what went into the data comes out of the file, and bad data are told by line."""

import sys

import numpy as np
import pytest

from neurohw import cli
from neurohw.chips.crossbar.specimens import Specimens
from neurohw.device import load_device
from neurohw.errors import BadInput
from neurohw.study.fit_devices import fit, write_device

HEADER = "device,target_uS,time_s,conductance_uS"
N = 200
TIMES = np.geomspace(30.0, 1e5, 12)


def sigma(target):
    return 0.2 + 0.05 * target - 0.001 * target**2


def exponents(target):
    """(mean, sd)"""
    return 0.08 - 0.0015 * target, 0.02 - 0.0005 * target


def measured(targets=(1.0, 3.0, 8.0, 14.0, 20.0), n=N, times=TIMES):
    """A laboratory of our own: power laws with white noise of 0.01 g + 0.02 uS, in NumPy alone."""
    rng, rows = np.random.default_rng(3), []
    for k, target in enumerate(targets):
        mean, sd = exponents(target)
        start, nu = np.maximum(target + sigma(target) * rng.standard_normal(n), 0.2), mean + sd * rng.standard_normal(n)
        g = start[:, None] * (times / times[0]) ** -nu[:, None]
        g = np.maximum(g + (0.01 * g + 0.02) * rng.standard_normal(g.shape), 1e-3)
        rows += [f"{k * n + i},{target},{t:.9g},{g[i, j]:.9g}" for i in range(n) for j, t in enumerate(times)]
    return rows


def written(tmp_path, rows, header=HEADER, name="measured.csv"):
    (tmp_path / name).write_text("# a comment\n" + "\n".join([header, *rows]))
    return tmp_path / name


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return fit(written(tmp_path_factory.mktemp("fit"), measured()))


def test_what_went_in_comes_out(found):
    """Each within four standard errors: sd / sqrt(n) of a mean, sd / sqrt(2 n) of a spread."""
    assert (found.t0, found.g_max) == (30.0, 20.0)
    for one in found.targets[1:]:  # at 1 uS the clip of the data and relative noise of 3 % enter
        mean, sd = exponents(one.target)
        assert one.n == N
        assert abs(one.nu_mean - mean) < 4 * sd / np.sqrt(N)
        assert abs(one.nu_sd - sd) < 4 * sd / np.sqrt(2 * N)
        assert abs(one.sigma - sigma(one.target)) < 4 * sigma(one.target) / np.sqrt(2 * N)
        assert abs(found.sigma(one.target) - sigma(one.target)) < 4 * sigma(one.target) / np.sqrt(2 * N)
        assert abs(one.mean - one.target) < 4 * sigma(one.target) / np.sqrt(N)
    for g in (2.0, 15.0):
        assert (
            abs(found.noise(g) / (0.01 * g + 0.02) - 1) < 0.05
        )  # 3000 residuals a target: 1.3 %, and a mean over times


def test_the_file_is_a_device_that_gives_such_data(found, tmp_path):
    """Emulated devices, measured as the data were, give the fit again; the file holds nothing that looks measured if it is
    not."""
    device = write_device(found, tmp_path / "mine.yaml")
    assert load_device(tmp_path / "mine.yaml").name == device.title == "mine"
    assert (tmp_path / "mine.png").read_bytes().startswith(b"\x89PNG")
    rows = []
    for k, one in enumerate(found.targets):
        devices = Specimens(device, k, N)
        devices.program(one.target)
        for t in TIMES:
            devices.wait(max(0.0, 1e3 * (t - 30.0) - devices.age))
            g = np.maximum(devices.read(), 1e-3)
            rows += [f"{k * N + i},{one.target},{t:.9g},{g[i]:.9g}" for i in range(N)]
    again = fit(written(tmp_path, rows))
    for one, other in zip(found.targets, again.targets, strict=True):
        error = np.sqrt(2 / N)
        assert abs(one.nu_mean - other.nu_mean) < 4 * one.nu_sd * error
        assert abs(one.nu_sd - other.nu_sd) < 4 * one.nu_sd * error / np.sqrt(2)
        assert abs(found.sigma(one.target) - other.sigma) < 4 * one.sigma * error / np.sqrt(2) + 1e-3
    assert device.effect("drift").mean.table[0][1].status == "fitted"
    assert device.machine.g_max.status == "measured"


def test_one_target_is_a_constant(tmp_path):
    device = write_device(fit(written(tmp_path, measured((5.0,), 20))), tmp_path / "one.yaml")
    assert len(device.effect("programming_noise").polynomial) == 1


FEW = measured((2.0, 5.0), 12, np.array([1.0, 10.0, 100.0]))


@pytest.mark.parametrize(
    ("rows", "header", "why"),
    [
        (FEW, "device,target_uS,time_s,g", "column 'conductance_uS' is missing; it has device, target_uS, time_s, g"),
        ([*FEW, "1,2,nan,3"], HEADER, "line 75: time_s is nan"),
        ([*FEW, "1,2,5,"], HEADER, "line 75: conductance_uS is nan"),
        ([*FEW, "1,2,-5,3"], HEADER, "line 75: time_s is -5; the power law needs it above 0"),
        ([*FEW, "1,2,5,0"], HEADER, "line 75: conductance_uS is 0;"),
        ([*FEW, "1,-2,5,3"], HEADER, "line 75: target_uS is -2"),
        ([*FEW, "1,2,five,3"], HEADER, "line 75: time_s: 'five' is no number"),
        (FEW[:-9], HEADER, "target 5 uS: 9 devices; a spread needs at least 10"),
        (FEW[:-1], HEADER, "target 5 uS, device 23: an exponent needs at least 3 reads"),
        (measured((2.0,), 12, np.array([1.0, 2.0, 9.0])), HEADER, "at 10 times the time of the first"),
        ([row.replace(",2.0,", ",0,") for row in FEW if ",2.0," in row], HEADER, "every target is 0 uS"),
        ([], HEADER, "no rows"),
    ],
)
def test_bad_data(rows, header, why, tmp_path):
    with pytest.raises(BadInput) as raised:
        fit(written(tmp_path, rows, header))
    assert why in str(raised.value)


def test_from_the_command_line(tmp_path, monkeypatch, capsys):
    written(tmp_path, FEW)
    monkeypatch.chdir(tmp_path)

    def status(*arguments):
        monkeypatch.setattr(sys, "argv", ["neurohw", "devices", "fit", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return stopped.value.code or 0

    assert status("measured.csv", "--out", "lab.yaml") == 0
    out = capsys.readouterr().out
    assert "24 devices, t0 1 s, g_max 5 uS" in out
    assert "wrote lab.yaml and lab.png" in out
    assert load_device("lab.yaml").name == "lab"
    assert status("measured.csv", "--out", "lab.yaml") == 2
    assert "exists already" in capsys.readouterr().err
    assert status("nothing.csv") == 2
    assert status("measured.csv", "--base", "spinnaker-spin5") == 2
    assert "not a crossbar" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab.png", "lab.yaml", "measured.csv"]
