"""Statistics against Elephant neuron by neuron, and against what is known of simple trains."""

import numpy as np
import pytest

from neurohw.errors import BadInput
from neurohw.study import statistics
from neurohw.study.statistics import STATISTICS, after, sample

ignore_elephant = pytest.mark.filterwarnings("ignore:The 'copy' argument in Quantity")


def test_rates_count_the_silent_neurons(trains):
    assert sample("rates", trains([[1.0, 2.0], [], [50.0]]), "p").tolist() == [20.0, 0.0, 10.0]


def test_cv_of_a_clock_is_zero_and_two_spikes_are_too_few(trains):
    clock = np.arange(0, 100, 10.0)
    np.testing.assert_allclose(sample("cv_isi", trains([clock, [1.0, 2.0], []]), "p"), [0.0], atol=1e-12)


@ignore_elephant
def test_cv_equals_elephant_neuron_by_neuron(make):
    from elephant.statistics import cv, isi

    recording = make(3)
    times, indices = recording.spikes["e"]
    expected = [cv(isi(t)) for t in (times[indices == n] for n in range(120)) if t.size >= 3]
    np.testing.assert_allclose(np.sort(sample("cv_isi", recording, "e")), np.sort(expected))


def test_cv_of_poisson_neurons_is_near_one(make):
    values = sample("cv_isi", make(1, rate=60.0, duration=5000.0), "e")
    assert abs(values.mean() - 1) < 4 * values.std() / np.sqrt(values.size) + 0.02  # finite trains: slightly below 1


def test_correlation_equals_numpy_on_the_same_bins(make):
    recording = make(4, sizes={"e": 30})
    times, indices = recording.spikes["e"]
    counts = np.zeros((30, 500))
    np.add.at(counts, (indices, np.floor(times / 2 + 1e-6).astype(int)), 1)
    expected = np.corrcoef(counts[counts.any(1)])
    expected = expected[np.triu_indices(len(expected), 1)]
    np.testing.assert_allclose(sample("correlation", recording, "e"), expected, atol=1e-12)


def test_correlation_of_equal_trains_is_one(trains):
    train = [3.0, 17.0, 55.0]
    np.testing.assert_allclose(sample("correlation", trains([train, train, []]), "p"), [1.0])


def test_correlation_draws_the_same_neurons_whatever_else_spikes(make):
    recording = make(5, sizes={"e": 600}, rate=40.0)
    assert sample("correlation", recording, "e").size == 200 * 199 // 2
    one, other = (statistics._choice(np.arange(n), "e", 200) for n in (600, 599))
    assert len(set(one) & set(other)) >= 199


def test_van_rossum_of_one_spike_too_many_is_one(trains):
    assert sample("van_rossum", trains([[50.0]]), "p", [trains([[]])]).tolist() == pytest.approx([1.0])
    assert sample("van_rossum", trains([[50.0]]), "p", [trains([[50.0]])]).tolist() == pytest.approx([0.0], abs=1e-6)
    far = sample("van_rossum", trains([[10.0]], 1e4), "p", [trains([[9000.0]], 1e4)])
    assert far.tolist() == pytest.approx([np.sqrt(2)])


def test_synchrony_is_one_for_poisson_and_large_in_volleys(make, trains):
    assert sample("synchrony", make(7, duration=10_000.0), "e")[0] == pytest.approx(1, abs=4 * np.sqrt(2 / 3333))
    assert sample("synchrony", trains([[10.0, 60.0]] * 50), "p")[0] > 20


def test_activity_averages_to_the_mean_rate(make):
    recording = make(8)
    assert sample("activity", recording, "e").mean() == pytest.approx(recording.rate("e"))


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("lists", [[[]], [[], []], [[5.0]], [[5.0], []], [[1.0, 1.0, 1.0]], [[0.0]] * 3])
@pytest.mark.parametrize("duration", [1.0, 100.0])
def test_degenerate_recordings_give_finite_or_no_values(trains, name, lists, duration):
    recording = trains([[t for t in one if t < duration] for one in lists], duration)
    assert np.isfinite(sample(name, recording, "p", [recording])).all()


def test_discard_leaves_out_the_transient(trains):
    kept = after(trains([[10.0, 30.0], [20.0]]), 20.0)
    assert kept.spikes["p"][0].tolist() == [0.0, 10.0]
    assert kept.duration == 80.0
    with pytest.raises(BadInput, match="100 ms is not inside"):
        after(trains([[10.0]]), 100.0)


def test_unknown_names_are_refused(trains):
    with pytest.raises(BadInput, match="no statistic 'rate'; there are rates"):
        sample("rate", trains([[1.0]]), "p")
    with pytest.raises(BadInput, match="'q': no spikes recorded; there are p"):
        sample("rates", trains([[1.0]]), "q")
