"""Every crossbar device file: single devices follow the effects that the file composes, and keep what they are.

Statistics have a fixed seed and bounds of four standard errors.
"""

import numpy as np
import pytest

from neurohw.chips.crossbar.specimens import Specimens
from tests import small

N = 20_000
PCM = [name for name in small.DEVICES if small.device(name).substrate == "crossbar"]


@pytest.fixture(params=PCM)
def specimens(request):
    """Programmed to 40 % of the range, at the age at which conductances are what was aimed at."""
    found = Specimens(small.device(request.param), 2, N)
    found.program(0.4 * found.bench.g_max * found.bench.n)
    drift = found.device.effect("drift")
    if drift is not None:
        found.wait(max(0.0, float(drift.t0 - drift.offset)))
    return found


def sound(devices):
    """Arms without a stuck device."""
    stuck = devices.bench.stuck
    return np.ones(N, bool) if not stuck.size else (stuck[: devices.bench.n] < 0).all(axis=0)


def test_what_was_written(specimens):
    """Write and verify: mean and spread of the effect. By pulses: within one step for most, and none beyond the range."""
    g, target = specimens.conductances()[sound(specimens)], 0.4 * specimens.bench.g_max * specimens.bench.n
    noise = specimens.device.effect("programming_noise")
    if noise is not None:
        sigma = float(noise.sigma(np.array([target]), specimens.bench.g_max)[0])
        assert abs(g.mean() - target) < 4 * sigma / np.sqrt(g.size)
        assert abs(g.std() - sigma) < 4 * sigma / np.sqrt(2 * g.size)
    else:
        near = np.sqrt(specimens.bench.n) * specimens.bench.step
        assert (np.abs(g - target) < near).mean() > 0.5
        assert (g <= specimens.bench.g_max * specimens.bench.n).all()


def test_drift_exponents(specimens):
    """Mean and spread of |N(mean, sd)| at the target, device by device; unchanged by time, reads and looks."""
    drift, before = specimens.device.effect("drift"), specimens.exponents
    specimens.wait("1 day")
    specimens.read()
    np.testing.assert_array_equal(specimens.exponents, before)
    nu = before[specimens.bench.stuck[0] < 0] if specimens.bench.stuck.size else before
    r = np.array([0.4])
    mean, sd = float(drift.mean(r)[0]), float(drift.sd(r)[0])
    assert mean > 3 * sd, "else the folding at zero enters"
    assert abs(nu.mean() - mean) <= 4 * sd / np.sqrt(nu.size) + 1e-8
    assert abs(nu.std() - sd) <= 4 * sd / np.sqrt(2 * nu.size) + 1e-8


def test_drift_is_a_power_law(specimens):
    """ln of what arms of one device hold falls by nu ln(t2/t1); arms of several fall by a mean of theirs."""
    drift, first = specimens.device.effect("drift"), specimens.conductances()
    start = float(drift.log_time(specimens.age))
    specimens.wait("1 month")
    lost = np.log(first / specimens.conductances()) / (float(drift.log_time(specimens.age)) - start)
    nu = specimens.devices.nu[: specimens.bench.n].astype(float)
    assert (lost >= nu.min(axis=0) - 1e-9).all()
    assert (lost <= nu.max(axis=0) + 1e-9).all()


@pytest.mark.parametrize("wait", ["0 s", "30 days"])
def test_read_noise(specimens, wait):
    """The spread of a read about what is held: 1/f noise grown as the law says, white noise, all devices of an arm."""
    specimens.wait(wait)
    noise, bench, d = specimens.device.effect("read_noise"), specimens.bench, specimens.devices
    lines = slice(0, bench.n)
    g = d.g[lines] * np.exp(-d.nu[lines] * float(specimens.device.effect("drift").log_time(specimens.age)))
    flicker = g * d.quality[lines] * float(noise.growth(specimens.age))
    sd = np.sqrt(flicker**2 + (noise.slope * g + noise.constant) ** 2)
    low, high = bench.bounds
    inside = ((g - 6 * sd > low) & (g + 6 * sd < high)).all(axis=0) & sound(specimens)
    z = ((specimens.read() - specimens.conductances()) / np.sqrt((sd**2).sum(axis=0)))[inside]
    assert z.size > N / 2
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs(z.std() - 1) < 4 * np.sqrt(((z**4).mean() - 1) / 4 / z.size)


def test_one_seed_is_one_specimen(specimens):
    other = Specimens(specimens.device, 2, N)
    other.program(0.4 * other.bench.g_max * other.bench.n)
    other.wait(specimens.age)
    np.testing.assert_array_equal(other.read(), specimens.read())
    strangers = Specimens(specimens.device, 3, N)
    strangers.program(0.4 * other.bench.g_max * other.bench.n)
    assert (strangers.devices.g[0] != other.devices.g[0]).mean() > 0.9


def test_kept_devices_are_the_same_devices(specimens):
    """State as plain arrays and numbers, and back."""
    kept = specimens.devices.kept()
    assert all(isinstance(value, np.ndarray | int) for value in kept.values())
    before = specimens.conductances()
    specimens.program(0.0)
    specimens.devices = type(specimens.devices).from_kept(kept)
    np.testing.assert_array_equal(specimens.conductances(), before)
