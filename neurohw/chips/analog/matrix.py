"""Multiplying vectors by a matrix of signed weights on the synapse array, as BrainScaleS-2 does beside spiking.

    y = sum over parts of at most `rows` rows of  clip(floor(gain x W + noise z), low, high)

x: whole numbers 0..input_top, W: rounded and clipped to -weight_top..weight_top (an excitatory and an inhibitory row for
each), z: standard normal for each read. Parts are added digitally. Source: electronicvisions/hxtorch at 3bfc7aa, mac.cpp.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurohw import rng
from neurohw.device.device import Device
from neurohw.errors import BadInput, Unsupported

EXACT = 1e-9
"""Added before a sum is rounded down: gain x W is a multiple of the gain, which has no exact binary form."""


def multiply(
    device: Device, inputs: ArrayLike, weights: ArrayLike, seed: int = 0, trial: int = 0, noise: bool = True
) -> NDArray[np.int64]:
    """What the converters read. inputs: (..., rows); weights: (rows, columns); result: (..., columns).

    seed, trial: of the noise. Raises Unsupported for a device that has no such mode, BadInput for wrong shapes or inputs.
    """
    mode = getattr(device.machine, "matrix", None)
    if mode is None:
        raise Unsupported(f"{device.title} does not multiply matrices; brainscales2-chip does")
    x, w = np.asarray(inputs), np.asarray(weights, float)
    if w.ndim != 2 or x.ndim < 1 or x.shape[-1] != w.shape[0]:
        raise BadInput(f"multiply: inputs of the shape {x.shape} and weights of the shape {w.shape} do not go together")
    if not np.issubdtype(x.dtype, np.integer) or (x.size and not 0 <= x.min() <= x.max() <= mode.input_top):
        raise BadInput(f"multiply: inputs are whole numbers from 0 to {int(mode.input_top)}")
    codes = np.clip(np.rint(w), -mode.weight_top, mode.weight_top)
    total = np.zeros((*x.shape[:-1], w.shape[1]), np.int64)
    for part, first in enumerate(range(0, w.shape[0], int(mode.rows))):
        rows = slice(first, first + int(mode.rows))
        read = mode.gain * (x[..., rows] @ codes[rows])
        if noise:
            z = rng.normal(rng.key(seed, f"{device.name}/matrix/trial/{trial}/{part}"), read.shape)
            read = read + mode.noise * z
        total += np.clip(np.floor(read + EXACT), mode.low, mode.high).astype(np.int64)
    return total
