"""The same numbers again: from the mapping file that a manifest carries, and in another process."""

import json
import subprocess
import sys

import numpy as np
import pytest

from neurohw import workbench
from neurohw.mapping import load_mapping
from neurohw.study.experiment import manifest, prepare, run_chips
from neurohw.study.side_by_side import side_by_side
from tests import small

MAPPING = """
network: {name: vogels_abbott, n: 60, seed: 3, synapses: current, in_degree: 12}
duration: 60 ms
trials: 2
reference: {dt: 0.1 ms}
chips:
  - {device: spinnaker-spin5, seed: 1, dt: 0.1 ms}
  - {device: brainscales2-chip, seed: 2, dt: 0.1 ms}
  - {device: pcm-million, seed: 3, dt: 0.1 ms, age: 1 day}
record: {excitatory: {v: 2}}
measure: [rates, cv_isi]
"""


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    (folder / "small.yaml").write_text(MAPPING, encoding="utf-8")
    return side_by_side(load_mapping(folder / "small.yaml"), first_trial=4)


def test_a_manifest_repeats_its_experiment(first, tmp_path):
    """The mapping's text and the first trial, both out of the manifest, give every number again."""
    kept = json.loads(json.dumps(first.manifest))
    (tmp_path / kept["mapping"]).write_text(kept["mapping_text"], encoding="utf-8")
    again = side_by_side(load_mapping(tmp_path / kept["mapping"]), first_trial=kept["trials"][0])
    assert again.comparison.to_json() == first.comparison.to_json()
    assert {**again.manifest} == {**first.manifest}
    for ours, theirs in zip(again.sections, first.sections, strict=True):
        assert str(ours.program_report) == str(theirs.program_report)
        assert str(ours.run_report) == str(theirs.run_report)
        for a, b in zip((*ours.recordings, *ours.references), (*theirs.recordings, *theirs.references), strict=True):
            assert small.same(a, b)


def test_the_manifest_says_everything(first):
    kept = first.manifest
    assert kept["trials"] == [4, 5]
    assert kept["network"]["seed"] == 3
    assert [chip["chip_seed"] for chip in kept["chips"].values()] == [1, 2, 3]
    assert all(len(chip[key]) == 16 for chip in kept["chips"].values() for key in ("device_fingerprint", "program"))
    assert {"numpy", "numba", "brian2"} <= set(kept["versions"])


def test_the_network_does_something(first):
    for section in first.sections:
        for recording in (*section.recordings, *section.references):
            assert sum(recording.spikes[p][0].size for p in ("excitatory", "inhibitory")) > 20, section.name


def test_another_process_gives_the_same_programs_and_recordings(tmp_path):
    """Neither the order of sets and dicts of one process nor its random state has a part in it."""
    (tmp_path / "small.yaml").write_text(MAPPING, encoding="utf-8")
    script = """
import hashlib, json, sys
import numpy as np
from neurohw.mapping import load_mapping
from neurohw.study.experiment import manifest, prepare, run_chips
experiment = prepare(load_mapping(sys.argv[1]))
found = {name: chip["program"] for name, chip in manifest(experiment, "")["chips"].items()}
for name, _, recordings in run_chips(experiment):
    digest = hashlib.sha256()
    for recording in recordings:
        for times, indices in recording.spikes.values():
            digest.update(np.ascontiguousarray(times).tobytes() + np.ascontiguousarray(indices).tobytes())
        digest.update(np.ascontiguousarray(recording.traces["excitatory"]["v"]).tobytes())
    found[name] += digest.hexdigest()
print(json.dumps(found))
"""
    answers = [
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "small.yaml")], capture_output=True, text=True, check=True,
            env={**__import__("os").environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert answers[0] == answers[1]
    assert len(json.loads(answers[0])) == 3
    np.random.seed(99)
    experiment = prepare(load_mapping(tmp_path / "small.yaml"))
    here = {name: chip["program"] for name, chip in manifest(experiment, "")["chips"].items()}
    assert all(json.loads(answers[0])[name].startswith(here[name]) for name in here)
    assert [name for name, _, _ in run_chips(experiment)] == list(here)


@pytest.mark.parametrize("name", [name for name in small.DEVICES if name != "reference"])
def test_mapping_twice_gives_the_same_program(name):
    model = small.models_of(name)[0]
    one, two = (workbench.map_network(small.recurrent_short(model), small.device(name)) for _ in range(2))
    assert one.fingerprint == two.fingerprint
    assert str(one.report) == str(two.report)
    for column, values in one.payload.table.columns.items():
        assert np.array_equal(values, two.payload.table.columns[column]), column


@pytest.mark.parametrize("name", small.DEVICES)
def test_a_fingerprint_is_that_of_what_determines_a_run(name):
    model = small.models_of(name)[0]
    base = workbench.map_network(small.recurrent_short(model), small.device(name), dt=1.0)
    others = [
        workbench.map_network(small.recurrent_short(model, seed=2), small.device(name), dt=1.0),
        workbench.map_network(small.recurrent_short(model), small.device(name), dt=0.5),
        workbench.map_network(small.feed_forward(model), small.device(name), dt=1.0),
        workbench.map_network(small.recurrent_short(model), small.device(name, ideal=True), dt=1.0),
    ]
    assert len({base.fingerprint, *(program.fingerprint for program in others)}) == 5
