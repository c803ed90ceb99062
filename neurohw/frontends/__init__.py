"""How a network comes in: from the library, from a NIR file, from a PyNN script."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurohw.errors import BadInput
from neurohw.network import Network

FORMS = "{name: vogels_abbott, ...}, {nir: FILE.nir, dt: 0.1 ms} or {pynn: SCRIPT.py}"


def read_network(source: Mapping[str, Any], base: Path, where: str = "network") -> Network:
    """The network that a mapping file names.

    source: the `network:` section. base: the folder that paths in it are relative to.
    Raises BadInput or Unsupported naming the place.
    """
    kinds = [kind for kind in ("name", "nir", "pynn") if kind in source]
    if len(kinds) != 1:
        hint = "; a network that learns a task is for `neurohw train`" if "task" in source else ""
        raise BadInput(f"{where}: write exactly one of {FORMS}{hint}")
    rest = {key: value for key, value in source.items() if key != kinds[0]}
    given = source[kinds[0]]
    if not isinstance(given, str):
        raise BadInput(f"{where}.{kinds[0]}: expected text, got {given!r}")
    if kinds[0] == "name":
        from neurohw.networks import build

        return build(given, rest)
    if kinds[0] == "nir":
        return _nir(base / given, rest, where)
    from neurohw.frontends.pynn.capture import capture

    if set(rest) - {"args"}:
        raise BadInput(f"{where}: a PyNN script takes only args, got {', '.join(sorted(set(rest) - {'args'}))}")
    if not isinstance(rest.get("args", []), list):
        raise BadInput(f"{where}.args: expected a list such as [arg1, arg2], got {rest['args']!r}")
    return capture(base / given, [str(argument) for argument in rest.get("args", [])])


def _nir(path: Path, options: dict[str, Any], where: str) -> Network:
    from neurohw.frontends.nir import read_nir

    known = {"dt", "integration", "reset", "spike", "seed"}
    if set(options) - known:
        raise BadInput(
            f"{where}: unknown {', '.join(sorted(set(options) - known))}; a NIR file takes {', '.join(sorted(known))}"
        )
    if not isinstance(options.get("dt"), str):
        raise BadInput(f"{where}.dt: a NIR file has no time step; write for example dt: 0.1 ms")
    return read_nir(path, **options)
