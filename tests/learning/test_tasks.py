"""Every task gives its samples by number, in the form that it says; and each follows its own rule."""

import hashlib

import numpy as np
import pytest

from neurohw import rng
from neurohw.errors import BadInput
from neurohw.learning.tasks import TASKS, Task, braille, evidence, store_recall, yin_yang
from neurohw.learning.tasks.braille import Braille
from neurohw.learning.tasks.delayed_xor import DelayedXor
from neurohw.learning.tasks.rates import DigitRates, Rates, YinYangRates

PUBLISHED = {
    40: "7bab3ed668ed4992679cff6339fe21bfe7d0c921ddc6187eaa3bc6ef34b888d7",
    42: "f5a4054d56f2a058f8250fba7ff9720458e1625db7af78a295e45701745b2228",
}
"""SHA-256 of the float64 values in publication_data/{test,train}_samples.npy of github.com/lkriener/yin_yang_data_set."""


@pytest.fixture(params=TASKS)
def task(request):
    if request.param in ("digits", "digit_rates"):
        pytest.importorskip("sklearn")
    return (
        TASKS[request.param](braille.synthetic(letters=5, repetitions=4))
        if request.param == "braille"
        else TASKS[request.param]()
    )


def test_batches_have_the_form_that_the_task_says(task):
    assert isinstance(task, Task)
    batch = task.batch(0, 3)
    assert {name: flags.shape for name, flags in batch.spikes.items()} == {
        name: (3, task.steps, size) for name, size in task.inputs.items()
    }
    assert all(flags.any(axis=(1, 2)).all() for flags in batch.spikes.values()), "a sample without a spike"
    if batch.labels is None:
        assert batch.targets.shape == (3, task.steps, task.outputs)
    else:
        assert batch.labels.max() < task.outputs
    assert batch.counted.any(axis=1).all()
    assert task.dt > 0


def test_a_sample_is_a_function_of_seed_and_number(task):
    whole, later = task.batch(0, 6, seed=5), task.batch(4, 2, seed=5)
    for name, flags in whole.spikes.items():
        assert np.array_equal(flags[4:], later.spikes[name])
    expected, found = (whole.targets, later.targets) if whole.labels is None else (whole.labels, later.labels)
    assert np.array_equal(expected[4:], found)
    other = task.batch(0, 6, seed=6)
    assert any(not np.array_equal(whole.spikes[name], other.spikes[name]) for name in whole.spikes)


def test_every_class_comes(task):
    batch = task.batch(0, 80)
    if batch.labels is not None:
        kinds = {0, 1, 2, 3, 4} if isinstance(task, Braille) else set(range(task.outputs))
        assert set(batch.labels[batch.labels >= 0].ravel().tolist()) == kinds


def test_evidence_is_the_side_with_more_cues():
    task = evidence.Evidence(probability=0.2)
    batch = task.batch(0, 40)
    assert task.steps == 2250
    spikes = batch.spikes["cues"]
    for k, label in enumerate(batch.labels):
        slots = spikes[k, :1050].reshape(7, 150, 40)
        left, right = slots[:, :, :10].sum(axis=(1, 2)), slots[:, :, 10:20].sum(axis=(1, 2))
        assert (left * right == 0).all(), "one side at a time"
        assert label == ((right > 0).sum() > 3)
        assert not slots[:, :50, :20].any(), "silence before each cue"
        assert not spikes[k, 1050:, :20].any()
        assert not spikes[k, :2100, 20:30].any()
        assert spikes[k, 2100:, 20:30].any()
    rates = spikes[:, :, 30:].mean()
    assert rates == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / spikes[:, :, 30:].size))
    assert batch.counted.sum(axis=1).tolist() == [150] * 40


RECORDED = """2
3, 10
12, 10
-2, 1
25, 2200
-1, 2250
39, 0
-2, 0
-1, 2250
"""


def test_recorded_evidence(tmp_path):
    path = tmp_path / "cues.dat"
    path.write_text(RECORDED)
    batch = evidence.read_recorded(path)
    assert batch.labels.tolist() == [1, 0]
    assert np.argwhere(batch.spikes["cues"]).tolist() == [[0, 10, 3], [0, 10, 12], [0, 2200, 25], [1, 0, 39]]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2\n3", "3\n3", "2 samples, but line 1 says 3"),
        ("2\n3", "1\n3", r"line 7: \[39, 0\]"),
        ("39, 0", "40, 0", "line 7: neuron 40 at 0, of 40 neurons"),
        ("-2, 0\n", "", "sample 1 ends without a label"),
        ("12, 10", "12", r"line 3: \[12\]"),
        ("12, 10", "twelve, 10", "not lines of whole numbers"),
    ],
)
def test_faults_of_a_recorded_file_are_named(tmp_path, old, new, said):
    path = tmp_path / "cues.dat"
    path.write_text(RECORDED.replace(old, new, 1))
    with pytest.raises(BadInput, match=said):
        evidence.read_recorded(path)
    with pytest.raises(BadInput, match="not readable"):
        evidence.read_recorded(tmp_path / "none.dat")


def test_recall_asks_for_what_was_stored_last():
    task = store_recall.StoreRecall()
    stores = recalls = 0
    for k in range(200):
        shown, answers = task.sequence(rng.key(1, f"{k}"))
        stored = -1
        for symbols, answer in zip(shown, answers, strict=True):
            if symbols[store_recall.RECALL]:
                assert answer == stored >= 0
                assert symbols.sum() == 1
                stored = -1
            else:
                assert answer == -1
                assert symbols[0] != symbols[1]
            if symbols[store_recall.STORE]:
                stored = int(symbols[1])
        stores, recalls = stores + shown[:, store_recall.STORE].sum(), recalls + (answers >= 0).sum()
    assert recalls >= 200
    assert stores >= recalls


def test_delayed_xor():
    batch = DelayedXor(probability=0.5).batch(0, 60)
    low, high = (batch.spikes["cues"][:, :-100, group * 10 : (group + 1) * 10].any(axis=2) for group in (0, 1))
    assert np.array_equal(batch.labels, low.any(axis=1) & high.any(axis=1))
    assert batch.spikes["cues"][:, -100:, 20:].any(axis=(1, 2)).all()


@pytest.mark.parametrize("seed", PUBLISHED)
def test_yin_yang_points_are_the_published_ones_to_the_bit(seed):
    values, classes = yin_yang.points(seed, yin_yang.SETS[seed])
    assert hashlib.sha256(values.astype("<f8").tobytes()).hexdigest() == PUBLISHED[seed]
    assert np.bincount(classes) == pytest.approx(len(classes) / 3, abs=4 * np.sqrt(len(classes) * 2 / 9))


def test_yin_yang_spikes_are_times():
    batch = yin_yang.YinYang().batch(10, 5, seed=40)
    assert (batch.spikes["values"].sum(axis=1) == 1).all()
    values, _ = yin_yang.points(40, 1000)
    assert batch.spikes["values"].argmax(axis=1)[:, :4] == pytest.approx(5 + 40 * values[10:15], abs=0.5)
    with pytest.raises(BadInput, match="do not fit into 60 steps"):
        yin_yang.YinYang(late=60)


def test_braille_crossings():
    values = np.full((6, 12), 10.0)
    values[2:4, 0] = 200.0
    found = braille.crossings(values, 5, 2).reshape(6, 12, 2, 2)
    assert np.argwhere(found).tolist() == [[2, 0, 0, 0], [2, 0, 1, 0], [4, 0, 0, 1], [4, 0, 1, 1]]


def test_braille_files(tmp_path):
    with pytest.raises(BadInput, match=r"no such file.*spytorch"):
        Braille(tmp_path / "none.npz")
    made = braille.synthetic(letters=3, repetitions=45, time=20)
    arrays = {
        "X": made.values.astype(np.int16), "length": made.length, "repetition": made.repetition,
        "letter": np.array([braille.LETTERS[k] for k in made.letter]),
    }  # fmt: skip
    path = tmp_path / "braille.npz"
    np.savez(path, **arrays)
    task = Braille(path, "test")
    assert task.steps == 40
    test = task.batch(0, 15)
    assert np.bincount(test.labels).tolist() == [5, 5, 5], "five repetitions of each are for the test"
    for change, said in (
        ({"letter": np.full(135, "Q2")}, "letter 'Q2'"),
        ({"length": np.full(135, 21)}, "length lies outside"),
        ({"X": made.values}, "whole numbers"),
        ({"repetition": np.zeros(3)}, "one entry for each"),
    ):
        np.savez(path, **arrays | change)
        with pytest.raises(BadInput, match=said):
            Braille(path)
    path.write_bytes(b"nothing")
    with pytest.raises(BadInput, match="not the Braille data"):
        Braille(path)
    with pytest.raises(BadInput, match="part is 'train' or 'test'"):
        Braille(made, "both")


def test_a_value_is_the_number_of_evenly_spread_spikes():
    spikes = Rates(steps=100, spikes=10).coded(np.array([[0.0, 0.1, 0.52, 1.0]]))
    assert spikes.sum(axis=1).tolist() == [[0, 1, 5, 10]]
    assert np.diff(np.flatnonzero(spikes[0, :, 3])).tolist() == [10] * 9
    with pytest.raises(BadInput, match="spikes <= steps"):
        Rates(steps=5, spikes=6)


def test_digits_as_rates_are_drawn_without_repetition():
    pytest.importorskip("sklearn")
    task = DigitRates(steps=40, spikes=4, classes=3)
    first, second = task.batch(0, 30, seed=5), task.batch(30, 30, seed=5)
    assert set(first.labels) == {0, 1, 2}
    again = task.batch(0, 60, seed=5)
    assert np.array_equal(again.spikes["pixels"][30:], second.spikes["pixels"])
    assert not np.array_equal(task.batch(0, 30, seed=6).labels, first.labels)
    with pytest.raises(BadInput, match="images of these digits"):
        task.batch(0, 1000)


def test_yin_yang_as_rates_has_the_published_points():
    batch = YinYangRates(steps=100, spikes=100).batch(0, 50)
    values, classes = yin_yang.points(42, 5000)
    assert np.array_equal(batch.labels, classes[:50])
    assert np.abs(batch.spikes["values"].sum(axis=1)[:, :4] / 100 - values[:50]).max() <= 0.005 + 1e-9
    assert (batch.spikes["values"].sum(axis=1)[:, 4] == 100).all()
