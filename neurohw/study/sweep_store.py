"""The points of a sweep on disk: a file each, named by the hash of everything that determines its result."""

import json
from pathlib import Path

from neurohw import __version__
from neurohw.digest import digest
from neurohw.files import atomically
from neurohw.mapping import Mapping
from neurohw.study.sweep_points import Point, chip_at
from neurohw.study.sweep_result import Result, Row


def name_of(mapping: Mapping, point: Point, first_trial: int) -> str:
    """The hash of everything that determines the result of a point; how many others there are does not."""
    entry, device = chip_at(mapping, point.chip, point.levels)
    file = mapping.file
    paths = [file.network.get("nir"), file.network.get("pynn"), entry.calibration]
    content = [(mapping.path.parent / path).read_bytes().hex() for path in paths if isinstance(path, str)]
    populations = file.sweep.populations if file.sweep else []
    asked = [dict(file.network), content, file.duration, file.trials, first_trial, list(file.measure), file.discard]
    told = [entry.model_dump_json(exclude={"seed", "name"}), device.fingerprint, device.title]
    stimulus = {name: one.model_dump_json() for name, one in file.stimulus.items()}
    return digest(__version__, asked, list(populations), stimulus, told, list(map(list, point.levels)), point.seed)


def stored(point: Point, path: Path) -> Result | None:
    """What an earlier run wrote for this point; a file that cannot be read is as good as none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(Row(**row) for row in told["rows"])
        return Result(point, rows, {what: (a, b) for what, (a, b) in told["losses"].items()}, told["problem"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def store(result: Result, path: Path) -> None:
    told = {
        "chip": result.point.chip, "levels": dict(result.point.levels), "seed": result.point.seed,
        "rows": [vars(row) for row in result.rows], "losses": result.losses or {}, "problem": result.problem,
    }  # fmt: skip
    with atomically(path) as temporary:
        temporary.write_text(json.dumps(told, allow_nan=False), encoding="utf-8")
