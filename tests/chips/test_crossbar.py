"""The crossbar chip: ideal parity, specimens, trajectories, reads, writes, pulses, the read kernel against its twin."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from neurohw import rng
from neurohw.chips.crossbar import engine, looks, reads
from neurohw.chips.crossbar.chip import CrossbarChip
from neurohw.chips.float_chip import FloatChip
from neurohw.connections import AllToAll, FixedProbability
from neurohw.device import load_device
from neurohw.distributions import Uniform
from neurohw.errors import BadInput, NotReadable, OutOfRange, Unsupported
from neurohw.kernels.delivery import cut, scratch, spike_ring, stimulus_cuts
from neurohw.kernels.noise import hash64, normals
from neurohw.network import Network
from neurohw.passes import PASSES
from neurohw.program import Program, normalize_record
from neurohw.workbench import fabricate, map_network, run
from tests.oracles import crossbar_reads

DAY = 86400e3


def recurrent(n=300):
    net = Network("recurrent", 3).population(
        "e", n, "IF_cond_exp", {"tau_syn_I": 10.0}, initial={"v": Uniform(-65, -50)}
    )
    net = net.population("i", n // 4, "IF_curr_exp", {"i_offset": 0.9})
    net = net.population("s", 40, "SpikeSourcePoisson", {"rate": 200.0})
    net = net.project("s", "e", FixedProbability(0.3), weight=Uniform(0.01, 0.03), delay=Uniform(0.5, 2.0))
    net = net.project("e", "e", FixedProbability(0.1), weight=Uniform(0.001, 0.004), delay=0.5)
    net = net.project("e", "i", FixedProbability(0.1), weight=0.1, delay=1.0)
    return net.project("i", "e", FixedProbability(0.2), weight=0.01, delay=0.7, receptor="inhibitory")


def pairs(n_pre=20, n_post=50, weight=0.5):
    net = (
        Network("pairs", 1)
        .population("post", n_post, "IF_curr_exp")
        .population("pre", n_pre, "SpikeSourceArray", spike_times=[])
    )
    return net.project("pre", "post", AllToAll(), weight=weight, delay=1.0, name="w")


def chip_for(network, device="pcm-million", seed=5, **choices):
    device = load_device(device) if isinstance(device, str) else device
    program = map_network(network, device, choices={"empty_cells": "none", **choices}, dt="0.1 ms")
    chip = CrossbarChip(device, seed)
    chip.load(program)
    return chip


def as_float(network, device):
    """The same network on a chip with float weights."""
    program = Program(network, device, device.choices({}), 0.1, normalize_record(network, None))
    for step in PASSES["ideal digital"]:
        program = step(program)
    chip = FloatChip(device)
    chip.load(program)
    return chip


@pytest.mark.parametrize("name", ["pcm-million", "pcm-set", "pcm-hermes"])
def test_ideal_is_the_float_chip(name):
    device = load_device(name).ideal()
    chip, reference = chip_for(recurrent(), device, empty_cells="reset"), as_float(recurrent(), device)
    np.testing.assert_allclose(chip.weights, reference.weights, rtol=1e-12)
    found, wanted = chip.run(200.0, trial=1), reference.run(200.0, trial=1)
    for population in ("e", "i"):
        assert wanted.spikes[population][0].size > 100
        np.testing.assert_array_equal(found.spikes[population], wanted.spikes[population])


def test_without_effects_only_single_precision_is_left():
    device = load_device("pcm-million").without("programming_noise", "drift", "read_noise")
    chip, reference = chip_for(recurrent(), device, idle_arms="none"), as_float(recurrent(), device.ideal())
    chip.run(10.0)
    np.testing.assert_allclose(chip.weights[:, 0], reference.weights, rtol=2e-7)
    assert not chip.weights[:, 1].any()


def test_same_seed_same_specimen():
    a, b, other = (chip_for(recurrent(), seed=seed) for seed in (5, 5, 6))
    for name in ("g", "nu", "quality"):
        np.testing.assert_array_equal(getattr(a.devices, name), getattr(b.devices, name))
    assert (a.devices.g[0] != other.devices.g[0]).all()
    first, second = a.run(50.0, trial=2), b.run(50.0, trial=2)
    np.testing.assert_array_equal(first.spikes["e"], second.spikes["e"])


def test_draws_belong_to_the_physical_device():
    """What empty crossings hold, and which effects there are beside, leave the other draws as they were."""
    sparse, dense = chip_for(recurrent()), chip_for(recurrent(), empty_cells="programmed to zero")
    for name in recurrent().projections:
        np.testing.assert_array_equal(sparse.devices.g[:, sparse.places(name)], dense.devices.g[:, dense.places(name)])
    fewer = chip_for(recurrent(), load_device("pcm-million").without("drift"))
    np.testing.assert_allclose(fewer.devices.g, sparse.devices.g)


def test_programming_follows_the_effect():
    """The chip's conductances are those of the effect for the draws of its arms."""
    chip = chip_for(pairs(), idle_arms="programmed to zero")
    noise, arms = chip.device.effect("programming_noise"), chip.bench.cell * 2
    for arm, target in ((0, 25.0), (1, 0.0)):
        z = rng.normal(chip.key("programming_noise/write 0"), arms + arm)
        np.testing.assert_allclose(
            chip.devices.g[arm], noise.programmed(np.full(arms.size, target), z, 25.0), rtol=1e-6
        )


def test_compiled_normals():
    counters = np.array([0, 1, 2**40, 2**54])
    np.testing.assert_allclose(normals(rng.key(1, "x"), counters), rng.normal(rng.key(1, "x"), counters), rtol=1e-14)


def test_waiting_follows_the_trajectory_exactly():
    chip = chip_for(pairs(), load_device("pcm-million").without("read_noise"), idle_arms="none")
    start = chip.read("w", arms=True)[0]
    np.testing.assert_array_equal(start, chip.read("w", arms=True)[0])
    for wait, total in (("1 day", DAY), ("29 days", 30 * DAY)):
        chip.wait(wait)
        nu = chip.devices.nu[0, chip.places("w")].astype(float)
        np.testing.assert_allclose(chip.read("w", arms=True)[0], start * ((total + 20e3) / 20e3) ** -nu, rtol=1e-6)
    with pytest.raises(BadInput, match="negative"):
        chip.wait("-1 s")


def test_the_run_follows_the_trajectory_too():
    chip = chip_for(pairs(), load_device("pcm-million").without("read_noise"), idle_arms="none")
    chip.wait("30 days")
    chip.run(10.0)
    expected = chip.read("w")
    np.testing.assert_allclose(chip.weights[chip.places("w"), 0], expected, rtol=1e-5)


def test_weights_are_refreshed_while_drift_is_fast():
    """Right after a write ln(t) moves by 4.4 in 40 ms: 60 to 90 refreshes of 0.05, whatever the windows of the run."""
    chip, other = chip_for(pairs(), "pcm-set"), chip_for(pairs(), "pcm-set")
    other.window = 7
    for c in (chip, other):
        assert c.age == pytest.approx(38.6e3 - 0.5)
        c.write("w", np.full(1000, 0.3))
    reports = [c.run(40.0).report for c in (chip, other)]
    assert 60 <= reports[0].estimates["weight_refreshes"][0] <= 90
    assert reports[0].estimates == reports[1].estimates
    np.testing.assert_array_equal(chip.weights, other.weights)
    chip.wait("1 day")
    assert chip.run(40.0).report.estimates["weight_refreshes"][0] == 1


def test_reads_differ_by_read_noise_only():
    """White noise: the spread of repeated reads is that of the effect, and no read knows of the one before."""
    chip = chip_for(pairs(5, 20, 0.4), "pcm-set")
    chip.wait("1 hour")
    reads = np.array([chip.read("w", arms=True)[0] for _ in range(2000)])
    g = chip.bench.conductances(chip.devices, chip.places("w"), chip.age)[0]
    z = (reads - g) / (0.03 * g + 0.13)
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs(z.std() - 1) < 4 / np.sqrt(2 * z.size)
    assert abs((z[1:] * z[:-1]).mean()) < 4 / np.sqrt(z.size)


def test_two_reads_at_one_moment_share_the_slow_noise():
    """1/f noise is a function of time; of two reads at one moment only what is faster than 0.1 ms differs."""
    chip = chip_for(pairs(50, 100), idle_arms="none")
    first, again = (chip.read("w", arms=True)[0] for _ in range(2))
    noise, g = chip.device.effect("read_noise"), chip.devices.g[0, chip.places("w")].astype(float)
    amplitude = g * noise.quality(g, 25.0)
    fast = np.log(0.1 / (2 * np.e * 250e-6))
    variance = ((first - again) / amplitude).var() / 2
    assert abs(variance / fast - 1) < 4 * np.sqrt(2 / g.size)
    assert noise.growth(0.0) ** 2 > 4 * fast


@pytest.mark.parametrize("read_noise", ["exact", "per column"])
def test_arrivals_have_the_moments_of_single_reads(read_noise):
    """The current into a column after one spike of every row: mean and variance are the sums over the devices."""
    chip = chip_for(pairs(20, 200), idle_arms="programmed to zero", read_noise=read_noise)
    stimulus = {"pre": (np.ones(20), np.arange(20))}
    arrived = []
    for trial in range(100):
        chip.age = 0.0
        chip.run(2.1, trial=trial, stimulus=stimulus)
        decay = np.exp(-0.1 / 5.0)
        arrived.append(chip.state[1] / decay)
    arrived = np.array(arrived)
    table, mean, variance = chip.table, np.zeros(200), np.zeros(200)
    moments = np.zeros((table.n_synapses, 2))
    effect = chip.device.effect("read_noise")
    seen = chip.bench.amplitudes(chip.devices, np.arange(table.n_synapses), chip.fresh_at)
    for arm in (0, 1):
        m, v = np.array([reads.clipped(m, s, 0.0, np.inf) for m, s in seen[:, arm].T]).T
        moments += np.stack((m * (1 - 2 * arm), v), axis=1)
    assert effect.floor == 0
    np.add.at(mean, table.targets, moments[:, 0] * chip.unit[0])
    np.add.at(variance, table.targets, moments[:, 1] * chip.unit[0] ** 2)
    z = (arrived - mean) / np.sqrt(variance)
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs(z.std() - 1) < 4 / np.sqrt(2 * z.size)
    assert chip.ledger.reads == 100 * 20


@pytest.mark.parametrize("read_noise", ["exact", "per column"])
def test_the_read_kernel_against_its_twin(read_noise):
    generator = np.random.default_rng(1)
    chip = chip_for(recurrent(), empty_cells="reset", read_noise=read_noise)
    looks.look(chip, 0)
    table, array, n = chip.table, chip.array, chip.loaded.origin.n_neurons
    depth, t, key = int(table.delays.max()) + 1, 30, np.uint64(99)
    groups = chip.groups_of_neurons
    ring, cuts = spike_ring(depth, n, groups.size - 1)
    spikes = []
    for step in range(t - depth + 1, t):
        who = np.sort(generator.choice(n, 5, replace=False))
        ring[step % len(ring), :5] = who
        cut(who, groups, cuts[step % len(ring)])
        spikes += [(step, int(s)) for s in who]
    stimulus, begins = [], [0]
    for step in range(t - depth, t + 1):
        who = np.sort(generator.integers(n, n + 40, 3))
        stimulus += list(who)
        begins.append(len(stimulus))
        spikes += [(step, int(s)) for s in who]
    synapses = []
    for source in range(table.n_sources):
        for _, receptor, delay, first, last in table.row(source):
            for j in range(first, last):
                arms = [float(x) for x in chip.arms[j]] if chip.arms.size else []
                known = (*map(float, chip.weights[j]), int(array.cell[j]), arms)
                synapses.append((source, int(table.targets[j]), receptor, delay, *known))
    wanted, n_reads = crossbar_reads.arrivals(synapses, spikes, t, n, int(key))
    sums, variances, counts = np.zeros(2 * n), np.zeros(2 * n), np.zeros(4, np.int64)
    sources = np.concatenate([sorted(stimulus[a:b]) for a, b in itertools.pairwise(begins)]).astype(np.int32)
    engine.deliver(
        t, hash64(key, -1 - t), *table.arguments, table.delays, array.reads(chip.weights, chip.arms), ring, cuts, sources,
        stimulus_cuts(sources, np.array(begins), table.firsts, n), t - depth, scratch(), sums, variances,
        array.touched, chip.tile_counts, counts,
    )  # fmt: skip
    engine.add_noise(t, key, sums, variances)
    expected = np.zeros((2, n))
    for where, value in wanted.items():
        expected[where] = value
    np.testing.assert_allclose(sums.reshape(2, n), expected, rtol=1e-9, atol=1e-15)
    assert counts[engine.EVENTS] == n_reads > 1000
    assert (counts[engine.SINGLE] > 1000) == (read_noise == "exact")
    assert not variances.any()


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("center", "seen"), [(30.0, 25.0), (0.05, 0.1), (7.0, 7.0)])
def test_a_read_without_noise_is_clipped_as_well(exact, center, seen):
    """One device per pair, on the positive arm; there is none on the other."""
    devices, weights, arms = (
        np.array([[[center], [0.0]], [[0.0], [-1.0]]]),
        np.empty((1, 2), np.float32),
        np.empty((1, 6), np.float32),
    )
    reads.prepare(np.array([0]), devices, np.array([2.0]), np.empty((2, 2, 0)), 0.1, 25.0, exact, weights, arms)
    np.testing.assert_allclose(weights, [[2.0 * seen, 0.0]], rtol=1e-6)
    devices[1, 0, 0] = 100.0
    reads.prepare(np.array([0]), devices, np.array([2.0]), np.empty((2, 2, 0)), 0.1, 25.0, exact, weights, arms)
    assert (weights[0, 1] == reads.SINGLE) == exact


def test_windows_and_continued_runs_change_nothing():
    whole, cut = chip_for(recurrent()), chip_for(recurrent())
    cut.window = 13
    a, b = whole.run(60.0, trial=4), cut.run(40.0, trial=4)
    c = cut.run(20.0, trial=4, reset=False)
    joined = np.concatenate([b.spikes["e"][0], c.spikes["e"][0]])
    np.testing.assert_allclose(a.spikes["e"][0], joined)


def test_write_draws_anew():
    chip = chip_for(pairs(), idle_arms="programmed to zero")
    before = chip.devices.g.copy()
    weights = np.full(1000, 0.25)
    chip.wait("1 day")
    chip.write("w", weights)
    after = chip.devices.g.copy()
    assert abs(after[0].mean() - 12.5) < 4 * 1.0 / np.sqrt(1000)
    correlation = np.corrcoef(before[0] - 25, after[0] - 12.5)[0, 1]
    assert abs(correlation) < 4 / np.sqrt(1000)
    chip.write("w", weights)
    assert abs(np.corrcoef(after[0], chip.devices.g[0])[0, 1]) < 4 / np.sqrt(1000)
    assert chip.bench.log_times(chip.devices, chip.age)[chip.devices.epoch[0, 0]] == 0.0


def test_order_of_writes_does_not_matter():
    a, b = chip_for(recurrent()), chip_for(recurrent())
    values = {name: np.full(a.places(name).size, 0.001) for name in ("e to e", "s to e")}
    for name in values:
        a.write(name, values[name])
    b.read("e to e")
    for name in reversed(values):
        b.write(name, values[name])
    np.testing.assert_array_equal(a.devices.g, b.devices.g)
    np.testing.assert_array_equal(a.devices.nu, b.devices.nu)


@pytest.mark.parametrize(
    ("weights", "error", "match"),
    [
        (np.full(1000, 0.6), OutOfRange, r"0.6 is beyond 0.5, which 25 uS stand for; clip to capabilities"),
        (np.full(1000, np.nan), BadInput, "NaN"),
        (np.full(3, 0.1), BadInput, "3 weights for 1000"),
        (np.full(1000, -0.1), BadInput, "must be >= 0"),
    ],
)
def test_bad_writes(weights, error, match):
    chip = chip_for(pairs())
    with pytest.raises(error, match=match):
        chip.write("w", weights)


def test_nothing_works_before_load():
    chip = CrossbarChip(load_device("pcm-million"), 1)
    for call in (
        lambda: chip.read("w"),
        lambda: chip.run(1.0),
        lambda: chip.write("w", np.zeros(3)),
        lambda: chip.capabilities,
    ):
        with pytest.raises(BadInput, match="nothing is loaded"):
            call()


def test_pulses_need_a_device_that_knows_them():
    with pytest.raises(Unsupported, match="written and verified"):
        chip_for(pairs()).update("w", np.ones(1000, np.int64))
    with pytest.raises(Unsupported, match="lacks the arm"):
        chip_for(pairs(), "pcm-set", idle_arms="none").update("w", -np.ones(1000, np.int64))


def test_set_pulses():
    """+ pulses the positive arm, - the negative; steps follow the effect, draws the arm's own count."""
    chip = chip_for(pairs(), "pcm-set")
    d, pulse = chip.devices, chip.device.effect("set_pulse")
    before, memory, sets, resets = (part.copy() for part in (d.g, d.memory, d.set_pulses, d.reset_pulses))
    signs = np.where(np.arange(1000) % 2, -1, 2)
    places, ledger = chip.places("w"), chip.ledger.pulses
    chip.update("w", signs)
    up, down = places[signs > 0], places[signs < 0]
    np.testing.assert_array_equal(d.g[1, up], before[1, up])
    np.testing.assert_array_equal(d.g[0, down], before[0, down])
    z = rng.normal(chip.key("set_pulse"), ((chip.bench.cell[down] * 2 + 1) << 24) | (sets + resets)[1, down])
    decay, *c, floor = pulse.numbers()
    left = memory[1, down].astype(float) * decay
    old = before[1, down].astype(float)
    mean, sd = c[0] * old + c[1] + c[2] * left, c[3] * old + c[4] + c[5] * left
    expected = np.clip(old + mean + sd * z, floor, 12.0)
    np.testing.assert_allclose(d.g[1, down], expected, rtol=1e-6)
    assert chip.ledger.pulses - ledger == np.abs(signs).sum()
    np.testing.assert_array_equal(d.set_pulses[0, up] - sets[0, up], 2)
    np.testing.assert_array_equal(d.reset_pulses, resets)


def test_pulses_saturate_and_refresh_restores():
    """Both arms driven to g_max lose their range; refresh gives back the difference that its reads saw."""
    chip = chip_for(pairs(weight=0.3), "pcm-set")
    for sign in (1, -1):
        chip.update("w", np.full(1000, 40 * sign))
    chip.wait("40 s")
    stuck = chip.read("w", arms=True)
    assert chip.run(1.0).report.estimates["saturated_arms"][0] > 100
    chip.refresh("w", "reset_and_verify")
    chip.wait("40 s")
    renewed = chip.read("w", arms=True)
    touched = (stuck.max(axis=0) > 10.5) & (np.abs(stuck[0] - stuck[1]) < 1)
    assert touched.sum() > 50
    assert (renewed.max(axis=0)[touched] < 6).mean() > 0.9
    change = (renewed[0] - renewed[1])[touched] - (stuck[0] - stuck[1])[touched]
    assert abs(change.mean()) < 0.75
    assert chip.ledger.resets > 0
    with pytest.raises(BadInput, match="there are reset_and_rewrite, reset_and_verify"):
        chip.refresh("w", "hope")
    with pytest.raises(Unsupported, match="no refresh"):
        chip_for(pairs()).refresh("w", "reset_and_rewrite")


def test_the_published_refresh():
    """RESET both arms of pairs that read above 9 uS and differ by less than a quarter of it, then int(difference / 0.75 uS)
    pulses on one; the ledger has them all, no other pair is touched."""
    chip = chip_for(pairs(weight=0.3), "pcm-set")
    for sign in (1, -1):
        chip.update("w", np.full(1000, 40 * sign))
    chip.wait("38.6 s")
    d, places = chip.devices, chip.places("w")
    sets, resets, state, ledger = d.set_pulses.copy(), d.reset_pulses.copy(), chip.snapshot(), replace(chip.ledger)
    seen = chip.read("w", arms=True)
    chip.restore(state)
    chip.refresh("w", "reset_and_rewrite")
    d = chip.devices
    full = (seen.max(axis=0) > 9) & (np.abs(seen[0] - seen[1]) < 2.25)
    assert 50 < full.sum() < 900
    np.testing.assert_array_equal((d.reset_pulses - resets)[:, places], np.stack([full, full]))
    wanted = np.floor(np.abs(seen[0] - seen[1]) / 0.75) * full
    np.testing.assert_array_equal((d.set_pulses - sets)[0, places], wanted * (seen[0] > seen[1]))
    np.testing.assert_array_equal((d.set_pulses - sets)[1, places], wanted * (seen[0] < seen[1]))
    assert chip.ledger.pulses - ledger.pulses == wanted.sum()
    assert chip.ledger.resets - ledger.resets == 2 * full.sum()
    assert chip.ledger.energy > ledger.energy


def test_write_by_pulses_reaches_its_target():
    """Most arms end within one step of the target; without effects the write is exact."""
    chip = chip_for(pairs(weight=0.5), "pcm-set")
    error = chip.devices.g[0] - 8.0
    assert (np.abs(error) < 0.75).mean() > 0.6
    assert abs(error.mean()) < 0.75
    exact = chip_for(pairs(weight=0.5), load_device("pcm-set").without("set_pulse", "read_noise", "drift"))
    np.testing.assert_allclose(exact.devices.g[0], 8.0)
    exact.update("w", np.full(1000, 2))
    np.testing.assert_allclose(exact.devices.g[0], 9.5)


def test_snapshot_and_restore():
    chip = chip_for(recurrent(), "pcm-set")
    chip.run(20.0)
    state = chip.snapshot()
    first = chip.run(20.0, reset=False)
    pulses = chip.ledger.pulses
    chip.update("s to e", np.ones(chip.places("s to e").size, np.int64))
    chip.wait("1 day")
    chip.restore(state)
    again = chip.run(20.0, reset=False)
    np.testing.assert_array_equal(first.spikes["e"], again.spikes["e"])
    assert chip.ledger.pulses == pulses


def test_conductances_never_turn_negative():
    """Empty crossings programmed to zero add noise that is large beside no input; a conductance stays >= 0."""
    net = Network("quiet", 1).population("post", 50, "IF_cond_exp")
    net = net.population("pre", 100, "SpikeSourcePoisson", {"rate": 500.0}).project(
        "pre", "post", FixedProbability(0.02), weight=0.001
    )
    chip = chip_for(net, empty_cells="programmed to zero")
    program = replace(chip.loaded, record=normalize_record(net, {"post": ["gsyn_exc"]}))
    chip.load(program)
    recording = chip.run(50.0)
    assert (recording.traces["post"]["gsyn_exc"] >= 0).all()
    assert any("set to zero" in note for note in recording.report.notes)


def test_ideal_chip_updates_without_limits():
    chip = chip_for(pairs(), load_device("pcm-set").ideal())
    chip.update("w", np.full(1000, 100))
    step = chip.capabilities.weight_step["w"]
    np.testing.assert_allclose(chip.read("w"), 0.5 + 100 * step)
    with pytest.raises(NotReadable):
        chip.read("w", arms=True)


def test_capabilities():
    chip = chip_for(pairs(), "pcm-set")
    can = chip.capabilities
    assert can.updates == "pulses"
    assert can.weight_range["w"][1] == pytest.approx(0.5 * 12 / 8)
    assert can.weight_step["w"] == pytest.approx(0.5 * 0.75 / 8)
    assert chip_for(pairs()).capabilities.updates == "none"


def test_the_ledger_counts_rows_and_devices():
    chip = chip_for(pairs(20, 50))
    chip.run(5.0, stimulus={"pre": (np.array([0.0, 1.0, 1.0]), np.array([3, 3, 7]))})
    assert (chip.ledger.reads, chip.ledger.device_reads) == (3, 3 * 50 * 2)
    assert chip.ledger.energy == pytest.approx(3 * 50 * 2 * 100.0)
    chip.read("w")
    assert chip.ledger.reads == 23


def test_a_list_of_trials_is_what_single_runs_give_over_a_time_in_which_weights_drift():
    """Long enough for the weights to be taken from the trajectories again: each trial of a list starts at the same age."""
    device = load_device("pcm-million")
    program = map_network(recurrent(60), device, choices={"empty_cells": "none"}, dt="0.5 ms", record={"e": ["v"]})
    several = run(program, fabricate(device, 3), "3 s", trial=[0, 1])
    chip = fabricate(device, 3)
    single = run(program, chip, "3 s", trial=1)
    assert chip.done["refreshes"] > 1
    assert np.array_equal(several[1].traces["e"]["v"], single.traces["e"]["v"])
