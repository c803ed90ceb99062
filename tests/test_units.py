"""Quantities: one coherent system, text with units in, text with units out, and nothing else."""

import numpy as np
import pytest

from neurohw import units
from neurohw.errors import BadInput


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("20 s", "ms", 2e4),
        ("1 day", "ms", 86.4e6),
        ("25 uS", "uS", 25.0),
        ("4 nS", "uS", 0.004),
        ("-65 mV", "mV", -65.0),
        ("0.2 V", "mV", 200.0),
        ("200 pF", "nF", 0.2),
        ("1.5e-3 A", "nA", 1.5e6),
        ("200 MHz", "kHz", 2e5),
        ("10 Mohm", "MOhm", 10.0),
        ("5 nJ", "fJ", 5e6),
        ("3 W", "pW", 3e12),
        (" 1 ms ", "ms", 1.0),
        (".5 ms", "ms", 0.5),
        ("+2 ms", "ms", 2.0),
        ("7 1/s", "kHz", 0.007),
        ("100 Hz", "Hz", 100.0),
        ("2 minutes", "ms", 12e4),
        ("3 V/s", "mV/ms", 3.0),
    ],
)
def test_text_with_a_unit(text, unit, value):
    assert units.parse(text, unit) == pytest.approx(value, rel=1e-12)
    assert units.parse_text(text, unit) == units.parse(text, unit)


def test_the_system_is_coherent():
    """nF mV / ms = nA, MOhm nA = mV, uS mV = nA, nA mV ms = fJ, fJ / ms = pW: no equation carries a factor."""
    for product, unit in (("nF*mV/ms", "nA"), ("MOhm*nA", "mV"), ("uS*mV", "nA"), ("nA*mV*ms", "fJ"), ("nA*ms", "pC")):
        assert units.parse(f"1 {product}", unit) == pytest.approx(1.0)
    assert units.parse("1 fJ/ms", "pW") == pytest.approx(1.0)


@pytest.mark.parametrize("number", [5, 5.0, np.float32(5), np.int64(5), np.array(5.0)])
def test_a_number_is_in_the_unit_already(number):
    assert units.parse(number, "ms") == 5.0
    with pytest.raises(BadInput, match=r"has no unit|expected text"):
        units.parse_text(number, "ms")


@pytest.mark.parametrize(
    "bad",
    [
        "",
        " ",
        "ms",
        "5",
        "5 mV",
        "5 parsnips",
        "five ms",
        "5 ms ms",
        "nan ms",
        "inf ms",
        "1e999 ms",
        "5 ms; import os",
        "9**9**9 mV",
        "__import__('os')",
        "(5 ms)",
        "5 " + "m" * 200 + "s",
        "5 ms + 3 ms",
        "1e4444 ms",
        "5 μμs",
        "-",
        "5 %",
        "{5} ms",
        "5 ms**99",
        "0x10 ms",
        "1_000 ms",
        "5 degC",
        True,
        False,
        None,
        [],
        {},
        object(),
        float("nan"),
        float("inf"),
        -float("inf"),
        1j,
        b"5 ms x",
        np.array([1.0, 2.0]),
    ],
)
def test_anything_else_is_bad_input_and_names_its_place(bad):
    with pytest.raises(BadInput, match=r"^here: "):
        units.parse(bad, "ms", "here")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (86.4e6, "ms", "1 day"),
        (7.2e6, "ms", "2 hours"),
        (90e3, "ms", "1.5 minutes"),
        (1500.0, "ms", "1.5 s"),
        (0.1, "ms", "100 us"),
        (0.0, "ms", "0 ms"),
        (0.004, "uS", "4 nS"),
        (-65.0, "mV", "-65 mV"),
        (2e6, "fJ", "2 nJ"),
    ],
)
def test_pretty(value, unit, text):
    assert units.pretty(value, unit).replace("µ", "u") == text
