"""What must hold on any hardware: rounding is bounded, and placement, cutting and order do not show in the results."""

import itertools
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurohw import workbench
from neurohw.connections import AllToAll, FixedNumberPost, FixedNumberPre, FixedProbability, FixedTotalNumber, FromList
from neurohw.device import load_device
from neurohw.distributions import Uniform
from neurohw.effects.weight_resolution import WeightResolution
from neurohw.kernels.rows import rows
from neurohw.kernels.spinnaker_weights import to_raw, weight_scale
from neurohw.network import Network
from neurohw.schema import Number
from tests import small


@given(st.integers(1, 16), st.floats(1e-6, 1e3), st.lists(st.floats(0, 1), min_size=1))
def test_codes_of_few_bits_are_off_by_half_a_step_at_most(bits, unit, shares):
    resolution = WeightResolution(bits=Number(bits))
    weights = np.array(shares) * resolution.top * unit
    codes = resolution.codes(weights, unit)
    assert (codes >= 0).all()
    assert (codes <= resolution.top).all()
    assert (np.abs(codes * unit - weights) <= unit / 2 * (1 + 1e-9)).all()
    assert np.array_equal(resolution.codes(codes * unit, unit), codes), "what has been rounded stays as it is"
    assert (np.diff(codes[np.argsort(weights)]) >= 0).all()


@given(st.integers(0, 20), st.sampled_from([1, 1024]), st.lists(st.floats(0, 1), min_size=1))
def test_words_of_sixteen_bits_are_off_by_half_a_step_at_most(shift, scale, shares):
    factor = weight_scale(shift, scale)
    weights = np.array(shares) * 65535 / factor
    words, loss = to_raw(weights, factor)
    assert (np.abs(words / factor - weights) <= 0.5 / factor * (1 + 1e-9)).all()
    assert loss.wrapped == 0
    assert np.array_equal(to_raw(words / factor, factor)[0], words)


@pytest.mark.parametrize("name", [name for name in small.DEVICES if name != "reference"])
@settings(max_examples=15)
@given(st.lists(st.floats(0, 1), min_size=12, max_size=12))
def test_what_is_written_is_read_to_half_a_step(name, shares):
    device, chip = without_noise(name)
    for projection, (low, high) in chip.capabilities.weight_range.items():
        low, high = max(low, -1.0), min(high, 1.0)
        inhibitory = chip.loaded.network.projections[projection].receptor == "inhibitory"
        sign = chip.loaded.network.populations["e"].model.inhibitory_sign if inhibitory else 1
        wanted = np.resize(shares, chip.places(projection).size) * (high if sign > 0 else low)
        chip.write(projection, wanted)
        step = chip.capabilities.weight_step.get(projection, 0.0) if device.substrate != "crossbar" else 0.0
        # conductances are float32: 24 bits
        assert np.abs(chip.read(projection) - wanted).max() <= step / 2 * (1 + 1e-9) + 1e-6 * abs(high - low)


UNSURE = {"programming_noise", "set_pulse", "drift", "read_noise", "stuck_cells", "dead_lines", "adc", "dac", "ir_drop"}


@cache
def without_noise(name):
    device = load_device(name)
    noisy = UNSURE & {effect.name for effect in device.effects}
    device = device.without(*sorted(noisy)) if noisy else device
    chip = workbench.fabricate(device, 1)
    # an arm in the RESET state conducts a little: half a step holds for pairs without
    choices = {"idle_arms": "none"} if device.substrate == "crossbar" else None
    chip.load(workbench.map_network(small.recurrent_short(small.models_of(name)[0]), device, choices))
    return device, chip


@cache
def on_spinnaker(model, neurons_per_core):
    choices = {"neurons_per_core": neurons_per_core} if neurons_per_core else None
    program = workbench.map_network(
        small.recurrent_short(model), "spinnaker-spin5", choices, dt=0.5, record={"e": ["v"]}
    )
    return program, workbench.run(program, workbench.fabricate("spinnaker-spin5"), 40.0)


@settings(max_examples=12)
@given(st.sampled_from(small.models_of("spinnaker-spin5")), st.integers(1, 256))
def test_placement_does_not_show_on_spinnaker(model, neurons_per_core):
    usual, placed = on_spinnaker(model, None), on_spinnaker(model, neurons_per_core)
    assert len(placed[0].slices) == sum(-(-size // neurons_per_core) for size in (12, 4)) + 1
    assert small.same(usual[1], placed[1])
    assert usual[1].spikes["e"][0].size > 10


@pytest.mark.parametrize("name", [name for name in small.DEVICES if name != "reference"])
def test_an_ideal_device_does_not_show_where_neurons_lie(name):
    """Numbering neurons of two populations the other way round changes nothing but the order of sums."""
    device = load_device(name).ideal()
    made = small.recurrent_short("IF_cond_exp")
    turned = Network(made.name, made.seed, {p: made.populations[p] for p in ("i", "e", "drive")}, made.projections)
    a, b = (
        workbench.run(workbench.map_network(n, device, dt=0.1, record={"e": ["v"]}), workbench.fabricate(device), 40.0)
        for n in (made, turned)
    )
    for population in ("e", "i", "drive"):
        for k in (0, 1):
            assert np.array_equal(a.spikes[population][k], b.spikes[population][k])
    assert np.abs(a.traces["e"]["v"] - b.traces["e"]["v"]).max() < 1e-9


RULES = st.one_of(
    st.builds(AllToAll, st.booleans()),
    st.builds(FixedProbability, st.floats(0, 1), st.booleans()),
    st.builds(FixedTotalNumber, st.integers(0, 60)),
    st.builds(FixedNumberPost, st.integers(0, 6)),
    st.builds(FixedNumberPre, st.integers(0, 6)),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=30).map(
        lambda pairs: FromList([a for a, _ in pairs], [b for _, b in pairs])
    ),
)


@given(RULES, st.integers(1, 2**31), st.lists(st.integers(0, 7), max_size=4))
def test_rows_do_not_depend_on_how_they_are_cut(rule, seed, cuts):
    network = Network(seed=seed).population("a", 7, "IF_curr_exp")
    network = network.project("a", "a", rule, Uniform(0, 1), Uniform(1, 9))
    projection, bounds = network.projections["a to a"], [0, *sorted(cuts), 7]
    whole = rows(network, projection)
    parts = [rows(network, projection, a, b) for a, b in itertools.pairwise(bounds)]
    for column in ("sources", "targets", "weights", "delays"):
        assert np.array_equal(np.concatenate([getattr(part, column) for part in parts]), getattr(whole, column))


@settings(max_examples=20)
@given(RULES, st.integers(1, 2**31))
def test_a_network_is_not_changed_by_being_mapped(rule, seed):
    network = Network(seed=seed).population("a", 7, "IF_cond_exp", {"i_offset": np.linspace(0.0, 1.0, 7)})
    network = network.project("a", "a", rule, np.float64(0.001), Uniform(1, 3))
    before = {name: vars(p).copy() for name, p in (*network.populations.items(), *network.projections.items())}
    values = network.populations["a"].parameters["i_offset"].copy()
    for name in ("brainscales1-wafer", "pcm-million", "spinnaker-spin5"):
        program = workbench.map_network(network, name)
        assert program.requested is not None
        workbench.run(program, workbench.fabricate(name), 3.0)
    after = {name: vars(p) for name, p in (*network.populations.items(), *network.projections.items())}
    assert all(after[name][key] is before[name][key] for name in before for key in before[name])
    assert np.array_equal(network.populations["a"].parameters["i_offset"], values)
