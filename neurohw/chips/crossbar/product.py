"""Many rows read at once with amplitudes of their own: a matrix product with the noise of every device in it.

    y = x M + sqrt(x^2 V) z        x: (reads, rows) amplitudes; M, V: (rows, columns) mean and variance of a read of a pair

One normal z per output has exactly the distribution of one per device and read, under the condition of
`neurohw.chips.crossbar.engine`: Gaussian (unclipped), independent between devices, fresh at every read. The spiking loop is
the case x = 0 or 1 in which only the rows with 1 are touched.
"""

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.effects.adc import Adc
from neurohw.errors import BadInput

Values = NDArray[np.float32]


def product(x: Values, mean: Values, variance: Values | float, key: np.uint64, adc: Adc | None = None) -> Values:
    """One read of all columns for each row of `x`.

    variance: of each pair, or one number where all devices have the same white noise, which saves a second product.
    key: the stream of this read. adc: converters without spread, whose range is in the unit of the result.
    Raises BadInput for shapes that do not fit, or a variance that marks a clipped read.
    """
    if x.ndim != 2 or mean.ndim != 2 or x.shape[1] != mean.shape[0]:
        raise BadInput(f"product: {x.shape} amplitudes do not fit {mean.shape} conductances")
    if np.ndim(variance) and np.shape(variance) != mean.shape:
        raise BadInput(f"product: variances {np.shape(variance)} for conductances {mean.shape}")
    if np.min(variance) < 0:
        raise BadInput("product: a variance < 0 marks a clipped read, which has to be drawn device by device")
    y = x @ mean
    noise = rng.generator(key).standard_normal(y.shape, dtype=np.float32)
    if np.ndim(variance):
        spread = np.square(x) @ variance
        np.sqrt(spread, out=spread)
        noise *= spread
    else:
        noise *= np.sqrt(np.einsum("ij,ij->i", x, x) * np.float32(variance))[:, None]
    y += noise
    if adc is not None:
        step, (low, high) = np.float32(adc.step()), adc.codes
        y *= 1 / step
        np.rint(y, out=y)
        np.clip(y, low, high, out=y)
        y *= step
    return y
