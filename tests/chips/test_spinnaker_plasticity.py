"""The STDP pair rule against every update of sPyNNaker's own code, and on any history against the plain-Python twin."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurohw.chips.spinnaker import plasticity
from neurohw.errors import OutOfRange
from neurohw.kernels import spinnaker_weights as weights
from tests.oracles import spinnaker_fixed as twin

TRACES = json.loads(np.load(Path(__file__).parents[1] / "golden" / "spinnaker" / "stdp.npz")["meta"].tobytes())


def rule_of(meta):
    s = meta["stdp"]
    values = (s["w_min"], s["w_max"], s["A_plus"], s["A_minus"], s["tau_plus"], s["tau_minus"])
    multiplicative = s["rule"] == "multiplicative"
    return plasticity.pair_rule(multiplicative, *values, meta["dt_ms"], meta["shift"], 1, s["backprop_delay"])


def replay(meta, rule):
    """[t, row, trace, weights] after each pre spike; the post spikes of a step are remembered before its pre spikes."""
    history = plasticity.empty_history(meta["n_neurons"])
    rows = [[0, np.int16(0), np.array(r["weights"], np.uint16)] for r in meta["rows"]]
    synapses = [(np.array(r["targets"]), np.array(r["delays"])) for r in meta["rows"]]
    post, done, k = meta["post"], [], 0
    for t, r, _, _ in meta["updates"]:
        while k < len(post) and post[k][0] <= t:
            plasticity.post_spike(post[k][1], post[k][0], *history, rule.table_minus)
            k += 1
        last, trace, w = rows[r]
        targets, delays = synapses[r]
        lags = delays if rule.backprop_delay else np.zeros_like(delays)
        tables = rule.table_plus, rule.table_minus
        rows[r][:2] = t, plasticity.pre_spike(t, last, trace, w, targets, lags, *history, *tables, rule.numbers)
        done.append([t, r, int(rows[r][1]), w.tolist()])
    return done


@pytest.fixture(params=TRACES)
def meta(request):
    return TRACES[request.param]


def test_every_update(meta):
    assert replay(meta, rule_of(meta)) == meta["updates"]


@pytest.mark.parametrize("rule", ["additive", "multiplicative"])
def test_there_are_updates_of_both_signs(rule):
    runs = [meta for name, meta in TRACES.items() if name.startswith(rule)]
    changes = np.array([new - old for meta in runs for old, new in consecutive(meta)])
    assert (changes > 0).any()
    assert (changes < 0).any()


def consecutive(meta):
    """(weight before, weight after) of every update of every synapse."""
    held = [r["weights"] for r in meta["rows"]]
    for _, r, _, after in meta["updates"]:
        yield from zip(held[r], after, strict=True)
        held[r] = after


def test_parameters_become_the_words_of_the_region(meta):
    rule, words = rule_of(meta), np.array(meta["region"], np.uint32)
    expected = [np.array([rule.backprop_delay], np.uint32)]
    for table in (rule.table_plus, rule.table_minus):
        header = np.array([table.size, 0], np.uint16).view(np.uint32)  # size and shift
        expected += [header, table.view(np.uint32)]
    limits = np.array([rule.w_min, rule.w_max, rule.a_plus, rule.a_minus], np.int32).view(np.uint32)
    np.testing.assert_array_equal(words, np.concatenate([*expected, limits, limits]))


def test_initial_weights(meta):
    raw, _ = weights.to_raw([c[2] for c in meta["connections"]], meta["weight_scale"])
    assert sorted(raw.tolist()) == sorted(w for row in meta["rows"] for w in row["weights"])


@pytest.mark.parametrize("field", ["a_plus", "a_minus"])
def test_a_flipped_bit_of_the_rule_is_caught(meta, field):
    rule = rule_of(meta)
    object.__setattr__(rule, field, getattr(rule, field) ^ 64)
    assert replay(meta, rule) != meta["updates"]


def test_ignoring_the_dendritic_delay_is_caught():
    meta = TRACES["additive_bp_dt1"]
    rule = rule_of(meta)
    object.__setattr__(rule, "backprop_delay", False)
    assert replay(meta, rule) != meta["updates"]


TRAIN = st.lists(st.integers(0, 60), max_size=30, unique=True).map(sorted)
WORD = st.one_of(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**18))


@given(
    pre=TRAIN, post=TRAIN, weight=st.integers(0, 65535), lag=st.integers(0, 16), shift=st.integers(0, 14),
    multiplicative=st.booleans(), words=st.tuples(WORD, WORD, WORD, WORD),
    taus=st.tuples(st.floats(0.5, 40), st.floats(0.5, 40)),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_kernel_is_its_twin_on_any_history(pre, post, weight, lag, shift, multiplicative, words, taus):
    plus, minus = (plasticity.decay_table(tau, 1.0) for tau in taus)
    assert [plus.tolist(), minus.tolist()] == [twin.table(tau, 1.0) for tau in taus]
    history, remembered = plasticity.empty_history(1), twin.PostHistory()
    held, last, trace = np.array([weight], np.uint16), 0, np.int16(0)
    numbers = (int(multiplicative), shift, *words)
    target, lags = np.zeros(1, np.int64), np.array([lag])
    for t in range(61):
        if t in post:
            plasticity.post_spike(0, t, *history, minus)
            remembered.add(t, minus.tolist())
        if t in pre:
            weight = twin.pair_update(
                numbers, t, last, int(trace), weight, remembered, lag, plus.tolist(), minus.tolist()
            )
            expected = twin.wrap16(((int(trace) * twin.look(plus.tolist(), t - last)) >> 11) + 2048)
            trace = np.int16(plasticity.pre_spike(t, last, trace, held, target, lags, *history, plus, minus, numbers))
            assert (held[0], trace) == (weight, expected)
            last = t


def test_a_post_spike_that_has_not_yet_arrived_depresses_nothing():
    """Step 2, lag 5: the window's end is held at 0, so a spike of step 0 is in it, -3 steps ago: that is, never."""
    table = plasticity.decay_table(1.0, 1.0)
    history = plasticity.empty_history(1)
    plasticity.post_spike(0, 0, *history, table)
    held, numbers = np.array([1000], np.uint16), (0, 3, 0, 2**20, 2**15, 2**15)
    plasticity.pre_spike(2, 0, np.int16(0), held, np.zeros(1, np.int64), np.array([5]), *history, table, table, numbers)
    assert held.tolist() == [1000]


def test_a_scaled_model_scales_weights_but_not_pure_numbers():
    additive, multiplicative = (
        plasticity.pair_rule(kind, 0.0, 0.01, 0.002, 0.002, 20.0, 20.0, 1.0, 4, 1024) for kind in (False, True)
    )
    assert additive.w_max == multiplicative.w_max == round(0.01 * 1024 * 32768)
    assert (additive.a_plus, multiplicative.a_plus) == (round(0.002 * 1024 * 32768), round(0.002 * 32768))


def test_a_time_constant_must_be_positive():
    with pytest.raises(OutOfRange, match="positive"):
        plasticity.decay_table(0.0, 1.0)
