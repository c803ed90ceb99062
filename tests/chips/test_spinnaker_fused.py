"""A tick in one loop gives the integers of the parts of a tick, whatever stands in the tables."""

import numpy as np
import pytest

from neurohw import workbench
from neurohw.chips.spinnaker import engine, fused, neurons
from neurohw.chips.spinnaker.models import MODELS, N_COEFFICIENTS, N_STATES
from neurohw.connections import FixedProbability
from neurohw.distributions import Uniform
from neurohw.network import Network

FUSED = [model for model in MODELS.values() if fused.is_fused(model.code, np.zeros(2, int))]
N = 300


def tables(seed, kind):
    """Words of every size and sign in states and coefficients; of the coefficients one column for all but i_offset."""
    draw = np.random.default_rng(seed)

    def words(*shape):
        return (draw.integers(-(2**31), 2**31, shape) >> draw.integers(0, 31, shape)).astype(np.int32)

    state, c = words(N_STATES, N), words(N_COEFFICIENTS, N)
    state[fused.REFRACTORY] = draw.integers(-1, 4, N)
    if kind != fused.PER_NEURON:
        offsets = c[fused.I_OFFSET].copy()
        c[:] = c[:, :1]
        c[fused.I_OFFSET] = offsets
    if kind == fused.SIMPLE:
        c[fused.RESISTANCE] &= ~32767
        c[fused.EXP_TC] &= 32767
    sums = draw.integers(0, 90_000, (2, N)).astype(np.uint32)
    return state, c, sums, draw.integers(0, 2**40, N)


@pytest.mark.parametrize("model", FUSED, ids=lambda model: model.name)
@pytest.mark.parametrize("kind", [fused.PER_NEURON, fused.SHARED, fused.SIMPLE])
@pytest.mark.parametrize("seed", range(5))
def test_one_loop_is_the_parts(model, kind, seed):
    (state, c, sums, steep), (state_2, c_2, sums_2, _) = tables(seed, kind), tables(seed, kind)
    spiked, spiked_2, counts, shifts = (
        np.zeros(N, np.uint8),
        np.zeros(N, np.uint8),
        np.zeros(4, np.int64),
        np.array([3, 1]),
    )
    scales = fused.factors(np.array([0]), np.array([N]), shifts[None], N)
    for _ in range(3):
        saturated, overshot = fused.tick(model.code, kind, state, c, steep, 7, N - 3, sums, scales, spiked)
        before = counts.copy()
        engine.arrive_at(model.code, state_2, c_2, steep, 7, N - 3, sums_2, shifts, counts)
        neurons.update(model.code, state_2, c_2, 7, N - 3, spiked_2)
        state[neurons.CURRENT] = state_2[neurons.CURRENT]
        assert np.array_equal(state, state_2)
        assert np.array_equal(spiked, spiked_2)
        assert np.array_equal(sums, sums_2)
        assert (saturated, overshot) == tuple(counts[1:3] - before[1:3])
        sums[:, 7 : N - 3] = sums_2[:, 7 : N - 3] = 30_000
    assert counts[1] > 0


def test_neighbors_that_do_the_same_become_one_loop():
    codes, firsts, lasts = (
        np.array([0, 0, 0, 2, 2, 0]),
        np.array([0, 4, 8, 12, 16, 20]),
        np.array([4, 8, 12, 16, 20, 24]),
    )
    shifts, c = np.array([[1, 2]] * 5 + [[1, 3]]), np.ones((N_COEFFICIENTS, 24), np.int32)
    c[fused.I_OFFSET] = np.arange(24)
    c[fused.V_REST, 9] = 5
    found = fused.loops(codes, firsts, lasts, shifts, c)
    assert found[1].tolist() == [0, 8, 12, 16, 20]
    assert found[2].tolist() == [8, 12, 16, 20, 24]
    assert fused.factors(codes * 0, lasts, shifts, 24)[:, -1].tolist() == [2, 8]
    shared, own = fused.SHARED, fused.PER_NEURON
    assert found[4].tolist() == [shared, own, own, own, shared]
    c[fused.RESISTANCE] = 40 << 15
    assert fused.loops(codes, firsts, lasts, shifts, c)[4].tolist() == [fused.SIMPLE, own, own, own, fused.SIMPLE]
    shifts[5] = 16
    assert fused.loops(codes, firsts, lasts, shifts, c)[4].tolist() == [fused.SIMPLE, own, own, own, own]


@pytest.mark.parametrize("model", FUSED, ids=lambda model: model.name)
def test_recording_changes_nothing(model):
    """Ticks that are recorded go through the parts, others through the one loop; currents are injected in between."""
    made = Network(seed=2).population("p", 40, model.name, {"i_offset": np.linspace(0.0, 2.0, 40)})
    made = made.population("q", 30, model.name, {"i_offset": 1.5, "tau_m": 12.0}, {"v": Uniform(-65.0, -50.0)})
    weight = 0.5 if model.name == "IF_curr_exp" else 0.02
    made = made.project("p", "q", FixedProbability(0.4), weight, Uniform(1.0, 3.0))
    made = made.project("q", "p", FixedProbability(0.4), weight, Uniform(1.0, 3.0)).inject(
        "q", [20.0, 40.0], [0.4, 0.0]
    )
    made = made.population("r", 20, model.name, {"i_offset": 1.5, "tau_m": 12.0})  # as q, but for its ring buffers
    made = made.project("q", "r", FixedProbability(0.4), 8 * weight, Uniform(1.0, 3.0))
    chips = []
    for record in ({}, {"p": {"v": 3}}):
        program = workbench.map_network(made, "spinnaker-spin5", dt=1.0, record=record)
        chip = workbench.fabricate(program.device, 1)
        chips.append((chip, workbench.run(program, chip, 200.0)))
    *_, shifts = chip.groups
    assert not np.array_equal(shifts[1], shifts[2])
    assert fused.loops(*chip.groups, chip.coefficients)[0].size == 2
    (a, first), (b, second) = chips
    assert np.array_equal(a.state, b.state)
    for name in "pqr":
        assert np.array_equal(first.spikes[name], second.spikes[name])
    assert first.spikes["q"][0].size > 100
