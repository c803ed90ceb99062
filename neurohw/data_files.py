"""Where device and mapping files lie: one finder for an installed package and for a checkout.

The wheel carries `devices/` and `mappings/` inside the package, in `_data`; an editable install reads them from the
top of the repository, where people edit them.
"""

import difflib
import os
from pathlib import Path
from typing import Literal

from neurohw.errors import BadInput

Kind = Literal["devices", "mappings"]

PACKAGE = Path(__file__).resolve().parent
ENDINGS = (".yaml", ".yml")


def find(kind: Kind, name: str | os.PathLike[str]) -> Path:
    """The file that `name` means.

    name: one of `names(kind)`; or a path, which is anything with a separator in it or ending in .yaml or .yml.
    Raises BadInput, naming what there is, if there is no such file.
    """
    text = os.fspath(name)
    if _is_path(text):
        return _existing(text, kind)
    known = _files(kind)
    if text not in known:
        raise BadInput(f"{kind}: there is no {text!r}{_nearest(text, list(known))}")
    return known[text]


def names(kind: Kind) -> list[str]:
    """The names that `find` knows, sorted."""
    return sorted(_files(kind))


def _files(kind: Kind) -> dict[str, Path]:
    return {path.stem: path for folder in reversed(_folders(kind)) for path in folder.glob("*.yaml")}


def _folders(kind: Kind) -> list[Path]:
    folders = [PACKAGE / "_data" / kind]
    if (PACKAGE.parent / "pyproject.toml").is_file():  # else the parent is site-packages, which is not ours to search
        folders.append(PACKAGE.parent / kind)
    return folders


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text or text.endswith(ENDINGS)


def _existing(text: str, kind: Kind) -> Path:
    path = Path(text)
    try:
        found = path.is_file()
    except (OSError, ValueError):  # a name too long, a null byte, a folder that may not be read
        found = False
    if not found:
        what = "is a folder" if os.path.isdir(text) else "does not exist"
        raise BadInput(f"{kind}: the file {text!r} {what}{_nearest(path.stem, names(kind))}")
    return path


def _nearest(text: str, known: list[str]) -> str:
    """The known names as the end of a message, close matches first."""
    if not known:
        return "; no names are known"
    close = difflib.get_close_matches(text.lower(), known, n=3, cutoff=0.5)
    rest = sorted(set(known) - set(close))
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return f"{hint} The known names are {', '.join(close + rest)}"
