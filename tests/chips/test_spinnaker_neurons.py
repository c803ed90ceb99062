"""All six models, bit for bit: against traces of sPyNNaker's code, and on any words against the plain-Python twin."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neurohw.chips.spinnaker import neurons
from neurohw.chips.spinnaker.models import MODELS, N_COEFFICIENTS, N_STATES, RECORDABLES
from neurohw.errors import BadInput, OutOfRange
from tests.oracles import spinnaker_fixed as twin

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "spinnaker" / "neurons.npz")
TRACES = json.loads(GOLDEN["meta"].tobytes())
COLUMNS = ("spiked", *RECORDABLES)

# The order of the words on the board: one group of structs after the other, each group neuron by neuron.
NEURON_STRUCT = {
    "lif": ("v", "v_rest", "cm", "tau_m", "i_offset", "v_reset", "tau_refrac", "refract_timer", "time_step"),
    "izk": ("a", "b", "c", "d", "v", "u", "i_offset", "time_step", "next_h"),
}
SYNAPSE_STRUCT = {
    "exp": ("tau_syn_E", "isyn_exc", "tau_syn_I", "isyn_inh", "time_step"),
    "alpha": ("lin_E", "exp_E", "q_E", "tau_syn_E", "lin_I", "exp_I", "q_I", "tau_syn_I", "time_step"),
    "delta": ("isyn_exc", "isyn_inh"),
}
# The C structs' names for the rows of state and coefficients, where they differ.
C_NAMES = {
    "V": "v", "U": "u", "A": "a", "B": "b", "C": "c", "D": "d", "R_membrane": "resistance", "exp_TC": "exp_tc",
    "I_offset": "i_offset", "V_rest": "v_rest", "V_reset": "v_reset", "T_refract": "t_refract",
    "refract_timer": "refractory", "exc_init": "initial_exc", "inh_init": "initial_inh",
} | {
    f"{side}{suffix}": f"{row}_{side}"
    for side in ("exc", "inh")
    for suffix, row in (("", "isyn"), ("_value", "isyn"), ("_decay", "decay"), ("_dt_tau2", "dt_tau2"),
                        ("_lin", "lin"), ("_exp", "exp"), ("_q", "q"))
}  # fmt: skip


# Where the twin keeps the rows of the state.
PLACES = {"refractory": ("soma", "refract"), "this_h": ("soma", "h")} | {
    f"{row}_{side}": (side, attribute)
    for side in ("exc", "inh")
    for row, attribute in (("isyn", "x"), ("lin", "lin"), ("exp", "exp"), ("q", "q"))
}


def column(trace, name):
    """One recorded variable of a golden trace, int64[neuron, step]."""
    stored = GOLDEN[f"{trace}/{name}"]
    if name == "spiked":
        return np.unpackbits(stored, axis=1, count=GOLDEN[f"{trace}/v"].shape[1]).astype(np.int64)
    return stored.astype(np.int64) if name.startswith("ring") else np.cumsum(stored.astype(np.int64), axis=1)


def parameters(model, meta):
    defaults = {"v": -65.0} if model.neuron == "lif" else {"v": -70.0, "u": -14.0}
    return defaults | meta["parameters"]


def region(model, words, n):
    """The parameter words by name, from the memory region that the tool chain writes."""
    words = np.array(words, np.uint32).view(np.int32)
    inputs = ("e_rev_E", "e_rev_I") if model.conductance else ("time_step",) if model.synapse == "delta" else ()
    found, at = {}, 1
    for struct in (NEURON_STRUCT[model.neuron], inputs, ("v_thresh",), SYNAPSE_STRUCT[model.synapse]):
        block = words[at : at + n * len(struct)].reshape(n, len(struct)).T
        found |= dict(zip(struct, block, strict=True))
        at += n * len(struct)
    assert at == words.size
    return found


def run(model, state, coef, rings, shifts):
    """Every recorded variable of a run, int64[neuron, step]; `rings` = (exc, inh), each [neuron, step]."""
    n, steps = rings[0].shape
    out = {name: np.zeros((n, steps), np.int64) for name in COLUMNS}
    spiked = np.zeros(n, np.uint8)
    exc, inh = (np.ascontiguousarray(r.T, dtype=np.uint32) for r in rings)
    for t in range(steps):
        neurons.transfer(model.code, state, coef, 0, n, exc[t], inh[t], *shifts)
        seen = [neurons.observe(model.code, state, i) for i in range(n)]
        for name, values in zip(RECORDABLES, zip(*seen, strict=True), strict=True):
            out[name][:, t] = values
        neurons.update(model.code, state, coef, 0, n, spiked)
        out["spiked"][:, t] = spiked
    return out


def run_twin(model, raw, rings, shifts, build=twin.Neuron, start=None):
    n, steps = rings[0].shape
    out = {name: np.zeros((n, steps), np.int64) for name in COLUMNS}
    for i in range(n):
        neuron = build(model.name, {name: int(word[i]) for name, word in raw.items()})
        for name, words in (start or {}).items():
            part, attribute = PLACES[name]
            setattr(getattr(neuron, part), attribute, int(words[i]))
        for t in range(steps):
            out["spiked"][i, t], seen = neuron.step(int(rings[0][i, t]), int(rings[1][i, t]), *shifts)
            for name, value in zip(RECORDABLES, seen, strict=True):
                out[name][i, t] = value
    return out


def mismatches(a, b):
    return sum(int(np.count_nonzero(a[name] != b[name])) for name in COLUMNS)


def golden(trace):
    return {name: column(trace, name) for name in COLUMNS}


def rings_of(trace):
    return column(trace, "ring_exc"), column(trace, "ring_inh")


@pytest.fixture(params=TRACES)
def trace(request):
    return request.param


def test_every_model_has_traces_at_both_time_steps():
    assert {(m["model"], m["dt_ms"]) for m in TRACES.values()} == {(name, dt) for name in MODELS for dt in (1.0, 0.1)}
    assert all(column(t, "spiked").any() for t in TRACES if "offset" in t)


def test_parameters_become_the_words_on_the_board(trace):
    meta = TRACES[trace]
    model = MODELS[meta["model"]]
    raw, written = model.raw(parameters(model, meta), meta["dt_ms"]), region(model, meta["region"], 4)
    for name, words in raw.items():
        np.testing.assert_array_equal(np.broadcast_to(words, 4), written[name], err_msg=name)


def test_words_become_the_constants_on_the_core(trace):
    meta = TRACES[trace]
    model = MODELS[meta["model"]]
    state, coef = model.derive(region(model, meta["region"], 4))
    rows = dict(zip(model.coefficients, coef, strict=True)) | dict(zip(model.states, state, strict=True))
    for i, structs in enumerate(meta["derived"]):
        for name, value in (structs["neuron_t"] | structs["synapse_types_t"]).items():
            assert int(rows[C_NAMES.get(name, name)][i]) % 2**32 == value % 2**32, name
        inputs = ("e_rev_E", "e_rev_I") if model.conductance else ("per_step",) if model.synapse == "delta" else ()
        assert structs["input_type_t"] == [rows[name][i] for name in inputs]


def test_every_step_of_the_trace(trace):
    meta = TRACES[trace]
    model = MODELS[meta["model"]]
    state, coef = model.initialize(parameters(model, meta), meta["dt_ms"])
    assert mismatches(run(model, state, coef, rings_of(trace), meta["shifts"]), golden(trace)) == 0
    for name, values in meta["last"].items():
        assert state[model.states.index(C_NAMES.get(name, name))].tolist() == values, name


def test_the_twin_agrees_with_the_trace(trace):
    meta = TRACES[trace]
    model = MODELS[meta["model"]]
    raw = region(model, meta["region"], 4)
    assert mismatches(run_twin(model, raw, rings_of(trace), meta["shifts"]), golden(trace)) == 0


@pytest.mark.parametrize("name", COLUMNS)
def test_a_flipped_bit_is_caught(name):
    trace = "IF_cond_exp_sat_dt1"
    meta = TRACES[trace]
    model = MODELS[meta["model"]]
    got = run(model, *model.initialize(parameters(model, meta), meta["dt_ms"]), rings_of(trace), meta["shifts"])
    wrong = copy.deepcopy(golden(trace))
    wrong[name][2, 137] ^= 1
    assert mismatches(got, wrong) == 1


def test_a_flipped_input_bit_is_caught(trace):
    meta = TRACES[trace]
    model = MODELS[meta["model"]]
    exc, inh = rings_of(trace)
    inh[1, 20] ^= 1 << 15
    got = run(model, *model.initialize(parameters(model, meta), meta["dt_ms"]), (exc, inh), meta["shifts"])
    assert mismatches(got, golden(trace)) > 0


class AsWritten(twin.Neuron):
    """Izhikevich with the products grouped as in the C text, which the compiler did not keep."""

    def __init__(self, model, raw):
        super().__init__(model, raw)
        self.soma.source_order = True


@pytest.mark.parametrize("trace", [t for t in TRACES if t.startswith("IZK")])
def test_the_order_of_the_c_text_is_caught(trace):
    meta = TRACES[trace]
    model = MODELS[meta["model"]]
    raw = region(model, meta["region"], 4)
    assert mismatches(run_twin(model, raw, rings_of(trace), meta["shifts"], AsWritten), golden(trace)) > 0


EDGES = [0, 1, -1, 32767, 32768, -32768, 983040, 2**31 - 1, -(2**31)]
ANY = st.one_of(st.sampled_from(EDGES), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**23), 2**23))
DIVISOR = st.one_of(st.sampled_from([1, 2, 32768, 3277, 2**31 - 1]), st.integers(1, 2**31 - 1), st.integers(1, 2**21))
REFRACTORY = st.integers(0, 2**21)
RING = st.one_of(st.just(0), st.integers(0, 65535), st.sampled_from([1, 65535]))


@st.composite
def one_neuron(draw, model):
    """Raw words and state of one neuron over all of their range, and 8 steps of input."""
    raw = {}
    for name in (*model.parameters, "time_step"):
        divides = name in ("cm", "tau_m", "tau_syn_E", "tau_syn_I", "time_step")
        word = draw(DIVISOR if divides else REFRACTORY if name == "tau_refrac" else ANY)
        raw[name] = np.array([word], np.int32)
    rings = tuple(np.array([draw(st.lists(RING, min_size=8, max_size=8))]) for _ in range(2))
    start = {name: np.array([draw(ANY)], np.int32) for name in model.states if name in PLACES}
    return raw, start, rings, draw(st.tuples(st.integers(0, 17), st.integers(0, 17)))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_kernel_is_its_twin_on_any_words(model, data):
    raw, start, rings, shifts = data.draw(one_neuron(model))
    if model.synapse == "alpha":
        assume(all(twin.m(int(raw[tau][0]), int(raw[tau][0])) for tau in ("tau_syn_E", "tau_syn_I")))
    state, coef = model.derive(raw)
    for name, words in start.items():
        state[model.states.index(name)] = words
    got = run(model, state, coef, rings, shifts)
    assert mismatches(got, run_twin(model, raw, rings, shifts, start=start)) == 0


def test_alpha_divides_by_zero_as_the_core_does():
    """Unsigned 1/0 has all bits set on ARM (libgcc), so the factor is 1 - (-1/32768): 32769 in s16.15."""
    model = MODELS["IF_curr_alpha"]
    state, coef = np.zeros((len(model.states), 1), np.int32), np.zeros((len(model.coefficients), 1), np.int32)
    state[model.states.index("exp_exc")] = -32768
    state[model.states.index("lin_exc")] = 1 << 20
    coef[model.coefficients.index("decay_exc")] = -1  # 0xFFFFFFFF: -32768 stays, and 32768 is added
    one, none = np.ones(1, np.uint32), np.zeros(1, np.uint32)
    neurons.transfer(model.code, state, coef, 0, 1, one, none, 0, 0)
    rows = dict(zip(model.states, state[:, 0].tolist(), strict=True))
    assert (rows["exp_exc"], rows["lin_exc"]) == (0, ((1 << 20) * 32769) >> 15)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_columns_of_a_wide_table(model):
    """67 neurons (whole vectors and a rest) amid a wide table: each as if alone, and the others untouched."""
    rng, n = np.random.default_rng(5), 67
    raw = {name: rng.integers(1, 2**21, n, dtype=np.int32) for name in (*model.parameters, "time_step")}
    rings = tuple(rng.integers(0, 65536, (n, 12)) * rng.integers(0, 2, (n, 12)) for _ in range(2))
    first, last = 9, 9 + n
    state, coef = (np.full((rows, 90), 123, np.int32) for rows in (N_STATES, N_COEFFICIENTS))
    state[: len(model.states), first:last], coef[: len(model.coefficients), first:last] = model.derive(raw)
    exc, inh = np.zeros((2, 12, 90), np.uint32)
    exc[:, first:last], inh[:, first:last] = rings[0].T, rings[1].T
    spiked, fired = np.full(90, 7, np.uint8), np.zeros((n, 12), np.int64)
    for t in range(12):
        neurons.advance(model.code, state, coef, first, last, exc[t], inh[t], 2, 3, spiked)
        fired[:, t] = spiked[first:last]
    reference = run_twin(model, raw, rings, (2, 3))
    np.testing.assert_array_equal(fired, reference["spiked"])
    alone, coef_alone = model.derive(raw)
    run(model, alone, coef_alone, rings, (2, 3))
    np.testing.assert_array_equal(state[: len(model.states), first:last], alone)
    outside = np.r_[0:first, last:90]
    assert (state[:, outside] == 123).all()
    assert (spiked[outside] == 7).all()
    assert (state[len(model.states) :] == 123).all()


def test_refractory_neuron_fires_every_step_if_reset_above_threshold():
    """The threshold is looked at also while refractory."""
    model = MODELS["IF_curr_exp"]
    params = dict.fromkeys(model.parameters, 1.0) | {"v": 0.0, "v_reset": 5.0, "v_thresh": 2.0, "tau_refrac": 10.0}
    quiet = np.zeros((1, 6), np.int64)
    got = run(model, *model.initialize(params | {"i_offset": 100.0}, 1.0), (quiet, quiet), (0, 0))
    assert got["spiked"].tolist() == [[1] * 6]


def test_a_refractory_period_is_rounded_up_to_steps():
    model = MODELS["IF_curr_exp"]
    params = dict.fromkeys(model.parameters, 1.0) | {"tau_refrac": [0.0, 0.1, 1.0, 1.0 + 2**-15, 1.5, 17.25]}
    _, coef = model.initialize(params, 1.0)
    assert coef[model.coefficients.index("t_refract")].tolist() == [0, 1, 1, 2, 2, 18]


@pytest.mark.parametrize(
    ("model", "change", "error", "match"),
    [
        ("IF_curr_exp", {"tau_m": 1e-5}, OutOfRange, "tau_m"),
        ("IF_curr_exp", {"cm": 0.0}, OutOfRange, "cm"),
        ("IF_curr_exp", {"v_thresh": 1e9}, OutOfRange, "v_thresh"),
        ("IF_curr_exp", {"e_rev_E": 0.0}, BadInput, "e_rev_E"),
        ("IF_curr_alpha", {"tau_syn_I": 0.001}, OutOfRange, "square of a tau_syn"),
        ("IZK_curr_exp", {"v_rest": -65.0}, BadInput, "v_rest"),
    ],
)
def test_what_cannot_be_is_refused(model, change, error, match):
    params = dict.fromkeys(MODELS[model].parameters, 1.0) | change
    with pytest.raises(error, match=match):
        MODELS[model].initialize(params, 1.0)


def test_a_missing_parameter_is_named():
    with pytest.raises(BadInput, match="tau_m"):
        MODELS["IF_curr_exp"].initialize({"cm": 1.0}, 1.0)
