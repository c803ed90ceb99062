"""Compiled kernels are those of the source files as they are."""

import os
import shutil
import subprocess
import sys

from neurohw import kernel_cache

PROGRAM = """
import numpy as np
from neurohw.chips.crossbar.devices import normals
print(normals(np.uint64(1), np.arange(3)).tolist())
"""


def _run(folder, **environment):
    kept = {name: value for name, value in os.environ.items() if name != kernel_cache.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=folder, env={**kept, "PYTHONPATH": str(folder), **environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def _edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_an_edit_of_a_function_that_a_kernel_calls_is_noticed(tmp_path):
    package = tmp_path / "neurohw"
    shutil.copytree(kernel_cache.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    before = _run(tmp_path)
    folders = list((package / "__pycache__").glob("kernels-*"))
    assert len(folders) == 1
    assert list(folders[0].rglob("*.nbi")), "the kernels are kept there"
    assert _run(tmp_path) == before
    _edit(package / "kernels" / "noise.py", "return radius * cos(", "return 2.0 * radius * cos(")
    after = _run(tmp_path)
    assert eval(after) == [2.0 * value for value in eval(before)]
    assert len(list((package / "__pycache__").glob("kernels-*"))) == 1, "the folder of the state before is gone"


def test_a_folder_that_the_user_chose_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv(kernel_cache.VARIABLE, str(tmp_path))
    kernel_cache.choose()
    assert os.environ[kernel_cache.VARIABLE] == str(tmp_path)


def test_a_package_that_cannot_be_written_to_uses_the_cache_of_the_user(tmp_path, monkeypatch):
    package = tmp_path / "package"
    package.write_text("a file, in which no folder can be made")
    monkeypatch.setattr(kernel_cache, "PACKAGE", package)
    monkeypatch.setattr(kernel_cache, "state", lambda package: "0" * 16)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(kernel_cache.VARIABLE, "")
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    kernel_cache.choose()
    assert os.environ[kernel_cache.VARIABLE] == str(tmp_path / "cache" / "neurohw" / f"kernels-{'0' * 16}")
    assert (tmp_path / "cache" / "neurohw" / f"kernels-{'0' * 16}").is_dir()


def test_the_state_changes_with_a_file(tmp_path):
    (tmp_path / "a.py").write_text("1")
    before = kernel_cache.state(tmp_path)
    assert kernel_cache.state(tmp_path) == before
    (tmp_path / "a.py").write_text("12")
    assert kernel_cache.state(tmp_path) != before
