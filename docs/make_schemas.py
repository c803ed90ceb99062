"""Write docs/schemas/device.json and mapping.json, JSON schemas for editors, from the classes that read the files.

    python docs/make_schemas.py

An editor with a YAML language server takes them from a first line such as
`# yaml-language-server: $schema=../docs/schemas/device.json`.
"""

import json
from pathlib import Path

from neurohw.device.json_schema import device_schema
from neurohw.mapping import MappingFile

SCHEMAS = {"device.json": device_schema, "mapping.json": MappingFile.model_json_schema}


def main(folder: Path = Path(__file__).parent / "schemas") -> None:
    folder.mkdir(exist_ok=True)
    for name, make in SCHEMAS.items():
        (folder / name).write_text(json.dumps(make(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
