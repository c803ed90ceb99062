"""Few names at the top, each documented, and nothing public that is not listed."""

import inspect
import types

import pytest

import neurohw


def test_few_names():
    assert len(neurohw.__all__) == len(set(neurohw.__all__)) <= 48


@pytest.mark.parametrize("name", neurohw.__all__)
def test_each_name_is_documented(name):
    thing = getattr(neurohw, name)
    if inspect.ismodule(thing) or inspect.isclass(thing) or callable(thing):
        text = (thing.__dict__.get("__doc__") if inspect.isclass(thing) else thing.__doc__) or ""
        assert text.strip(), f"{name} has no docstring"
        assert not text.startswith(f"{name}("), f"{name} has only the signature that dataclass writes"
    else:
        assert name.startswith("__"), f"{name} is plain data, which cannot carry a docstring; put it in a module"


def test_nothing_public_is_unlisted():
    public = {name for name, thing in vars(neurohw).items() if not name.startswith("_") and not _is_own_module(thing)}
    assert public <= set(neurohw.__all__)


def _is_own_module(thing):
    return isinstance(thing, types.ModuleType) and thing.__name__.startswith("neurohw.")
