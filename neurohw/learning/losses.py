"""Losses: from a readout to an error signal. For targets half the squared error, for labels the cross-entropy of a softmax.

    regression       loss = 1/2 sum_t sum_k (y_k - y*_k)^2,          error = y - y*
    classification   loss = - sum_t log p_label,  p = softmax(y),    error = p - onehot(label)

sums over the steps that count, mean over the samples; `average`: also divided by the number of those steps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import BadInput, OutOfRange
from neurohw.learning.batch import Batch

Array = NDArray[np.float64]
Parts = tuple[Array, Array, Array, dict[str, Array]]
"""Outputs, errors, loss of each sample, metrics."""


@dataclass(frozen=True, eq=False)
class Scored:
    """outputs: y, or the probabilities; error: dLoss/dy of each sample, 0 at steps that do not count; both (samples, steps, outputs)."""

    outputs: Array
    error: Array
    loss: float
    metrics: dict[str, Array]


def score(y: Array, batch: Batch, average: bool = False) -> Scored:
    """How good a readout y (samples, steps, outputs) is.

    Raises BadInput where batch and readout do not fit, OutOfRange where the loss is not finite.
    """
    counted = batch.counted
    if y.shape[:2] != counted.shape:
        raise BadInput(f"the readout has {y.shape[:2]} samples and steps, the batch {counted.shape}")
    shares = 1.0 / counted.sum(axis=1) if average else np.ones(len(y))
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is looked at below
        scored = _regression(y, batch, counted) if batch.targets is not None else _classes(y, batch, counted)
    outputs, error, losses, metrics = scored
    loss = float(np.mean(losses * shares))
    if not np.isfinite(loss):
        raise OutOfRange(
            "the loss is not finite: the readout has left all bounds; lower the learning rate or the weights"
        )
    return Scored(outputs, error * shares[:, None, None], loss, metrics)


def _regression(y: Array, batch: Batch, counted: NDArray[np.bool_]) -> Parts:
    assert batch.targets is not None
    if batch.targets.shape != y.shape:
        raise BadInput(f"targets for {batch.targets.shape[2]} outputs, but the readout has {y.shape[2]}")
    error = np.where(counted[:, :, None], y - batch.targets, 0.0)
    squares = (error**2).sum(axis=(1, 2))
    return y, error, squares / 2, {"mse": squares / (counted.sum(axis=1) * y.shape[2])}


def _classes(y: Array, batch: Batch, counted: NDArray[np.bool_]) -> Parts:
    assert batch.labels is not None
    n, steps, n_classes = y.shape
    if batch.labels.max(initial=0) >= n_classes:
        raise BadInput(f"label {batch.labels.max()} where the readout has {n_classes} classes")
    labels = np.broadcast_to(batch.labels.reshape(n, -1), (n, steps))
    shifted = y - y.max(axis=2, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=2, keepdims=True)
    p = exponentials / total
    right = np.take_along_axis(shifted, labels[:, :, None], 2)[:, :, 0] - np.log(total[:, :, 0])
    error = p.copy()
    np.put_along_axis(error, labels[:, :, None], np.take_along_axis(p, labels[:, :, None], 2) - 1.0, 2)
    error[~counted] = 0.0
    losses = -np.where(counted, right, 0.0).sum(axis=1)
    return p, error, losses, {"error": _wrong(y, batch, labels, counted)}


def _wrong(y: Array, batch: Batch, labels: NDArray[np.int64], counted: NDArray[np.bool_]) -> Array:
    """The share of wrong answers of each sample; an answer is the largest mean readout over the steps that count.

    Where labels change within a sample, each stretch of steps that count and have one label is an answer of its own.
    """
    assert batch.labels is not None
    number = np.zeros(counted.shape, np.int64) + np.arange(len(counted))[:, None]
    if batch.labels.ndim == 2:
        begins = counted.copy()
        begins[:, 1:] &= ~counted[:, :-1] | (labels[:, 1:] != labels[:, :-1])
        number = begins.cumsum().reshape(counted.shape) - 1
    which, rows = number[counted], np.nonzero(counted)[0]
    first = np.unique(which, return_index=True)[1]
    sums = np.stack([np.bincount(which, one) for one in y[counted].T], axis=1)
    wrong = sums.argmax(axis=1) != labels[counted][first]
    return np.asarray(np.bincount(rows[first], wrong) / np.bincount(rows[first]))
