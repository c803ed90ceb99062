"""Every chip, as it is and ideal: what its results may depend on, and what they may not."""

import numpy as np
import pytest

from neurohw import workbench
from neurohw.errors import BadInput
from tests import small
from tests.contract.subjects import DRIVEN_BY_SEED, DURATION, SEED, refuses_or_works


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
    singles = [workbench.run(subject.program, subject.clean(), DURATION, trial=trial) for trial in (0, 1)]
    assert [small.same(a, b) for a, b in zip(several, [*singles, singles[1]], strict=True)] == [True] * 3
    assert small.same(several[0], subject.straight)


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
    for window in (steps // 4 + 1, 7)[
        : 1 if subject.name == "reference" else 2
    ]:  # a window costs Brian2 a third of a second
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


def test_reads_and_snapshots_change_nothing(subject, chip):
    for name in subject.projections:
        refuses_or_works(chip.read, name)
    chip.snapshot()
    _ = chip.capabilities
    assert small.same(chip.run(DURATION), subject.straight)


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
