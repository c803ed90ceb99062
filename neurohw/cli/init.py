"""neurohw init: a mapping file to start from."""

from pathlib import Path
from typing import Annotated

import typer

from neurohw.errors import BadInput


def init(name: Annotated[str, typer.Argument(help="The file to write.")] = "experiment.yaml") -> None:
    """A commented mapping file to start from. Example: neurohw init my-experiment.yaml"""
    from neurohw import data_files
    from neurohw.files import atomically

    if not name.strip():
        raise BadInput("init: the file needs a name, such as experiment.yaml")
    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    if path.exists():
        raise BadInput(f"{path}: exists already; give another name")
    with atomically(path) as temporary:
        temporary.write_text(data_files.find("mappings", "template").read_text(encoding="utf-8"), encoding="utf-8")
    print(f"wrote {path}; next: neurohw compare {path}")
