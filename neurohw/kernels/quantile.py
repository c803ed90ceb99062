"""The inverse of the normal distribution function, Acklam's, of at most 1.2e-9 relative error, with no tail cut.

One rational function for the middle 95 %, one in sqrt(-2 ln p) for the tails. The middle vectorizes.
Source: P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function" (2003).
"""

from math import log, sqrt

from numba import njit

MIDDLE = 0.47575
"""|p - 1/2| up to which `middle` holds."""


@njit(cache=True, inline="always", error_model="numpy")
def middle(q):
    """The quantile of 1/2 + q, |q| <= MIDDLE."""
    r = q * q
    a = ((-3.969683028665376e1 * r + 2.209460984245205e2) * r - 2.759285104469687e2) * r + 1.383577518672690e2
    a = (a * r - 3.066479806614716e1) * r + 2.506628277459239
    b = ((-5.447609879822406e1 * r + 1.615858368580409e2) * r - 1.556989798598866e2) * r + 6.680131188771972e1
    return q * a / ((b * r - 1.328068155288572e1) * r + 1.0)


@njit(cache=True)
def tail(p):
    """The quantile of p in (0, 1) beyond the middle."""
    x = far(sqrt(-2.0 * log(min(p, 1.0 - p))))
    return x if p < 0.5 else -x


@njit(cache=True, inline="always", error_model="numpy")
def far(r):
    """The lower quantile beyond the middle, of p = exp(-r^2 / 2)."""
    a = ((-7.784894002430293e-3 * r - 3.223964580411365e-1) * r - 2.400758277161838) * r - 2.549732539343734
    b = ((7.784695709041462e-3 * r + 3.224671290700398e-1) * r + 2.445134137142996) * r + 3.754408661907416
    return ((a * r + 4.374664141464968) * r + 2.938163982698783) / (b * r + 1.0)
