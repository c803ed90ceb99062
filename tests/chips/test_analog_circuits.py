"""Circuits set by codes: the specimen as integers, what a configuration does, what a bench sees, what does not come out."""

import hashlib

import numpy as np
import pytest

from neurohw import workbench
from neurohw.chips.analog.view import gain_places
from neurohw.connections import AllToAll
from neurohw.device import load_device
from neurohw.effects.readout import Readout
from neurohw.errors import BadInput, OutOfRange, Unsupported
from neurohw.network import Network
from neurohw.schema import Number
from tests import small

WAFER, CHIP = load_device("brainscales1-wafer"), load_device("brainscales2-chip")
QUIET = CHIP.without("configuration_noise", "temporal_noise", "readout")


def neurons(n=512, **parameters):
    return Network().population("a", n, "IF_curr_exp", {"tau_m": 10.0, **parameters})


def loaded(device, network=None, seed=7, **more):
    chip = workbench.fabricate(device, seed)
    chip.load(workbench.map_network(network or neurons(), device, **more))
    return chip


GOLDEN = "e7a6b12c"


def test_the_pattern_of_specimen_7_are_these_integers():
    own = loaded(CHIP).circuits.own["a"]
    assert all(np.issubdtype(codes.dtype, np.integer) for codes in own.values())
    joined = np.concatenate([own[cell] for cell in sorted(own)]).astype("<i8")
    assert hashlib.sha256(joined.tobytes()).hexdigest()[:8] == GOLDEN


def test_the_traces_of_specimen_7_stay_what_they_are():
    """To 1e-6 mV: the last bits of exp and log differ between libraries, and nothing here multiplies them."""
    chip = loaded(QUIET, neurons(4, v_rest=-55.0), record={"a": {"v": "all"}})
    v = chip.run(30.0).traces["a"]["v"][-1]
    assert v == pytest.approx(TRACE, abs=1e-6)


TRACE = [-54.21340888, -55.31963841, -55.85578854, -54.03996759]


def test_a_block_of_circuits_is_more_alike_than_others():
    """A tenth of the variance is a quadrant's own: over 60 specimens the means of quadrants have 0.1 + 0.9/128 of it."""
    means = []
    for seed in range(60):
        chip = workbench.fabricate(CHIP, seed)
        effect = chip.mismatch
        codes = effect.own_codes("v_leak", 629.0, lambda p, c=chip: c.key(f"mismatch/{p}"), np.arange(512))
        means.append(codes.reshape(4, 128).mean(axis=1))
    variance = np.var(means) / 39.0**2
    assert variance == pytest.approx(0.1 + 0.9 / 128, rel=4 * np.sqrt(2 / 240))


def test_configure_sets_codes_and_nothing_else():
    chip = loaded(QUIET)
    before = chip.parameters(chip.loaded)["a"]
    chip.configure("a", {"v_leak": np.full(512, 700)})
    after = chip.parameters(chip.loaded)["a"]
    own = chip.circuits.own["a"]["v_leak"]
    assert after["v_rest"] == pytest.approx(-65.0 + (700 - own) / 12, abs=1e-4)
    assert all((after[p] == before[p]).all() for p in after if p != "v_rest")
    chip.configure("a", {"i_bias_leak": 100, "i_bias_gm_exc": 487})
    after = chip.parameters(chip.loaded)["a"]
    assert after["tau_m"] == pytest.approx(6.0 * chip.circuits.own["a"]["i_bias_leak"] / 100)
    assert after["gain_E"] == pytest.approx(487 / chip.circuits.own["a"]["i_bias_gm_exc"])
    chip.load(chip.loaded)
    again = chip.parameters(chip.loaded)["a"]
    assert all((again[p] == before[p]).all() for p in again)


def test_a_configured_gain_scales_what_arrives():
    network = neurons(4).population("in", 1, "SpikeSourceArray", spike_times=[5.0])
    network = network.project("in", "a", AllToAll(), weight=1.0, delay=0.0)
    device = QUIET.without("weight_noise")
    chip = loaded(device, network, record={"a": {"v": "all"}})
    traces = []
    for code in (0, 300, 600):
        chip.configure("a", {"i_bias_gm_exc": code})
        traces.append(chip.run(20.0).traces["a"]["v"][100])
    nothing, low, high = traces
    assert (low - nothing > 0.5).all()
    assert high - nothing == pytest.approx(2 * (low - nothing))


def test_codes_are_the_nearest_and_the_makers_calibration_leaves_its_spread():
    found = loaded(QUIET).parameters(workbench.map_network(neurons(), QUIET))["a"]
    wanted = CHIP.effect("mismatch")
    for parameter, relative in (("tau_m", 10.0), ("tau_syn_E", 5.0), ("gain_E", 1.0)):
        sd = float(wanted.relative[parameter]) * relative
        assert found[parameter].std() == pytest.approx(sd, rel=4 / np.sqrt(2 * 512) + 0.02)
    assert found["v_rest"].std() == pytest.approx(1.0, rel=4 / np.sqrt(2 * 512))


def test_voltages_on_another_scale_are_moved_to_the_cells_and_back():
    network = Network().population("a", 100, "IF_curr_exp", {"v_rest": 0.0, "v_reset": 0.0, "v_thresh": 1.0})
    program = workbench.map_network(network, QUIET)
    assert program.payload.volts["a"] == pytest.approx((15.0, -65.0))
    assert any("go to -65 to -50 mV" in note for note in program.report.notes)
    found = loaded(QUIET, network).parameters(program)["a"]
    assert found["v_thresh"].mean() == pytest.approx(1.0, abs=0.02)
    assert found["v_rest"].std() == pytest.approx(1.0 / 15.0, rel=0.3)


def test_a_switched_off_threshold_stays_off():
    chip = loaded(CHIP, neurons(8, v_thresh=np.inf, v_rest=-40.0))
    assert np.isinf(chip.parameters(chip.loaded)["a"]["v_thresh"]).all()
    assert not chip.run(200).spikes["a"][0].size


def test_what_no_code_reaches_is_clipped_and_reported_or_refused():
    network = neurons(10, v_rest=-65.0, v_thresh=-45.0, tau_m=np.full(10, 0.6))
    program = workbench.map_network(network, CHIP)
    loss = next(loss for loss in program.report.losses if "tau_m" in loss.where)
    assert loss.count == 10
    assert "i_bias_leak has the codes 0 to 1022; 1580 would be needed" in loss.why
    with pytest.raises(OutOfRange, match=r"a\.tau_m: i_bias_leak has the codes.*nearer to 6 ms"):
        workbench.map_network(network, CHIP, {"out_of_range": "refuse"})


def test_a_trial_is_a_configuration_of_its_own():
    device = CHIP.without("temporal_noise", "readout")
    chip = loaded(device)
    asked = chip.parameters(chip.loaded)["a"]["v_rest"]
    found = [chip.circuits.parameters("a", trial)["v_rest"] - asked for trial in (0, 1, 0)]
    assert (found[0] == found[2]).all()
    assert (found[0] != found[1]).mean() > 0.9
    assert found[0].std() == pytest.approx(0.5 / 12, rel=4 / np.sqrt(2 * 512))
    chip.reset(1)
    assert chip.coefficients.tobytes() != (chip.reset(0), chip.coefficients)[1].tobytes()


def test_a_membrane_at_rest_has_the_noise_that_the_device_states():
    """sigma 0.4 mV at rest; 4 standard errors for 512 membranes of 10 ms over 2 s, 100 independent samples each."""
    device = CHIP.without("configuration_noise", "readout", "mismatch")
    chip = loaded(device, neurons(v_thresh=-20.0), record={"a": {"v": "all"}})
    v = chip.run(2000.0).traces["a"]["v"][1000:]
    assert v.std(axis=0).mean() == pytest.approx(0.4, rel=4 / np.sqrt(2 * 512 * 100) + 0.02)
    assert abs(np.corrcoef(v[:, 0], v[:, 1])[0, 1]) < 0.4


def test_samples_are_codes_of_the_converter_at_its_rate():
    chip = loaded(CHIP, record={"a": {"v": "all"}})
    recording = chip.run(100.0)
    readout, v = CHIP.effect("readout"), recording.traces["a"]["v"]
    codes = (v - readout.low) / readout.lsb(fast=False)
    assert np.abs(codes - np.round(codes)).max() < 1e-6
    assert np.diff(recording.times["a"]["v"]) == pytest.approx(1.7)
    fast = loaded(CHIP, record={"a": {"v": [3, 9]}}).run(100.0)
    assert np.diff(fast.times["a"]["v"]) == pytest.approx(0.1)
    codes = (fast.traces["a"]["v"] - readout.low) / readout.lsb(fast=True)
    assert np.abs(codes - np.round(codes)).max() < 1e-6


def test_the_converter_clips_and_counts():
    numbers = {"low": -90.0, "high": -10.0, "bits": 4, "interval": 0.001, "offset": 0.0, "noise": 0.0,
               "fast_membranes": 0, "fast_bits": 8}  # fmt: skip
    readout = Readout(**{name: Number(value) for name, value in numbers.items()})
    v = np.array([[-200.0, -90.0, -50.0, -10.0, 0.0]])
    shown, beyond = readout.seen(v, False, np.zeros(5), np.zeros((1, 5)))
    assert beyond == 2
    assert shown[0] == pytest.approx([-90.0, -90.0, -90.0 + 80 / 15 * 8, -10.0, -10.0])


def test_spikes_that_the_links_to_the_outside_cannot_carry_are_counted():
    """118 neurons of one HICANN that fire at more than 1780 events/s in all; where a run is cut does not matter."""
    network = Network().population("a", 118, "IF_cond_exp", {"v_rest": -40.0, "tau_refrac": 2.0})
    chip = loaded(WAFER, network)
    whole = chip.run(500.0)
    loss = next(loss for loss in whole.report.losses if loss.what == "recorded spikes dropped")
    assert loss.of - loss.count == whole.spikes["a"][0].size
    assert whole.spikes["a"][0].size == pytest.approx(890, rel=0.02)
    parts = [chip.run(length, reset=k == 0) for k, length in enumerate((33.3, 166.7, 300.0))]
    assert sum(part.spikes["a"][0].size for part in parts) == whole.spikes["a"][0].size
    unlimited = loaded(WAFER.without("spike_loss"), network).run(500.0)
    assert unlimited.spikes["a"][0].size == loss.of
    assert chip.ledger.dropped_events >= loss.count


def test_configure_refuses_what_there_is_not():
    chip = loaded(CHIP)
    with pytest.raises(BadInput, match="no cell 'v_leek'"):
        chip.configure("a", {"v_leek": 3})
    with pytest.raises(BadInput, match=r"0\.\.1022"):
        chip.configure("a", {"v_leak": 1023})
    with pytest.raises(BadInput, match="512 whole numbers"):
        chip.configure("a", {"v_leak": np.zeros(3, int)})
    with pytest.raises(BadInput, match="512 whole numbers"):
        chip.configure("a", {"v_leak": 1.5})
    with pytest.raises(BadInput, match="no population 'b'"):
        chip.configure("b", {})
    with pytest.raises(Unsupported, match="parameter codes"):
        loaded(WAFER, Network().population("a", 3, "IF_cond_exp")).configure("a", {})
    assert chip.capabilities.parameter_codes["v_leak"] == (0, 1022)
    assert chip.capabilities.adc_bits == 8


def test_a_configuration_is_part_of_a_snapshot():
    chip = loaded(CHIP, neurons(20, v_rest=-45.0), record={"a": {"v": 2}})
    chip.configure("a", {"v_leak": 800})
    state = chip.snapshot()
    straight = chip.run(50.0, reset=False)
    chip.configure("a", {"v_leak": 300})
    chip.restore(state)
    assert small.same(chip.run(50.0, reset=False), straight)


def test_each_synapse_finds_the_gain_of_its_neuron():
    """Against the table's own rows, one after the other."""
    program = small.program("brainscales2-chip", "recurrent", "IF_curr_exp")
    table, n = program.payload.table, program.origin.n_neurons
    found, seen = gain_places(table), 0
    for source in range(table.n_sources):
        for block, receptor, _, first, last in table.row(source):
            assert block == 0
            assert (found[first:last] == receptor * n + table.targets[first:last]).all()
            seen += last - first
    assert seen == table.n_synapses > 100
