"""A batch says every fault of its shapes, and gives its samples as stimuli."""

import numpy as np
import pytest

from neurohw.errors import BadInput
from neurohw.learning.batch import Batch
from neurohw.learning.losses import score


def flags(samples=2, steps=5, neurons=3):
    return np.random.default_rng(1).random((samples, steps, neurons)) < 0.5


def test_faults_are_named_all_at_once():
    with pytest.raises(BadInput, match=r"targets have the shape \(2, 4, 1\); \(2, 5, outputs\).*mask has the shape"):
        Batch({"in": flags()}, np.zeros((2, 4, 1)), mask=np.ones((2, 4), bool))


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, "either targets"),
        ({"targets": np.zeros((2, 5, 1)), "labels": np.zeros(2, int)}, "either targets"),
        ({"targets": np.full((2, 5, 1), np.nan)}, "NaN"),
        ({"labels": np.zeros(3, int)}, r"labels have the shape \(3,\)"),
        ({"labels": np.array([0, -1])}, "whole numbers >= 0"),
        ({"labels": np.zeros(2, int), "mask": np.zeros((2, 5), bool)}, "no step that counts"),
    ],
)
def test_each_fault(given, fault):
    with pytest.raises(BadInput, match=fault):
        Batch({"in": flags()}, **given)


def test_inputs_must_agree():
    with pytest.raises(BadInput, match="differ in samples or steps"):
        Batch({"a": flags(), "b": flags(steps=6)}, labels=np.zeros(2, int))


def test_samples_and_stimuli():
    batch = Batch({"in": flags(4)}, labels=np.arange(4))
    part = batch.samples(slice(1, 3))
    assert part.labels.tolist() == [1, 2]
    assert part.counted.all()
    train = part.stimulus(1, 0.5)["in"]
    again = np.zeros((5, 3), bool)
    again[np.round(train.times / 0.5).astype(int), train.indices] = True
    assert np.array_equal(again, batch.spikes["in"][2])


def test_samples_in_a_row():
    mask = np.zeros((4, 5), bool)
    mask[:, 2:] = True
    batch = Batch({"in": flags(4)}, labels=np.arange(4), mask=mask)
    row = batch.in_a_row(2)
    assert (row.n_samples, row.n_steps) == (2, 10)
    assert np.array_equal(row.spikes["in"][1], np.concatenate(batch.spikes["in"][2:]))
    assert row.labels[1].tolist() == [2] * 5 + [3] * 5
    assert np.array_equal(row.mask[0], np.concatenate(mask[:2]))
    late = np.repeat((np.arange(5) > 0)[None], 4, 0)
    assert Batch({"in": flags(4)}, labels=np.arange(4), mask=late).in_a_row(4).labels.tolist() == [
        [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5
    ]
    with pytest.raises(BadInput, match="from their first step to their last"):
        Batch({"in": flags(4)}, labels=np.arange(4)).in_a_row(2)
    targets = np.arange(40.0).reshape(4, 5, 2)
    assert np.array_equal(Batch({"in": flags(4)}, targets).in_a_row(2).targets[1], np.concatenate(targets[2:]))
    with pytest.raises(BadInput, match="4 samples cannot be put in rows of 3"):
        batch.in_a_row(3)


def test_an_answer_is_one_of_each_sample_in_a_row_as_by_itself():
    """Four samples of three steps, the first of which does not count; the single steps say otherwise than their sum."""
    mask = np.ones((4, 3), bool)
    mask[:, 0] = False
    batch = Batch({"in": flags(4, 3)}, labels=np.array([0, 0, 1, 1]), mask=mask)
    y = np.zeros((4, 3, 2))
    y[0, 1:] = (3, 0), (0, 1)  # right
    y[1, 1:] = (1, 0), (0, 3)  # wrong
    y[2, 1:] = (3, 0), (0, 1)  # wrong
    y[3, 1:] = (0, 1), (0, 1)  # right
    y[:, 0] = 9, 0  # does not count
    assert score(y, batch).metrics["error"].tolist() == [0, 1, 1, 0]
    rows = batch.in_a_row(2)
    assert score(y.reshape(2, 6, 2), rows).metrics["error"].tolist() == [0.5, 0.5]
