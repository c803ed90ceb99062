"""Numbers that know where they come from: the building blocks of device files.

In a device file every number is written `{value: 25 uS, source: KEY, status: measured}`. `Number` is that number as a float in
the coherent system of `neurohw.units`, with `text`, `source` and `status` kept beside it for reports and documentation.
"""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from neurohw import units
from neurohw.errors import BadInput

Status = Literal["measured", "fitted", "assumed"]
Part = TypeVar("Part", bound="Described")


class Number(float):
    """A float with the text it was written as, the source it was taken from, and how far to trust it."""

    text: str
    source: str
    status: Status

    def __new__(
        cls, value: float, text: str = "", source: str = "set by the user", status: Status = "assumed"
    ) -> "Number":
        number = super().__new__(cls, value)
        number.text, number.source, number.status = text or f"{value:g}", source, status
        return number

    def __getnewargs__(self) -> tuple[Any, ...]:
        return float(self), self.text, self.source, self.status


class In:
    """The unit and the range of a field: `Annotated[Number, In("uS", at_least=0)]`; the unit "" means a pure number."""

    def __init__(
        self, unit: str = "", at_least: float = -units.LARGEST, at_most: float = units.LARGEST, whole: bool = False
    ):
        self.unit, self.at_least, self.at_most, self.whole = unit, at_least, at_most, whole

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        described = core_schema.typed_dict_schema(
            {
                "value": core_schema.typed_dict_field(core_schema.any_schema()),
                "source": core_schema.typed_dict_field(core_schema.str_schema()),
                "status": core_schema.typed_dict_field(core_schema.literal_schema(list(get_args(Status)))),
            }
        )
        return core_schema.no_info_plain_validator_function(
            self._validate, json_schema_input_schema=described, serialization=core_schema.to_string_ser_schema()
        )

    def _validate(self, given: Any) -> Number:
        if isinstance(given, Number):
            number = given
        elif isinstance(given, Mapping):
            number = self._from_mapping(given)
        else:
            raise ValueError(f"write it as {{value: {given}, source: ..., status: measured|fitted|assumed}}")
        if not self.at_least <= number <= self.at_most:
            raise ValueError(f"{number.text} lies outside [{self.at_least:g}, {self.at_most:g}] {self.unit}".rstrip())
        if self.whole and not number.is_integer():
            raise ValueError(f"{number.text} is not a whole number")
        return number

    def _from_mapping(self, given: Mapping[Any, Any]) -> Number:
        if set(given) != {"value", "source", "status"}:
            raise ValueError(f"expected exactly the keys value, source, status; got {sorted(map(str, given))}")
        if given["status"] not in get_args(Status):
            raise ValueError(f"status {given['status']!r} is none of {', '.join(get_args(Status))}")
        text = given["value"]
        try:
            if self.unit:
                value = units.parse_text(text, self.unit, "value")
            elif isinstance(text, bool | str):
                raise BadInput(f"value: expected a pure number, got {text!r}")
            else:
                value = units.parse(text, "", "value")
        except BadInput as error:
            raise ValueError(str(error)) from None
        return Number(value, str(text), str(given["source"]), given["status"])


PLAIN = {
    "missing": "missing",
    "dict_type": "expected keys and values",
    "model_type": "expected keys and values",
    "list_type": "expected a list in brackets",
    "tuple_type": "expected a list in brackets",
    "string_type": "expected text",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "too_short": "is empty; leave it out or fill it in",
    "string_too_short": "is empty; leave it out or fill it in",
}
"""What Pydantic finds, in the words of someone who writes a file."""


Count = Annotated[Number, In(at_least=1, at_most=100_000, whole=True)]
"""How many of something a device has."""


class Described(BaseModel):
    """A frozen part of a file; an unknown key is an error, and so is NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def validate(model: type[Part], data: Any, where: str) -> Part:
    """`data` as `model`; raises BadInput with one clause per fault, each naming the place in the file."""
    if not isinstance(data, Mapping):
        raise BadInput(f"{where}: expected a mapping of keys, got {type(data).__name__}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise BadInput(f"{where}: " + "; ".join(_clause(fault, model) for fault in error.errors()[:8])) from None


def _clause(fault: Any, model: type[BaseModel]) -> str:
    place = ".".join(str(part)[:60] for part in fault["loc"]) or "(top)"
    if fault["type"] == "extra_forbidden":
        return f"{place}: unknown key{_nearest(model, fault['loc'])}"
    plain = PLAIN.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    return f"{place}: {plain}"


def _nearest(model: type[BaseModel], place: tuple[int | str, ...]) -> str:
    """The keys that there are where an unknown one stands: the one that may be meant, or all."""
    for part in place[:-1]:
        field = _fields(model).get(str(part))
        inner = _models(field.annotation) if field else []
        model = inner[0] if inner else model
    known = list(_fields(model))
    close = difflib.get_close_matches(str(place[-1]), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known) or 'none'}"


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The parts of files that occur in the type of a field: in an optional, a list, a dict of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]
