"""neurohw calibrate: a file for each specimen, which a mapping then names. The procedure itself is tested beside this."""

import sys

import numpy as np
import pytest

import neurohw.calibrate
from neurohw import cli
from neurohw.calibrate import TARGETS
from neurohw.calibration import Calibration, Residual, load_calibration
from neurohw.errors import Unsupported

NETWORK = """\
network: {name: vogels_abbott, n: 100, synapses: current, in_degree: 20}
duration: 20 ms
chips:
"""


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """command(line for the chip, arguments) -> (status, stdout, stderr), with a measurement that takes no time."""

    def quick(device, seed, progress):
        own = {name: np.full(512, float(cell.code)) for name, cell in device.effect("parameter_codes").cells.items()}
        residuals = {name: Residual("p", "", TARGETS[name], 0.0, 2.0, 0.0, 1.0) for name in own}
        return Calibration(device.name, device.fingerprint, seed, np.arange(512), own, residuals)

    monkeypatch.setattr(neurohw.calibrate, "calibrate", quick)

    def run(chip, *argv):
        (tmp_path / "m.yaml").write_text(NETWORK + f"  - {chip}\n")
        monkeypatch.setattr(sys, "argv", ["neurohw", *argv[:1], str(tmp_path / "m.yaml"), *argv[1:]])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code, *capsys.readouterr()

    return run


def test_it_writes_what_a_mapping_then_takes(command, tmp_path):
    status, out, _ = command("{device: brainscales2-chip, seed: 3}", "calibrate", "--out", str(tmp_path))
    assert status == 0
    assert "ratio" in out
    found = load_calibration(tmp_path / "brainscales2-chip.calibration.h5")
    assert found.specimen == 3
    chip = "{device: brainscales2-chip, seed: 3, calibration: brainscales2-chip.calibration.h5}"
    assert command(chip, "run", "--out", str(tmp_path / "out"))[0] == 0


def test_what_has_no_codes_or_no_file_is_told_in_a_line(command, tmp_path):
    status, _, err = command("{device: pcm-million}", "calibrate", "--out", str(tmp_path))
    assert (status, err.count("\n")) == (2, 1)
    assert "no chip whose parameters have codes, such as brainscales2-chip; it has pcm-million" in err
    status, _, err = command("{device: brainscales2-chip, calibration: nowhere.h5}", "map")
    assert (status, err.count("\n")) == (2, 1)
    assert "nowhere.h5" in err


def test_the_twin_in_python_has_the_command_s_name():
    with pytest.raises(Unsupported, match="nothing to calibrate"):
        neurohw.calibrate("brainscales1-wafer")
