"""Every chip, as it is and ideal: the whole face of `neurohw.program.Chip`, and what its results may depend on."""

import json

import numpy as np
import pytest

from neurohw import workbench
from neurohw.errors import BadInput, NotReadable, Unsupported
from neurohw.program import Capabilities, Chip, Ledger
from neurohw.report import Report
from tests import small

SUBJECTS = [(name, ideal) for name in small.DEVICES for ideal in ((False, True) if name != "reference" else (False,))]
"""An ideal reference is the reference."""
DURATION = 30.0
SEED = 3
DRIVEN_BY_SEED = {"mismatch", "weight_noise", "synapse_loss", "programming_noise", "set_pulse", "drift", "read_noise"}
"""Effects that make two specimens, or two runs of one trial on two specimens, differ."""


class Subject:
    """A device with a small recurrent network on it, and one chip that the tests use one after another."""

    def __init__(self, name, ideal):
        self.name, self.ideal = name, ideal
        self.device = small.device(name, ideal)
        self.program = small.program(name, "recurrent", small.models_of(name)[0], ideal)
        self.chip = self.fresh()
        self.straight = self.chip.run(DURATION)

    def fresh(self, seed=SEED, loaded=True):
        chip = workbench.fabricate(self.device, seed)
        if loaded:
            chip.load(self.program)
        return chip

    def clean(self):
        """The shared chip, loaded anew."""
        self.chip.load(self.program)
        return self.chip

    @property
    def projections(self):
        return self.program.network.projections

    @property
    def ages(self):
        """Whether a run leaves traces in the weights, so that only a freshly loaded chip repeats a run bit for bit."""
        return self.device.effect("drift") is not None or self.device.effect("read_noise") is not None

    @property
    def dt(self):
        return self.program.dt


@pytest.fixture(scope="module", params=SUBJECTS, ids=lambda s: s[0] + (" ideal" if s[1] else ""))
def subject(request):
    return Subject(*request.param)


@pytest.fixture
def chip(subject):
    return subject.clean()


def refuses_or_works(call, *arguments):
    """The result, or None if the chip says in words that it has no such thing."""
    try:
        return call(*arguments)
    except (Unsupported, NotReadable) as error:
        assert len(str(error)) > 20, "a refusal says what is refused and what there is instead"
        return None


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
    assert program.fingerprint and program.requested is not None
    assert str(program.report).startswith("Resources")
    assert Report.from_dict(json.loads(json.dumps(program.report.as_dict()))) == program.report
    kinds = {loss.what for loss in program.report.losses}
    assert not subject.device.is_ideal or kinds <= {"delays moved"}, "an ideal device loses nothing but what the time step costs"


def test_recordings_say_what_they_are(subject):
    recording = subject.straight
    seeds = {"network": subject.program.network.seed, "chip": SEED, "trial": 0}
    assert recording.manifest["seeds"] == seeds
    assert recording.manifest["device"] == subject.device.title
    assert recording.manifest["program"] == subject.program.fingerprint
    json.dumps(recording.manifest)
    assert recording.duration == DURATION and recording.dt == subject.dt
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


def test_same_seed_same_recording_whatever_ran_before(subject, chip):
    chip.run(11.0, trial=8)
    chip.wait("1 hour")
    for name in subject.projections:
        refuses_or_works(chip.read, name)
        refuses_or_works(chip.update, name, np.ones_like(chip.places(name)))
    chip.load(subject.program)
    assert small.same(chip.run(DURATION), subject.straight)


def test_a_chip_made_anew_is_the_same_chip(subject):
    assert small.same(subject.fresh().run(DURATION), subject.straight)


def test_runs_are_reset_to_the_beginning(subject, chip):
    """A reset takes back the state of the neurons; the age of a device that drifts goes on."""
    chip.run(17.0, trial=4)
    again = chip.run(DURATION)
    if not subject.ages:
        assert small.same(again, subject.straight)
    else:
        assert (again.times["e"]["v"] == subject.straight.times["e"]["v"]).all()
        assert (again.traces["e"]["v"][0] == subject.straight.traces["e"]["v"][0]).all()


def test_another_specimen_differs_where_effects_make_it(subject):
    other = subject.fresh(seed=SEED + 1).run(DURATION)
    names = {effect.name for effect in subject.device.effects}
    assert small.same(other, subject.straight) != bool(names & DRIVEN_BY_SEED)
    for population in subject.program.network.sources:
        for ours, theirs in zip(other.spikes[population], subject.straight.spikes[population], strict=True):
            assert np.array_equal(ours, theirs), "the stimulus belongs to the trial"


def test_another_trial_has_other_stimuli_and_initial_states(subject, chip):
    other = chip.run(DURATION, trial=1)
    assert not np.array_equal(other.spikes["drive"][0], subject.straight.spikes["drive"][0])
    assert (other.traces["e"]["v"][0] != subject.straight.traces["e"]["v"][0]).any()


def test_a_list_of_trials_is_what_single_runs_give(subject):
    several = workbench.run(subject.program, subject.clean(), DURATION, trial=[0, 1, 1])
    chip = subject.clean()
    singles = [workbench.run(subject.program, chip, DURATION, trial=trial) for trial in (0, 1, 1)]
    assert [small.same(a, b) for a, b in zip(several, singles, strict=True)] == [True] * 3
    assert small.same(several[0], subject.straight)
    assert subject.ages or small.same(several[1], several[2])


def test_two_halves_are_one_run(subject, chip):
    first, second = chip.run(13.0), chip.run(DURATION - 13.0, reset=False)
    spikes, traces = small.joined(first, second)
    assert second.times["e"]["v"][0] == first.times["e"]["v"][-1]
    for population, (times, indices) in subject.straight.spikes.items():
        assert np.array_equal(spikes[population][1], indices), population
        assert np.array_equal(spikes[population][0], times), population
    for population, variables in subject.straight.traces.items():
        assert np.array_equal(traces[population]["v"], variables["v"]), population


def test_results_do_not_depend_on_the_window(subject, chip):
    steps = round(DURATION / subject.dt)
    for window in (steps // 4 + 1, 7)[: 1 if subject.name == "reference" else 2]:  # a window costs Brian2 a third of a second
        chip.load(subject.program)
        chip.window = window
        try:
            found = chip.run(DURATION)
        finally:
            del chip.window
        assert small.same(found, subject.straight)


def test_chips_on_one_bench_do_not_disturb_each_other(subject, chip):
    """A second chip, with another network and another time step, runs in the middle of a run of the first."""
    other = small.program(subject.name, "feed forward", small.models_of(subject.name)[0], subject.ideal, dt=0.5)
    first = chip.run(13.0)
    workbench.run(other, workbench.fabricate(subject.device, SEED + 2), 5.0)
    spikes, traces = small.joined(first, chip.run(DURATION - 13.0, reset=False))
    assert all(np.array_equal(spikes[p][1], subject.straight.spikes[p][1]) for p in spikes)
    assert np.array_equal(traces["e"]["v"], subject.straight.traces["e"]["v"])


def test_a_snapshot_is_the_whole_state(subject, chip):
    chip.run(11.0)
    state, ledger = chip.snapshot(), vars(chip.ledger).copy()
    straight = chip.run(12.0, reset=False)
    reads = [refuses_or_works(chip.read, name) for name in subject.projections]
    chip.wait("1 day")
    for name in subject.projections:
        refuses_or_works(chip.update, name, np.ones_like(chip.places(name)))
    chip.run(5.0, trial=6)
    chip.restore(state)
    assert vars(chip.ledger) == ledger
    assert small.same(chip.run(12.0, reset=False), straight)
    again = [refuses_or_works(chip.read, name) for name in subject.projections]
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(reads, again, strict=True))
    chip.restore(state)
    assert small.same(chip.run(12.0, reset=False), straight), "a snapshot serves more than once"


def test_a_snapshot_outlives_a_load(subject, chip):
    chip.run(11.0)
    state = chip.snapshot()
    straight = chip.run(12.0, reset=False)
    chip.load(subject.program)
    chip.run(3.0, trial=2)
    chip.snapshot()
    chip.restore(state)
    assert small.same(chip.run(12.0, reset=False), straight)
    twin = subject.fresh()
    twin.restore(state)
    assert small.same(twin.run(12.0, reset=False), straight), "the same specimen, made anew"


def test_a_snapshot_outlives_another_stimulus(subject):
    program = small.program(subject.name, "feed forward", small.models_of(subject.name)[0], subject.ideal)
    chip = workbench.fabricate(subject.device, SEED)
    chip.load(program)
    chip.run(6.0)
    state = chip.snapshot()
    straight = chip.run(7.0, reset=False)
    chip.run(5.0, stimulus={"given": (np.ones(6), np.zeros(6, np.int64))})  # six spikes of one source in one step
    chip.restore(state)
    assert small.same(chip.run(7.0, reset=False), straight)


@pytest.mark.parametrize("state", [None, {}, 5, {"chip": ("a", "b", 1, "c")}])
def test_what_is_no_snapshot_of_this_chip_is_refused(subject, state):
    with pytest.raises(BadInput, match="snapshot"):
        subject.chip.restore(state)


def test_a_snapshot_of_another_specimen_is_refused(subject, chip):
    state = subject.fresh(seed=SEED + 1).snapshot()
    with pytest.raises(BadInput, match="snapshot"):
        chip.restore(state)


def test_weights_can_be_read(subject, chip):
    chip.wait("1 minute")  # conductances are programmed for the time at which a bench would read them
    for name, projection in subject.projections.items():
        weights = chip.read(name)
        assert weights.shape == chip.places(name).shape and weights.ndim == 1
        assert np.isfinite(weights).all()
        sign = 1 if projection.receptor == "excitatory" else inhibitory_sign(subject, projection)
        assert np.mean(weights) * sign > 0
        assert np.mean(weights) == pytest.approx(projection.weight, rel=0.3)


def test_an_ideal_chip_holds_the_weights_as_they_are(subject, chip):
    for name, projection in subject.projections.items():
        read = chip.read(name)
        if subject.device.is_unlimited:
            assert read == pytest.approx(np.full(read.size, projection.weight), rel=1e-15)
            chip.write(name, np.linspace(1, 2, read.size) * read)
            assert chip.read(name) == pytest.approx(np.linspace(1, 2, read.size) * read, rel=1e-15)


def test_reads_and_snapshots_change_nothing(subject, chip):
    for name in subject.projections:
        refuses_or_works(chip.read, name)
    chip.snapshot()
    _ = chip.capabilities
    assert small.same(chip.run(DURATION), subject.straight)


def test_writing_what_the_range_allows(subject, chip):
    """What is read after a write lies within half a step of it, unless the hardware writes or reads with noise."""
    noisy = {"programming_noise", "set_pulse", "drift", "read_noise"} & {e.name for e in subject.device.effects}
    for name, (low, high) in chip.capabilities.weight_range.items():
        low, high = max(low, -5.0), min(high, 5.0)
        projection = subject.projections[name]
        if projection.receptor == "excitatory" or inhibitory_sign(subject, projection) > 0:
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


def test_written_weights_take_effect_and_last(subject, chip):
    for name in subject.projections:
        chip.write(name, np.zeros(chip.places(name).size))
    still = chip.run(DURATION)
    assert sum(still.spikes[p][0].size for p in ("e", "i")) < sum(subject.straight.spikes[p][0].size for p in ("e", "i"))
    assert not subject.ages or not small.same(still, subject.straight)
    again = chip.run(DURATION)
    assert subject.ages or small.same(again, still), "a run leaves the weights as they are"


def test_malformed_weights_are_bad_input(subject, chip):
    name, projection = next((n, p) for n, p in subject.projections.items() if p.receptor == "inhibitory")
    n = chip.places(name).size
    sign = inhibitory_sign(subject, projection)
    for weights in (np.zeros(n + 1), np.zeros(0), np.full(n, np.nan), np.full(n, np.inf), np.full(n, -1e-3 * sign)):
        with pytest.raises(BadInput, match="write"):
            chip.write(name, weights)
    with pytest.raises(BadInput, match="no projection 'nothing'"):
        chip.write("nothing", np.zeros(n))
    assert small.same(chip.run(DURATION), subject.straight), "what is refused changes nothing"


def test_unknown_projections_are_bad_input(subject, chip):
    for call in (chip.read, lambda name: chip.update(name, np.zeros(1, np.int64))):
        with pytest.raises(BadInput, match="no projection 'nothing'; there are"):
            call("nothing")


def test_updates_move_weights_the_way_they_point(subject, chip):
    name = next(n for n, p in subject.projections.items() if p.receptor == "excitatory")
    n, kind = chip.places(name).size, chip.capabilities.updates
    chip.write(name, np.full(n, 0.4 * min(chip.capabilities.weight_range[name][1], 1.0)))
    chip.wait("1 minute")
    before = chip.read(name)
    try:
        chip.update(name, np.full(n, 3, np.int64))
    except Unsupported as error:
        assert kind == "none"
        assert subject.device.name in str(error)
        return
    assert kind != "none"
    step = 1.0 if kind == "exact" else chip.capabilities.weight_step[name]
    chip.wait("1 minute")
    moved = np.mean(chip.read(name) - before)
    assert moved == pytest.approx(3 * step, rel=1e-9) if kind != "pulses" else 1.0 * step < moved < 5 * step
    chip.update(name, np.full(n, -2, np.int64))
    assert np.isfinite(chip.run(DURATION).traces["e"]["v"]).all()


@pytest.mark.parametrize("pulses", ["fractions", "nan", "too many", "none"])
def test_malformed_updates_are_bad_input(subject, chip, pulses):
    name = next(iter(subject.projections))
    n = chip.places(name).size
    given = {"fractions": np.full(n, 0.5), "nan": np.full(n, np.nan), "too many": np.zeros(n + 1, np.int64)}
    with pytest.raises((BadInput, Unsupported), match="update|write"):
        chip.update(name, given.get(pulses, np.zeros(0, np.int64)))


def test_arms_refresh_and_codes_work_or_are_refused_in_words(subject, chip):
    name = next(iter(subject.projections))
    arms = refuses_or_works(chip.read, name, True)
    if arms is not None:
        assert arms.shape == (2, chip.places(name).size) and (arms >= 0).all()
        assert "conductances" in chip.capabilities.readable
    refuses_or_works(chip.refresh, name, "reset_and_rewrite")
    if not chip.capabilities.parameter_codes:
        with pytest.raises(Unsupported, match=r"\w+"):
            chip.configure("e", {"nothing": np.zeros(12, np.int64)})
    assert np.isfinite(chip.run(DURATION).traces["e"]["v"]).all()


def test_what_is_readable_can_be_recorded(subject, chip):
    readable = chip.capabilities.readable
    assert {"spikes", "v", "weights"} <= set(readable)
    assert chip.capabilities.updates in ("pulses", "lsb", "exact", "none")
    assert set(chip.capabilities.weight_range) == set(subject.projections)
    assert all(low <= 0 <= high and low < high for low, high in chip.capabilities.weight_range.values())
    assert all(step > 0 for step in chip.capabilities.weight_step.values())


def test_the_ledger_counts_and_never_runs_backwards(subject, chip):
    seen = [vars(chip.ledger).copy()]
    chip.run(DURATION)
    seen.append(vars(chip.ledger).copy())
    refuses_or_works(chip.read, next(iter(subject.projections)))
    seen.append(vars(chip.ledger).copy())
    chip.wait("1 s")
    seen.append(vars(chip.ledger).copy())
    for before, after in zip(seen, seen[1:], strict=False):
        assert all(after[name] >= before[name] for name in after)
    assert seen[1]["packets"] > seen[0]["packets"] and seen[1]["time"] > seen[0]["time"]
    assert seen[3]["time"] - seen[2]["time"] == pytest.approx(1000.0)
    assert all(np.isfinite(value) for value in seen[-1].values())


def test_progress_is_told_and_ends_at_one(subject, chip):
    told = []
    chip.on_progress = told.append
    try:
        chip.run(DURATION)
    finally:
        chip.on_progress = None
    assert told and told == sorted(told) and told[-1] == 1.0


def test_a_stimulus_for_one_run_replaces_the_given_spikes(subject):
    program = small.program(subject.name, "feed forward", small.models_of(subject.name)[0], subject.ideal)
    chip = workbench.fabricate(subject.device, SEED)
    chip.load(program)
    if subject.ages:
        other = chip.run(DURATION, stimulus={"given": ([2.0, 7.0, 7.0], [1, 0, 1])})
        assert other.spikes["given"][0].tolist() == [2.0, 7.0, 7.0]
        return
    usual = chip.run(DURATION)
    other = chip.run(DURATION, stimulus={"given": ([2.0, 7.0, 7.0], [1, 0, 1])})
    assert other.spikes["given"][0].tolist() == [2.0, 7.0, 7.0]
    assert other.spikes["given"][1].tolist() == [1, 0, 1]
    assert np.array_equal(other.spikes["poisson"][0], usual.spikes["poisson"][0])
    assert not small.same(other, usual)
    assert small.same(chip.run(DURATION), usual)
    own = program.network.populations["given"].spike_times
    assert small.same(chip.run(DURATION, stimulus={"given": own}), usual)


@pytest.mark.parametrize(
    "stimulus",
    [{"drive": ([1.0], [0])}, {"nothing": ([1.0], [0])}],
)
def test_a_stimulus_for_what_takes_none_is_bad_input(subject, stimulus):
    with pytest.raises(BadInput, match="stimulus"):
        subject.chip.run(DURATION, stimulus=stimulus)


def test_the_network_is_left_as_it_was(subject):
    """Chips and passes change no network: a program made before and after all this is the same."""
    made = small.recurrent_short(small.models_of(subject.name)[0])
    again = workbench.map_network(made, subject.device)
    assert again.fingerprint == workbench.map_network(made, subject.device).fingerprint


def inhibitory_sign(subject, projection):
    return subject.program.network.populations[projection.target].model.inhibitory_sign
