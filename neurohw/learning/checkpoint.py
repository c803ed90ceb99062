"""Checkpoints: the whole state of a training in one HDF5 file, from which it goes on to the same numbers, bit for bit.

All or nothing is written, so a process that is killed leaves the one before. Nothing in a file is executed; see
`neurohw.storage`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurohw import storage
from neurohw.errors import BadInput


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """identity: hash of everything that determines the training. epoch: epochs done. chip: what `Chip.snapshot` gave.

    parts: the state of learner, optimizer, ports and scheme, and the weights as the host believes them. history: name ->
    one number per update.
    """

    identity: str
    epoch: int
    chip: Any
    parts: dict[str, Any]
    history: dict[str, Any]

    def save(self, path: Path) -> None:
        storage.save(self, "checkpoint", path)


def load_checkpoint(path: Path, identity: str) -> Checkpoint:
    """The checkpoint of this very training. Raises BadInput where the file is another's, or is damaged."""
    found = storage.load(path, "checkpoint", "Checkpoint")
    if found.identity != identity:
        raise BadInput(
            f"{path}: this is the checkpoint of another training (its network, device, rule, scheme or seed differ); "
            "give another folder, or begin anew with --fresh"
        )
    return found
