"""mismatch: moments, bounds, addresses."""

import numpy as np
import pytest

from neurohw import rng
from neurohw.device import load_device
from neurohw.effects.mismatch import Mismatch
from neurohw.errors import BadInput
from neurohw.schema import Number, validate

N = 100_000
WANTED = {"tau_m": 20.0, "tau_refrac": 2.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0, "cm": 0.2}


def effect(**changes):
    numbers = {
        "relative": {"tau_m": Number(0.2), "tau_refrac": Number(0.5)},
        "absolute": {"v_rest": Number(2.0), "v_reset": Number(1.6), "v_thresh": Number(1.1)},
        "least": Number(0.3),
        "reset_room": Number(0.9),
        "level": Number(1.0),
    }
    return validate(Mismatch, {**numbers, **changes}, "mismatch")


def drawn(mismatch, n=N, seed=1, circuits=None):
    wanted = {name: np.full(n, value) for name, value in WANTED.items()}
    return mismatch.specimen(wanted, lambda p: rng.key(seed, p), np.arange(n) if circuits is None else circuits)


@pytest.mark.parametrize(("name", "sd"), [("tau_m", 4.0), ("v_rest", 2.0), ("v_thresh", 1.1), ("v_reset", 1.6)])
def test_mean_and_spread(name, sd):
    """Within 4 standard errors; the bounds touch fewer than 1 in 1000 of these, which moves the moments less."""
    values = drawn(effect())[0][name]
    assert abs(values.mean() - WANTED[name]) < 4 * sd / np.sqrt(N)
    assert abs(values.std() - sd) < 4 * sd / np.sqrt(2 * N)


def test_a_refractory_period_has_a_least_length_and_those_that_meet_it_are_counted():
    values, clipped = drawn(effect())
    share = 0.080757  # Phi(-0.7 / 0.5)
    assert clipped["tau_refrac"] == (values["tau_refrac"] == 0.6).sum()
    assert abs(clipped["tau_refrac"] / N - share) < 4 * np.sqrt(share / N)


def test_bounds_hold_at_any_level():
    values, clipped = drawn(effect(level=Number(10.0)))
    assert values["tau_m"].min() == pytest.approx(0.3 * 20.0)
    assert clipped["tau_m"] > 0
    room = np.maximum(values["v_thresh"] + 65.0, 0)
    assert (values["v_reset"] <= -65.0 + 0.9 * room + 1e-12).all()
    assert clipped["v_reset"] > 0


def test_level_zero_and_parameters_without_a_spread_are_as_asked_for():
    values, clipped = drawn(effect(level=Number(0.0)), n=100)
    assert not clipped
    assert all((values[name] == WANTED[name]).all() for name in WANTED)
    assert (drawn(effect(), n=100)[0]["cm"] == 0.2).all()


def test_parameters_and_neurons_are_independent():
    values = drawn(effect())[0]
    for a, b in (("tau_m", "v_rest"), ("v_rest", "v_thresh")):
        assert abs(np.corrcoef(values[a], values[b])[0, 1]) < 4 / np.sqrt(N)
    assert abs(np.corrcoef(values["v_rest"][1:], values["v_rest"][:-1])[0, 1]) < 4 / np.sqrt(N)


def test_a_circuit_keeps_its_mismatch_wherever_it_stands_in_the_list():
    every = drawn(effect(), n=1000)[0]["tau_m"]
    some = np.array([999, 3, 500])
    assert (drawn(effect(), n=3, circuits=some)[0]["tau_m"] == every[some]).all()


def test_a_threshold_at_infinity_stays_there():
    wanted = {name: np.full(10, np.inf if name in ("v_thresh", "tau_m") else value) for name, value in WANTED.items()}
    values, _ = effect().specimen(wanted, lambda p: rng.key(1, p), np.arange(10))
    assert np.isposinf(values["v_thresh"]).all()
    assert np.isposinf(values["tau_m"]).all()
    assert np.isfinite(values["v_reset"]).all()


def test_bad_numbers():
    with pytest.raises(BadInput, match=r"relative\.tau_m"):
        effect(relative={"tau_m": Number(-0.1)})
    with pytest.raises(BadInput, match="least"):
        effect(least=Number(0.0))


def test_the_wafer_has_the_published_spreads():
    """brainscales1-demos: random network for the time constants, microcircuit for the voltages."""
    mismatch = load_device("brainscales1-wafer").effect("mismatch")
    assert mismatch.relative == {"tau_m": 0.2, "tau_syn_E": 0.13, "tau_syn_I": 0.07, "tau_refrac": 0.5}
    voltages = {"v_rest": 2.0, "v_reset": 1.6, "v_thresh": 1.1, "e_rev_E": 11.1, "e_rev_I": 1.6}
    assert mismatch.absolute == {**voltages, "v_spike": 1.1}, "v_spike is assumed to spread like v_thresh"
