"""Text with a unit -> a number in one coherent system, and back.

Inside neurohw a number is in: ms, mV, nA, nF, MOhm, uS, kHz, pC, fJ. The system is coherent (nF*mV/ms = nA, MOhm*nA = mV,
uS*mV = nA, nA*mV*ms = fJ), so no equation carries a factor. Rates of sources are the one exception: they are in Hz, as in PyNN.

Parsing is Pint's, which never evaluates text as code. It does carry out arithmetic that it finds ("9**9**9 mV" would not end),
so only a number followed by a unit is handed to it.
"""

import re
from functools import cache
from typing import Any

from neurohw.errors import BadInput

COHERENT = ("ms", "mV", "nA", "nF", "MOhm", "uS", "kHz", "pC", "fJ", "pW")
"""One unit for each dimension that occurs in a network; pW because fJ / ms = pW."""

LARGEST = 1e15
"""No quantity is larger: a time of 30,000 years, which still counts in 64 bits of microseconds."""


@cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(cache_folder=None)
    registry.define("@alias ohm = Ohm")
    return registry


_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_UNIT = r"[^\W\d_]+(?:(?:\*\*|\^)-?\d)?"
_QUANTITY = re.compile(rf"\s*{_NUMBER}\s*(?:(?:1\s*/\s*)?{_UNIT}(?:\s*[*/ ]\s*{_UNIT})*)?\s*")


def parse(value: Any, unit: str, where: str = "value") -> float:
    """`value` as a float in `unit`.

    value: text with a unit ("25 uS", "1 day"), or a plain number, which is taken to be in `unit` already.
    Raises BadInput, naming `where`, for text without a unit, an unknown unit, a unit of another kind, NaN or infinity.
    """
    if isinstance(value, bool) or value is None:
        raise BadInput(f"{where}: expected a quantity in {unit}, got {value!r}")
    if isinstance(value, str):
        return _finite(_from_text(value, unit, where), value, unit, where)
    try:
        return _finite(float(value), value, unit, where)
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{where}: expected a quantity such as '1 {unit}', got {str(value)[:40]}") from None


def parse_text(value: Any, unit: str, where: str = "value") -> float:
    """Like `parse`, but a bare number is an error: for files, where a number without its unit is a trap."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        example = value if abs(value) <= LARGEST else 1
        raise BadInput(f"{where}: {str(value)[:40]} has no unit; write for example '{example} {unit}'")
    if not isinstance(value, str):
        raise BadInput(f"{where}: expected text with a number and a unit such as '1 {unit}', got {str(value)[:40]}")
    return parse(value, unit, where)


def _from_text(text: str, unit: str, where: str) -> float:
    import pint

    if len(text) > 80 or not _QUANTITY.fullmatch(text):
        raise BadInput(f"{where}: cannot read {text[:40]!r} as a quantity; write for example '1 {unit}'")
    try:
        quantity = _registry().Quantity(text)
        if quantity.unitless and unit != "":
            raise BadInput(f"{where}: {text!r} has no unit; write for example '{text} {unit}'")
        return float(quantity.to(unit or "dimensionless").magnitude)
    except pint.DimensionalityError:
        raise BadInput(f"{where}: {text!r} is not a quantity in {unit}") from None
    except BadInput:
        raise
    except (
        pint.PintError,
        ValueError,
        TypeError,
        AttributeError,
        AssertionError,
        SyntaxError,
    ):  # a unit it does not know
        raise BadInput(f"{where}: cannot read {text!r} as a quantity; write for example '1 {unit}'") from None


def _finite(number: float, given: Any, unit: str, where: str) -> float:
    if number != number or number in (float("inf"), float("-inf")):
        raise BadInput(f"{where}: {given!r} is not a finite number")
    if abs(number) > LARGEST:
        raise BadInput(f"{where}: {str(given)[:40]} is beyond {LARGEST:g} {unit}, the largest that is computed with")
    return number


def pretty(value: float, unit: str) -> str:
    """A number with its unit in engineering form, for reports: pretty(86.4e6, "ms") == "1 day"."""
    quantity = _registry().Quantity(value, unit)
    if quantity.check("[time]") and value >= 60e3:
        for name in ("day", "hour", "minute"):
            if quantity.m_as(name) >= 1:
                amount = quantity.m_as(name)
                return f"{amount:.4g} {name}" + ("s" if amount != 1 else "")
    compact = quantity.to_compact() if value else quantity
    return f"{compact.magnitude:.4g} {compact.units:~}".strip()
