import csv
import json

import pytest

from neurohw import fabricate, load_device, load_mapping, map_network, networks, run
from neurohw.errors import BadInput
from neurohw.study import sweep_points as study
from neurohw.study import sweep_runner as runner
from neurohw.study.sweep import sweep
from neurohw.study.sweep_points import Point, points

TEXT = """
network: {name: synfire_chain, groups: 2, n_exc: 20, n_inh: 5, from_exc: 12, from_inh: 5, w_exc: 0.005}
duration: 100 ms
chips:
  - {device: brainscales1-wafer, name: wafer, seed: 4, without: [mismatch, spike_loss]}
  - {device: brainscales1-wafer, name: ideal, ideal: true}
measure: [volley_size, rates]
sweep:
  specimens: 2
  populations: [exc1]
  vary:
    - {weight_noise.sigma: [0, 0.4], network.a: [1, 2]}
"""


@pytest.fixture
def written(tmp_path):
    def write(text=TEXT, **changes):
        for old, new in changes.values():
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "swept.yaml"
        path.write_text(text)
        return load_mapping(path)

    return write


def test_every_combination_and_specimen_but_only_what_a_chip_has(written):
    found = points(written())
    wafer = [point for point in found if point.chip == "wafer"]
    assert {point.seed for point in wafer} == {4, 5}
    assert len(wafer) == 2 * 2 * 2
    assert wafer[0].levels == (("weight_noise.sigma", 0), ("network.a", 1))
    ideal = [point for point in found if point.chip == "ideal"]
    assert [point.levels for point in ideal] == [(("network.a", 1),), (("network.a", 2),)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("weight_noise.sigma", "weigth_noise.sigma", "weigth_noise"),
        ("weight_noise.sigma", "mismatch.least", "no chip of this mapping has 'mismatch.least'"),
        ("weight_noise.sigma: [0, 0.4]", "weight_noise.sigma: [-1]", "sigma"),
        ("weight_noise.sigma: [0, 0.4]", "choices.neuron_seize: [4]", "neuron_seize"),
        ("[0, 0.4]", "[]", "vary"),
        ("specimens: 2", "specimens: 0", "specimens"),
        ("  vary:\n    - {weight_noise.sigma: [0, 0.4], network.a: [1, 2]}\n", "", "vary"),
    ],
)
def test_a_level_that_cannot_be_set_is_named_before_anything_runs(written, old, new, told):
    with pytest.raises(BadInput, match=told):
        points(written(change=(old, new)))


def test_without_a_section_it_says_what_to_write(written):
    with pytest.raises(BadInput, match=r"sweep: missing; write for example"):
        points(written(TEXT[: TEXT.index("sweep:")]))


def test_a_point_gives_what_a_single_run_gives(written, tmp_path):
    result = sweep(written(), tmp_path)
    one = next(
        r for r in result.results if r.point == Point("wafer", (("weight_noise.sigma", 0.4), ("network.a", 2)), 5)
    )
    network = networks.synfire_chain(groups=2, n_exc=20, n_inh=5, from_exc=12, from_inh=5, w_exc=0.005, a=2)
    device = load_device("brainscales1-wafer").without("mismatch", "spike_loss").with_(**{"weight_noise.sigma": 0.4})
    recording = run(map_network(network, device), fabricate(device, seed=5), "100 ms", trial=0)
    told = {row.statistic: row.mean for row in one.rows}
    assert told["volley_size"] == recording.spikes["exc1"][0].size / 20
    assert told["volley_size"] > 0
    assert told["rates"] == pytest.approx(recording.rate("exc1"), rel=1e-12)


def test_goes_on_where_it_stopped_and_ignores_a_broken_file(written, tmp_path, monkeypatch):
    first = sweep(written(), tmp_path)
    files = sorted((tmp_path / "points").iterdir())
    assert len(files) == len(first.results) == 10
    files[0].unlink()
    files[1].write_text("{")
    ran = []
    really = runner.run_point
    monkeypatch.setattr(runner, "run_point", lambda m, point, t: ran.append(point) or really(m, point, t))
    again = sweep(written(), tmp_path)
    assert len(ran) == 2
    assert again.results == first.results
    ran.clear()
    more = sweep(written(change=("specimens: 2", "specimens: 3")), tmp_path)
    assert len(ran) == 4
    assert {p.seed for p in ran} == {6}
    assert len(more.results) == 14
    ran.clear()
    sweep(written(), tmp_path, first_trial=1)
    assert len(ran) == 10


def test_processes_change_nothing(written, tmp_path):
    assert sweep(written(), tmp_path / "a", workers=2).results == sweep(written(), tmp_path / "b").results


def test_files_and_what_a_refusal_leaves(written, tmp_path):
    change = ("- {weight_noise.sigma: [0, 0.4], network.a: [1, 2]}", "- {choices.neuron_size: [4, 5]}")
    found = sweep(written(change=change), tmp_path)
    refused = [one.point.levels for one in found.results if one.problem]
    assert refused == [(("choices.neuron_size", 5),)] * 2
    assert "neuron_size 5" in found.problems[0].problem
    found.write(tmp_path, {"command": "x"})
    told = json.loads((tmp_path / "sweep.json").read_text())
    assert len(told["problems"]) == 2
    group = told["statistics"][0]
    assert (group["chip"], group["specimens"]) == ("wafer", 2)
    assert group["mean"] is not None
    with (tmp_path / "sweep.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["choices.neuron_size"] for line in lines} == {"4", ""}
    assert (tmp_path / "sweep.png").read_bytes()[:4] == b"\x89PNG"


def test_a_calibration_of_the_entry_is_used(written):
    change = ("name: wafer, seed: 4,", "name: wafer, seed: 4, calibration: nowhere.h5,")
    mapping = written(change=change)
    with pytest.raises((BadInput, OSError), match="nowhere"):
        sweep(mapping, mapping.path.parent)


@pytest.mark.parametrize("own", ["dt: 0.1 ms", "age: 1 day"])
def test_what_the_entry_says_of_time_stays_as_it_is(written, own):
    """Another number is varied than the time of the entry."""
    mapping = written(change=("name: wafer, seed: 4,", f"name: wafer, seed: 4, {own},"))
    entries = {point: study.chip_at(mapping, point.chip, point.levels)[0] for point in points(mapping)}
    swept = [entry for point, entry in entries.items() if point.chip == "wafer"]
    assert swept
    assert {(entry.dt, entry.age) for entry in swept} == {(0.1, None) if own[0] == "d" else (None, 86_400_000.0)}
