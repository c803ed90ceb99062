"""Every chip, as it is and ideal: weights that are read, written and updated."""

import numpy as np
import pytest

from neurohw.errors import BadInput, Unsupported
from tests import small
from tests.contract.subjects import DURATION, refuses_or_works


def test_weights_can_be_read(subject, chip):
    chip.wait("1 minute")  # conductances are programmed for the time at which a bench would read them
    for name, projection in subject.projections.items():
        weights = chip.read(name)
        assert weights.shape == chip.places(name).shape
        assert weights.ndim == 1
        assert np.isfinite(weights).all()
        sign = 1 if projection.receptor == "excitatory" else subject.inhibitory_sign(projection)
        assert np.mean(weights) * sign > 0
        assert np.mean(weights) == pytest.approx(projection.weight, rel=0.3)


def test_an_ideal_chip_holds_the_weights_as_they_are(subject, chip):
    for name, projection in subject.projections.items():
        read = chip.read(name)
        if subject.device.is_unlimited:
            assert read == pytest.approx(np.full(read.size, projection.weight), rel=1e-15)
            chip.write(name, np.linspace(1, 2, read.size) * read)
            assert chip.read(name) == pytest.approx(np.linspace(1, 2, read.size) * read, rel=1e-15)


def test_written_weights_take_effect_and_last(subject, chip):
    for name in subject.projections:
        chip.write(name, np.zeros(chip.places(name).size))
    still = chip.run(DURATION)
    assert sum(still.spikes[p][0].size for p in ("e", "i")) < sum(
        subject.straight.spikes[p][0].size for p in ("e", "i")
    )
    assert not subject.ages or not small.same(still, subject.straight)
    again = chip.run(DURATION)
    assert subject.ages or small.same(again, still), "a run leaves the weights as they are"


def test_malformed_weights_are_bad_input(subject, chip):
    name, projection = next((n, p) for n, p in subject.projections.items() if p.receptor == "inhibitory")
    n = chip.places(name).size
    sign = subject.inhibitory_sign(projection)
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
    if kind == "none":
        with pytest.raises(Unsupported, match=subject.device.name):
            chip.update(name, np.full(n, 3, np.int64))
        return
    chip.update(name, np.full(n, 3, np.int64))
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
    with pytest.raises((BadInput, Unsupported), match=r"update|write"):
        chip.update(name, given.get(pulses, np.zeros(0, np.int64)))


def test_arms_refresh_and_codes_work_or_are_refused_in_words(subject, chip):
    name = next(iter(subject.projections))
    arms = refuses_or_works(chip.read, name, True)
    if arms is not None:
        assert arms.shape == (2, chip.places(name).size)
        assert (arms >= 0).all()
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
