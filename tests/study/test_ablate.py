"""Ablation: every variant of a chip, what it costs alone and left out, on paper and on the command line."""

import json
import math

import pytest

import neurohw as nh
from neurohw.study.ablate import ALL, NONE, Variant, variants_of
from tests import small

TEXT = """
network: {name: vogels_abbott, n: 200, in_degree: 20}
duration: 50 ms
trials: 3
reference: {dt: 0.1 ms, choices: {target: numpy}}
chips:
  - {device: pcm-million, seed: 1, dt: 0.1 ms, name: crossbar, choices: {empty_cells: none}}
measure: [rates]
"""


def test_the_variants_of_a_device():
    device = small.device("pcm-million")
    found = variants_of("x", device)
    assert len(found) == 2 + 2 * 3
    assert found[Variant("x", "", False)] is device
    assert found[Variant("x", "", True)].effects == ()
    assert [e.name for e in found[Variant("x", "drift", True)].effects] == ["drift"]
    assert {e.name for e in found[Variant("x", "drift", False)].effects} == {"programming_noise", "read_noise"}
    assert Variant("x", "", True).label == f"x: {NONE}"
    assert Variant("x", "", False).label == f"x: {ALL}"


@pytest.fixture(scope="module")
def mapping(tmp_path_factory):
    path = tmp_path_factory.mktemp("ablate") / "small.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return nh.load_mapping(path)


@pytest.fixture(scope="module")
def found(mapping):
    return nh.ablate(mapping)


def test_what_each_effect_costs(found):
    assert found.chips == ["crossbar"]
    assert not found.refused
    assert len(found.distances) == 8
    for name in found.effects("crossbar"):
        alone, none = found.distance("crossbar", name, True), found.distance("crossbar", "", True)
        assert found.cost("crossbar", name) == pytest.approx(alone - none)
        assert found.saved("crossbar", name) == pytest.approx(
            found.distance("crossbar") - found.distance("crossbar", name)
        )
    saved = [found.saved("crossbar", name) for name in found.effects("crossbar")]
    assert saved == sorted(saved, reverse=True)
    assert "costs" in str(found)
    assert "crossbar" in str(found)


def test_the_file(found, tmp_path):
    found.write(tmp_path, {"command": "test"})
    data = json.loads((tmp_path / "ablation.json").read_text(encoding="utf-8"))
    assert len(data["distances"]) == 8
    assert all(entry["distance"] is None or math.isfinite(entry["distance"]) for entry in data["distances"])
    assert (tmp_path / "ablation.txt").read_text(encoding="utf-8").startswith("distance to the reference")


def test_a_mapping_without_effects(tmp_path):
    (tmp_path / "x.yaml").write_text(TEXT.replace("seed: 1,", "seed: 1, ideal: true,"), encoding="utf-8")
    with pytest.raises(nh.BadInput, match="none of them has an effect"):
        nh.ablate(nh.load_mapping(tmp_path / "x.yaml"))
