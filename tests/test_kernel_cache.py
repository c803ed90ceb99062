"""Compiled kernels are those of the source files as they are."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neurohw import kernel_cache

PROGRAM = """
import json, os
import numpy as np
from neurohw.kernels.noise import normals
print(json.dumps([normals(np.uint64(1), np.arange(3)).tolist(), os.environ["NUMBA_CACHE_DIR"]]))
"""


@pytest.fixture
def package(tmp_path):
    """A copy of the package, to be edited."""
    made = tmp_path / "neurohw"
    shutil.copytree(kernel_cache.PACKAGE, made, ignore=shutil.ignore_patterns("__pycache__"))
    return made


def _run(package, **environment):
    """(three normals, the folder of the kernels), as a process finds them."""
    kept = {name: value for name, value in os.environ.items() if name != kernel_cache.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=package.parent,
        env={**kept, "PYTHONPATH": str(package.parent), **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    values, folder = json.loads(done.stdout)
    return values, Path(folder)


def test_an_edit_of_a_function_that_a_kernel_calls_is_noticed(package):
    before, folder = _run(package)
    assert folder.parent == package / "__pycache__"
    assert list(folder.rglob("*.nbi")), "the kernels are kept there"
    assert _run(package) == (before, folder)
    noise = package / "kernels" / "noise.py"
    text = noise.read_text(encoding="utf-8")
    assert text.count("    return radius * ") == 1
    noise.write_text(text.replace("    return radius * ", "    return 2.0 * radius * "), encoding="utf-8")
    after, other = _run(package, NUMBA_CACHE_DIR=str(folder))  # as a child of a process that began before the edit
    assert other != folder
    assert after == [2.0 * value for value in before]


def test_a_folder_that_the_user_chose_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv(kernel_cache.VARIABLE, str(tmp_path))
    kernel_cache.choose()
    assert os.environ[kernel_cache.VARIABLE] == str(tmp_path)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A package that cannot be written to, nothing chosen yet."""
    blocked = tmp_path / "package"
    blocked.write_text("a file, in which no folder can be made")
    monkeypatch.setattr(kernel_cache, "PACKAGE", blocked)
    monkeypatch.setattr(kernel_cache, "state", lambda package: "0" * 16)
    monkeypatch.setenv(kernel_cache.VARIABLE, "")
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "neurohw" / f"{kernel_cache.PREFIX}{'0' * 16}"


def test_a_package_that_cannot_be_written_to_uses_the_cache_of_the_user(elsewhere):
    kernel_cache.choose()
    assert os.environ[kernel_cache.VARIABLE] == str(elsewhere)
    assert elsewhere.is_dir()


def test_where_nothing_can_be_written_numba_is_left_alone(elsewhere, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    kernel_cache.choose()
    assert os.environ[kernel_cache.VARIABLE] == ""


def test_a_user_without_a_home(elsewhere, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    kernel_cache.choose()
    assert os.environ[kernel_cache.VARIABLE] == ""


def test_folders_that_nobody_asked_for_are_removed(elsewhere):
    old, recent = (elsewhere.parent / f"{kernel_cache.PREFIX}{name}" for name in ("old", "recent"))
    old.mkdir(parents=True)
    recent.mkdir()
    before = time.time() - kernel_cache.KEPT - 10.0
    os.utime(old, (before, before))
    kernel_cache.choose()
    assert (old.exists(), recent.exists(), elsewhere.exists()) == (False, True, True)


def test_the_state_changes_with_a_file(tmp_path):
    (tmp_path / "a.py").write_text("1")
    before = kernel_cache.state(tmp_path)
    assert kernel_cache.state(tmp_path) == before
    (tmp_path / "a.py").write_text("12")
    assert kernel_cache.state(tmp_path) != before
