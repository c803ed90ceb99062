"""Shifts, scales and weights against what sPyNNaker 7.4.1 computed, and the estimate's sum against its closed form."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from neurohw.chips.spinnaker.models import MODELS
from neurohw.kernels import spinnaker_weights as weights
from tests.oracles import spinnaker_fixed as twin

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "spinnaker" / "neurons.npz")
TRACES = json.loads(GOLDEN["meta"].tobytes())
RECEPTORS = ("excitatory", "inhibitory")


def incoming(rows):
    """What the tool chain knows of a list of (source, target, weight, delay)."""
    if not rows:
        return []
    _, targets, w, delays = np.array(rows).T
    degree = int(np.bincount(targets.astype(int)).max())
    return [weights.Incoming(w.mean(), w.std(), w.max(), degree, delays.var())]


def source(**change):
    return weights.Incoming(**({"weight_mean": 1.0, "weight_sd": 0.1, "weight_max": 2.0, "in_degree": 50} | change))


@pytest.mark.parametrize("trace", TRACES)
def test_shifts_scales_and_words_of_the_tool_chain(trace):
    meta = TRACES[trace]
    scale = MODELS[meta["model"]].weight_scale
    known = [incoming(meta["connections"][r]) for r in RECEPTORS]
    assert weights.ring_buffer_shifts(known, meta["dt_ms"], scale, meta["largest_sum"]) == meta["shifts"]
    factors = [weights.weight_scale(shift, scale) for shift in meta["shifts"]]
    assert factors == meta["weight_scales"]
    words = []
    for receptor, (name, factor) in enumerate(zip(RECEPTORS, factors, strict=True)):
        _, targets, w, delays = np.array(meta["connections"][name]).reshape(-1, 4).T
        raw, loss = weights.to_raw(w, factor)
        assert loss.wrapped == 0
        steps = np.rint(delays / meta["dt_ms"])
        words += weights.synaptic_words(raw, steps, receptor, targets, tuple(meta["bits"])).tolist()
    assert sorted(words) == meta["words"]


def test_some_shifts_are_estimated():
    estimated = [t for t, m in TRACES.items() if m["largest_sum"] is None and m["connections"]["excitatory"]]
    assert len(estimated) >= 6


@given(st.one_of(st.floats(0, 1e9), st.integers(-3, 20).map(lambda k: 2.0**k)))
def test_the_shift_is_the_least_that_holds_the_sum(w):
    shift = weights.shift_for(w)
    assert shift == twin.shift(w)
    assert 2**shift > w
    assert shift == 0 or 2 ** (shift - 1) <= w


@given(st.floats(1e-3, 600), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_upper_bound_is_the_tool_chains_closed_form(spikes, mean, sd):
    k = round(spikes + 3 * math.sqrt(spikes))
    last = math.log(spikes) * k - special.gammaln(1 + k)
    spread = 0.0
    if -701 < last < 701 and last != 0:
        rest = math.exp(spikes) * special.gammaincc(1 + k, spikes) - math.exp(last)
        spread = math.exp(-spikes + math.log(spikes) + 2 * math.log(sd) + math.log(rest))
    closed = spikes * mean + 5 * math.sqrt(spikes * mean**2 + spread)
    assert weights.upper_bound(mean, sd, spikes) == pytest.approx(closed, rel=1e-9)


def test_equal_delays_take_the_sum_of_all_weights():
    assert weights.expected_sum([source(delay_variance=0.0)], 1.0, 1) == 100.0
    assert weights.expected_sum([source(delay_variance=0.5)], 1.0, 1) == pytest.approx(7.64, abs=0.05)


def test_the_total_of_conductances_is_not_scaled():
    """Known behavior of 7.4.1: with equal delays only the one largest weight is sure to fit."""
    assert weights.expected_sum([source(delay_variance=0.0)], 1.0, 1024) == 2048.0
    many = source(delay_variance=0.0, in_degree=5000)
    assert weights.expected_sum([many], 1.0, 1024) == 10000.0


def test_sources_with_their_own_rates():
    burst = source(delay_variance=0.0, spikes_per_second=500.0, spikes_per_step=4.0)
    assert weights.expected_sum([burst], 1.0, 1) == 400.0
    spread = source(delay_variance=1.0, spikes_per_second=500.0, spikes_per_step=4.0)
    assert weights.expected_sum([spread], 1.0, 1) == weights.upper_bound(1.0, 0.1, 25.0)


def test_pooling_is_of_all_connections():
    """Groups of 3 and 5 whose items are known, against the plain mean and sample variance of the eight."""
    a, b = np.array([1.0, 2.0, 4.0]), np.array([0.5, 3.0, 3.5, 4.0, 9.0])
    mean, variance = weights._pooled([(x.mean(), x.var(ddof=1), x.size) for x in (a, b)])
    together = np.concatenate([a, b])
    assert (mean, variance) == (pytest.approx(together.mean()), pytest.approx(together.var(ddof=1)))


def test_nothing_incoming():
    assert weights.ring_buffer_shifts([[], [source(in_degree=0, delay_variance=0.0)]], 1.0, 1) == [0, 0]


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.integers(0, 15))
def test_weights_are_within_half_a_unit_or_counted(w, shift):
    factor = weights.weight_scale(shift, 1)
    raw, loss = weights.to_raw(w, factor)
    held = np.abs(np.array(w)) * factor < 65535.5
    assert np.all(np.abs(raw / factor - np.abs(w))[held] <= 0.5 / factor)
    assert loss.wrapped == np.count_nonzero(np.rint(np.abs(w) * np.float64(factor)) >= 65536)
    assert loss.rounded_to_zero == np.count_nonzero((raw == 0) & (np.array(w) != 0) & held)


def test_losses():
    raw, loss = weights.to_raw([0.0, 1e-6, -2.0, 2.5 / 32768, 3.5 / 32768, 1e300], weights.weight_scale(0, 1))
    assert raw.tolist() == [0, 0, 0, 2, 4, 0]  # 2.0 is 65536: wrapped to nothing, without a word from the tool chain
    assert loss == weights.WeightLoss(rounded_to_zero=1, wrapped=2)
