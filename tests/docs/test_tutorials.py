"""The tutorials do what they say: their Python is run, in order, and what it prints is what stands below it."""

import contextlib
import io
import re
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).resolve().parents[2] / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"```(python|text)\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")


def _words(text):
    """Without numbers, which may differ in their last digits on another machine, and without the spaces that align them."""
    return [" ".join(NUMBER.sub("#", line).split()) for line in text.strip().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, printed, blocks = {"__name__": "tutorial"}, "", 0
    for kind, text in BLOCK.findall(path.read_text(encoding="utf-8")):
        if kind == "text":
            assert _words(printed) == _words(text), f"{path.name}: what is printed has changed:\n{printed}"
            continue
        blocks += 1
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(text, f"{path.name}, block {blocks}", "exec"), names)
        printed = out.getvalue()
    assert blocks > 2


def test_there_are_tutorials():
    assert len(TUTORIALS) >= 3
