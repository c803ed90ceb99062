"""Elementary functions without branches and without calls, so that the loops they stand in vectorize.

Logarithm and cosine have the polynomials of FreeBSD's msun (e_log.c, k_sin.c, k_cos.c) and are within 4e-16 of the result (the
cosine: of 1). Arguments are finite; nothing is checked.
"""

import numpy as np
from numba import njit

_ROUND = 6755399441055744.0
"""1.5 * 2^52: added and taken away again it rounds to a whole number, whose last bits stand in the mantissa of the sum."""
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_S52, _SQRT_HALF = np.int64(52), np.int64(0x3FE6A09E667F3BCD)
_TURN = 6.283185307179586


@njit(cache=True, inline="always")
def to_whole(x):
    """The nearest whole number, of two the even one; |x| < 2^51."""
    return (x + _ROUND) - _ROUND


@njit(cache=True, inline="always", error_model="numpy")
def ln(x):
    """The natural logarithm of a normal number x > 0."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - _SQRT_HALF) >> _S52  # so that the mantissa lies in [sqrt(1/2), sqrt(2))
    f = np.int64(bits - (exponent << _S52)).view(np.float64) - 1.0
    k, s, half = np.float64(exponent), f / (2.0 + f), 0.5 * f * f
    z = s * s
    r = 1.818357216161805012e-01 + z * (1.531383769920937332e-01 + z * 1.479819860511658591e-01)
    r = 2.857142874366239149e-01 + z * (2.222219843214978396e-01 + z * r)
    r = z * (6.666666666666735130e-01 + z * (3.999999999940941908e-01 + z * r))
    return k * _LN2_HIGH - ((half - (s * (half + r) + k * _LN2_LOW)) - f)


@njit(cache=True, inline="always")
def exp(x):
    """exp(x) to 1e-15 relative, x kept to -700..700: loops over it vectorize, those over the C library's exp do not.

    x = k ln 2 + y, |y| <= (ln 2)/2; exp(x) = 2^k exp(y), exp(y) by its Taylor sum to order 12 (next term 2e-16).
    2^k is made of its bits: 1023 + k is the exponent of a float64.
    """
    x = min(max(x, -700.0), 700.0)
    k = np.floor(x * 1.4426950408889634 + 0.5)
    y = x - k * 0.6931471803691238 - k * 1.9082149292705877e-10
    z = 1.0 + y * (1.0 / 12.0)
    z = 1.0 + y * (1.0 / 11.0) * z
    z = 1.0 + y * (1.0 / 10.0) * z
    z = 1.0 + y * (1.0 / 9.0) * z
    z = 1.0 + y * (1.0 / 8.0) * z
    z = 1.0 + y * (1.0 / 7.0) * z
    z = 1.0 + y * (1.0 / 6.0) * z
    z = 1.0 + y * (1.0 / 5.0) * z
    z = 1.0 + y * (1.0 / 4.0) * z
    z = 1.0 + y * (1.0 / 3.0) * z
    z = 1.0 + y * (1.0 / 2.0) * z
    z = 1.0 + y * z
    return z * np.int64((np.int64(k) + 1023) << 52).view(np.float64)


@njit(cache=True, inline="always", error_model="numpy")
def cos_turns(u):
    """The cosine of u full turns, -1 <= u <= 1; the sine is that of u - 1/4."""
    shifted = 4.0 * u + _ROUND
    quarter = np.float64(shifted).view(np.int64)
    x = (u - 0.25 * (shifted - _ROUND)) * _TURN
    z = x * x
    c = -2.75573143513906633035e-07 + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)
    c = 4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03 + z * (2.48015872894767294178e-05 + z * c))
    s = 2.75573137070700676789e-06 + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)
    s = -1.66666666666666324348e-01 + z * (8.33333333332248946124e-03 + z * (-1.98412698298579493134e-04 + z * s))
    value = x + x * z * s if quarter & 1 else 1.0 - 0.5 * z + z * z * c
    return -value if (quarter + 1) & 2 else value
