"""Recorded traces and tables held against the emulator: exact, in agreement, or the first (the largest) difference."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurohw.errors import BadInput, NeurohwError
from neurohw.study import verify_ca3, verify_devices, verify_eprop, verify_mapping, verify_spinnaker
from neurohw.study.csv_tables import read_table
from neurohw.study.experiment import Progress, quiet
from neurohw.study.trace_files import read_json
from neurohw.study.verification import Verification


@dataclass(frozen=True)
class Verifier:
    """A kind of recorded file: is a JSON object, or a table, of this kind, and how it is held against the emulator."""

    recognizes: Callable[[Any], bool]
    verify: Callable[[Path, Any], Verification]


VERIFIERS = {
    "device statistics": Verifier(verify_devices.is_table, verify_devices.verify_table),
    "spinnaker trace": Verifier(verify_spinnaker.is_trace, verify_spinnaker.verify_trace),
    "spinnaker mapping": Verifier(verify_mapping.is_mapping, verify_mapping.verify_mapping),
    "ca3 memory": Verifier(verify_ca3.is_recording, verify_ca3.verify_recording),
    "e-prop": Verifier(verify_eprop.is_case, verify_eprop.verify_case),
}
"""Kind -> verifier; the first that recognizes a file takes it."""


def verify(paths: Any, progress: Progress = quiet) -> list[Verification]:
    """Hold recorded traces (bit for bit) and tables of device statistics against the emulator: one `Verification` per file.

    paths: a file (either half of a trace) or a folder, or a list of them; folders are searched for `.json` and `.csv`
    files, and files of a kind that is not known are listed with `known` False.
    A trace that cannot be read does not stop the others: its `problem` says why.
    Raises BadInput for a path that does not exist, and if there is no file at all.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    files = list(dict.fromkeys(file for path in given for file in _files(Path(path))))
    if not files:
        raise BadInput(
            f"{', '.join(map(str, given)) or 'no path'}: no .json or .csv file to verify; a trace is NAME.json and "
            "NAME.npz"
        )
    found = []
    for number, file in enumerate(files):
        progress(file.stem, number / len(files))
        found.append(_verify_file(file))
    return found


def _files(path: Path) -> Iterator[Path]:
    """The JSON files and tables that a path stands for."""
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names) if name.endswith((".json", ".csv")))
    elif path.suffix == ".csv" and path.is_file():
        yield path
    elif path.suffix in (".json", ".npz"):
        told = path.with_suffix(".json")
        if not told.is_file():
            raise BadInput(f"{told}: there is no such file; a trace is NAME.json and NAME.npz")
        yield told
    elif not path.exists():
        raise BadInput(f"{path}: there is no such file or folder")
    else:
        raise BadInput(f"{path}: neither a folder nor a .json, .npz or .csv file")


def _verify_file(path: Path) -> Verification:
    try:
        if not path.is_file():
            raise BadInput(f"{path}: not a plain file")
        data = read_table(path) if path.suffix == ".csv" else read_json(path)
        for verifier in VERIFIERS.values():
            if isinstance(data, dict) and verifier.recognizes(data):
                return verifier.verify(path, data)
    except (NeurohwError, OSError, MemoryError) as error:
        return Verification(path, problem=str(error).removeprefix(f"{path}: ") or "does not fit in memory")
    return Verification(path)


def summary(found: Iterable[Verification]) -> str:
    """How many are exact or in agreement, how many not."""
    found = list(found)
    counts = {
        "exact": sum(one.exact for one in found),
        "within four standard errors": sum(one.agrees for one in found),
        "with a difference": sum(one.difference is not None for one in found),
        "not readable": sum(bool(one.problem) for one in found),
        "of a kind not known": sum(not one.known and not one.problem for one in found),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing to verify"
