"""What traces tell: time constants and amplitudes, by least squares, of all neurons at once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
SECTION = (np.sqrt(5.0) - 1.0) / 2.0


def fit(basis: Callable[[Values], Values], y: Values, low: float, high: float, n: int) -> tuple[Values, Values]:
    """(tau, amplitude) of  y = offset + amplitude basis(tau)  for each column of y, shape (samples, n).

    basis: tau (n,) -> (samples, n). tau by golden section of its logarithm between low and high, the rest linear.
    """
    centered = y - y.mean(axis=0)

    def solved(log_tau: Values) -> tuple[Values, Values]:
        shape = basis(np.exp(log_tau))
        shape = shape - shape.mean(axis=0)
        amplitude = (shape * centered).sum(axis=0) / np.maximum((shape * shape).sum(axis=0), 1e-300)
        return ((centered - amplitude * shape) ** 2).sum(axis=0), amplitude

    a, b = np.full(n, np.log(low)), np.full(n, np.log(high))
    c, d = b - SECTION * (b - a), a + SECTION * (b - a)
    at_c, at_d = solved(c)[0], solved(d)[0]
    for _ in range(18):  # to 2e-4 of the interval
        left = at_c < at_d
        a, b = np.where(left, a, c), np.where(left, d, b)
        c, d = np.where(left, b - SECTION * (b - a), d), np.where(left, c, a + SECTION * (b - a))
        fresh = solved(np.where(left, c, d))[0]
        at_c, at_d = np.where(left, fresh, at_d), np.where(left, at_c, fresh)
    found = (a + b) / 2
    return np.exp(found), solved(found)[1]


def decay(t: Values) -> Callable[[Values], Values]:
    """exp(-t/tau), t: (samples,)."""
    return lambda tau: np.exp(-t[:, None] / tau)


def potential(t: Values, tau_m: Values, cm: float) -> Callable[[Values], Values]:
    """The potential (mV) that a current of 1 nA leaves, which begins at t = 0 and decays with tau:

    tau tau_m / (cm (tau_m - tau)) (exp(-t/tau_m) - exp(-t/tau))
    """

    def shape(tau: Values) -> Values:
        apart = np.where(np.abs(tau - tau_m) < 1e-6 * tau_m, tau_m * (1 + 1e-6), tau)
        return apart * tau_m / (cm * (tau_m - apart)) * (np.exp(-t[:, None] / tau_m) - np.exp(-t[:, None] / apart))

    return shape


def threshold(mean: Values, leak: Values, reset: Values) -> Values:
    """The threshold of neurons that fire regularly, from the mean of their membrane between spikes.

    v relaxes from reset to leak and is cut off at the threshold, so  mean = leak - x / ln(D/(D - x)) with D = leak - reset
    and x = threshold - reset, whatever tau_m is. Solved by bisection of x in (0, D).
    """
    apart = np.maximum(leak - reset, 1e-9)
    low, high = np.full(mean.shape, 1e-6), np.full(mean.shape, 1.0 - 1e-9)
    for _ in range(45):
        middle = (low + high) / 2
        rises = leak - apart * middle / -np.log1p(-middle) < mean
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return reset + apart * (low + high) / 2
