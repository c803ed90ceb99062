"""The arithmetic of a SpiNNaker core: s16.15 numbers in int32 (1.0 = 32768) and u0.32 fractions (1.0 = 2^32).

    a * b       = (a b) >> 15       64-bit product, floor, wraps mod 2^32; nothing rounds, nothing saturates
    decay(x, d) = (x d) >> 32       d in u0.32, floor: a negative x stalls at -1, a positive one reaches 0
    a / b       = (a << 15) // b    on the bits as unsigned numbers

Tables keep u0.32 as the int32 of the same bits. The compiled functions are on scalars; their bodies serve NumPy arrays
as `multiply.py_func`. `divide`, `expk` and `expulr` derive constants for a whole population, elementwise in NumPy.
Sources: sPyNNaker 7.4.1 `common/maths-util.h`, `neuron/decay.h`; spinn_common `src/stdfix-exp.c` (Mikaitis).
"""

from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numba import njit
from numba.extending import overload
from numpy.typing import ArrayLike, NDArray

from neurohw.errors import OutOfRange
from neurohw.kernels.compiling import high_word

ONE = 1 << 15
LOWEST, HIGHEST = -65536.0, 65535.99997  # what the tool chain accepts as s16.15
ONE_FRACTION = 0xFFFFFFFF  # the largest u0.32, which the C code takes for 1.0

Words = NDArray[np.int32]


def encode(values: ArrayLike, name: str = "value") -> Words:
    """s16.15 words as the tool chain writes parameters: half to even, of the *decimal* text of each number.

    Text and binary number can round differently only where 2^15 x is exactly half-way, so only there it is looked at.
    Raises OutOfRange outside [-65536, 65535.99997] and for NaN.
    Source: SpiNNFrontEndCommon 7.4.1 `interface/ds/data_type.py`, `encode_as_int`.
    """
    x = np.atleast_1d(np.asarray(values, dtype=np.float64))
    bad = ~((x >= LOWEST) & (x <= HIGHEST))
    if bad.any():
        raise OutOfRange(f"{name} = {x[bad][0]:g}: SpiNNaker holds s16.15 numbers in [{LOWEST:g}, {HIGHEST:g}]")
    words = np.rint(x * ONE)
    for i in np.argwhere(np.abs(x * ONE - np.trunc(x * ONE)) == 0.5):
        words[tuple(i)] = round(Decimal(repr(float(x[tuple(i)]))) * ONE)
    return words.astype(np.int32)


@njit(cache=True)
def wrap(x):
    """The low 32 bits of a sum or a shift, as a signed number."""
    return np.int32(x)


@njit(cache=True)
def multiply(a, b):
    """s16.15 times s16.15: floor((a b) / 2^15), wrapped."""
    return _multiply(a, b)


@njit(cache=True)
def decay(x, d):
    """s16.15 times u0.32: floor((x d) / 2^32); `d` holds the fraction's bits as int32."""
    return _decay(x, d)


def _multiply(a, b):
    return np.int32((np.int64(a) * np.int64(b)) >> np.int64(15))


def _decay(x, d):
    return np.int32((np.int64(x) * (np.int64(d) & np.int64(ONE_FRACTION))) >> np.int64(32))


@overload(_multiply)
def _compiled_multiply(a, b):
    """b = h 2^15 + l: a h + floor(a l / 2^15), the second as the decay by l / 2^15."""
    return lambda a, b: wrap(np.int32(a) * (np.int32(b) >> 15) + np.int64(_decay(a, np.int32(b) << 17)))


@overload(_decay)
def _compiled_decay(x, d):
    """Of unsigned words, less what the sign bit of x is too much: it stands for 2^32 d."""

    def compiled(x, d):
        fraction = np.uint32(d)
        return np.int32(high_word(np.uint32(x), fraction) - (fraction if x < 0 else np.uint32(0)))

    return compiled


class Whole(NamedTuple):
    """A factor without a fraction, as a plain number."""

    number: int


class Fraction(NamedTuple):
    """A factor below 1 as the bits of an u0.32, in an int32."""

    bits: int


def times(x, factor):
    """x times a factor: s16.15, `Whole` or `Fraction`, which take half of the work."""
    if isinstance(factor, Whole):
        return wrap(x * factor.number)
    return decay(x, factor.bits) if isinstance(factor, Fraction) else multiply(x, factor)


@overload(times)
def _compiled_times(x, factor):
    kind = getattr(factor, "instance_class", None)
    if kind is Whole:
        return lambda x, factor: wrap(x * factor.number)
    if kind is Fraction:
        return lambda x, factor: decay(x, factor.bits)
    return lambda x, factor: multiply(x, factor)


def fraction_product(x: Words, d: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """s16.15 times u0.32 as u0.32 (`decay_s1615_to_u032`): (x d) >> 15, wrapped, x taken as unsigned."""
    return ((_unsigned(x) * d.astype(np.uint64)) >> np.uint64(15)).astype(np.uint32)


def divide(a: Words, b: Words) -> Words:
    """s16.15 over s16.15 (`kdivk`): floor((a << 15) / b) on the bits as unsigned numbers; b must not be 0."""
    return ((_unsigned(a) << np.uint64(15)) // _unsigned(b)).astype(np.uint32).view(np.int32)


def expk(n: Words) -> Words:
    """e^n of s16.15 numbers as s16.15: truncated, and INT32_MAX above 363408 (11.0903), 0 below -340695 (-10.3972)."""
    return np.where(n > EXP_HIGHEST, 2**31 - 1, _exp32(n) >> np.uint64(17)).astype(np.int32)


def expulr(n: Words) -> NDArray[np.uint32]:
    """e^n of s16.15 numbers as u0.32, modulo 1: e^0 is 0, not 0xFFFFFFFF."""
    return np.where(n > EXP_HIGHEST, np.uint64(2**31 - 1), _exp32(n)).astype(np.uint32)


EXP_HIGHEST, EXP_LOWEST = 363408, -340695
# fmt: off
EXP_WHOLE = np.array([  # round(2^32 e^k), k = -13..12
    9708, 26389, 71733, 194991, 530041, 1440801, 3916503, 10646160, 28939262, 78665070, 213833830, 581260615,
    1580030169, 4294967296, 11674931555, 31735754293, 86266724208, 234497268814, 637429664642, 1732713474316,
    4710003551159, 12803117065094, 34802480465680, 94602950235157, 257157480542844, 699026506411923], dtype=np.uint64)
EXP_SIXTEENTHS = np.array([  # 2^32 (1 - e^(-i/16)), i = 0..15
    0, 260218914, 504671961, 734314346, 950043403, 1152702096, 1343082321, 1521927990, 1689937949, 1847768698,
    1996036966, 2135322113, 2266168400, 2389087112, 2504558555, 2613033936], dtype=np.uint64)
# fmt: on


def _exp32(n: Words) -> NDArray[np.uint64]:
    """2^32 e^n for EXP_LOWEST <= n <= EXP_HIGHEST, 0 below.

    n = z - f with z whole and 0 <= f < 1; e^n = e^z (1 - MID(first 4 bits of f)) (1 - series(the other 11 bits)).
    """
    inside = np.clip(n, EXP_LOWEST, EXP_HIGHEST).astype(np.int64)
    z = -(-inside >> 15)
    f = ((z << 15) - inside).astype(np.uint64)
    t = EXP_WHOLE[13 + z]
    t = t - _scaled(t, EXP_SIXTEENTHS[f >> np.uint64(11)])
    t = t - np.where(f > 0, _scaled(t, _series((f & np.uint64(0x7FF)) << np.uint64(17))), np.uint64(0))
    return np.where(n < EXP_LOWEST, np.uint64(0), t)


def _series(y: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """1 - e^-y in u0.32 for y < 1/16: (a - b y) y + c, the C code's two fitted terms."""
    t = np.uint64(4293434720) - ((np.uint64(2081624032) * y) >> np.uint64(32))
    return ((t * y) >> np.uint64(32)) + np.uint64(5294)


def _scaled(t: NDArray[np.uint64], y: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """t times y (u0.32); the C code rounds the low half up from 0x7FFFFFFF on, not from 2^31."""
    low = (t & np.uint64(0xFFFFFFFF)) * y
    up = ((low & np.uint64(0xFFFFFFFF)) >= np.uint64(0x7FFFFFFF)).astype(np.uint64)
    return (low >> np.uint64(32)) + up + (t >> np.uint64(32)) * y


def _unsigned(x: Words) -> NDArray[np.uint64]:
    return np.asarray(x, dtype=np.int32).view(np.uint32).astype(np.uint64)
