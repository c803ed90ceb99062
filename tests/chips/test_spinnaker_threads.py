"""Several threads on one network compute what one does, to the bit."""

import numpy as np
import pytest

from neurohw import workbench
from neurohw.chips.spinnaker import threads
from neurohw.connections import FixedProbability, OneToOne
from neurohw.distributions import Normal, Uniform
from neurohw.errors import BadInput, Unsupported
from neurohw.kernels.gate import gate, meet
from neurohw.network import Network


def network():
    """Parts of 64 neurons cut through populations; two fused models and another, sources with and without a target."""
    start = {"v": Uniform(-65.0, -50.0)}
    made = Network(seed=5).population("a", 93, "IF_curr_exp", {"i_offset": 0.8}, start)
    made = made.population("b", 57, "IF_curr_alpha", {"i_offset": 0.8}, start).population(
        "c", 41, "IF_cond_exp", {}, start
    )
    made = made.population("background", 99, "SpikeSourcePoisson", {"rate": 2500.0})
    made = made.population("some", 12, "SpikeSourcePoisson", {"rate": 300.0})
    made = made.project("background", "a", OneToOne(), Normal(0.4, 0.1, 0.0), 1.5)
    made = made.project("some", "c", FixedProbability(0.5), 0.02, Uniform(0.5, 2.0))
    for source, target, weight, receptor in (
        ("a", "b", 0.2, "excitatory"),
        ("b", "a", -0.3, "inhibitory"),
        ("a", "c", 0.01, "excitatory"),
    ):
        made = made.project(source, target, FixedProbability(0.2), weight, Uniform(0.1, 2.0), receptor=receptor)
    return made.inject("a", [5.0, 12.0], [0.6, 0.0]).inject("c", [3.0], [1.0])


def ran(program, n_threads):
    chip = workbench.fabricate(program.device, 1)
    chip.threads = n_threads
    chip.load(program)
    chip.window = 37
    return chip, [chip.run(20.0, trial=3, reset=False), chip.run(5.3, trial=3, reset=False)]


@pytest.mark.parametrize("n_threads", [2, 3, 5])
def test_threads_change_nothing(n_threads):
    program = workbench.map_network(network(), "spinnaker-spin5", {"neurons_per_core": 50}, dt=0.1)
    (one, first), (many, second) = ran(program, 1), ran(program, n_threads)
    for a, b in zip(first, second, strict=True):
        for name in a.spikes:
            assert np.array_equal(a.spikes[name], b.spikes[name]), name
        assert str(a.report) == str(b.report)
    assert all(first[0].spikes[name][0].size > 20 for name in "abc")
    assert np.array_equal(one.state, many.state)
    assert np.array_equal(one.coefficients, many.coefficients)
    assert np.array_equal(one.counts, many.counts)
    assert one.ledger == many.ledger
    assert repr(one.tables()) == repr(many.tables())
    assert many.row_events.sum() > 1000


def test_every_row_has_a_thread():
    assert threads.shares(np.array([10, 70, 40, 30]), 2).tolist() == [0, 0, 1, 1]
    assert threads.shares(np.array([5, 5]), 4).tolist() == [0, 1]


def test_a_thread_that_fails_leaves_nobody_waiting():
    """The second of three fails at once; the others meet, and pass."""

    def part(number, door):
        if number == 1:
            raise MemoryError("no room")
        meet(door, 3, 1)

    door = gate()
    with pytest.raises(MemoryError, match="no room"):
        threads.together(part, [(k, door) for k in range(3)], door)


def test_threads_that_cannot_be_started(monkeypatch):
    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads.threading.Thread, "start", start)
    door = gate()
    with pytest.raises(RuntimeError, match="new thread"):
        threads.together(lambda door: meet(door, 2, 1), [(door,), (door,)], door)


def test_what_is_no_number_of_threads():
    board = workbench.fabricate(workbench.load_device("spinnaker-spin5"))
    ideal = workbench.fabricate(workbench.load_device("spinnaker-spin5").ideal())
    for chip in (board, ideal):
        for wrong in (0, 1.5, "2", True):
            with pytest.raises(BadInput, match="threads"):
                chip.threads = wrong
        chip.threads = np.int64(1)
        with pytest.raises(Unsupported, match="at most"):
            chip.threads = 1000
    with pytest.raises(Unsupported, match="takes 1 here"):
        ideal.threads = 2
