"""Every chip, as it is and ideal: the whole face of `neurohw.program.Chip`, in words where there is no such thing."""

import itertools
import json

import numpy as np
import pytest

from neurohw.errors import BadInput, Unsupported
from neurohw.program import Capabilities, Chip, Ledger
from neurohw.report import Report
from tests import small
from tests.contract.subjects import DURATION, SEED, refuses_or_works


def test_it_has_the_whole_face(subject):
    assert isinstance(subject.chip, Chip)
    assert isinstance(subject.chip.ledger, Ledger)
    assert isinstance(subject.chip.capabilities, Capabilities)


def test_nothing_works_before_load(subject):
    empty = subject.fresh(loaded=False)
    name = next(iter(subject.projections))
    for call in (
        lambda: empty.run(DURATION),
        lambda: empty.read(name),
        lambda: empty.write(name, np.zeros(1)),
        lambda: empty.update(name, np.zeros(1, np.int64)),
        lambda: empty.capabilities,
        lambda: empty.snapshot(),
        lambda: empty.restore({}),
    ):
        with pytest.raises(BadInput, match=r"load"):
            call()


def test_a_program_for_another_device_is_refused(subject):
    other = "reference" if subject.name != "reference" else "spinnaker-spin5"
    program = small.program(other, "recurrent", small.models_of(other)[0])
    with pytest.raises(BadInput, match="map it again"):
        subject.fresh(loaded=False).load(program)


def test_the_program_knows_the_way_back_and_what_was_lost(subject):
    program, origin = subject.program, subject.program.origin
    assert list(origin.first) == [*program.network.neurons, *program.network.sources]
    assert origin.n_presynaptic == sum(p.size for p in program.network.populations.values())
    ids = np.arange(origin.n_presynaptic)
    back = origin.spikes(np.zeros_like(ids), ids, 1.0)
    assert all((indices == np.arange(origin.size[name])).all() for name, (_, indices) in back.items())
    assert program.fingerprint
    assert program.requested is not None
    assert str(program.report).startswith("Resources")
    assert Report.from_dict(json.loads(json.dumps(program.report.as_dict()))) == program.report
    kinds = {loss.what for loss in program.report.losses}
    assert not subject.device.is_ideal or kinds <= {"delays moved"}, (
        "an ideal device loses nothing but what the time step costs"
    )


def test_recordings_say_what_they_are(subject):
    recording = subject.straight
    seeds = {"network": subject.program.network.seed, "chip": SEED, "trial": 0}
    assert recording.manifest["seeds"] == seeds
    assert recording.manifest["device"] == subject.device.title
    assert recording.manifest["program"] == subject.program.fingerprint
    json.dumps(recording.manifest)
    assert recording.duration == DURATION
    assert recording.dt == subject.dt
    assert recording.sizes == subject.program.origin.size
    assert Report.from_dict(json.loads(json.dumps(recording.report.as_dict()))) == recording.report


def test_text_with_a_unit_and_numbers_mean_the_same(subject, chip):
    assert small.same(chip.run("0.03 s"), subject.straight)


@pytest.mark.parametrize("duration", ["soon", "3 mV", -5.0, 0.0, float("nan"), float("inf"), None])
def test_impossible_durations_are_bad_input(subject, duration):
    with pytest.raises(BadInput, match="duration"):
        subject.chip.run(duration)


@pytest.mark.parametrize("duration", [-1.0, "3 mV", float("nan"), None])
def test_impossible_waits_are_bad_input(subject, duration):
    with pytest.raises(BadInput, match="wait"):
        subject.chip.wait(duration)


def test_writing_what_the_range_allows(subject, chip):
    """What is read after a write lies within half a step of it, unless the hardware writes or reads with noise."""
    noisy = {"programming_noise", "set_pulse", "drift", "read_noise"} & {e.name for e in subject.device.effects}
    for name, (low, high) in chip.capabilities.weight_range.items():
        low, high = max(low, -5.0), min(high, 5.0)
        projection = subject.projections[name]
        if projection.receptor == "excitatory" or subject.inhibitory_sign(projection) > 0:
            low = max(low, 0.0)
        else:
            high = min(high, 0.0)
        wanted = np.linspace(low, high, chip.places(name).size)
        if not chip.capabilities.writable:
            with pytest.raises(Unsupported):
                chip.write(name, wanted)
            continue
        chip.write(name, wanted)
        chip.wait("1 minute")
        step = chip.capabilities.weight_step.get(name, 0.0)
        read = chip.read(name)
        assert np.isfinite(read).all()
        if not noisy:
            assert np.abs(read - wanted).max() <= step / 2 * (1 + 1e-9) + 1e-12
        else:
            assert np.corrcoef(read, wanted)[0, 1] > 0.9
    assert np.isfinite(chip.run(DURATION).traces["e"]["v"]).all()


def test_the_ledger_counts_and_never_runs_backwards(subject, chip):
    seen = [vars(chip.ledger).copy()]
    chip.run(DURATION)
    seen.append(vars(chip.ledger).copy())
    refuses_or_works(chip.read, next(iter(subject.projections)))
    seen.append(vars(chip.ledger).copy())
    chip.wait("1 s")
    seen.append(vars(chip.ledger).copy())
    for before, after in itertools.pairwise(seen):
        assert all(after[name] >= before[name] for name in after)
    assert seen[1]["packets"] > seen[0]["packets"]
    assert seen[1]["time"] > seen[0]["time"]
    assert seen[3]["time"] - seen[2]["time"] == pytest.approx(1000.0)
    assert all(np.isfinite(value) for value in seen[-1].values())


def test_progress_is_told_and_ends_at_one(subject, chip):
    told = []
    chip.on_progress = told.append
    try:
        chip.run(DURATION)
    finally:
        chip.on_progress = None
    assert told
    assert told == sorted(told)
    assert told[-1] == 1.0
