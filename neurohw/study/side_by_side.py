"""The main job: a mapping file's network on the reference and on every chip, compared, diagnosed, and written down."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurohw.files import atomically
from neurohw.mapping import Mapping
from neurohw.report import Report
from neurohw.study import experiment as study
from neurohw.study.compare import compare
from neurohw.study.comparison import Comparison
from neurohw.study.diagnosis import diagnose
from neurohw.study.experiment import Progress, quiet
from neurohw.study.floorplan import floorplan
from neurohw.study.html_report import DeviceSection, write_report


@dataclass(frozen=True, eq=False)
class SideBySide:
    """A comparison with what the report needs beside it."""

    comparison: Comparison
    sections: Sequence[DeviceSection]
    manifest: dict[str, Any]
    title: str
    network_file: tuple[str, Path] | None = None

    def write(self, folder: Path) -> None:
        """report.html, comparison.json and the mapping with the file it reads its network from, each all or nothing."""
        write_report(folder / "report.html", self.comparison, self.sections, self.manifest, self.title)
        with atomically(folder / "comparison.json") as temporary:
            found = {"manifest": self.manifest, **self.comparison.as_dict()}
            temporary.write_text(json.dumps(found, indent=2, allow_nan=False), encoding="utf-8")
        with atomically(folder / "mapping.yaml") as temporary:
            temporary.write_text(self.manifest["mapping_text"], encoding="utf-8")
        if self.network_file is not None:
            given, there = self.network_file
            copied = folder / given
            if not Path(given).is_absolute() and ".." not in Path(given).parts and copied.resolve() != there.resolve():
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(there, copied)


def side_by_side(mapping: Mapping, first_trial: int = 0, command: str = "", progress: Progress = quiet) -> SideBySide:
    """Run everything and compare. Raises before the first run if any chip refuses the network."""
    prepared = study.prepare(mapping, first_trial, progress)
    _, references = study.run_reference(prepared, progress)
    recordings, chips = {}, {}
    for name, chip, found in study.run_chips(prepared, progress):
        recordings[name], chips[name] = found, chip
    progress("comparing", 0.0)
    comparison = compare(
        references, recordings, mapping.file.measure, mapping.file.discard, list(prepared.network.neurons)
    )
    sections = []
    for name, (_, program) in prepared.programs.items():
        ran = Report.merged([recording.report for recording in recordings[name]])
        sections.append(
            DeviceSection(
                name=name,
                title=name,
                summary=program.device.summary,
                program_report=program.report,
                run_report=ran,
                diagnosis=diagnose(references, recordings[name], program.report, prepared.network),
                floorplan=floorplan(program),
                references=references,
                recordings=recordings[name],
            )
        )
    title = f"{prepared.network.name}: chips against the reference"
    given = next((mapping.file.network[kind] for kind in ("nir", "pynn") if kind in mapping.file.network), None)
    network_file = (given, mapping.path.parent / given) if given else None
    return SideBySide(comparison, sections, study.manifest(prepared, command), title, network_file)
