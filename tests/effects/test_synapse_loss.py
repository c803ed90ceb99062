"""synapse_loss: dead circuits; what routing loses is tested with the pass."""

import numpy as np
import pytest

from neurohw import rng
from neurohw.effects.synapse_loss import SynapseLoss
from neurohw.errors import BadInput
from neurohw.schema import Number, validate

N = 200_000


@pytest.mark.parametrize("dead", [0.0, 0.1, 0.5, 1.0])
def test_share_of_dead_circuits(dead):
    alive = SynapseLoss(dead=Number(dead)).alive(rng.key(1, "synapse_loss"), np.arange(N))
    assert abs((~alive).mean() - dead) <= 4 * np.sqrt(dead * (1 - dead) / N)


def test_a_higher_share_kills_more_of_the_same():
    stream, circuits = rng.key(1, "synapse_loss"), np.arange(1000)
    few, many = (SynapseLoss(dead=Number(p)).alive(stream, circuits) for p in (0.1, 0.3))
    assert (few | ~many).all()


def test_bad_numbers():
    with pytest.raises(BadInput, match="dead"):
        validate(SynapseLoss, {"dead": Number(1.5)}, "synapse_loss")
