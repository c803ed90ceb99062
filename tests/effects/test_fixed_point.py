"""Words of few bits: the effect's equation, its compiled twin, and what it does to neurons beside a crossbar."""

from dataclasses import replace

import numpy as np
import pytest

import neurohw as nh
from neurohw.chips.crossbar import digital
from neurohw.effects.fixed_point import FixedPoint
from neurohw.kernels import float_neurons as fn
from neurohw.kernels import words
from neurohw.kernels.float_neurons.rows import OWN_1
from neurohw.neurons import NEURONS
from neurohw.schema import Number
from tests import small

FIXED = nh.load_device("pcm-fixed")
QUIET = FIXED.without("programming_noise", "drift", "read_noise")
MODELS = small.models_of("pcm-fixed")


def effect(integer=3, fraction=4, rounding="nearest", **units):
    of_one = {name: Number(units.get(name, 1.0)) for name in ("voltage", "current", "conductance")}
    return FixedPoint(integer_bits=Number(integer), fraction_bits=Number(fraction), rounding=rounding, **of_one)


def traced(device, model, duration=40.0, network=small.feed_forward):
    """(v, recording) of the cells on a specimen without empty cells."""
    choices = {"empty_cells": "none", "idle_arms": "none"}
    program = nh.map_network(network(model), device, record={"cells": ["v", "spikes"]}, choices=choices)
    recording = nh.run(program, nh.fabricate(device, 1), duration)
    return recording.traces["cells"]["v"], recording


def bits(device, fraction, **more):
    return device.with_(**{"fixed_point.fraction_bits": fraction, **{f"fixed_point.{k}": v for k, v in more.items()}})


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        ("nearest", [0.0625, 0.0, -0.0625, 7.9375, -8.0, 1.0, -1.0]),
        ("down", [0.0, 0.0, -0.125, 7.9375, -8.0, 1.0, -1.0625]),
    ],
)
def test_words_of_eight_bits(rounding, expected):
    x = np.array([0.05, 0.03, -0.07, 9.0, -8.7, 1.0, -1.03])
    np.testing.assert_array_equal(effect(rounding=rounding).held(x, "mV"), expected)
    np.testing.assert_array_equal(
        effect(rounding=rounding, current=0.25).held(0.25 * x, "nA"), 0.25 * np.array(expected)
    )


@pytest.mark.parametrize("rounding", ["nearest", "down"])
def test_the_compiled_twin(rounding):
    one = effect(rounding=rounding, conductance=0.5)
    x = np.random.default_rng(1).uniform(-9.0, 9.0, 5000) * np.repeat([1.0, 1e-3], 2500)
    x = np.concatenate((x, [1e15, -1e15, 1e300, -1e300, np.inf, -np.inf, np.nan]))
    found = words.Words(np.array([[0.0, one.lsb("uS")]]), one.half, *one.codes, np.zeros(3, np.int64))
    state, right = np.stack((x, x)), one.held(x, "uS")
    for row in (0, 1):
        words.hold(found, 0, state, row, 0, x.size)
    np.testing.assert_array_equal(state, [x, right])
    unlimited = np.floor(x / one.lsb("uS") + one.half)
    cut = (unlimited < one.codes[0]) | (unlimited > one.codes[1])
    assert found.counts.tolist() == [(right != x).sum(), (right == 0).sum(), cut.sum()]
    assert (found.counts > 100).all()


def test_coefficients_keep_their_significant_bits():
    """Seven bits, the first of which is always set: within 2^-7 of themselves, however small; an infinite threshold stays; a refractory time in steps too."""
    c = np.concatenate((np.geomspace(1e-9, 1e3, 1000), -np.geomspace(1e-9, 1e3, 1000)))
    found = effect().coefficients(c)
    assert np.abs(found / c - 1).max() <= 2.0**-7
    assert np.unique(np.frexp(found)[0] * 2**7 % 1.0).tolist() == [0.0]
    np.testing.assert_array_equal(effect().coefficients(np.array([np.inf, 0.0, -65.0])), [np.inf, 0.0, -65.0])
    table = np.full((fn.N_COEFFICIENTS, 1), 1234.5)
    assert (digital.coefficients(effect(), table) == 1234.5).ravel().tolist() == [k == 3 for k in range(len(table))]


UNITS = {
    "IF_curr_exp": {fn.V: "mV", fn.EXC: "nA", fn.INH: "nA"},
    "IF_cond_exp": {fn.V: "mV", fn.EXC: "uS", fn.INH: "uS"},
    "IF_curr_delta": {fn.V: "mV", fn.EXC: "mV", fn.INH: "mV"},
    "EIF_cond_exp_isfa_ista": {fn.V: "mV", fn.EXC: "uS", fn.INH: "uS", OWN_1: "nA"},
}


@pytest.mark.parametrize("model", UNITS)
def test_state_variables_have_their_units(model):
    assert digital.units(model) == UNITS[model]


@pytest.mark.parametrize("model", MODELS)
def test_all_that_can_be_recorded_is_a_word(model):
    recorded = {row for name, row in fn.MODELS[model].states.items() if name in NEURONS[model].states}
    assert recorded | {fn.EXC, fn.INH} <= set(digital.units(model))
    assert fn.I_EXT not in digital.units(model)


def test_a_leak_that_has_no_bits_is_told():
    """exp(-0.1/20) has five bits less than 1 - 2^-8, so with s2.3 the membrane keeps its charge for ever."""
    coarse, fine = (
        traced(device, "IF_curr_exp")[1].report.losses for device in (bits(FIXED, 3, integer_bits=2), FIXED)
    )
    told = next(loss for loss in coarse if loss.what == "decays that stand still")
    assert "s2.3" in str(told)
    assert not [loss for loss in fine if loss.what == told.what]


@pytest.mark.parametrize("model", MODELS)
def test_finer_words_come_closer(model):
    """Over the first milliseconds, before any spike: each bit halves the error, on average over ten of them."""

    def early(device):
        return traced(device, model, 0.8, small.feed_forward)[0]

    exact = early(QUIET.without("fixed_point"))
    errors = [np.sqrt(((early(bits(QUIET, b)) - exact) ** 2).mean()) for b in (12, 17, 22)]
    assert errors[0] > 0
    assert np.abs(np.diff(np.log2(errors)) + 5).max() < 1.5, errors


def test_off_is_float():
    """Without the effect a device is, bit for bit, the one that never had it; and very fine words are as good."""
    million = replace(nh.load_device("pcm-million"), name="pcm-fixed")
    v, off = traced(FIXED.without("fixed_point"), "IF_curr_exp")
    same, other = traced(million, "IF_curr_exp")
    np.testing.assert_array_equal(v, same)
    np.testing.assert_array_equal(off.spikes["cells"], other.spikes["cells"])
    fine, _ = traced(bits(FIXED, 32), "IF_curr_exp")
    assert 0 < np.abs(fine - v).max() < 1e-6
    assert not [note for note in off.report.notes if "words" in note]


def test_what_is_recorded_lies_on_the_grid():
    v, recording = traced(bits(FIXED, 6), "IF_cond_exp")
    np.testing.assert_array_equal(v * 64, np.rint(v * 64))
    note = next(note for note in recording.report.notes if "words s16.6" in note)
    assert "(nearest)" in note


def test_saturation_is_counted():
    """Five integer bits reach -32 mV, and a membrane rests at -65."""
    v, recording = traced(bits(FIXED, 15, integer_bits=5), "IF_curr_exp")
    assert v.min() == -32.0
    loss = next(loss for loss in recording.report.losses if loss.what == "words saturated")
    assert "s5.15" in str(loss)
    assert loss.count == recording.spikes["cells"][0].size + 9  # at the beginning, and at each reset
    assert not [loss for loss in traced(FIXED, "IF_curr_exp")[1].report.losses if loss.what == "words saturated"]


def test_weights_below_half_a_step_vanish():
    """Conductances of 8 nS in steps of 1/16 uS: nothing arrives, and the report counts it; in nS it does."""
    coarse, fine = bits(QUIET, 4), bits(QUIET, 4, conductance="1 nS")
    (still, counted), (moved, _) = (traced(device, "IF_cond_exp", 10.0) for device in (coarse, fine))
    rest, _ = traced(QUIET, "IF_cond_exp", 10.0)
    assert int(next(note for note in counted.report.notes if "words" in note).split("of them")[0].split()[-1]) > 0
    assert np.abs(moved - rest).mean() < 0.5 * np.abs(still - rest).mean()


def test_a_run_goes_on_where_it_was():
    program = nh.map_network(small.recurrent_short("IF_curr_exp"), FIXED)
    one, two = (nh.fabricate(FIXED, 1) for _ in range(2))
    for chip in (one, two):
        chip.load(program)
    whole = one.run(30.0).spikes["e"]
    first, then = two.run(15.0).spikes["e"], two.run(15.0, reset=False).spikes["e"]
    np.testing.assert_array_equal(whole, np.concatenate((first, then), axis=1))


def test_analog_and_fixed_point_compose():
    """Mismatch scatters the parameters, words round what came of them."""
    analog = nh.load_device("brainscales2-chip").effect("mismatch")
    both = replace(FIXED, effects=(*FIXED.effects, analog))
    program = nh.map_network(small.feed_forward("IF_curr_exp"), both)
    chip = nh.fabricate(both, 1)
    chip.load(program)
    plain = nh.fabricate(FIXED, 1)
    plain.load(nh.map_network(small.feed_forward("IF_curr_exp"), FIXED))
    scattered = (chip.coefficients != plain.coefficients).any(axis=0)
    assert scattered.sum() >= scattered.size - 1
    np.testing.assert_array_equal(chip.coefficients, chip.fixed_point.coefficients(chip.coefficients))


@pytest.mark.parametrize(
    ("numbers", "match"),
    [({"fixed_point.integer_bits": -1}, "outside"), ({"fixed_point.fraction_bits": 3.5}, "whole"),
     ({"fixed_point.integer_bits": 0, "fixed_point.fraction_bits": 0}, "at least one"),
     ({"fixed_point.voltage": "0 mV"}, "outside"), ({"fixed_point.rounding": "up"}, "nearest")],
)  # fmt: skip
def test_bad_words(numbers, match):
    with pytest.raises(nh.BadInput, match=match):
        FIXED.with_(**numbers)
