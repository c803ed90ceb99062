"""PCM devices on a probe station: closed forms, trajectories, 1/f noise, and what they refuse."""

from itertools import pairwise

import numpy as np
import pytest

from neurohw.chips.crossbar.specimens import Specimens
from neurohw.device import load_device
from neurohw.errors import BadInput, OutOfRange, Unsupported
from tests.oracles import pcm

N = 100_000
DAY = 86400.0
ORACLES = {"pcm-million": pcm.Million, "pcm-hermes": pcm.Hermes}


def specimens(name, n=N, seed=1, without=(), **changes):
    device = load_device(name).with_(**changes)
    return Specimens(device.without(*without) if without else device, seed, n)


def z_scores(a, b):
    """(z of the means, z of the standard deviations) of two samples; the kurtosis is that of the first."""
    kurtosis = ((a - a.mean()) ** 4).mean() / a.var() ** 2
    error = a.std() * np.sqrt(1 / a.size + 1 / b.size)
    return (a.mean() - b.mean()) / error, (a.std() - b.std()) / (error * np.sqrt((kurtosis - 1) / 4))


@pytest.mark.parametrize(("name", "targets"), [("pcm-million", (0.4, 6.7, 22.2)), ("pcm-hermes", (0.5, 7.3, 18.1))])
def test_write_and_verify_between_the_entries_of_the_tables(name, targets):
    """Programmed, drifted and read conductances at targets and times that no table has, against a twin."""
    for target in targets:
        ours, twin = specimens(name), ORACLES[name](target, N, np.random.default_rng(5))
        ours.program(target)
        found = [z_scores(ours.conductances(), twin.g), z_scores(ours.exponents, twin.nu)]
        for t in (7.5, 5e4):
            ours.wait(1e3 * t - ours.age)
            found += [z_scores(ours.conductances(), twin.drifted(t)), z_scores(ours.read(), twin.read(t))]
        assert np.abs(found).max() < 4, (target, found)


def test_set_pulses_against_a_twin_over_time():
    ours, twin = specimens("pcm-set"), pcm.SetPulses(N, np.random.default_rng(6))
    ours.reset()
    found = []
    for pulses in (1, 2, 4, 10):
        for _ in range(pulses):
            ours.pulse()
            twin.pulse()
        found.append(z_scores(ours.conductances(), twin.drifted(0.5e-3)))
    for t in (3.0, 600.0):
        ours.wait(1e3 * t - ours.age - 0.5)
        found += [z_scores(ours.conductances(), twin.drifted(t)), z_scores(ours.read(), twin.read(t))]
    assert np.abs(found).max() < 4, found


def test_the_first_pulse():
    """From 0.1 uS: mean 2.0549, sd 1.5193 after the clip (clipped Gaussian N(1.9246, 1.7326^2)), 14.6 % at the floor."""
    ours = specimens("pcm-set", g_reset_sd=0.0)
    ours.reset()
    ours.pulse()
    g = ours.devices.g[0].astype(float)
    assert abs(g.mean() - 2.0549) < 4 * 1.5193 / np.sqrt(N) + 5e-5
    assert abs(g.std() - 1.5193) < 4 * 1.5193 * np.sqrt(2 / 4 / N) + 5e-5
    assert abs((g == np.float32(0.1)).mean() - 0.1462) < 4 * np.sqrt(0.146 * 0.854 / N) + 5e-5
    np.testing.assert_allclose(ours.devices.memory[0], np.exp(-1 / 2.6), rtol=1e-7)


def test_mean_drift_of_the_million():
    """E[(t/t0)^-nu] = exp(-mu L + sd^2 L^2 / 2) from 10 uS on: 0.6650 after a day, 0.5642 after 30."""
    ours = specimens("pcm-million")
    ours.program(12.0)
    start = ours.conductances()
    for days, expected in ((1, 0.6650), (30, 0.5642)):
        ours.wait(days * DAY * 1e3 - ours.age)
        left = ours.conductances() / start
        assert abs(left.mean() - expected) < 4 * left.std() / np.sqrt(N) + 5e-5


@pytest.mark.parametrize("name", ["pcm-million", "pcm-hermes", "pcm-set"])
def test_a_device_keeps_its_exponent(name):
    """From noiseless reads at t1 < t2 < t3: ln g falls by nu per e-fold of t, device by device."""
    ours = specimens(name, 1000, without=("read_noise",))
    ours.program(5.0)
    drift, seen = ours.device.effect("drift"), []
    for t in (0.001, 1.0, 1e4, 1e8):
        ours.wait(1e3 * t - ours.age)
        seen.append((float(drift.log_time(ours.age)), np.log(ours.read())))
    assert (np.ptp(ours.exponents) > 0) == (name != "pcm-set")
    for (time, log), (later, less) in pairwise(seen):
        np.testing.assert_allclose((log - less) / (later - time), ours.exponents, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("name", "kept"), [("pcm-million", False), ("pcm-set", True)])
def test_when_the_exponent_is_drawn(name, kept):
    """Anew at each write, or once for each device: what the file of the device says."""
    ours = Specimens(load_device(name), 1, 1000)
    ours.bench.drift, ours.bench.varies = load_device("pcm-million").effect("drift"), True
    ours.program(5.0)
    before = ours.exponents
    ours.program(5.0)
    assert (np.corrcoef(before, ours.exponents)[0, 1] > 0.999) == kept
    if kept:
        ours.program(1.0)  # another state: another mean, but the device deviates from it as it did
        ours.pulse()
        assert np.corrcoef(before, ours.exponents)[0, 1] > 0.3


def test_flicker_noise_is_one_history():
    """Covariance of two reads: Q^2 ln(t2 / (t2 - t1)); their variance: Q^2 ln((t + t_read) / (2 t_read))."""
    ours = specimens("pcm-million", without=("drift", "programming_noise"))
    ours.program(10.0)
    q = float(ours.device.effect("read_noise").quality(np.array([10.0]), 25.0)[0])
    x, seconds = [], (0.0, 0.002, 1.0, 100.0, 1e5)
    for t in seconds:
        ours.wait(1e3 * t - ours.age)
        x.append((ours.read() / 10.0 - 1.0) / q)
    for k, t in enumerate(seconds):
        expected = np.log((t + 20 + 250e-9) / 500e-9)
        kurtosis = (x[k] ** 4).mean() / x[k].var() ** 2
        assert abs(x[k].var() / expected - 1) < 4 * np.sqrt((kurtosis - 1) / N), t
        for m, later in enumerate(seconds[:k]):
            products = x[k] * x[m]
            growth = [np.log((s + 20 + 250e-9) / 500e-9) / np.log((s + 20) / 500e-9) for s in (t, later)]
            wanted = np.log((t + 20) / (t - later)) * np.sqrt(np.prod(growth))
            assert abs(products.mean() - wanted) < 4 * products.std() / np.sqrt(N), (later, t)


def test_the_spectrum_of_flicker_noise():
    """Slope -1 over two decades, at moments asked for in no order. Two reads at each moment share what is slower than 0.1
    ms; their cross-spectrum is without the white floor that all faster noise, which no series of reads resolves, adds."""
    n, length = 200, 4096
    ours = specimens("pcm-million", n, without=("drift", "programming_noise"))
    ours.program(10.0)
    x = np.empty((2, length, n))
    for k in np.random.default_rng(1).permutation(length):
        ours.age = 1e6 + 0.1 * k
        x[:, k] = ours.read(), ours.read()
    x -= x.mean(axis=1, keepdims=True)
    a, b = np.fft.rfft(x * np.hanning(length)[:, None], axis=1)
    power = (a * b.conj()).real.mean(axis=1)
    f, edges = np.arange(power.size), np.geomspace(4, 400, 13)
    bins = [(f >= low) & (f < high) for low, high in pairwise(edges)]
    slope = np.polyfit([np.log(f[one]).mean() for one in bins], [np.log(power[one].mean()) for one in bins], 1)[0]
    assert abs(slope + 1) < 0.1, slope


def test_white_noise_has_no_memory():
    ours = specimens("pcm-set", 2000)
    ours.reset()
    ours.pulse(6)
    ours.wait("1 hour")
    g, reads = ours.conductances(), []
    for _ in range(50):
        reads.append(ours.read())
        ours.wait("1 ms")
    z = ((np.array(reads) - g) / (0.03 * g + 0.13))[:, g > 2]
    assert abs((z[1:] * z[:-1]).mean()) < 4 / np.sqrt(z[1:].size)
    assert abs(z.std() - 1) < 4 / np.sqrt(2 * z.size) + 1e-3  # a read above 11 uS or so is clipped


def test_asking_changes_nothing():
    """The same reads, whatever was read between; another programming is another history."""
    a, b = (specimens("pcm-million", 200) for _ in range(2))
    for one in (a, b):
        one.program(10.0)
    for _ in range(5):
        a.wait("7 s")
        a.read()
        a.conductances()
    b.wait("35 s")
    a.reads = b.reads = 0
    np.testing.assert_array_equal(a.read(), b.read())
    assert np.corrcoef(a.read() - a.conductances(), a.read() - a.conductances())[0, 1] > 0.5
    noise = a.read() - a.conductances()
    a.program(10.0)
    a.wait("1 ms")
    assert abs(np.corrcoef(noise, a.read() - a.conductances())[0, 1]) < 4 / np.sqrt(200)


@pytest.mark.parametrize(("days", "expected"), [(1, 1.504), (30, 1.772)])
def test_global_compensation(days, expected):
    """One factor for the whole array: the ratio of the summed reads before and now, devices chosen by their target.

    Choosing devices by what a read of them gave, or summing |y| of outputs with noise of their own, would bias it: mean|y|
    of a column that carries little is mean|noise|, which does not drift.
    """
    ours = specimens("pcm-million")
    ours.program(np.random.default_rng(2).uniform(5.2, 25.0, N))
    before = ours.read().sum()
    ours.wait(f"{days} days")
    assert abs(before / ours.read().sum() - expected) < 0.01


def test_devices_of_an_arm_take_turns():
    """Four devices in an arm: pulse k goes to device k mod 4; a write gives each its share; the arm is their sum."""
    ours = specimens("pcm-set", 100, devices_per_arm=4, g_max="48 uS")
    ours.reset()
    assert ours.bench.g_max == 12.0
    for k in range(10):
        ours.pulse()
        np.testing.assert_array_equal(ours.devices.set_pulses[:4].sum(axis=0), k + 1)
        assert np.ptp(ours.devices.set_pulses[:4], axis=0).max() <= 1
    ours.pulse(7)
    np.testing.assert_array_equal(ours.devices.set_pulses[:4], [[5] * 100, [4] * 100, [4] * 100, [4] * 100])
    assert not ours.devices.set_pulses[4:].any()
    drift = float(np.exp(-0.04 * ours.device.effect("drift").log_time(0.0)))
    np.testing.assert_allclose(ours.conductances(), ours.devices.g[:4].sum(axis=0) * drift, rtol=1e-6)
    ours.program(20.0)
    assert abs(ours.devices.g[:4].mean() - 5.0) < 0.3
    assert (ours.devices.reset_pulses[:4] >= 2).all()


def test_wear_is_counted_for_each_device():
    ours = specimens("pcm-set", 50)
    ours.reset()
    counts = np.arange(50) % 7
    ours.pulse(counts)
    np.testing.assert_array_equal(ours.devices.set_pulses[0], counts)
    np.testing.assert_array_equal(ours.devices.reset_pulses[0], 1)
    assert (ours.devices.pulses, ours.devices.resets, ours.devices.most) == (counts.sum(), 50, 7)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda s: s.program(25.1), OutOfRange, r"25.1 uS lies outside \[0, 25\]"),
        (lambda s: s.program(-1.0), OutOfRange, "-1 uS lies outside"),
        (lambda s: s.program([1.0] * 9 + [np.nan]), OutOfRange, "nan uS lies outside"),
        (lambda s: s.wait("-1 s"), BadInput, "negative"),
        (lambda s: s.wait(float("nan")), BadInput, "wait"),
        (lambda s: s.read(), BadInput, "nothing was written"),
        (lambda s: s.conductances(), BadInput, "program them first"),
        (lambda s: s.pulse(), Unsupported, "written and verified"),
        (lambda s: s.reset(), Unsupported, "written and verified"),
    ],
)
def test_what_devices_refuse(call, error, match):
    with pytest.raises(error, match=match):
        call(specimens("pcm-million", 10))


def test_what_pulsed_devices_refuse():
    ours = specimens("pcm-set", 10)
    with pytest.raises(BadInput, match="reset or program them first"):
        ours.pulse()
    ours.reset()
    for counts in (-1, 0.5, np.nan):
        with pytest.raises(BadInput, match="whole numbers"):
            ours.pulse(counts)
    with pytest.raises(BadInput, match="no kind of device"):
        Specimens(load_device("spinnaker-spin5"))
    with pytest.raises(BadInput, match="no kind of device"):
        Specimens(load_device("pcm-set").ideal())
