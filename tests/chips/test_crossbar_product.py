"""The matrix product with noise against draws of every device."""

import numpy as np
import pytest
from scipy.stats import kstest

from neurohw import rng
from neurohw.chips.crossbar.product import product
from neurohw.device import load_device
from neurohw.errors import BadInput

GENERATOR = np.random.default_rng(1)
X = GENERATOR.uniform(-1, 1, (400, 30)).astype(np.float32)
MEAN = GENERATOR.uniform(-1, 1, (30, 20)).astype(np.float32)
VARIANCE = GENERATOR.uniform(0.01, 0.2, (30, 20)).astype(np.float32)


@pytest.mark.parametrize("variance", [VARIANCE, 0.04])
@pytest.mark.parametrize("x", [X, 0.5 * np.sign(X)], ids=["any amplitude", "one amplitude"])
def test_the_noise_is_that_of_all_devices(variance, x):
    y = product(x, MEAN, variance, rng.key(1, "read"))
    z = (y - x @ MEAN) / np.sqrt(x**2 @ np.broadcast_to(variance, MEAN.shape))
    assert kstest(z.ravel(), "norm").pvalue > 1e-3
    assert abs(np.corrcoef(z[:, 0], z[:, 1])[0, 1]) < 4 / np.sqrt(400)
    np.testing.assert_array_equal(y, product(x, MEAN, variance, rng.key(1, "read")))
    assert (y != product(x, MEAN, variance, rng.key(2, "read"))).mean() > 0.99


def test_without_noise_and_with_converters():
    adc = load_device("pcm-core").effect("adc")
    y = product(10 * X, MEAN, 0.0, rng.key(1, "x"), adc)
    assert np.abs(y - 10 * X @ MEAN).max() <= adc.step() / 2 * (1 + 1e-5)
    assert np.unique(y).size < 256
    far = product(1e4 * X, MEAN, 0.0, rng.key(1, "x"), adc)
    low, high = (code * adc.step() for code in adc.codes)
    assert (far.min(), far.max()) == pytest.approx((low, high), rel=1e-6)
    np.testing.assert_allclose(far, np.clip(1e4 * X @ MEAN, low, high), atol=adc.step())


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((X[:, :5], MEAN, VARIANCE), "do not fit"),
        ((X, MEAN, VARIANCE[:5]), "variances"),
        ((X, MEAN, -VARIANCE), "device by device"),
    ],
)
def test_bad_input(arguments, match):
    with pytest.raises(BadInput, match=match):
        product(*arguments, rng.key(1, "x"))
