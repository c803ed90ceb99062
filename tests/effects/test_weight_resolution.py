"""weight_resolution: codes of few bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurohw.effects.weight_resolution import WeightResolution
from neurohw.errors import BadInput
from neurohw.schema import Number, validate


@pytest.mark.parametrize(("bits", "top"), [(4, 15), (6, 63), (1, 1)])
def test_top(bits, top):
    assert WeightResolution(bits=Number(bits)).top == top


def test_rounding_halves_upwards_and_cut():
    codes = WeightResolution(bits=Number(4)).codes(np.array([0.0, 0.49, 0.5, 1.49, -2.5, 15.4, 15.6, 99.0]), 1.0)
    assert codes.tolist() == [0, 0, 1, 1, 3, 15, 15, 15]


@given(st.floats(0.0, 1.0), st.integers(1, 16), st.floats(1e-6, 1e3))
def test_error_is_half_a_code_at_most(share, bits, largest):
    resolution = WeightResolution(bits=Number(bits))
    unit = largest / resolution.top
    code = resolution.codes(np.array([share * largest]), unit)[0]
    assert 0 <= code <= resolution.top
    assert abs(code * unit - share * largest) <= unit / 2 * (1 + 1e-9)


@pytest.mark.parametrize("bits", [0, 17, 4.5])
def test_bad_numbers(bits):
    with pytest.raises(BadInput, match="bits"):
        validate(WeightResolution, {"bits": Number(bits)}, "weight_resolution")
