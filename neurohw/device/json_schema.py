"""The JSON schema of a device file, for editors that check YAML while one types."""

from typing import Any

from neurohw.device.device import DeviceFile
from neurohw.device.substrates import SUBSTRATES
from neurohw.effects import EFFECTS


def device_schema() -> dict[str, Any]:
    """The schema of `devices/*.yaml`: the common part, every effect by name, and the machine of each substrate."""
    schema = DeviceFile.model_json_schema()
    effects = {name: _flat(effect.model_json_schema()) for name, effect in EFFECTS.items()}
    schema["properties"]["effects"] = {"type": "object", "properties": effects, "additionalProperties": False}
    schema["properties"]["substrate"] = {"enum": list(SUBSTRATES)}
    schema["allOf"] = [
        {
            "if": {"properties": {"substrate": {"const": name}}},
            "then": {"properties": {"machine": _flat(substrate.machine.model_json_schema())}},
        }
        for name, substrate in SUBSTRATES.items()
    ]
    return schema


def _flat(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references to its own definitions, which would not be found inside another."""
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(inner) for inner in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolved(definitions[part["$ref"].rsplit("/", 1)[-1]])
        return {key: resolved(inner) for key, inner in part.items()}

    found: dict[str, Any] = resolved(schema)
    return found
