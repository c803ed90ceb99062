"""What holding a recorded file against the emulator gives."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Difference:
    """Where recording and emulator part; no `step` for what is fixed before the first or counted after the last."""

    variable: str
    recorded: float | str
    emulated: float | str
    neuron: int | None = None
    step: int | None = None

    def __str__(self) -> str:
        step = "" if self.step is None else f"step {self.step}, "
        neuron = "" if self.neuron is None else f"neuron {self.neuron}, "
        return f"{step}{neuron}{self.variable}: recorded {self.recorded}, emulated {self.emulated}"


@dataclass(frozen=True)
class Verification:
    """One file, held against the emulator.

    kind: "" for a file of no kind that can be verified. about: what was held, in words. steps: how many were replayed.
    difference: the first, or the largest. problem: why the file could not be read. word: what it is if there is no
    difference: "exact", bit for bit, or "agrees", within what chance allows. verdicts: beside a difference, part by part.
    """

    path: Path
    kind: str = ""
    about: str = ""
    steps: int = 0
    difference: Difference | None = None
    problem: str = ""
    word: str = "exact"
    verdicts: str = ""

    @property
    def known(self) -> bool:
        return bool(self.kind)

    @property
    def exact(self) -> bool:
        """Everything that was recorded came out of the emulator, bit for bit."""
        return self.word == "exact" and self._same

    @property
    def agrees(self) -> bool:
        """Statistics that were recorded are those of the emulator, as far as chance allows."""
        return self.word == "agrees" and self._same

    @property
    def _same(self) -> bool:
        return self.known and self.difference is None and not self.problem

    def __str__(self) -> str:
        if self.problem:
            return f"bad      {self.path}: {self.problem}"
        if not self.known:
            return f"unknown  {self.path}: not a trace that verify knows yet"
        if self.difference is not None:
            return f"DIFFERS  {self.path}: {self.difference}" + (f"; {self.verdicts}" if self.verdicts else "")
        return f"{self.word:8} {self.path}: {self.about}"
