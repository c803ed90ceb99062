"""Published networks as functions: `nh.networks.vogels_abbott(n=4000, seed=1)`; a mapping file comes through
`build`."""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

from neurohw.errors import BadInput
from neurohw.network import Network
from neurohw.networks.attractor import attractor
from neurohw.networks.ca3_memory import ca3_memory
from neurohw.networks.microcircuit import microcircuit
from neurohw.networks.synfire_chain import synfire_chain
from neurohw.networks.vogels_abbott import vogels_abbott

NETWORKS: dict[str, Callable[..., Network]] = {
    "vogels_abbott": vogels_abbott,
    "microcircuit": microcircuit,
    "synfire_chain": synfire_chain,
    "ca3_memory": ca3_memory,
    "attractor": attractor,
}

__all__ = ["NETWORKS", "attractor", "build", "ca3_memory", "microcircuit", "synfire_chain", "vogels_abbott"]


def build(name: str, parameters: Mapping[str, Any] | None = None) -> Network:
    """The library network `name` with `parameters`, as a mapping file gives them.

    Raises BadInput with the network's parameters and their defaults if a name or a value is wrong.
    """
    if name not in NETWORKS:
        raise BadInput(f"no network {name!r}; there are {', '.join(NETWORKS)}")
    function, given = NETWORKS[name], dict(parameters or {})
    known = inspect.signature(function).parameters
    reasons = [f"no parameter {key!r}" for key in given if key not in known]
    reasons += [reason for key in known if key in given and (reason := _mistyped(known[key], given[key]))]
    try:
        if not reasons:
            return function(**given)
    except (BadInput, TypeError, ValueError, ArithmeticError) as error:
        reasons.append(str(error))
    listed = ", ".join(f"{p.name}={p.default!r}" for p in known.values())
    raise BadInput(f"network {name}: {'; '.join(reasons)}. Its parameters are {listed}")


def _mistyped(parameter: inspect.Parameter, value: Any) -> str | None:
    """Why `value` cannot be this parameter, by the function's own annotation."""
    kind = parameter.annotation
    if value is None and parameter.default is None:
        return None
    if get_origin(kind) is Literal:
        return None if value in get_args(kind) else f"{parameter.name} is one of {get_args(kind)}, got {value!r}"
    if kind is bool:
        return None if isinstance(value, bool) else f"{parameter.name} is true or false, got {value!r}"
    if kind is int:
        return None if type(value) is int else f"{parameter.name} is a whole number, got {value!r}"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float:
        return None if number and math.isfinite(value) else f"{parameter.name} is a number, got {value!r}"
    return None if number or isinstance(value, str) else f"{parameter.name} is a quantity, got {value!r}"
