"""A batch says every fault of its shapes, and gives its samples as stimuli."""

import numpy as np
import pytest

from neurohw.errors import BadInput
from neurohw.learning.batch import Batch


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
