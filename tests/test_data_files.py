"""The finder: names, paths, and what it says when there is nothing."""

from pathlib import Path

import pytest

from neurohw import data_files
from neurohw.errors import BadInput


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in a folder of its own, with one device inside it and one at the top of its repository."""
    inside, top = tmp_path / "neurohw" / "_data" / "devices", tmp_path / "devices"
    for folder, name in ((inside, "pcm-set"), (top, "spinnaker-spin5")):
        folder.mkdir(parents=True)
        (folder / f"{name}.yaml").write_text("{}")
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.setattr(data_files, "PACKAGE", tmp_path / "neurohw")
    return tmp_path


def test_finds_in_the_package_and_at_the_top(package):
    assert data_files.names("devices") == ["pcm-set", "spinnaker-spin5"]
    assert data_files.find("devices", "pcm-set") == package / "neurohw/_data/devices/pcm-set.yaml"
    assert data_files.find("devices", "spinnaker-spin5") == package / "devices/spinnaker-spin5.yaml"
    assert data_files.names("mappings") == []


def test_the_package_comes_first(package):
    (package / "devices" / "pcm-set.yaml").write_text("{}")
    assert data_files.find("devices", "pcm-set").parent.parent.name == "_data"


def test_an_installed_package_does_not_search_beside_itself(package):
    (package / "pyproject.toml").unlink()
    assert data_files.names("devices") == ["pcm-set"]


def test_paths(package):
    path = package / "devices" / "spinnaker-spin5.yaml"
    assert data_files.find("devices", path) == path
    assert data_files.find("devices", str(path)) == path


@pytest.mark.parametrize(
    "text", ["./spinnaker-spin5", "spinnaker-spin5.yaml", "x/../y.yaml", "a\\b", "n" * 999 + ".yaml", "\0.yaml"]
)
def test_a_missing_path_is_bad_input(package, monkeypatch, text):
    monkeypatch.chdir(package)
    with pytest.raises(BadInput, match=r"devices: the file .* does not exist"):
        data_files.find("devices", text)


def test_a_folder_is_bad_input(package):
    with pytest.raises(BadInput, match="is a folder"):
        data_files.find("devices", package / "devices")


@pytest.mark.parametrize("text", ["", ".", "..", "~", "pcm*", "\0", "PCM-SET "])
def test_an_unknown_name_is_bad_input(package, text):
    with pytest.raises(BadInput, match="pcm-set"):
        data_files.find("devices", text)


def test_the_message_names_the_nearest_first(package):
    with pytest.raises(BadInput) as error:
        data_files.find("devices", "Spinaker-spin5")
    assert str(error.value) == (
        "devices: there is no 'Spinaker-spin5'; did you mean 'spinnaker-spin5'? "
        "The known names are spinnaker-spin5, pcm-set"
    )


def test_the_shipped_names_are_files():
    for kind in ("devices", "mappings"):
        assert all(isinstance(data_files.find(kind, name), Path) for name in data_files.names(kind))
