"""report.html: what was run, what each chip made of it, and whether that is as good as the reference.

One file without JavaScript; light, dark and on paper.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from neurohw.files import atomically
from neurohw.recording import Recording
from neurohw.report import Loss, Report
from neurohw.study.comparison import REFERENCE, Comparison, Row
from neurohw.study.pictures import Cell
from neurohw.study.statistics import STATISTICS

TEMPLATE = Path(__file__).with_name("report.html.jinja")
DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
SVG_LIMIT = 150_000
"""Bytes above which a figure is smaller as PNG."""


@dataclass(frozen=True)
class Floorplan:
    """Cells (x, y, label, fill 0..1, population) and how they are arranged."""

    cells: Sequence[Cell]
    arrangement: Literal["grid", "hexagonal"] = "grid"
    title: str = ""


@dataclass(frozen=True)
class DeviceSection:
    """What the report says of one device. `name`: its key in the comparison; references, recordings: for rasters."""

    name: str
    title: str = ""
    summary: str = ""
    program_report: Report = Report()
    run_report: Report = Report()
    diagnosis: Sequence[str] = ()
    floorplan: Floorplan | None = None
    references: Sequence[Recording] = ()
    recordings: Sequence[Recording] = ()


def write_report(
    path: Any,
    comparison: Comparison,
    sections: Sequence[DeviceSection],
    manifest: Mapping[str, Any],
    title: str = "Chips against the reference",
) -> None:
    """Write the report, all or nothing; everything that comes from outside is escaped."""
    html = render(comparison, sections, manifest, title)
    with atomically(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def render(
    comparison: Comparison, sections: Sequence[DeviceSection], manifest: Mapping[str, Any], title: str = "Report"
) -> str:
    """The report as one HTML text."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=_number, percent=_percent, amount=_amount, pvalue=_pvalue)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        title=title,
        comparison=comparison,
        devices=[_device(comparison, section) for section in sections],
        glance=[_glance(comparison, section) for section in sections],
        manifest=_flat(manifest),
        manifest_json=json.dumps(manifest, indent=2, default=str),
        detailed=len(comparison.populations) * len(comparison.measure) <= 12,
        statistics=[STATISTICS[name] for name in comparison.measure],
        trials=comparison.trials[REFERENCE],
        infinity=float("inf"),
    )


def _device(comparison: Comparison, section: DeviceSection) -> dict[str, Any]:
    from neurohw.study import pictures

    known = section.name in comparison.devices
    figures = dict.fromkeys(("rasters", "distributions", "effects", "floorplan"), "")
    if section.references and section.recordings:
        raster = pictures.rasters(section.references[0], section.recordings[0], section.title or section.name)
        figures["rasters"] = _uri(raster, "png")
    if known and comparison.rows:
        figures["distributions"] = _uri(pictures.distributions(comparison, section.name))
        figures["effects"] = _uri(pictures.effects(comparison, section.name))
    if section.floorplan and section.floorplan.cells:
        plan = section.floorplan
        figures["floorplan"] = _uri(pictures.floorplan(plan.cells, plan.arrangement, plan.title))
    reports = (section.program_report, section.run_report)
    return {
        "section": section,
        "title": section.title or section.name,
        "verdict": comparison.verdicts[section.name].removeprefix(f"{section.name}: ") if known else "",
        "state": comparison.state(section.name),
        "rows": comparison.of(section.name),
        "titles": {name: STATISTICS[name].title for name in comparison.measure},
        "coincidences": {
            population: one
            for population, one in comparison.coincidences.get(section.name, {}).items()
            if one.share is not None and one.share > 2 * one.by_chance + 0.01
        },
        "resources": [resource for report in reports for resource in report.resources],
        "losses": sorted((loss for report in reports for loss in report.losses), key=_share, reverse=True),
        "estimates": {name: value for report in reports for name, value in report.estimates.items()},
        "notes": [note for report in reports for note in report.notes],
        "figures": figures,
    }


def _glance(comparison: Comparison, section: DeviceSection) -> dict[str, Any]:
    rows = comparison.of(section.name)
    return {
        "name": section.name,
        "title": section.title or section.name,
        "state": comparison.state(section.name),
        "cells": {(row.population, row.statistic): row for row in rows},
        "populations": {
            population: {
                "state": _worst([row for row in rows if row.population == population]),
                "inside": sum(row.verdict == "inside" for row in rows if row.population == population),
                "judged": sum(row.verdict in ("inside", "outside") for row in rows if row.population == population),
            }
            for population in comparison.populations
        },
    }


def _worst(rows: Sequence[Row]) -> str:
    kinds = {row.verdict for row in rows}
    return "outside" if "outside" in kinds else "inside" if "inside" in kinds else "open"


def _share(loss: Loss) -> float:
    return loss.count / loss.of if loss.of else 0.0


def _uri(figure: Any, kind: Literal["svg", "png"] = "svg") -> str:
    from neurohw.study import pictures

    data = pictures.encode(figure, kind)
    if kind == "svg" and len(data) > SVG_LIMIT:
        kind, data = "png", pictures.encode(figure, "png")
    mime = {"svg": "image/svg+xml", "png": "image/png"}[kind]
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def _flat(manifest: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A manifest as rows of a table; a nested mapping takes one row, or one for each of its own."""
    rows: list[tuple[str, str]] = []
    for key, value in manifest.items():
        if isinstance(value, str) and "\n" in value:
            continue  # whole files stand in the manifest below
        if isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values()):
            rows += _flat(value, f"{prefix}{key}: ")
        elif isinstance(value, Mapping):
            rows.append((f"{prefix}{key}", ", ".join(f"{name} {inner}" for name, inner in value.items())))
        else:
            listed = isinstance(value, list | tuple)
            rows.append((f"{prefix}{key}", ", ".join(map(str, value)) if listed else str(value)))
    return rows


def _number(value: Any, digits: int = 3) -> str:
    """A number for a table cell; a dash where there is none, a real minus sign."""
    if not isinstance(value, int | float) or value != value or value in (float("inf"), float("-inf")):
        return "∞" if value == float("inf") else DASH
    return f"{value:.{digits}g}".replace("-", MINUS, 1) if abs(value) < 1e5 else f"{value:,.0f}"


def _pvalue(value: Any) -> str:
    return "< 0.001" if value is not None and value < 0.001 else _number(value, 2)


def _amount(value: float) -> str:
    """A count for a table cell, with thin spaces between the thousands."""
    if value == float("inf"):
        return "unlimited"
    whole = float(value).is_integer() and abs(value) < 1e15
    return f"{value:,.0f}".replace(",", "\u202f") if whole else _number(value, 4)


def _percent(part: float, whole: float) -> str:
    if not whole or whole == float("inf"):
        return DASH
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 9.95 or share == 0 else f"{share:.2g} %"
