"""What was used and what was lost: the report of a program (mapping) and of a recording (running). Nothing is lost silently."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any


def percent(share: float) -> str:
    """A share in percent, with two digits below 10 %."""
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


@dataclass(frozen=True)
class Loss:
    """Something that is not as the network says: `count` of `of` things, where, why, and what helps."""

    what: str
    count: float
    of: float
    where: str
    why: str
    remedy: str = ""

    def __str__(self) -> str:
        share = f" of {self.of:g} ({percent(self.count / self.of)})" if self.of else ""
        return f"{self.what}: {self.count:g}{share}, {self.where}: {self.why}" + (
            f"; {self.remedy}" if self.remedy else ""
        )


@dataclass(frozen=True)
class Resource:
    """How much of a limited thing is used; `available` inf means unlimited."""

    name: str
    used: float
    available: float
    unit: str = ""

    def __str__(self) -> str:
        share = f" ({percent(self.used / self.available)})" if 0 < self.available < float("inf") else ""
        return f"{self.name}: {self.used:g} of {self.available:g} {self.unit}".rstrip() + share


@dataclass(frozen=True)
class Report:
    """Resources, losses, estimates (name -> (value, unit)) and plain sentences; frozen, grows by `add`."""

    resources: tuple[Resource, ...] = ()
    losses: tuple[Loss, ...] = ()
    estimates: dict[str, tuple[float, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def add(self, *entries: Loss | Resource | str, **estimates: tuple[float, str]) -> "Report":
        """A new report with more entries; a loss of nothing is left out."""
        return replace(
            self,
            resources=(*self.resources, *(e for e in entries if isinstance(e, Resource))),
            losses=(*self.losses, *(e for e in entries if isinstance(e, Loss) and e.count)),
            notes=(*self.notes, *(e for e in entries if isinstance(e, str))),
            estimates={**self.estimates, **estimates},
        )

    @classmethod
    def merged(cls, reports: Sequence["Report"]) -> "Report":
        """Reports of several trials as one: losses of the same kind, place and reason added up."""
        losses: dict[tuple[str, str, str, str], Loss] = {}
        for loss in (loss for report in reports for loss in report.losses):
            key = (loss.what, loss.where, loss.why, loss.remedy)
            before = losses.get(key, replace(loss, count=0, of=0))
            losses[key] = replace(loss, count=before.count + loss.count, of=before.of + loss.of)
        notes = tuple(dict.fromkeys(note for report in reports for note in report.notes))
        first = reports[0] if reports else cls()
        return replace(first, losses=tuple(losses.values()), notes=notes)

    def lost(self, what: str) -> float:
        """The total count of a kind of loss."""
        return sum(loss.count for loss in self.losses if loss.what == what)

    def as_dict(self) -> dict[str, Any]:
        return {
            "resources": [vars(r) for r in self.resources],
            "losses": [vars(loss) for loss in self.losses],
            "estimates": {name: {"value": v, "unit": u} for name, (v, u) in self.estimates.items()},
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Report":
        return cls(
            tuple(Resource(**r) for r in data["resources"]),
            tuple(Loss(**loss) for loss in data["losses"]),
            {name: (e["value"], e["unit"]) for name, e in data["estimates"].items()},
            tuple(data["notes"]),
        )

    def __str__(self) -> str:
        lines = ["Resources", *(f"  {r}" for r in self.resources)]
        lines += ["Losses", *(f"  {loss}" for loss in self.losses)] if self.losses else ["Losses", "  none"]
        if self.estimates:
            lines += ["Estimates", *(f"  {name}: {v:.4g} {u}".rstrip() for name, (v, u) in self.estimates.items())]
        return "\n".join(lines + [f"Note: {note}" for note in self.notes])
