"""The PCM effects one by one: closed forms, composition, and what they refuse."""

import numpy as np
import pytest

from neurohw import rng
from neurohw.device import load_device
from neurohw.effects.curve import Curve
from neurohw.effects.set_pulse import constant_step
from neurohw.effects.stuck_cells import StuckCells
from neurohw.errors import OutOfRange
from neurohw.schema import Number, validate

N = 200_000


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


def test_drift_factors():
    """The published factors of the SET-pulse model; the two others start at 1."""
    drift = load_device("pcm-set").effect("drift")
    ages = 1e3 * np.array([0.0, 1, 10, 38.6, 3600, 86400])
    factors = np.exp(-0.04 * drift.log_time(ages))
    np.testing.assert_allclose(factors, [1.569, 1.157, 1.056, 1, 0.834, 0.735], atol=5.1e-4)
    for name in ("pcm-million", "pcm-hermes"):
        assert load_device(name).effect("drift").log_time(0.0) == 0.0


@pytest.mark.parametrize(("g", "spread"), [(10.0, (0.0669, 0.0761, 0.0812)), (25.0, (0.0369, 0.0419, 0.0448))])
def test_read_noise_grows(g, spread):
    noise = load_device("pcm-million").effect("read_noise")
    for t, expected in zip((1, 3600, 86400), spread, strict=True):
        relative = noise.quality(np.array([g]), 25.0) * noise.growth(t * 1e3)
        np.testing.assert_allclose(relative, expected, atol=5.1e-5)


def test_a_pulse_that_is_switched_off_adds_its_step():
    assert constant_step(0.75).tolist() == [1.0, 0.0, 0.75, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_stuck_cells():
    """The shares are those asked for, whoever asks for which devices."""
    cells = StuckCells(stuck_at_set=Number(0.02), stuck_at_reset=Number(0.05), g_set=Number(12), g_reset=Number(0.1))
    stream, devices = rng.key(3, "stuck_cells"), np.arange(N)
    held = cells.held(stream, devices)
    for value, share in ((12.0, 0.02), (0.1, 0.05), (-1.0, 0.93)):
        assert abs((held == value).mean() - share) < 4 * np.sqrt(share * (1 - share) / N)
    np.testing.assert_array_equal(cells.held(stream, devices[::7]), held[::7])
    np.testing.assert_allclose(np.unique(cells.held(stream, devices, 4)), [-1.0, 0.025, 3.0])


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
