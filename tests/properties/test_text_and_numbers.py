"""Whatever is written, it is read back as it was or refused as BadInput; nothing else happens."""

import contextlib
import json
import math

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from neurohw import rng, units
from neurohw.connections import FixedProbability
from neurohw.device.device import DeviceFile
from neurohw.distributions import Normal, Uniform, sample, spread
from neurohw.effects import EFFECTS
from neurohw.errors import BadInput, NeurohwError
from neurohw.mapping import load_mapping
from neurohw.network import Network
from neurohw.program import DelayPlan, normalize_record
from neurohw.report import Loss, Report, Resource
from neurohw.schema import validate

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SIZABLE = st.floats(1e-9, 1e9) | st.floats(-1e9, -1e-9) | st.just(0.0)
WORDS = st.text(max_size=30)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(SIZABLE, st.sampled_from(units.COHERENT))
def test_a_number_with_its_unit_is_read_back(value, unit):
    assert units.parse_text(f"{value!r} {unit}", unit) == pytest.approx(value, rel=1e-15)
    assert units.parse(value, unit) == value


@given(SIZABLE, st.sampled_from(units.COHERENT))
def test_what_is_printed_pretty_is_the_same_quantity(value, unit):
    assert units.parse(units.pretty(value, unit).replace("µ", "u"), unit) == pytest.approx(value, rel=1e-3)


@given(st.text(max_size=100) | ANYTHING, st.sampled_from(units.COHERENT))
def test_any_text_is_a_finite_number_or_bad_input(text, unit):
    try:
        assert math.isfinite(units.parse(text, unit))
    except BadInput as error:
        said = str(error)
        assert said.startswith("value: ")


@given(st.from_regex(r"\A[-+]?[0-9.eE+*()/ ^_a-zA-Z]{1,40}\Z"))
def test_no_arithmetic_is_carried_out(text):
    with contextlib.suppress(BadInput):
        assert math.isfinite(units.parse(text, "ms"))


@given(ANYTHING)
def test_any_data_as_a_device_file_is_bad_input(data):
    with pytest.raises(BadInput):
        validate(DeviceFile, data, "file")


@given(st.sampled_from(sorted(EFFECTS)), ANYTHING)
def test_any_data_as_an_effect_is_bad_input(name, data):
    try:
        validate(EFFECTS[name], data, "file")
    except BadInput as error:
        said = str(error)
        assert said.startswith("file: ")


@given(
    st.dictionaries(
        st.sampled_from(["network", "duration", "trials", "chips", "record", "stimulus", "discard"]), ANYTHING
    )
)
def test_any_yaml_as_a_mapping_is_read_or_bad_input(tmp_path, data):
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    try:
        load_mapping(path).devices()
    except NeurohwError as error:
        said = str(error)
        assert "x.yaml" in said


@given(st.binary(max_size=60))
def test_any_bytes_as_a_mapping_are_bad_input(tmp_path, data):
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(BadInput):
        load_mapping(path)


@given(st.dictionaries(st.sampled_from(["tau_m", "cm", "v_rest", "tau_refrac", "x"]), ANYTHING))
def test_any_parameters_are_taken_or_bad_input(parameters):
    try:
        network = Network().population("a", 2, "IF_curr_exp", parameters)
    except BadInput:
        return
    assert all(np.isfinite(network.parameter("a", p)).all() for p in parameters if p != "tau_m")


@given(ANYTHING, ANYTHING)
def test_any_weight_and_delay_are_taken_or_bad_input(weight, delay):
    network = Network().population("a", 2, "IF_curr_exp")
    try:
        network = network.project("a", "a", FixedProbability(0.5), weight, delay)
    except BadInput:
        return
    assert spread(network.projections["a to a"].delay)[2] >= 0


@given(ANYTHING)
def test_any_spike_times_are_taken_or_bad_input(times):
    try:
        network = Network().population("s", 2, "SpikeSourceArray", spike_times=times)
    except BadInput:
        return
    train = network.populations["s"].spike_times
    assert (np.diff(train.times) >= 0).all()
    assert np.isin(train.indices, (0, 1)).all()


@given(st.dictionaries(st.sampled_from(["all", "a", "s", "x"]), ANYTHING))
def test_anything_to_record_is_taken_or_bad_input(record):
    network = Network().population("a", 3, "IF_curr_exp").population("s", 2, "SpikeSourcePoisson")
    try:
        found = normalize_record(network, record)
    except BadInput:
        return
    assert all(np.isin(which, (0, 1, 2)).all() for which in found["a"].values())


@given(FINITE, FINITE, st.integers(0, 2**64 - 1))
def test_uniform_stays_in_its_bounds(a, b, key):
    low, high = min(a, b), max(a, b)
    if not math.isfinite(high - low):
        return
    drawn = Uniform(low, high).sample(np.uint64(key), 50)
    assert (drawn >= low).all()
    assert (drawn <= high).all()


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(-1e7, 1e7), st.floats(0, 1e7), st.integers(0, 2**64 - 1))
def test_normal_stays_in_its_bounds(mean, sd, low, width, key):
    drawn = Normal(mean, sd, low, low + width).sample(np.uint64(key), 50)
    assert (drawn >= low).all()
    assert (drawn <= low + width).all()


@given(st.integers(-(2**63), 2**63 - 1), WORDS, st.lists(st.integers(0, 2**40), min_size=1, max_size=20))
def test_draws_depend_on_their_counter_alone(seed, address, counters):
    key = rng.key(seed, address)
    every = rng.normal(key, np.array(counters))
    assert [float(rng.normal(key, np.array([c]))[0]) for c in counters] == every.tolist()
    assert np.array_equal(sample(Normal(0, 1), key, np.array(counters)), sample(Normal(0, 1), key, np.array(counters)))


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=12, unique=True),
    st.lists(st.floats(0, 40), min_size=1),
    st.sampled_from([0.1, 0.5, 1.0]),
)
def test_a_synapse_takes_the_nearest_delay_there_is(allowed, delays, dt):
    plan = DelayPlan({"p": np.array(sorted(allowed))})
    steps = plan.steps("p", np.array(delays), dt)
    for step, delay in zip(steps, delays, strict=True):
        wanted = math.floor(delay / dt + 0.5 + 1e-9)
        nearest = min(abs(a - wanted) for a in allowed)
        assert step == max(a for a in allowed if abs(a - wanted) == nearest)


@given(
    st.lists(st.builds(Loss, WORDS, FINITE, FINITE, WORDS, WORDS, WORDS), max_size=3),
    st.lists(st.builds(Resource, WORDS, FINITE, FINITE | st.just(math.inf), WORDS), max_size=3),
    st.lists(WORDS, max_size=3),
    st.dictionaries(WORDS.filter(str.isidentifier), st.tuples(FINITE, WORDS), max_size=3),
)
def test_reports_are_read_back(losses, resources, notes, estimates):
    report = Report().add(*losses, *resources, *notes, **estimates)
    assert Report.from_dict(json.loads(json.dumps(report.as_dict()))) == report
    assert str(report)
