"""`neurohw train`: the trainings of a mapping file, their table, pictures and report."""

import html
import json
import platform
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from neurohw.errors import BadInput
from neurohw.files import atomically
from neurohw.learning import experiment
from neurohw.learning.experiment import Outcome
from neurohw.learning.trainer import Progress
from neurohw.mapping import Mapping, load_mapping
from neurohw.report import Report
from neurohw.study import training_pictures as pictures
from neurohw.study.html_report import TEMPLATE as WHOLE_REPORT
from neurohw.study.html_report import _uri

TEMPLATE = Path(__file__).with_name("training.html.jinja")
LAST = 10
"""Epochs at the end over which a loss is averaged."""


@dataclass(frozen=True, eq=False)
class Row:
    """One chip, over its seeds. loss: of the metric, mean of the last epochs, as measured while learning.

    before: on the test samples, with weights that another chip had learned (NaN: it started from its own). low, high: over the seeds. against: the loss as a multiple of that of the first chip on the same seeds. pulses, resets:
    in all. per_synapse: pulses. energy: fJ.
    """

    name: str
    seeds: int
    loss: float
    low: float
    high: float
    against: float
    before: float
    test: float
    rate: float
    pulses: float
    resets: float
    per_synapse: float
    energy: float


@dataclass(frozen=True, eq=False)
class Training:
    """What came of a mapping file with a `train:` section. metric: what is compared, mse or error where there is one."""

    mapping: Mapping
    outcomes: Sequence[Outcome]
    metric: str

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(outcome.case.name for outcome in self.outcomes))

    def of(self, name: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.case.name == name]

    def losses(self, name: str) -> dict[int, float]:
        """seed -> mean of the metric over the last epochs."""
        return {outcome.seed: outcome.trained.last(self.metric, LAST) for outcome in self.of(name)}

    @property
    def rows(self) -> list[Row]:
        first = self.losses(self.names[0])
        return [self._row(name, first) for name in self.names]

    def _row(self, name: str, first: AbstractMapping[int, float]) -> Row:
        found, losses = self.of(name), self.losses(name)
        both = [seed for seed in losses if seed in first]
        against = np.mean([losses[s] for s in both]) / np.mean([first[s] for s in both]) if both else np.nan
        ledgers = [outcome.trained.ledger for outcome in found]
        synapses = sum(w.size for w in found[0].trained.weights.values())
        pulses = float(np.mean([ledger.pulses for ledger in ledgers]))
        values = np.array(list(losses.values()))
        return Row(
            name, len(found), float(values.mean()), float(values.min()), float(values.max()), float(against),
            float(np.mean([outcome.before.get(self.metric, np.nan) for outcome in found])),
            float(np.mean([outcome.test.get(self.metric, np.nan) for outcome in found])),
            float(np.mean([outcome.trained.last("rate", LAST) for outcome in found])), pulses,
            float(np.mean([ledger.resets for ledger in ledgers])), pulses / synapses,
            float(np.mean([ledger.energy for ledger in ledgers])),
        )  # fmt: skip

    @property
    def places(self) -> list[tuple[str, str, str, str, str]]:
        """(chip, device, what is trained, scheme with its parameters, where initial weights come from) for each chip."""
        return [self._place(name) for name in self.names]

    def _place(self, name: str) -> tuple[str, str, str, str, str]:
        outcome = self.of(name)[0]
        case, train = outcome.case, outcome.case.train
        shapes = (f"{what} {w.shape[0]} x {w.shape[1]}" for what, w in outcome.trained.weights.items())
        copies = f", each the sum of {train.copies}" if train.copies > 1 else ""
        aside = ", and a fast array beside each" if case.scheme.needs_aside else ""
        given = ", ".join(f"{key} {value:g}" for key, value in case.scheme.model_dump().items() if value is not None)
        start = f"those of {train.after}" if train.after else "drawn"
        how = "sent by the scheme" if train.start == "scheme" else "written"
        return (
            name, case.device.title, ", ".join(shapes) + copies + aside,
            case.scheme.name + (f" ({given})" if given else ""), f"{start}, {how}",
        )  # fmt: skip

    def __str__(self) -> str:
        """The table as text."""
        head = f"{'chip':24} {self.metric + ' (range)':>28} {'x first':>8} {'before':>8} {'test':>8} {'Hz':>6} {'pulses':>9} {'uJ':>9}"
        lines = [
            f"{r.name[:24]:24} {f'{r.loss:.4g} ({r.low:.4g}..{r.high:.4g})':>28} {r.against:8.3g} {_cell(r.before)} {_cell(r.test)} {r.rate:6.3g} "
            f"{r.pulses:9.0f} {r.energy * 1e-9:9.3g}"
            for r in self.rows
        ]
        return "\n".join([head, *lines])

    def write(self, folder: Path, command: str = "") -> None:
        """report.html, training.json and the mapping, each all or nothing."""
        folder.mkdir(parents=True, exist_ok=True)
        found = {
            "manifest": self._manifest(command), "metric": self.metric, "rows": [vars(row) for row in self.rows],
            "outcomes": [json.loads(experiment.as_json(outcome)) for outcome in self.outcomes],
        }  # fmt: skip
        texts = {
            "training.json": json.dumps(_without_nan(found), indent=1, allow_nan=False), "report.html": self._html(command),
            "mapping.yaml": self.mapping.text,
        }  # fmt: skip
        for name, text in texts.items():
            with atomically(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8")

    def _manifest(self, command: str) -> dict[str, Any]:
        return {
            "command": command, "neurohw": version("neurohw"), "python": platform.python_version(),
            "numpy": version("numpy"), "numba": version("numba"), "mapping": self.mapping.path.name,
            "mapping_fingerprint": self.mapping.fingerprint,
            "chips": {o.case.name: f"{o.case.device.title}, file {o.case.device.fingerprint}" for o in self.outcomes},
        }  # fmt: skip

    def _html(self, command: str) -> str:
        import jinja2

        environment = jinja2.Environment(
            autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        style = WHOLE_REPORT.read_text(encoding="utf-8").split("<style>")[1].split("</style>")[0]
        reports = {name: Report.merged([o.trained.report for o in self.of(name)]) for name in self.names}
        return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
            title=f"{self.mapping.path.stem}: learning with the chip in the loop", style=html.unescape(style), metric=self.metric,
            rows=self.rows, places=self.places, last=LAST, curves=_uri(pictures.curves(self)), trade=_uri(pictures.trade_off(self)),
            reports=reports, transferred=any(o.before for o in self.outcomes), manifest=json.dumps(self._manifest(command), indent=2), mapping_text=self.mapping.text,
        )  # fmt: skip


def train(
    mapping: Mapping | str | Path, folder: Path | None = None, progress: Progress | None = None, fresh: bool = False
) -> Training:
    """Train every chip of a mapping file for every seed; `neurohw train` is this and a report.

    folder: checkpoints are written there, and a training that was interrupted goes on from its own to the same numbers.
    Raises BadInput, Unsupported or DoesNotFit before the first training begins, OutOfRange where a loss is not finite.
    """
    loaded = mapping if isinstance(mapping, Mapping) else load_mapping(mapping)
    outcomes = list(experiment.run(loaded, folder, progress, fresh))
    if not outcomes:
        raise BadInput(f"{loaded.path}: nothing was trained")
    known = outcomes[0].trained.history
    metric = next(name for name in ("mse", "error", "loss") if name in known)
    return Training(loaded, outcomes, metric)


def _cell(value: float) -> str:
    return f"{'-' if np.isnan(value) else format(value, '.3g'):>8}"


def _without_nan(value: Any) -> Any:
    """The same with None for numbers that JSON has no text for."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
