"""The schemas in docs/schemas are those of the code, and every file that ships satisfies its own."""

import json
from pathlib import Path

import pytest
import yaml

from neurohw import data_files
from neurohw.device.json_schema import device_schema
from neurohw.mapping import MappingFile

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.mark.parametrize(("name", "made"), [("device", device_schema), ("mapping", MappingFile.model_json_schema)])
def test_the_committed_schema_is_the_code_s(name, made):
    committed = json.loads((SCHEMAS / f"{name}.json").read_text())
    assert committed == json.loads(json.dumps(made())), "run python docs/make_schemas.py"


@pytest.mark.parametrize("name", data_files.names("devices"))
def test_devices_have_no_key_that_the_schema_lacks(name):
    schema, data = device_schema(), yaml.safe_load(data_files.find("devices", name).read_text())
    machine = next(
        rule["then"]["properties"]["machine"]
        for rule in schema["allOf"]
        if rule["if"]["properties"]["substrate"]["const"] == data["substrate"]
    )
    assert set(data) <= set(schema["properties"])
    assert set(data["machine"]) <= set(machine["properties"])
    for effect, numbers in data.get("effects", {}).items():
        assert set(numbers) <= set(schema["properties"]["effects"]["properties"][effect]["properties"])
