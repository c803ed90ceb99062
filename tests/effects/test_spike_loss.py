"""spike_loss: links of finite rate."""

import numpy as np
import pytest

from neurohw.effects.spike_loss import SpikeLoss
from neurohw.schema import Number

DT, ACCELERATION = 0.1, 1e4


def effect(links=48, rate=12.5e3, buffer=16):
    """rate in kHz: 12.5 Mevent/s of hardware time are 1.25 events per ms of network time."""
    both = {"links": Number(links), "rate": Number(rate)}
    return SpikeLoss(**both, buffer=Number(buffer), **{f"out_{name}": number for name, number in both.items()})


def plain(steps, links, frame, budget):
    """The law, one event after the other."""
    used, passed = {}, []
    for step, link in zip(steps.tolist(), links.tolist(), strict=True):
        used[step // frame, link] = used.get((step // frame, link), 0) + 1
        passed.append(used[step // frame, link] <= budget)
    return np.array(passed, bool)


def test_frame_and_budget():
    assert (effect().frame(DT, ACCELERATION), effect().budget(DT, ACCELERATION)) == (128, 16)
    assert effect(buffer=1).budget(1.0, ACCELERATION) == 1


@pytest.mark.parametrize("rate", [0.05, 0.3, 3.0])
def test_against_the_plain_law(rate):
    draws = np.random.default_rng(1)
    steps = np.repeat(np.arange(2000), draws.poisson(rate, 2000))
    links = draws.integers(0, 3, steps.size)
    found = effect(links=3).passed(steps, links, DT, ACCELERATION)
    assert (found == plain(steps, links, 128, 16)).all()


def test_a_saturated_link_has_its_rate():
    steps = np.repeat(np.arange(12_800), 2)
    found = effect(links=1).passed(steps, np.zeros(steps.size, np.int64), DT, ACCELERATION)
    assert found.sum() / (12_800 * DT) == pytest.approx(1.25)


def test_below_capacity_nothing_is_lost():
    steps = np.arange(0, 12_800, 10)
    assert effect(links=1).passed(steps, np.zeros(steps.size, np.int64), DT, ACCELERATION).all()


def test_no_events():
    none = np.empty(0, np.int64)
    assert effect().passed(none, none, DT, ACCELERATION).size == 0
