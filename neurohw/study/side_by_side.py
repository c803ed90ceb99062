"""The main job: a mapping file's network on the reference and on every chip, compared, diagnosed, and written down."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurohw.files import atomically
from neurohw.mapping import Mapping
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

    def write(self, folder: Path) -> None:
        """report.html and comparison.json, each all or nothing."""
        write_report(folder / "report.html", self.comparison, self.sections, self.manifest, self.title)
        with atomically(folder / "comparison.json") as temporary:
            found = {"manifest": self.manifest, **self.comparison.as_dict()}
            temporary.write_text(json.dumps(found, indent=2, allow_nan=False), encoding="utf-8")
        with atomically(folder / "mapping.yaml") as temporary:
            temporary.write_text(self.manifest["mapping_text"], encoding="utf-8")


def side_by_side(mapping: Mapping, first_trial: int = 0, command: str = "", progress: Progress = quiet) -> SideBySide:
    """Run everything and compare. Raises before the first run if any chip refuses the network."""
    prepared = study.prepare(mapping, first_trial, progress)
    _, references = study.run_reference(prepared, progress)
    recordings, chips = {}, {}
    for name, chip, found in study.run_chips(prepared, progress):
        recordings[name], chips[name] = found, chip
    progress("comparing", 0.0)
    comparison = compare(references, recordings, mapping.file.measure, mapping.file.discard, list(prepared.network.neurons))
    sections = []
    for name, (_, program) in prepared.programs.items():
        first = recordings[name][0]
        sections.append(
            DeviceSection(
                name=name,
                title=name,
                summary=program.device.summary,
                program_report=program.report,
                run_report=first.report,
                diagnosis=diagnose(references[0], first, program.report, prepared.network),
                floorplan=floorplan(program),
                references=references,
                recordings=recordings[name],
            )
        )
    title = f"{prepared.network.name}: chips against the reference"
    return SideBySide(comparison, sections, study.manifest(prepared, command), title)
