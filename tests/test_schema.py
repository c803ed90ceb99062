"""Numbers of a file: unit, source, status and range are kept and checked."""

import json
import pickle
from typing import Annotated

import pytest
from pydantic import Field

from neurohw.errors import BadInput
from neurohw.schema import Described, In, Number, validate


class Part(Described):
    """A part of a file."""

    g: Annotated[Number, In("uS", at_least=0, at_most=100)]
    bits: Annotated[Number, In("", at_least=1)] | None = None
    words: dict[str, Annotated[Number, In("ms")]] = {}
    n: int = Field(3, ge=1)


def number(value="25 uS", source="here", status="assumed"):
    return {"value": value, "source": source, "status": status}


def test_a_number_knows_where_it_comes_from():
    part = validate(Part, {"g": number(), "bits": number(6), "words": {"a": number("1 s")}}, "file")
    assert part.g == 25.0
    assert part.g.text == "25 uS"
    assert part.g.source == "here"
    assert part.g.status == "assumed"
    assert part.bits == 6
    assert part.bits.text == "6"
    assert part.words["a"] == 1000.0
    assert isinstance(part.g, float)
    assert part.g * 2 == 50.0


def test_it_survives_being_copied_and_written():
    part = validate(Part, {"g": number()}, "file")
    again = pickle.loads(pickle.dumps(part.g))
    assert again == part.g
    assert vars(again) == vars(part.g)
    assert json.loads(part.model_dump_json())["g"] == "25.0"
    assert Part.model_validate(part.model_dump()) == part
    assert Part.model_validate({"g": part.g}).g.source == "here", "a number that is one already is taken as it is"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (25.0, "g: write it as {value: 25.0, source: ..., status: measured|fitted|assumed}"),
        ("25 uS", "g: write it as"),
        (None, "g: write it as"),
        ({"value": "25 uS"}, "g: expected exactly the keys value, source, status; got ['value']"),
        ({**number(), "note": "x"}, "got ['note', 'source', 'status', 'value']"),
        (number(status="guessed"), "g: status 'guessed' is none of measured, fitted, assumed"),
        (number(25), "25 has no unit; write for example '25 uS'"),
        (number("25"), "'25' has no unit"),
        (number("25 ms"), "'25 ms' is not a quantity in uS"),
        (number("200 uS"), "g: 200 uS lies outside [0, 100] uS"),
        (number("-1 uS"), "g: -1 uS lies outside [0, 100] uS"),
        (number(None), "got None"),
        (number([1]), "got [1]"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(given, said):
    with pytest.raises(BadInput) as error:
        validate(Part, {"g": given}, "devices/x.yaml")
    assert str(error.value).startswith("devices/x.yaml: g: ")
    assert said in str(error.value)


@pytest.mark.parametrize("bad", ["6", True, float("nan"), float("inf"), None, [6]])
def test_a_pure_number_is_a_number(bad):
    with pytest.raises(BadInput, match="bits"):
        validate(Part, {"g": number(), "bits": number(bad)}, "file")


def test_every_fault_at_once():
    with pytest.raises(BadInput) as error:
        validate(Part, {"bits": number(0), "x": 1, "words": {"a": 3}, "n": 0}, "file")
    for said in (
        "g: missing",
        "bits: 0 lies outside",
        "x: unknown key",
        "words.a: write it as",
        "n: Input should be greater",
    ):
        assert said in str(error.value)


@pytest.mark.parametrize("bad", [None, [], "g: 1", 5])
def test_a_part_is_a_mapping(bad):
    with pytest.raises(BadInput, match="file: expected a mapping of keys, got"):
        validate(Part, bad, "file")


def test_parts_are_frozen():
    part = validate(Part, {"g": number()}, "file")
    with pytest.raises(ValueError, match="frozen"):
        part.n = 5


def test_the_schema_can_be_published():
    schema = Part.model_json_schema()
    assert set(schema["properties"]["g"]["properties"]) == {"value", "source", "status"}
    json.dumps(schema)
