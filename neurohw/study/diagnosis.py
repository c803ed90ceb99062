"""Why a mapped network falls silent or runs away, in plain words: the losses that point where its rates went, first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neurohw.network import Network, Projection
from neurohw.recording import Recording
from neurohw.report import Loss, Report, percent

AGREE = 0.2
"""Mean rates within 20 % (or 0.2 Hz) of the reference need no explanation."""

MOVES: Mapping[str, tuple[int, float]] = {
    "membrane steps that overshoot": (0, 3.0),
    "weights rounded to zero": (-1, 1.0),
    "weights wrapped": (-1, 1.0),
    "synapses lost": (-1, 1.0),
    "parameters lost": (0, 1.0),
    "parameters wrapped": (0, 1.0),
    "synaptic events lost": (-1, 1.0),
    "spikes dropped": (-1, 1.0),
    "ring buffer cells saturated": (-1, 1.0),
    "weights clipped": (-1, 0.8),
    "spikes late": (0, 0.5),
    "parameters clipped": (0, 0.8),
    "parameters rounded": (0, 0.1),
    "delays moved": (0, 0.1),
    "delays merged": (0, 0.1),
    "weights quantized": (0, 0.05),
}
"""Loss -> what it does to the effect of its synapses (-1: less, 0: either), and how much a share of it weighs."""


@dataclass(frozen=True)
class Change:
    """The mean rate (Hz) of a population on the reference and on the chip."""

    population: str
    before: float
    after: float

    @property
    def agrees(self) -> bool:
        return abs(self.after - self.before) <= max(AGREE * self.before, AGREE)

    @property
    def sign(self) -> int:
        return 0 if self.agrees else (1 if self.after > self.before else -1)

    def __str__(self) -> str:
        rates = f"{self.after:.3g} Hz on the chip, {self.before:.3g} Hz on the reference"
        if self.sign < 0 and self.after <= 0.01 * self.before:
            return f"{self.population} is {'silent' if self.after == 0 else 'nearly silent'}: {rates}."
        if self.sign > 0 and self.after >= 5 * self.before:
            return f"{self.population} runs away: {rates}."
        times = f" ({self.after / self.before:.2g} times)" if self.before else ""
        return f"{self.population} fires too {'much' if self.sign > 0 else 'little'}: {rates}{times}."


def diagnose(
    references: Recording | Sequence[Recording],
    recordings: Recording | Sequence[Recording],
    program_report: Report | None = None,
    network: Network | None = None,
) -> list[str]:
    """Sentences: what went wrong in which population, then what explains it, the likeliest first, each with its remedy.

    Rates are means over all trials, losses their sums; membranes are those of the first trial.

    A loss counts for its share times its weight in MOVES, and four times as much if it moves the rates the way they
    went: excitation lost where the network is too quiet, inhibition lost where it is too loud. What a loss concerns is
    read from the names of projections and populations in its `where`. With `network`, recorded membranes tell the
    headroom (v_thresh - max v) / (v_thresh - v_rest).
    """
    there = [references] if isinstance(references, Recording) else list(references)
    here = [recordings] if isinstance(recordings, Recording) else list(recordings)
    reference, recording = there[0], here[0]
    changes = [
        Change(name, _mean_rate(there, name), _mean_rate(here, name))
        for name in reference.spikes
        if name in recording.spikes and reference.duration and recording.duration
    ]
    if not changes:
        return ["Nothing to explain: no population was recorded on both sides."]
    wrong = sorted((c for c in changes if not c.agrees), key=_severity, reverse=True)
    if not wrong:
        return [
            f"Nothing to explain of the rates: every population's mean is within {100 * AGREE:.0f} % of the reference."
        ]
    reports = [report for report in (program_report, Report.merged([r.report for r in here])) if report is not None]
    losses = _merged([loss for report in reports for loss in report.losses])
    ranked = sorted(losses, key=lambda loss: _importance(loss, wrong, network), reverse=True)
    sentences = [str(change) for change in wrong]
    sentences += [sentence for change in wrong for sentence in _upstream(change, changes, network)]
    sentences += [_explain(loss, network) for loss in ranked]
    sentences += [sentence for change in wrong for sentence in _headroom(change, reference, recording, network)]
    if not losses:
        sentences.append(
            "Nothing was reported lost, so the cause is the chip's own dynamics: its time step, number format, "
            "mismatch or noise; leave these out one at a time (`without:` in the mapping file)."
        )
    return sentences


def _mean_rate(trials: Sequence[Recording], population: str) -> float:
    return float(np.mean([trial.rate(population) for trial in trials]))


def _merged(losses: list[Loss]) -> list[Loss]:
    """One entry for what happened alike in several places, where it happened to everything there."""
    groups: dict[tuple[str, str, str], list[Loss]] = {}
    for number, loss in enumerate(losses):
        whole = loss.of and loss.count == loss.of
        groups.setdefault((loss.what, loss.why, loss.remedy if whole else f"{number}"), []).append(loss)
    return [
        group[0]
        if len(group) == 1
        else replace(
            group[0],
            count=sum(loss.count for loss in group),
            of=sum(loss.of for loss in group),
            where=f"{len(group)} places ({', '.join(loss.where for loss in group)})",
        )
        for group in groups.values()
    ]


def _severity(change: Change) -> float:
    return abs(np.log((change.after + 0.1) / (change.before + 0.1)))


def _importance(loss: Loss, wrong: list[Change], network: Network | None) -> float:
    move, weight = MOVES.get(loss.what, (0, 0.3))
    share = min(loss.count / loss.of, 1.0) if loss.of else 0.05
    projection = _projection(loss, network)
    effect = move * _sign(projection)
    aims = [c for c in wrong if projection is None or c.population == projection.target] or wrong
    return share * weight * (4.0 if effect and effect == aims[0].sign else 1.0)


def _sign(projection: Projection | None) -> int:
    """+1 where the synapses excite (or nothing is known: most do), -1 where they inhibit."""
    return -1 if projection is not None and projection.receptor == "inhibitory" else 1


def _projection(loss: Loss, network: Network | None) -> Projection | None:
    names = sorted(network.projections if network else (), key=len, reverse=True)
    return next((network.projections[name] for name in names if network and name in loss.where), None)


def _explain(loss: Loss, network: Network | None) -> str:
    projection = _projection(loss, network)
    kind = f" ({projection.receptor})" if projection and projection.receptor not in loss.where else ""
    count = f"{loss.count:,.0f}" if float(loss.count).is_integer() else f"{loss.count:.3g}"
    share = f" of {loss.of:,.0f} ({percent(loss.count / loss.of)})" if loss.of else ""
    effect = MOVES.get(loss.what, (0, 0.0))[0] * _sign(projection)
    so = ""
    if projection and effect:
        so = f" That {'quiets' if effect < 0 else 'disinhibits'} {projection.target}."
    remedy = f" Remedy: {loss.remedy.rstrip('.')}." if loss.remedy else ""
    what = loss.what[:1].upper() + loss.what[1:]
    return f"{what}: {count}{share} in {loss.where}{kind}, because {loss.why.rstrip('.')}.{so}{remedy}"


def _upstream(change: Change, changes: list[Change], network: Network | None) -> Iterator[str]:
    """Whether a quiet population only follows its quiet input."""
    if network is None or change.sign >= 0 or change.population not in network.populations:
        return
    known = {c.population: c for c in changes}
    inputs = [
        p.source
        for p in network.projections.values()
        if p.target == change.population and p.source != p.target and p.receptor == "excitatory"
    ]
    quiet = [name for name in dict.fromkeys(inputs) if name in known and known[name].sign < 0]
    if quiet and len(quiet) == len(set(inputs)):
        yield f"All that excites {change.population} is too quiet as well ({', '.join(quiet)}): look there first."


def _headroom(change: Change, reference: Recording, recording: Recording, network: Network | None) -> Iterator[str]:
    """How near the membranes of a quiet population come to threshold: (v_thresh - max v) / (v_thresh - v_rest)."""
    name = change.population
    if network is None or change.sign >= 0 or name not in network.neurons or "v" not in recording.traces.get(name, {}):
        return
    here, there = (_nearest(one, name, network) for one in (recording, reference))
    if here is None:
        return
    reach = (
        f"comes as near to threshold as {100 * here[0]:.0f} % of the way from rest"
        if here[0] > 0
        else "reaches threshold"
    )
    normal = f" (reference: {100 * max(there[0], 0.0):.0f} %)" if there is not None else ""
    advice = (
        "its input is too weak" if here[0] > 0.1 else "it is just below firing, or held by refractoriness and reset"
    )
    yield f"The membrane of {name} {reach}{normal}, over {here[1]} recorded neurons: {advice}."


def _nearest(recording: Recording, population: str, network: Network) -> tuple[float, int] | None:
    v = recording.traces.get(population, {}).get("v")
    if v is None or not v.size:
        return None
    if not {"v_thresh", "v_rest"} <= set(network.populations[population].parameters):
        return None
    neurons = recording.trace_neurons[population]["v"]
    threshold, rest = (network.parameter(population, key)[neurons] for key in ("v_thresh", "v_rest"))
    span = threshold - rest
    good = np.isfinite(span) & (span > 0) & np.isfinite(v).all(axis=0)
    if not good.any():
        return None
    return float(((threshold - v.max(axis=0))[good] / span[good]).min()), int(good.sum())
