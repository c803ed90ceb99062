"""seal: give the program the fingerprint of everything that determines its runs."""

import hashlib
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from neurohw.program import Program

REQUIRES = ("lowered",)
ESTABLISHES = ("sealed",)


def seal(program: Program) -> Program:
    """The same program with its fingerprint: network, device, choices, time step, what is recorded, and every decision."""
    digest = hashlib.sha256()
    for part in (program.network, program.device.fingerprint, program.device.title, program.choices, program.dt):
        _feed(digest, part)
    _feed(digest, [program.slices, program.scaling, program.delays])
    return program.with_(fingerprint=digest.hexdigest()[:16])


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        digest.update(str((value.dtype, value.shape)).encode() + np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value) and not isinstance(value, type):
        digest.update(type(value).__name__.encode())
        for field in fields(value):
            _feed(digest, getattr(value, field.name))
    elif isinstance(value, dict):
        for name, inner in value.items():
            digest.update(repr(name).encode())
            _feed(digest, inner)
    elif isinstance(value, list | tuple):
        digest.update(f"[{len(value)}".encode())
        for inner in value:
            _feed(digest, inner)
    else:
        digest.update(repr(value).encode())
