"""How much memory there is: positive, no more than the computer has, and known everywhere."""

from pathlib import Path

from neurohw import memory


def test_there_is_some():
    assert 2**20 < memory.available_bytes() < 2**60


def test_systems_that_tell_less(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert memory.available_bytes() > 2**20
    monkeypatch.delattr(memory.os, "sysconf", raising=False)
    assert memory.available_bytes() == 2**63 - 1
