"""A thing is registered by one line in its package's table: the table covers the folder and holds nothing else."""

import importlib
import inspect
import pkgutil

import pytest

TABLES = {
    "neurons": "NEURONS",
    "synapses": "SYNAPSES",
    "networks": "NETWORKS",
    "effects": "EFFECTS",
    "passes": "PASSES",
    "chips": "CHIPS",
    "learning.tasks": "TASKS",
    "learning.schemes": "SCHEMES",
}

HELPERS: dict[str, set[str]] = {
    "neurons": {"model"},
    "effects": {"curve", "effect"},
    "learning.tasks": {"task"},
    "learning.schemes": {"scheme"},
    "passes": {"placement", "predicates"},
    "chips": {"brian", "brian_change", "brian_equations", "brian_plastic", "engine_chip", "resume"},
}
"""Modules that carry no entry of their own, with a reason that is plain from their name."""


@pytest.fixture(params=TABLES)
def folder(request):
    return request.param


def package_of(folder):
    return importlib.import_module(f"neurohw.{folder}")


def entries(folder):
    """What the table holds; a table may group its entries (the passes of each substrate, in order)."""
    table = getattr(package_of(folder), TABLES[folder])
    values = table.values() if isinstance(table, dict) else table
    return [entry for value in values for entry in (value if isinstance(value, tuple | list) else (value,))]


def modules(folder):
    return {module.name for module in pkgutil.iter_modules(package_of(folder).__path__)}


def homes(folder, entry):
    """The modules (or subpackages) of `folder` that `entry` comes from.

    A class or function knows its module. An instance does not: its home is the module that holds it under some name,
    or that of the functions and classes it carries (a pass carries its `run`).
    """
    prefix = f"neurohw.{folder}."
    if inspect.isclass(entry) or inspect.isroutine(entry):
        owners = [entry.__module__]
    else:
        imported = [importlib.import_module(prefix + name) for name in modules(folder)]
        owners = [module.__name__ for module in imported if any(thing is entry for thing in vars(module).values())]
        carried = getattr(entry, "__dict__", {}).values()
        owners += [thing.__module__ for thing in carried if inspect.isclass(thing) or inspect.isroutine(thing)]
    return {owner.removeprefix(prefix).split(".")[0] for owner in owners if owner.startswith(prefix)}


def test_every_file_of_the_command_line_is_a_command():
    cli = importlib.import_module("neurohw.cli")
    commands = {command.callback.__module__ for command in cli.app.registered_commands}
    groups = {
        inspect.getmodule(group.typer_instance.registered_callback.callback).__name__
        for group in cli.app.registered_groups
    }
    files = {f"neurohw.cli.{name}" for name in modules("cli") if name not in ("shared", "__main__")}
    assert files == commands | groups


def test_every_module_is_in_the_table(folder):
    covered = set().union(*(homes(folder, entry) for entry in entries(folder)))
    forgotten = modules(folder) - covered - HELPERS.get(folder, set())
    assert not forgotten, f"no line in neurohw/{folder}/__init__.py ({TABLES[folder]}) for {sorted(forgotten)}"


def test_every_entry_comes_from_the_folder(folder):
    strangers = [entry for entry in entries(folder) if not homes(folder, entry)]
    assert not strangers, f"{TABLES[folder]} holds what neurohw/{folder}/ does not define: {strangers}"


def test_helpers_exist(folder):
    assert HELPERS.get(folder, set()) <= modules(folder)


def test_the_table_is_plain(folder):
    table = getattr(package_of(folder), TABLES[folder])
    assert type(table) in (dict, list, tuple)
    assert table, f"{TABLES[folder]} is empty"
    if isinstance(table, dict):
        assert all(isinstance(name, str) for name in table)
