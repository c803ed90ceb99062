"""Many rows read at once with amplitudes of their own: a matrix product with the noise of every device in it.

    y = x M + sqrt(x^2 V) z        x: (reads, rows) amplitudes; M, V: (rows, columns) mean and variance of a read of a pair

One normal z per output has exactly the distribution of one per device and read, under the condition of
`neurohw.chips.crossbar.engine`: Gaussian (unclipped), independent between devices, fresh at every read. The spiking loop is
the case x = 0 or 1 in which only the rows with 1 are touched.
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.adc import Adc
from neurohw.errors import BadInput
from neurohw.kernels.compiling import step_kernel
from neurohw.kernels.elementary import to_whole
from neurohw.kernels.noise import normal

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
    y, squares = x @ mean, np.square(x)
    if not np.ndim(variance):
        spread = squares.sum(axis=1, keepdims=True) * np.float32(variance)
    elif (squares == squares[:, :1]).all():  # amplitudes +-a: all devices count alike, and one sum per column will do
        spread = squares[:, :1] * np.sum(variance, axis=0)
    else:
        spread = squares @ variance
    step, (low, high) = (0.0, (0, 0)) if adc is None else (adc.step(), adc.codes)
    _finish(y, spread, key, float(step), float(low), float(high))
    return y


@step_kernel
def _finish(y, spread, key, step, low, high):
    """y += sqrt(spread) z, z addressed by (key, row * columns + column); then to the nearest whole multiple of step."""
    columns = y.shape[1]
    for k in range(y.shape[0]):
        row, first = y[k], k * columns
        if spread.shape[1] == 1:
            sd = sqrt(np.float64(spread[k, 0]))
            for j in range(row.shape[0]):
                row[j] += sd * normal(key, first + j)
        else:
            own = spread[k]
            for j in range(row.shape[0]):
                row[j] += sqrt(np.float64(own[j])) * normal(key, first + j)
        if step > 0.0:
            for j in range(row.shape[0]):
                row[j] = to_whole(min(max(row[j] / step, low), high)) * step
