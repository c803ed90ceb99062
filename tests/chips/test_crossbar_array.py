"""The array around the devices: pairs, tiles, converters, drivers, wires, dead lines, gains; how read noise is drawn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, skew

from neurohw.chips.crossbar import tiles
from neurohw.chips.crossbar.gains import ONE as GAIN_ONE
from neurohw.connections import AllToAll, FixedProbability, FromList
from neurohw.device import load_device
from neurohw.device.crossbar import CrossbarChoices
from neurohw.distributions import Uniform
from neurohw.errors import BadInput, Unsupported
from neurohw.network import Network
from neurohw.schema import Number
from neurohw.workbench import fabricate, map_network
from tests.oracles.nodal import transfer

CORE = load_device("pcm-core")
EFFECTS = tuple(effect.name for effect in CORE.effects)


def only(*names, device=CORE, **numbers):
    """The device with these effects alone."""
    kept = device.without(*(effect.name for effect in device.effects if effect.name not in names))
    return kept.with_(**numbers) if numbers else kept


def layer(n_pre=6, n_post=5, weights=0.5, rule=None):
    """Sources onto neurons whose membrane is the sum of what arrived: an accumulator for tests."""
    net = Network("layer", 1).population("post", n_post, "IF_curr_delta", {"tau_m": 1e9, "v_thresh": 1e6})
    net = net.population("pre", n_pre, "SpikeSourceArray", spike_times=[])
    return net.project("pre", "post", rule or AllToAll(), weight=weights, delay=1.0, name="w")


def loaded(network, device, seed=3, **choices):
    program = map_network(
        network,
        device,
        choices={"empty_cells": "none", "idle_arms": "none", **choices},
        dt="1 ms",
        record={"post": ["v"]},
    )
    chip = fabricate(device, seed)
    chip.load(program)
    return chip


def arrived(chip, sources, trial=0):
    """What each neuron receives when these sources spike once, together."""
    trace = chip.run(4.0, trial=trial, stimulus={"pre": (np.zeros(len(sources)), sources)}).traces["post"]["v"]
    return trace[-1] - trace[0]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 9), st.lists(st.floats(-1, 1), min_size=1, max_size=5))
def test_pairs_add_up_to_the_weight(pairs, significance, shares):
    choices = CrossbarChoices(pairs_per_synapse=pairs, significance=significance)
    g = np.array(shares) * choices.reach * 25.0
    parts = choices.spread(g, 25.0)
    np.testing.assert_allclose(choices.shares @ parts, g, rtol=1e-9, atol=1e-9 * choices.reach)
    assert np.abs(parts).max() <= 25.0 * (1 + 1e-9)
    if significance > 1:
        digits = parts[1:] / (25.0 / (significance - 1))
        np.testing.assert_allclose(digits, np.round(digits), atol=1e-9)


@pytest.mark.parametrize("choices", [{}, {"pairs_per_synapse": 3}, {"pairs_per_synapse": 4, "significance": 3}])
@pytest.mark.parametrize("scaling", ["per projection", "per tile", "per column"])
def test_without_effects_any_layout_gives_the_weights(choices, scaling):
    net = layer(100, 40, Uniform(0.01, 0.9), FixedProbability(0.5))
    device = only(rows=16, columns=12)
    chip, reference = (
        loaded(net, device, weight_scaling=scaling, **choices),
        loaded(net, load_device("pcm-core").ideal()),
    )
    some = np.arange(0, 100, 3)
    np.testing.assert_allclose(arrived(chip, some), arrived(reference, some), rtol=1e-6)
    np.testing.assert_allclose(chip.read("w"), reference.read("w"), rtol=1e-6)
    new = np.linspace(0.001, 0.05, chip.places("w").size)
    for one in (chip, reference):
        one.write("w", new)
    np.testing.assert_allclose(chip.read("w"), new, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(arrived(chip, some), arrived(reference, some), rtol=1e-6)


def test_a_column_of_its_own_scale_uses_the_whole_range():
    """A neuron with weights a tenth of the others' has conductances as large as theirs, and less noise than without."""
    pre, post = np.repeat(np.arange(50), 2), np.tile([0, 1], 50)
    weights = np.where(post == 0, 1.0, 0.1)
    chips = {
        scaling: loaded(layer(50, 2, weights, FromList(pre, post)), only("programming_noise"), weight_scaling=scaling)
        for scaling in ("per receptor", "per column")
    }
    error = {scaling: (chip.read("w") - weights)[post == 1].std() for scaling, chip in chips.items()}
    assert error["per column"] < 0.5 * error["per receptor"]
    assert chips["per column"].loaded.payload.column_unit[0] == pytest.approx([1.0, 0.1])


def test_pairs_that_share_a_weight_have_less_noise():
    """Programming noise of n equal pairs averages: about 1 / sqrt(n) of that of one."""
    one, many = (loaded(layer(200, 5), only("programming_noise"), pairs_per_synapse=n, g_use=0.6) for n in (1, 9))
    ratio = one.read("w").std() / many.read("w").std()
    assert ratio == pytest.approx(3.0, rel=4 * np.sqrt(2 / 1000))


def test_pulses_go_round_the_pairs():
    device = load_device("pcm-set").without("read_noise", "drift")
    program = map_network(layer(20, 5, 0.1), device, choices={"empty_cells": "none", "pairs_per_synapse": 4}, dt="1 ms")
    chip = fabricate(device, 1)
    chip.load(program)
    before = chip.devices.worn[0].reshape(-1, 4).copy()
    for _ in range(6):
        chip.update("w", np.ones(100, np.int64))
    got = chip.devices.worn[0].reshape(-1, 4) - before
    assert (got == [2, 2, 1, 1]).all()
    chip.update("w", np.full(100, 5))
    assert (chip.devices.worn[0].reshape(-1, 4) - before).sum() == 100 * 11
    sliced = fabricate(device, 1)
    sliced.load(
        map_network(layer(2, 2), device, choices={"empty_cells": "none", "pairs_per_synapse": 2, "significance": 2})
    )
    with pytest.raises(Unsupported, match="significance"):
        sliced.update("w", np.ones(4, np.int64))


def converted(values, step, low, high):
    return np.clip(np.floor(values / step + 0.5), low, high) * step


@pytest.mark.parametrize("accumulation", ["digital", "analog"])
def test_converters_before_or_behind_the_sum_over_tiles(accumulation):
    """Rows on five tiles: digital, each tile's sum is a code; analog, the sum of all tiles is."""
    generator = np.random.default_rng(1)
    weights = generator.uniform(0.0, 1.0, (40, 7))
    net = layer(40, 7, weights.ravel())
    device = only("adc", rows=8, **{"adc.offset": 0.0, "adc.gain": 0.0, "adc.noise": 0.0, "adc.bits": 6})
    chip = loaded(net, device, accumulation=accumulation, adc_range=300.0)
    unit = chip.loaded.payload.unit[0]
    step = 2 * 300.0 / 2**6 * unit
    who = np.array([0, 1, 9, 17, 20, 39])
    read = np.zeros((5, 7))
    np.add.at(read, who // 8, weights[who])
    sums = (
        converted(read, step, -32, 31).sum(axis=0)
        if accumulation == "digital"
        else converted(read.sum(0), step, -32, 31)
    )
    np.testing.assert_allclose(arrived(chip, who), sums, rtol=1e-6)
    use = tiles.use(chip)
    assert use.rows.tolist() == [2, 1, 2, 0, 1]
    assert use.conversions.sum() == (4 * 7 if accumulation == "digital" else 7)


def test_what_exceeds_the_range_is_cut_and_counted():
    device = only("adc", **{"adc.offset": 0.0, "adc.gain": 0.0, "adc.noise": 0.0})
    chip = loaded(layer(6, 5), device, adc_range=60.0)
    recording = chip.run(4.0, stimulus={"pre": (np.zeros(6), np.arange(6))})
    (loss,) = (x for x in recording.report.losses if x.what == "conversions saturated")
    assert (loss.count, loss.of) == (5, 5)
    assert recording.report.estimates["adc_saturated"] == (5, "")
    top = 127 / 128 * 60.0 * chip.loaded.payload.unit[0]
    np.testing.assert_allclose(recording.traces["post"]["v"][-1] + 65.0, top, rtol=1e-6)
    assert recording.report.estimates["conversion_energy"][0] == 5 * 2560
    assert chip.capabilities.adc_bits == 8


def test_offsets_and_noise_of_converters():
    """Offsets are there at every conversion, the same; noise is fresh, with the spread asked for."""
    device = only("adc", **{"adc.offset": 3.0, "adc.gain": 0.0, "adc.noise": 2.0, "adc.bits": 14})
    chip = loaded(layer(1, 200, 1e-9), device)
    step = chip.array.converters.step[0]
    found = np.array([arrived(chip, [0], trial) for trial in range(50)]) / step
    assert found.mean(axis=0).std() == pytest.approx(3.0, rel=4 / np.sqrt(2 * 200))
    expected = np.sqrt(2.0**2 + 1 / 12)
    assert found.std(axis=0, ddof=1).mean() == pytest.approx(expected, rel=4 / np.sqrt(2 * 200 * 49) + 1 / (4 * 49))
    assert not arrived(chip, []).any(), "no row is read, so nothing is converted"


def test_wires_weaken_what_is_far():
    device = only("ir_drop", row="3.5 Ohm", column="3.5 Ohm")
    chip = loaded(layer(100, 120), device)
    effect = device.effect("ir_drop")
    expected = effect.effective(np.full((100, 120), 25.0)) / 25.0 * 0.5
    chip.run(4.0)
    found = chip.weights[chip.places("w"), 0]
    np.testing.assert_allclose(found.reshape(100, 120), expected, rtol=1e-5)
    assert expected[0, 0] > expected[-1, -1] < 0.9 * 0.5


def test_wires_exactly():
    device = only("ir_drop", **{"ir_drop.method": "exact"})
    chip = loaded(layer(20, 30), device)
    chip.run(4.0)
    found = chip.weights[chip.places("w"), 0].reshape(20, 30)
    np.testing.assert_allclose(found, transfer(np.full((20, 30), 25.0), 0.35e-6, 0.35e-6) / 25.0 * 0.5, rtol=1e-6)


def test_wires_scale_noise_with_the_signal():
    device = only("ir_drop", "read_noise", row="3.5 Ohm", column="3.5 Ohm")
    straight, dropped = (loaded(layer(60, 60), d) for d in (only("read_noise"), device))
    for chip in (straight, dropped):
        chip.run(2.0)
    p = straight.places("w")
    ratio = dropped.weights[p, 1] / straight.weights[p, 1]
    g = straight.bench.amplitudes(straight.devices, p, straight.fresh_at)[0, 0].reshape(60, 60)
    np.testing.assert_allclose(ratio.reshape(60, 60), device.effect("ir_drop").sensitivity(g) ** 2, rtol=1e-4)


def test_drivers_and_dead_lines():
    """A weak projection's rows have a coarse amplitude; a dead row or column brings nothing."""
    device = only("dac", **{"dac.bits": 3, "dac.gain": 0.0})
    net = layer(4, 3, 1.0).project("pre", "post", AllToAll(), weight=0.2, delay=2.0, name="weak")
    net = net.project("pre", "post", AllToAll(), weight=0.01, delay=3.0, name="lost")
    chip = loaded(net, device)
    assert chip.read("weak") == pytest.approx(np.full(12, 1 / 7))
    assert not chip.read("lost").any()
    (loss,) = (x for x in chip.loaded.report.losses if x.what == "weights rounded to zero")
    assert loss.where == "lost"
    dead = loaded(layer(100, 100), only("dead_lines", dead_rows=0.2, dead_columns=0.1))
    seen = dead.read("w").reshape(100, 100) > 0
    rows, columns = seen.any(axis=1), seen.any(axis=0)
    assert (seen == rows[:, None] & columns).all()
    assert 60 < rows.sum() < 95
    assert 75 < columns.sum() < 100


def test_gains_behind_the_columns():
    chip = loaded(layer(), only())
    before = arrived(chip, [0, 1])
    assert chip.capabilities.parameter_codes == {"gain_excitatory": (0, 65535), "gain_inhibitory": (0, 65535)}
    codes = np.array([GAIN_ONE, GAIN_ONE // 2, 2 * GAIN_ONE, 0, 3])
    chip.configure("post", {"gain_excitatory": codes})
    np.testing.assert_allclose(arrived(chip, [0, 1]), before * codes / GAIN_ONE, atol=1e-9)
    state = chip.snapshot()
    chip.configure("post", {"gain_excitatory": np.int64(GAIN_ONE)})
    np.testing.assert_allclose(arrived(chip, [0, 1]), before)
    chip.restore(state)
    np.testing.assert_allclose(arrived(chip, [0, 1]), before * codes / GAIN_ONE, atol=1e-9)
    for population, codes_given, match in (
        ("post", {"gain": codes}, "no parameter code 'gain'; there are gain_excitatory"),
        ("post", {"gain_excitatory": codes - 1}, r"0\.\.65535"),
        ("post", {"gain_excitatory": codes[:2]}, "takes 5 whole numbers"),
        ("post", {"gain_excitatory": codes * 1.0}, "whole numbers"),
        ("pre", {"gain_excitatory": codes}, "no population 'pre' of neurons"),
        ("nothing", {}, "no population 'nothing'"),
    ):
        with pytest.raises(BadInput, match=match):
            chip.configure(population, codes_given)


def test_how_noise_is_drawn():
    """Unclipped: one draw per column has the distribution of single draws. Clipped: only single draws have it.

    Each neuron has one column of ten cells near the floor, where reads are cut at zero; compared with draws by NumPy.
    """
    device = only("read_noise")
    device = device.with_(**{"read_noise.slope": 1.5})
    exact, matched = (loaded(layer(10, 400, 0.5), device, read_noise=how) for how in ("exact", "per column"))
    found = {
        name: np.concatenate([arrived(chip, np.arange(10), t) for t in range(10)])
        for name, chip in (("exact", exact), ("matched", matched))
    }
    _, sd = exact.bench.amplitudes(exact.devices, np.array([0]), exact.fresh_at)[:, 0, 0]
    drawn = np.random.default_rng(3).normal(25.0, sd, (4000, 10))
    brute = np.clip(drawn, 0, None).sum(axis=1) * exact.unit[0]
    assert ks_2samp(found["exact"], brute).pvalue > 1e-3
    assert skew(brute) > 0.2
    assert abs(skew(found["exact"]) - skew(brute)) < 4 * np.sqrt(2 * 6 / 4000)
    assert abs(skew(found["matched"])) < 4 * np.sqrt(6 / 4000) + 0.05
    for values in found.values():
        assert abs(values.mean() - brute.mean()) < 4 * brute.std() * np.sqrt(2 / 4000)
        assert abs(values.std() / brute.std() - 1) < 4 * np.sqrt(1 / 4000)
    assert exact.done["single draws"] == 4000
    assert matched.done["single draws"] == 0
    assert any("once per column" in note for note in matched.run(2.0).report.notes)


def test_rows_that_are_not_read_cost_nothing():
    chip = loaded(layer(50, 50), CORE)
    before = chip.ledger.energy
    quiet = chip.run(5.0)
    assert chip.ledger.energy == before
    assert quiet.report.estimates["row_reads"][0] == quiet.report.estimates["conversions"][0] == 0
    one = chip.run(5.0, stimulus={"pre": ([1.0], [7])}).report.estimates
    assert one["row_reads"][0] == 1
    assert one["device_reads"][0] == one["conversions"][0] == 50
    assert chip.ledger.energy - before == pytest.approx(50 * 100 + 256 + 50 * 2560)


def test_wear_and_time_in_the_report():
    device = load_device("pcm-set").with_(endurance=Number(50.0), pulse_time=Number(1e-4))
    program = map_network(layer(20, 10, 0.3), device, choices={"empty_cells": "none"}, dt="1 ms")
    chip = fabricate(device, 1)
    chip.load(program)
    for _ in range(40):
        chip.update("w", np.ones(200, np.int64))
    report = chip.run(5.0).report
    worn = int(chip.devices.worn.max())
    assert worn >= 40
    assert report.estimates["pulses_on_one_device"] == (worn, "")
    assert report.estimates["endurance_used"][0] == pytest.approx(worn / 50)
    assert report.lost("devices worn out") == (chip.devices.worn > 50).sum()
    assert report.estimates["programming_time"][0] == pytest.approx((chip.ledger.pulses + chip.ledger.resets) * 1e-4)
    chip.run(5.0, stimulus={"pre": ([1.0], [7])})
    use = tiles.use(chip)
    told = f"tile 0: 1 rows read, {use.energy[0] / 1e6:.3g} nJ, {use.pulses[0]} pulses so far"
    assert told in tiles.told(chip)
    assert use.energy.sum() == chip.done["pair reads"] * 2 * 100
    assert use.pulses.sum() == chip.ledger.pulses + chip.ledger.resets
    assert use.worn.max() == worn


def test_a_tile_that_cannot_hold_the_pairs_of_a_neuron():
    with pytest.raises(BadInput, match="a tile has 8 columns; take fewer pairs"):
        loaded(layer(), only(columns=8), pairs_per_synapse=9)


def test_analog_neurons_beside_the_tiles():
    """An effect of the neuron side composes with those of the synapse side, and leaves their draws alone."""
    mismatch = load_device("brainscales1-wafer").effect("mismatch")
    analog = replace(CORE, effects=(*CORE.effects, mismatch), variant=("with analog neurons",))
    plain, both = (loaded(layer(20, 30), device) for device in (CORE, analog))
    np.testing.assert_array_equal(plain.devices.g, both.devices.g)
    asked, found = plain.parameters(plain.loaded), both.parameters(both.loaded)
    name = next(p for p in (*mismatch.relative, *mismatch.absolute) if p in asked["post"])
    assert not np.array_equal(asked["post"][name], found["post"][name])
    again = loaded(layer(20, 30), analog).parameters(both.loaded)
    np.testing.assert_array_equal(found["post"][name], again["post"][name])
