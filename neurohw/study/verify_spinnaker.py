"""A SpiNNaker trace compared with its emulation, in the order in which things come about on the core.

Words and constants before the first step; then, step by step, neuron by neuron, the variables of a tick; plastic rows
after the neurons of their step; counts at the end. The first difference is the one to look at: later ones may follow.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.chips.spinnaker import structs
from neurohw.chips.spinnaker.replay import OBSERVED
from neurohw.schema import validate
from neurohw.study.spinnaker_emulation import Emulation, Run
from neurohw.study.spinnaker_traces import Trace
from neurohw.study.trace_files import read_columns
from neurohw.study.verification import Difference, Verification

Columns = Mapping[str, NDArray[np.int64]]
PLACE = ("t", "neuron")
OPTIONAL = (
    "raw_param_region_words_u32", "derived_initial_state", "ring_buffer_left_shifts", "weight_scales",
    "rows_static_words_u32",
)  # fmt: skip
OPTIONAL_STDP = (*OPTIONAL[:-1], "rows_raw_words_u32", "raw_stdp_region_words_u32", "plastic_row_after_each_pre_event")


def is_trace(data: Mapping[str, Any]) -> bool:
    """Is this JSON meant to be a trace of neurons on a core?"""
    return "events_time_row" in data or "pynn_params" in data


def verify_trace(path: Path, data: Mapping[str, Any]) -> Verification:
    """Hold `path` (read as `data`) and the columns beside it against the emulator; raises BadInput or OutOfRange."""
    trace = validate(Trace, data, str(path))
    emulation = Emulation(trace)
    known = (*PLACE, *OBSERVED, *(f"post_{name}" for name in structs.state_names(emulation.model)))
    columns = read_columns(path.with_suffix(".npz"), trace.n_steps * trace.n_neurons, PLACE, known)
    difference = next(_before(trace, emulation), None)
    run = emulation.run()  # also for its checks of the events
    difference = difference or _steps(trace, emulation, run, columns) or next(_counts(trace, run), None)
    kind = "SpiNNaker STDP" if trace.stdp else "SpiNNaker neurons"
    return Verification(path, kind, _about(trace, columns, known), trace.n_steps, difference)


def _about(trace: Trace, columns: Columns, known: Sequence[str]) -> str:
    """What was held: so that a trace with little in it does not look like one with everything."""
    told = f"{trace.model}, {trace.n_neurons} neurons, {trace.n_steps} steps of {trace.timestep_ms:g} ms"
    columns_told = f"{len(columns) - len(PLACE)} of {len(known) - len(PLACE)} variables"
    tables = OPTIONAL if trace.stdp is None else OPTIONAL_STDP
    tables_told = f"{sum(getattr(trace, name) is not None for name in tables)} of {len(tables)} tables"
    return f"{told}, {columns_told}, {tables_told}"


def _before(trace: Trace, emulation: Emulation) -> Iterator[Difference]:
    """All differences in what is fixed before the first step."""
    if trace.raw_param_region_words_u32 is not None:
        region = structs.parameter_region(emulation.model, emulation.raw)
        labels = [(field, neuron) for field, neuron, _ in region]
        yield from _differ(
            "raw_param_region_words_u32", trace.raw_param_region_words_u32, [w for *_, w in region], labels
        )
    if trace.derived_initial_state is not None:
        yield from _differ_derived(trace.derived_initial_state, emulation)
    if trace.global_weight_scale is not None:
        yield from _differ("global_weight_scale", [trace.global_weight_scale], [emulation.model.weight_scale])
    for name, emulated in (("ring_buffer_left_shifts", emulation.shifts), ("weight_scales", emulation.factors)):
        if getattr(trace, name) is not None:
            yield from _differ(name, getattr(trace, name), emulated)
    for name in ("rows_static_words_u32", "rows_raw_words_u32"):
        if getattr(trace, name) is not None:
            yield from _differ_rows(name, getattr(trace, name), [words.tolist() for words in emulation.row_words()])
    if trace.raw_stdp_region_words_u32 is not None:
        rule = emulation.rule
        region_words = structs.stdp_region(rule).tolist() if rule else []
        yield from _differ("raw_stdp_region_words_u32", trace.raw_stdp_region_words_u32, region_words)


def _differ(
    name: str, recorded: Iterable[float], emulated: Iterable[float], labels: Sequence[tuple[str, int | None]] = ()
) -> Iterator[Difference]:
    """Word by word; a missing word is one that differs."""
    for i, (a, b) in enumerate(zip_longest(recorded, emulated, fillvalue="nothing")):
        if a != b:
            field, neuron = labels[i] if i < len(labels) else ("", None)
            yield Difference(f"{name}[{i}]" + (f" ({field})" if field else ""), a, b, neuron)


def _differ_rows(
    name: str, recorded: Sequence[Sequence[int]], emulated: Sequence[Sequence[int]]
) -> Iterator[Difference]:
    if len(recorded) != len(emulated):
        yield Difference(f"number of {name}", len(recorded), len(emulated))
    for r, (a, b) in enumerate(zip(recorded, emulated, strict=False)):
        yield from _differ(f"{name}[{r}]", a, b)


def _differ_derived(recorded: Sequence[Mapping[str, Any]], emulation: Emulation) -> Iterator[Difference]:
    emulated = list(structs.derived(emulation.model, emulation.state, emulation.coef))
    if len(recorded) != len(emulated):
        yield Difference("number of derived_initial_state", len(recorded), len(emulated))
    for i, (ours, theirs) in enumerate(zip(emulated, recorded, strict=False)):
        for struct in dict.fromkeys([*theirs, *(name for name in ours if name != "input_type_t")]):
            a, b = (_fields(source.get(struct, {})) for source in (theirs, ours))
            for field in dict.fromkeys([*b, *a]):
                if a.get(field) != b.get(field):
                    told, ours_is = a.get(field, "nothing"), b.get(field, "nothing")
                    yield Difference(f"derived_initial_state {struct}.{field}"[:120], told, ours_is, i)


def _fields(struct: Mapping[str, int] | Sequence[int]) -> dict[str, int]:
    return dict(struct) if isinstance(struct, Mapping) else {str(i): value for i, value in enumerate(struct)}


def _steps(trace: Trace, emulation: Emulation, run: Run, columns: Columns) -> Difference | None:
    """The first differing step, and in it the neurons before the plastic rows, which come after."""
    found = [_neurons(trace, emulation, run, columns), next(_updates(trace, emulation, run), None)]
    return min((d for d in found if d is not None), key=lambda d: d.step or 0, default=None)


def _neurons(trace: Trace, emulation: Emulation, run: Run, columns: Columns) -> Difference | None:
    """By step, then neuron, then in the order in which a tick computes the variables."""
    shape = (trace.n_steps, trace.n_neurons)
    emulated: dict[str, Any] = {"t": np.arange(shape[0])[:, None], "neuron": np.arange(shape[1])[None, :]}
    emulated |= {name: run.out[:, k] for k, name in enumerate(OBSERVED)}
    for name, row in structs.state_names(emulation.model).items():
        emulated[f"post_{name}"] = run.out[:, len(OBSERVED) + row]
    wrong = np.zeros(shape, bool)
    for name, column in columns.items():
        wrong |= column.reshape(shape) != emulated[name]
    if not wrong.any():
        return None
    step, neuron = (int(i) for i in np.unravel_index(np.argmax(wrong), shape))
    for name in (name for name in emulated if name in columns):
        a = int(columns[name].reshape(shape)[step, neuron])
        b = int(np.broadcast_to(emulated[name], shape)[step, neuron])
        if a != b:
            return Difference(name, a, b, neuron, step)
    raise AssertionError("a difference that no column has")


def _updates(trace: Trace, emulation: Emulation, run: Run) -> Iterator[Difference]:
    """Plastic rows after each of their pre spikes."""
    if trace.plastic_row_after_each_pre_event is None:
        return
    rows = emulation.rows
    events = [(k, t, row) for k, (t, row) in enumerate(trace.events_time_row) if rows.plastic[row]]
    for number, (told, event) in enumerate(zip_longest(trace.plastic_row_after_each_pre_event, events)):
        name = f"plastic_row_after_each_pre_event[{number}]"
        if told is None or event is None:
            found = (
                ("an update", "nothing", None, told.t) if event is None else ("nothing", "an update", None, event[1])
            )
            yield Difference(name, *found)
            return
        k, t, row = event
        values = {"t": t, "row": row, "prev_time": t, "prev_trace_s4_11": int(run.traces[k])}
        for field, value in values.items():
            if getattr(told, field) != value:
                yield Difference(f"{name} {field}", getattr(told, field), value, step=t)
        targets = rows.targets[rows.starts[row] : rows.starts[row + 1]].tolist()
        for j, (a, b) in enumerate(zip_longest(told.weights_u16, run.weights[k].tolist(), fillvalue="nothing")):
            if a != b:
                yield Difference(
                    f"{name} row {row} weights_u16[{j}]", a, b, targets[j] if j < len(targets) else None, t
                )


def _counts(trace: Trace, run: Run) -> Iterator[Difference]:
    counts = {
        "n_spikes": int(run.out[:, OBSERVED.index("spike")].sum()),
        "ring_buffer_saturation_count": int(run.saturated),
    }
    for name, count in counts.items():
        told = getattr(trace, name)
        if told is not None and told != count:
            yield Difference(name, told, count)
