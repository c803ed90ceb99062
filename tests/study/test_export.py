"""`map --export`: tables that other tools read, with what the device holds beside what was asked for."""

import csv
import json

import numpy as np
import pytest

from neurohw import workbench
from neurohw.study.export import export_program, export_tables
from tests import small


@pytest.mark.parametrize("name", small.DEVICES)
def test_what_a_device_holds_is_what_its_chip_loads(name, tmp_path):
    """The held columns, times their unit, are the weights that a chip just loaded reads, or those asked for."""
    device = small.device(name)
    program = small.program(name, "recurrent", small.models_of(name)[0])
    export_program(program, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["resources"]
    with (tmp_path / "placement.csv").open(encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 1 + len(program.slices) + len(program.extensions)
    chip = workbench.fabricate(device)
    chip.load(program)
    for number, projection in enumerate(program.network.projections):
        with np.load(tmp_path / f"projection-{number}.npz") as found:
            assert str(found["name"]) == projection
            n = found["source"].size
            assert {found[key].shape[0] for key in found.files if found[key].ndim} == {n}
            if device.substrate == "reference":
                assert not [key for key in found.files if key.startswith("held")]
                continue
            held = next(found[f"held_{key}"] for key in ("weight", "code", "target") if f"held_{key}" in found.files)
            there = found["held_realized"] if "held_realized" in found.files else np.ones(n, bool)
            if device.substrate == "spinnaker":
                wanted = np.abs(found["weight"]) / found["unit"]
                assert np.abs(held - wanted).max() <= 0.5
            elif device.substrate == "analog":
                assert np.isnan(chip.read(projection)[~there]).all()
                assert held[there] * abs(found["unit"]) == pytest.approx(np.abs(chip.read(projection)[there]))
            else:
                assert np.sign(held).reshape(n, -1)[:, -1].tolist() == np.sign(found["weight"]).tolist() or n == 0
                assert len(np.unique(found["held_cell"])) == found["held_cell"].size
    for number, population in enumerate(getattr(program.payload, "parameters", {})):
        with np.load(tmp_path / f"population-{number}.npz") as found:
            assert str(found["name"]) == population
            assert found["v_rest" if "v_rest" in found.files else "i_offset"].shape == (
                program.origin.size[population],
            )


def test_tables_of_a_run(tmp_path):
    program = small.program("spinnaker-spin3", "recurrent", "IF_curr_exp")
    chip = workbench.fabricate(program.device)
    assert chip.tables() == {}
    workbench.run(program, chip, 5.0)
    export_tables(chip.tables(), tmp_path)
    with (tmp_path / "cores.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["population"] for row in rows] == [part.population for part in program.slices]
    assert int(rows[1]["neuron_updates"]) == 5 * program.slices[1].size
