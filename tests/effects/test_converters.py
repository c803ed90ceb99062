"""Converters and drivers: the ideal quantizer, spreads, dead lines."""

import numpy as np
import pytest

from neurohw import rng
from neurohw.effects.adc import Adc
from neurohw.effects.dac import Dac
from neurohw.effects.dead_lines import DeadLines
from neurohw.effects.ir_drop import IrDrop
from neurohw.errors import BadInput
from neurohw.schema import Number, validate
from tests import small


def adc(bits=8, full_scale=100.0, offset=0.0, gain=0.0, noise=0.0):
    numbers = {"bits": bits, "range": full_scale, "offset": offset, "gain": gain, "noise": noise}
    return Adc(**{name: Number(value) for name, value in numbers.items()})


@pytest.mark.parametrize("bits", [1, 4, 8, 12])
def test_the_ideal_quantizer_is_half_a_code_off_at_most(bits):
    """Integral nonlinearity <= 1/2 code inside the range."""
    converter = adc(bits)
    step = converter.step()
    x = np.linspace(-100.0, 100.0 - step, 200_001)
    assert np.abs(converter.converted(x) * step - x).max() <= step / 2 * (1 + 1e-9)
    assert converter.converted(np.array([-1e9, 1e9])).tolist() == list(converter.codes)


@pytest.mark.parametrize("bits", [6, 8, 10, 12])
def test_signal_to_noise_of_a_full_scale_sine(bits):
    """6.02 b + 1.76 dB, which takes the error for uniform in a code: within 0.1 dB from 6 bits on."""
    converter = adc(bits)
    step = converter.step()
    phase = 2 * np.pi * 7919 * np.arange(1 << 18) / (1 << 18)
    x = (100.0 - step / 2) * np.sin(phase) - step / 2
    noise = converter.converted(x) * step - x
    found = 10 * np.log10((x + step / 2).var() / noise.var())
    assert found == pytest.approx(6.02 * bits + 1.76, abs=0.1)


def test_specimens_have_gains_and_offsets_of_their_own():
    factor, offset = adc(gain=0.02, offset=0.5).specimen(rng.key(1, "adc"), np.arange(10_000))
    assert factor.mean() == pytest.approx(1, abs=4 * 0.02 / 100)
    assert factor.std() == pytest.approx(0.02, rel=4 / np.sqrt(2 * 1e4))
    assert offset.std() == pytest.approx(0.5, rel=4 / np.sqrt(2 * 1e4))
    assert abs(np.corrcoef(factor, offset)[0, 1]) < 4 / 100
    again, _ = adc(gain=0.02).specimen(rng.key(1, "adc"), np.array([77]))
    assert again[0] == factor[77]


def test_a_driver_has_few_amplitudes():
    driver = Dac(bits=Number(3), gain=Number(0.0))
    wanted = np.array([0.0, 0.06, 0.08, 0.5, 1.0])
    given = driver.amplitudes(wanted, rng.key(1, "dac"), np.arange(5))
    np.testing.assert_allclose(given * 7, [0, 0, 1, 4, 7])
    spread = Dac(bits=Number(8), gain=Number(0.03)).amplitudes(np.ones(10_000), rng.key(1, "dac"), np.arange(10_000))
    assert spread.std() == pytest.approx(0.03, rel=4 / np.sqrt(2 * 1e4))


def test_dead_lines():
    effect = DeadLines(dead_rows=Number(0.1), dead_columns=Number(0.0))
    alive = effect.alive("rows", rng.key(1, "x"), np.arange(10_000))
    assert (~alive).mean() == pytest.approx(0.1, abs=4 * 0.3 / 100)
    assert effect.alive("columns", rng.key(1, "x"), np.arange(100)).all()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"rows": 0}, r"rows: 0 lies outside \[1, 100000\]"),
        ({"adc.bits": 0}, r"0 lies outside \[1, 24\]"),
        ({"adc.bits": 7.5}, "whole number"),
        ({"adc.range": "0 uS"}, r"outside \[1e-06"),
        ({"adc.range": float("nan")}, "nan|finite|NaN"),
        ({"ir_drop.row": "-1 Ohm"}, r"outside \[0"),
        ({"dead_rows": 1.5}, r"1.5 lies outside \[0, 1\]"),
    ],
)
def test_impossible_numbers_are_refused_by_name(change, match):
    with pytest.raises(BadInput, match=match):
        small.device("pcm-core").with_(**change)


@pytest.mark.parametrize(
    ("choices", "match"),
    [
        ({"pairs_per_synapse": 0}, "pairs_per_synapse"),
        ({"pairs_per_synapse": 1.5}, "pairs_per_synapse"),
        ({"significance": 0}, "significance"),
        ({"adc_range": 0.0}, "adc_range"),
        ({"adc_range": float("nan")}, "adc_range"),
        ({"accumulation": "sideways"}, "accumulation"),
        ({"read_noise": "some"}, "read_noise"),
        ({"weight_scaling": "per mood"}, "weight_scaling"),
    ],
)
def test_impossible_choices_are_refused_by_name(choices, match):
    with pytest.raises(BadInput, match=match):
        small.device("pcm-core").choices(choices)


def test_a_number_of_an_effect_can_be_named_in_one_word():
    assert small.device("pcm-core").with_(adc_bits=6).effect("adc").bits == 6


def test_a_wire_effect_needs_a_known_method():
    numbers = small.device("pcm-core").effect("ir_drop").model_dump()
    with pytest.raises(BadInput, match="method"):
        validate(IrDrop, {**numbers, "method": "guess"}, "x")
