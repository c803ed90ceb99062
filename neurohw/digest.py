"""The hash of a tree of frozen values, by which two of them are known to be the same."""

import hashlib
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def digest(*parts: Any) -> str:
    """16 hexadecimal digits that depend on every number and word of the parts, and on nothing else."""
    found = hashlib.sha256()
    for part in parts:
        _feed(found, part)
    return found.hexdigest()[:16]


def _feed(found: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        found.update(str((value.dtype, value.shape)).encode() + np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value) and not isinstance(value, type):
        found.update(type(value).__name__.encode())
        for field in fields(value):
            _feed(found, getattr(value, field.name))
    elif isinstance(value, dict):
        for name, inner in value.items():
            found.update(repr(name).encode())
            _feed(found, inner)
    elif isinstance(value, list | tuple):
        found.update(f"[{len(value)}".encode())
        for inner in value:
            _feed(found, inner)
    else:
        found.update(repr(value).encode())
