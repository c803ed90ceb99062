"""The arithmetic of a SpiNNaker core against its plain-Python twin, over the whole range of words."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from neurohw.chips.spinnaker import arithmetic as fixed
from neurohw.errors import OutOfRange
from neurohw.kernels import compiling
from tests.oracles import spinnaker_fixed as twin

EDGES = [0, 1, -1, 2, 32767, 32768, 32769, -32768, 2**31 - 1, -(2**31), 2**30, -(2**30)]
EXP_EDGES = [363407, 363408, 363409, -340694, -340695, -340696]
WORD = st.one_of(st.sampled_from(EDGES), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**20), 2**20))
FRACTION = st.one_of(st.sampled_from([0, 1, 2**31 - 1, 2**31, 2**32 - 1]), st.integers(0, 2**32 - 1))


@njit
def each(a, b, d):
    products, decayed = np.empty_like(a), np.empty_like(a)
    for i in range(a.shape[0]):
        products[i], decayed[i] = fixed.multiply(a[i], b[i]), fixed.decay(a[i], d[i])
    return products, decayed


def words(values):
    return np.array(values, dtype=np.int64).astype(np.int32)


def signed(bits):
    return np.array(bits, dtype=np.uint32).view(np.int32)


@given(st.lists(st.tuples(WORD, WORD, FRACTION), min_size=1, max_size=40))
@settings(max_examples=300, deadline=None)
def test_products_and_quotients(rows):
    a, b, d = zip(*rows, strict=True)
    products, decayed = each(words(a), words(b), signed(d))
    assert products.tolist() == [twin.m(x, y) for x, y in zip(a, b, strict=True)]
    assert fixed.multiply.py_func(words(a), words(b)).tolist() == products.tolist()
    assert decayed.tolist() == [twin.decay(x, f) for x, f in zip(a, d, strict=True)]
    assert fixed.fraction_product(words(a), np.array(d, np.uint32)).tolist() == [
        twin.s1615_to_u032(x, f) for x, f in zip(a, d, strict=True)
    ]
    divisors = [y or 1 for y in b]
    assert fixed.divide(words(a), words(divisors)).tolist() == [
        twin.kdivk(x, y) for x, y in zip(a, divisors, strict=True)
    ]


@given(st.lists(st.one_of(WORD, st.integers(-345000, 368000), st.sampled_from(EXP_EDGES)), min_size=1, max_size=60))
@settings(max_examples=200, deadline=None)
def test_exponentials(n):
    assert fixed.expk(words(n)).tolist() == [twin.expk(x) for x in n]
    assert fixed.expulr(words(n)).tolist() == [twin.expulr(x) for x in n]


def test_exponentials_are_exponentials():
    """A twin can share a misreading; this cannot. Bounds: the largest errors over all n."""
    n = np.arange(-340000, 0, 7, dtype=np.int32)
    exact = np.exp(n / 32768.0)
    np.testing.assert_allclose(fixed.expulr(n) / 2.0**32, exact, rtol=1e-5, atol=0)
    np.testing.assert_allclose(fixed.expulr(n) / 2.0**32, exact, rtol=0, atol=5300 / 2**32)
    error = fixed.expk(n) - 32768.0 * exact
    assert -1.04 < error.min() < -0.9, "truncated, not rounded"
    assert error.max() < 0.04


@pytest.mark.parametrize(
    ("got", "known"),
    [
        (fixed.expulr(words([0])), 0),  # 1.0 loses its only bit
        (fixed.expk(words([0])), 32768),
        (fixed.expk(words([363409])), 2**31 - 1),
        (fixed.expulr(words([-340696])), 0),
        (each(words([-1]), words([1]), signed([1]))[0], -1),  # floor, not towards zero
        (each(words([-1]), words([1]), signed([2**32 - 1]))[1], -1),  # a negative decay never ends
        (each(words([1]), words([1]), signed([2**32 - 1]))[1], 0),
        (each(words([2**31 - 1]), words([65536]), signed([0]))[0], -2),  # wraps, does not saturate
    ],
)
def test_known_values(got, known):
    assert got.tolist() == [known]


@given(st.lists(st.floats(-65536, 65535.99997), min_size=1, max_size=20))
@settings(deadline=None)
def test_encode(values):
    assert fixed.encode(values).tolist() == [twin.encode(v) for v in values]


@given(st.lists(st.integers(-(2**31), 2**31 - 2), min_size=1, max_size=20))
@settings(deadline=None)
def test_encode_exactly_between_two_words(n):
    values = [(k + 0.5) / 32768 for k in n]
    assert fixed.encode(values).tolist() == [twin.encode(v) for v in values]


def test_encode_looks_at_the_decimal_text():
    """Python writes 512 + 2^-16 a little above half-way, so it goes up, where half-to-even goes down."""
    between = 512 + 2.0**-16
    assert repr(between) == "512.0000152587891"
    assert np.rint(between * 32768) == 512 * 32768
    assert fixed.encode(between).tolist() == [512 * 32768 + 1]


@pytest.mark.parametrize("value", [-65536.1, 65536.0, math.nan, math.inf, -math.inf])
def test_what_does_not_fit_is_refused(value):
    with pytest.raises(OutOfRange, match="tau_m"):
        fixed.encode([1.0, value], "tau_m")


@pytest.mark.parametrize("processor", ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"])
def test_the_upper_word_of_a_product_on_every_processor(monkeypatch, processor):
    """Two ways to write it, by processor; both run here."""
    if processor.startswith("x86") and not compiling.get_process_triple().startswith("x86"):
        pytest.skip("this way is for x86")
    monkeypatch.setattr(compiling, "get_process_triple", lambda: processor)

    @njit
    def upper(a, b):
        return compiling.high_word(a, b)

    edges = [0, 1, 2, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1]
    for a in edges:
        for b in edges:
            assert upper(np.uint32(a), np.uint32(b)) == (a * b) >> 32
