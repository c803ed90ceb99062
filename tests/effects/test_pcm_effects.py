"""The PCM effects one by one: closed forms, composition, and what they refuse."""

import numpy as np
import pytest

from neurohw import rng
from neurohw.device import load_device
from neurohw.effects.curve import Curve
from neurohw.errors import OutOfRange
from neurohw.schema import Number, validate

N = 200_000


@pytest.fixture(params=["pcm-million", "pcm-set", "pcm-hermes"])
def device(request):
    return load_device(request.param)


def test_the_published_spread_of_a_write():
    noise = load_device("pcm-million").effect("programming_noise")
    sigma = noise.sigma(np.array([1.0, 5, 10, 15, 20, 25]), 25.0)
    np.testing.assert_allclose(sigma, [0.3402, 0.6096, 0.8618, 1.0202, 1.0847, 1.0554], atol=5e-5)


def test_a_target_of_zero_gives_half_a_gaussian():
    noise = load_device("pcm-million").effect("programming_noise")
    g = noise.programmed(np.zeros(N), rng.normal(rng.key(1, "z"), N), 25.0)
    half = 0.26348 / np.sqrt(2 * np.pi)
    assert abs(g.mean() - half) < 4 * g.std() / np.sqrt(N)
    assert (g >= 0).all()


@pytest.mark.parametrize("target", [-0.1, 25.1, np.nan, np.inf])
def test_targets_outside_the_range(target):
    noise = load_device("pcm-million").effect("programming_noise")
    with pytest.raises(OutOfRange, match=r"outside \[0, 25\] uS; clip the weights"):
        noise.programmed(np.array([1.0, target]), np.zeros(2), 25.0)


def test_no_fit_beyond_the_measured_range():
    noise = load_device("pcm-million").effect("programming_noise")
    with pytest.raises(OutOfRange, match="30 uS is beyond the 25 uS"):
        noise.sigma(np.array([1.0]), 30.0)


def test_first_set_pulse():
    """Clipped Gaussian moments from a fixed start of 0.1 uS; 14.6 % of the devices end at the floor."""
    pulse = load_device("pcm-set").effect("set_pulse")
    g, memory = pulse.pulsed(np.full(N, 0.1), np.ones(N), rng.normal(rng.key(2, "z"), N), 12.0)
    assert abs(g.mean() - 2.0549) < 4 * 1.5193 / np.sqrt(N)
    assert abs(g.std() - 1.5193) < 4 * 1.5193 * np.sqrt((3.0 - 1) / 4 / N)
    assert abs((g == 0.1).mean() - 0.146) < 4 * np.sqrt(0.146 * 0.854 / N) + 5e-4
    np.testing.assert_allclose(memory, np.exp(-1 / 2.6))


def test_drift_is_a_trajectory(device):
    """ln g falls by nu per e-fold of t, device by device; the same device at two times has one exponent."""
    drift, g_max = device.effect("drift"), float(device.machine.g_max)
    nu = drift.exponents(np.full(1000, g_max / 2), rng.normal(rng.key(3, "z"), 1000), g_max)
    times = np.array([1.0, 1e3, 1e6, 1e9])
    logs = np.log([drift.drifted(np.full(1000, 5.0), nu, drift.log_time(t)) for t in times])
    slopes = np.diff(logs, axis=0) / np.diff(drift.log_time(times))[:, None]
    np.testing.assert_allclose(slopes, np.broadcast_to(-nu, slopes.shape), rtol=1e-9)


def test_drift_factors():
    """The published factors of the SET-pulse model; the two others start at 1."""
    drift = load_device("pcm-set").effect("drift")
    one, nu = np.ones(1), np.array([0.04])
    factors = [drift.drifted(one, nu, drift.log_time(1e3 * s))[0] for s in (0.0, 1, 10, 38.6, 3600, 86400)]
    np.testing.assert_allclose(factors, [1.569, 1.157, 1.056, 1, 0.834, 0.735], atol=5.1e-4)
    for name in ("pcm-million", "pcm-hermes"):
        assert load_device(name).effect("drift").log_time(0.0) == 0.0


def test_mean_drift_of_the_million():
    """E[(t/t0)^-nu] = exp(-mu L + sd^2 L^2 / 2) from 10 uS on: 0.6650 after a day, 0.5642 after 30."""
    drift = load_device("pcm-million").effect("drift")
    nu = drift.exponents(np.full(N, 12.0), rng.normal(rng.key(4, "z"), N), 25.0)
    for days, expected in ((1, 0.6650), (30, 0.5642)):
        left = drift.drifted(np.ones(N), nu, drift.log_time(days * 86400e3))
        assert abs(left.mean() - expected) < 4 * left.std() / np.sqrt(N) + 5e-5


@pytest.mark.parametrize(("g", "spread"), [(10.0, (0.0669, 0.0761, 0.0812)), (25.0, (0.0369, 0.0419, 0.0448))])
def test_read_noise_grows(g, spread):
    noise = load_device("pcm-million").effect("read_noise")
    g = np.array([g])
    for t, expected in zip((1, 3600, 86400), spread, strict=True):
        sigma = noise.sigma(g, noise.quality(g, 25.0), noise.growth(t * 1e3))
        np.testing.assert_allclose(sigma / g, expected, atol=5.1e-5)


def test_white_noise_does_not_grow():
    noise = load_device("pcm-set").effect("read_noise")
    g = np.array([0.1, 4.0])
    for t in (0.0, 1e9):
        np.testing.assert_allclose(noise.sigma(g, noise.quality(g, 12.0), noise.growth(t)), 0.03 * g + 0.13)


def test_moments_of_a_read(device):
    """Mean and variance of a clipped read, from near the floor to g_max, against a fine numerical integral."""
    noise, g_max = device.effect("read_noise"), float(device.machine.g_max)
    g = np.linspace(0.0, g_max, 101)
    quality, growth = noise.quality(g, g_max), noise.growth(1e6)
    mean, variance = noise.moments(g, quality, growth, g_max)
    z = np.linspace(-9, 9, 40_001)
    weight = np.exp(-0.5 * z**2)
    weight /= weight.sum()
    reads = noise.sample(g[:, None], quality[:, None], growth, z[None, :], g_max)
    np.testing.assert_allclose(mean, reads @ weight, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(variance, (reads**2) @ weight - (reads @ weight) ** 2, rtol=2e-5, atol=1e-7)


def test_any_programming_goes_with_any_drift_and_read_noise():
    """Effects only exchange conductances, so pulses drift as the million does and are read as HERMES is."""
    pulse, drift = load_device("pcm-set").effect("set_pulse"), load_device("pcm-million").effect("drift")
    noise, z = load_device("pcm-hermes").effect("read_noise"), rng.normal(rng.key(5, "z"), 1000)
    g, _ = pulse.pulsed(np.full(1000, 0.1), np.ones(1000), z, 12.0)
    later = drift.drifted(g, drift.exponents(g, z, 12.0), drift.log_time(86400e3))
    mean, variance = noise.moments(later, noise.quality(g, 12.0), noise.growth(86400e3), 12.0)
    assert np.isfinite(mean).all()
    assert (variance > 0).all()
    assert (later < g).all()


def test_curves():
    log = Curve(
        logarithm=(Number(-1), Number(0)), low=Number(0.5), high=Number(2), knee=Number(0.9), polynomial=[Number(7)]
    )
    np.testing.assert_allclose(log(np.array([0.0, 0.3, 0.8, 0.9])), [2.0, -np.log(0.3), 0.5, 7.0])
    np.testing.assert_allclose(Curve(polynomial=[Number(1), Number(2)])(np.array([0.0, 3.0])), [1.0, 7.0])
    np.testing.assert_allclose(Curve(power=(Number(2), Number(-1)), high=Number(5))(np.array([0.0, 0.5])), [5.0, 4.0])


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"logarithm": (Number(1), Number(1)), "power": (Number(1), Number(1))},
        {"logarithm": (Number(1), Number(1)), "knee": Number(1)},
        {"logarithm": (Number(1), Number(1)), "polynomial": [Number(1)]},
        {"polynomial": [Number(1)], "knee": Number(1)},
    ],
)
def test_a_curve_has_one_form(given):
    with pytest.raises(Exception, match="polynomial"):
        validate(Curve, given, "curve")
