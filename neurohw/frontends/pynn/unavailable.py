"""PyNN's models that neurohw has not: each is there by its name, and says so when it is used."""

from typing import Any

from pyNN.standardmodels import ModelNotAvailable

from neurohw.errors import Unsupported


class NotInNeurohw(Unsupported, NotImplementedError):
    """PyNN's NotImplementedError, which is one of neurohw's own errors too."""


class Unavailable(ModelNotAvailable):
    """A model that cannot be made; `nearest` names what there is instead."""

    nearest = ""

    def __init__(self, *args: Any, **kwargs: Any):
        raise NotInNeurohw(f"neurohw has no {type(self).__name__}; there is {self.nearest}")


def unavailable(names: tuple[str, ...], nearest: str) -> dict[str, type]:
    """name -> a class that refuses to be made."""
    return {
        name: type(name, (Unavailable,), {"nearest": nearest, "__doc__": "Not available in neurohw."}) for name in names
    }
