"""No path of one machine and no package registry's address in any file; American spelling in code and docs."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_OURS = {"venv", "build", "dist", "__pycache__"}

MACHINE_PATH = re.compile(r"(?<![\w.~>)}\]-])/(work|root|home|Users|tmp|opt|mnt)/|\b[A-Z]:\\+Users\b")
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|anaconda\.org/|(extra[-_])?index[-_]url|find[-_]links", re.IGNORECASE
)
BRITISH = re.compile(
    r"\w*(behaviour|colour|neighbour|favour|honour|labour|catalogue|centre|fibre|licence|artefact|whilst"
    r"|analys(e[dr]?|ing)(?![a-z])|grey(?![a-z])|(modell|labell|signall)(ed|ing|er)"
    r"|(normal|quant|initial|serial|optim|discret|digit|random|summar|general|parametr|parameter|character|synchron"
    r"|minim|maxim|organ|recogn|util|visual|stabil|local|linear|legal|custom)is(e[drs]?|ers|ing|ations?)(?![a-z]))\w*",
    re.IGNORECASE,
)
QUOTED = re.compile(r"``?[^`\n]+``?")
"""Text in backticks is somebody's name for something and keeps its spelling."""


def files():
    """Every file that belongs to the project, ignored ones left out, whether or not this is a git checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name] if listed.returncode == 0 else []
    return [path for path in paths if path.is_file()] or list(_walked())


def _walked():
    for folder, folders, names in os.walk(ROOT):
        hidden = {name for name in folders if name.startswith(".") and name != ".ci"}
        folders[:] = sorted(set(folders) - hidden - NOT_OURS)
        yield from (Path(folder, name) for name in names)


def lines():
    for path in sorted(files()):
        raw = path.read_bytes()
        if b"\0" in raw or path.name == "LICENSE":
            continue
        for number, line in enumerate(raw.decode("utf-8", errors="replace").splitlines(), 1):
            yield path.relative_to(ROOT), number, line


def found(pattern, inside=("",), without=None):
    return [
        f"{path}:{number}: {match.group().strip()}"
        for path, number, line in lines()
        if str(path.as_posix()).startswith(inside)
        if (match := pattern.search(without.sub("", line) if without else line))
    ]


def test_no_path_of_one_machine():
    assert found(MACHINE_PATH) == []


def test_no_registry_address():
    assert found(REGISTRY) == []


def test_american_spelling():
    assert found(BRITISH, inside=("neurohw/", "docs/"), without=QUOTED) == []


@pytest.mark.parametrize(
    ("pattern", "caught", "let_go"),
    [
        (
            MACHINE_PATH,
            ["{}work{}x", '"{}home{}a"', "cd {}root{}", "file:/{}tmp{}x"],
            ["example.com{}home{}x", "a{}work{}b"],
        ),
        (
            BRITISH,
            ["NEIGHBO" + "URS", "initialis" + "e_all", "quantis" + "ation"],
            ["organism", "analysis", "legalize"],
        ),
    ],
)
def test_the_patterns_catch_what_they_should(pattern, caught, let_go):
    assert all(pattern.search(text.format("/", "/")) for text in caught)
    assert not any(pattern.search(text.format("/", "/")) for text in let_go)
