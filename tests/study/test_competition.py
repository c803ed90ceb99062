import numpy as np
import pytest

from neurohw.recording import Recording
from neurohw.study import statistics


def recording(winners, spikes=10, loser=0, duration=None):
    """exc1 and exc2, 10 neurons each: in every bin of 25 ms the winner spikes `spikes` times, the other `loser` times."""
    trains = {"exc1": [], "exc2": [], "pool": [0]}
    for k, winner in enumerate(winners):
        for name in ("exc1", "exc2"):
            trains[name] += [25 * k + 10] * (spikes if name == winner else loser if winner else 0)
    found = {n: (np.array(t, float), np.arange(len(t)) % 10) for n, t in trains.items()}
    return Recording(found, dict.fromkeys(found, 10), duration or 25.0 * len(winners), 0.1)


def value(name, one, population="exc1"):
    return statistics.sample(name, one, population)


def test_purity_is_the_share_of_the_winner():
    assert value("purity", recording(["exc1", "exc2"])) == [1.0]
    assert value("purity", recording(["exc1", "exc2"], spikes=6, loser=4)) == pytest.approx([0.6])
    assert value("purity", recording([None, None])).size == 0


def test_evenness_is_one_if_all_win_equally_often_and_zero_if_one_always_does():
    assert value("evenness", recording(["exc1", "exc2"] * 4)) == pytest.approx([1.0])
    assert value("evenness", recording(["exc2"] * 4)) == [0.0]
    three_to_one = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(2)
    assert value("evenness", recording(["exc1", "exc1", "exc1", "exc2"]), "exc2") == pytest.approx([three_to_one])
    assert value("evenness", recording(["exc1"]), "pool").size == 0  # it has no rivals


def test_dwell_is_how_long_a_turn_lasts_and_silence_does_not_end_it():
    one = recording(["exc1", "exc1", "exc2", "exc1", None, "exc1"])
    assert value("dwell", one, "exc1").tolist() == [50.0, 50.0]
    assert value("dwell", one, "exc2").tolist() == [25.0]
    assert value("dwell", recording([None])).size == 0
    assert value("dwell", recording([], duration=10.0)).size == 0
