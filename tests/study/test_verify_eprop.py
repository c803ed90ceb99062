"""Recorded e-prop runs agree, and any changed number is found and named."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import neurohw as nh
from neurohw.study import eprop_cases, verify_eprop
from neurohw.study.eprop_cases import Case

GOLDEN = Path(__file__).parents[1] / "golden" / "eprop"
CASES = sorted(path.stem for path in GOLDEN.glob("*_*.npz"))
SMALL, ONLINE = "reg_lif_tref2_exponential_gd_batch2", "online_eprop_iaf_psc_delta_perspike"


@pytest.fixture
def case(tmp_path):
    """Write a golden case, changed in place by `told(data)` and `arrays(dict)`; gives what verify finds."""

    def write(name, told=None, arrays=None):
        data = json.loads((GOLDEN / f"{name}.json").read_text())
        with np.load(GOLDEN / f"{name}.npz") as stored:
            columns = {key: stored[key].copy() for key in stored.files}
        if told:
            told(data)
        if arrays:
            arrays(columns)
        (tmp_path / f"{name}.json").write_text(json.dumps(data))
        np.savez(tmp_path / f"{name}.npz", **columns)
        (found,) = nh.verify(tmp_path / f"{name}.json")
        return found

    return write


@pytest.mark.parametrize("name", CASES)
def test_recorded_runs_are_those_of_ours(name):
    (found,) = nh.verify(GOLDEN / f"{name}.json")
    assert found.exact, str(found)
    assert found.kind == "e-prop"
    assert found.steps > 500


def test_weights_agree_to_rounding_where_nothing_is_known_against_it():
    for name in CASES:
        case = Case(**json.loads((GOLDEN / f"{name}.json").read_text()))
        allowed = verify_eprop.weight_tolerance(case.config, eprop_cases.read(GOLDEN / f"{name}.json", case))
        assert allowed["W_in"] == 1e-9
        assert set(allowed.values()) == {1e-9} or name.startswith("online")


def flip(arrays):
    arrays["z_bits"][100] ^= 1


def shift(name, by):
    def change(arrays):
        arrays[name] = arrays[name].astype(float)
        arrays[name].flat[arrays[name].size // 2] += by

    return change


@pytest.mark.parametrize(
    ("name", "arrays", "said"),
    [
        (SMALL, flip, r"spike \(sequence 0\): recorded"),
        (ONLINE, flip, r"neuron \d+, spike"),
        (SMALL, shift("readout", 1e-8), "readout of iteration"),
        (SMALL, shift("W_rec", 1e-8), "W_rec after iteration 5"),
        (ONLINE, shift("W_in", 1e-8), r"W_in\["),
        (ONLINE, shift("V_m", 1e-8), r"V_m\["),
        (ONLINE, shift("W_out", 0.1), r"W_out\["),
    ],
)
def test_a_changed_number_is_found(case, name, arrays, said):
    found = case(name, arrays=arrays)
    assert not found.exact

    assert re.search(said, str(found)), str(found)


def test_a_changed_loss_is_found(case):
    found = case(SMALL, told=lambda data: data["loss"].__setitem__(3, data["loss"][3] * (1 + 1e-8)))
    assert found.difference.variable == "loss of iteration 4"


@pytest.mark.parametrize(
    ("told", "arrays", "said"),
    [
        (lambda data: data["config"].update(surrogate="step"), None, "surrogate"),
        (lambda data: data["config"].update(extra=1), None, "extra"),
        (lambda data: data["config"].update(n_in=1 << 19, T=1 << 19), None, "larger than what is read"),
        (lambda data: data["config"].update(n_in=21), None, "X_bits|W_in0"),
        (None, lambda arrays: arrays.pop("B"), "'B' is missing"),
        (None, lambda arrays: arrays.update(W_in0=np.full((30, 20), np.nan)), "NaN"),
        (None, lambda arrays: arrays.update(W_in0=np.zeros((20, 30))), "shape"),
        (None, lambda arrays: arrays.update(surplus=np.zeros(3)), "unknown column 'surplus'"),
    ],
)
def test_malformed_files_are_named(case, told, arrays, said):
    found = case(SMALL, told, arrays)

    assert found.problem
    assert re.search(said, found.problem), found.problem
