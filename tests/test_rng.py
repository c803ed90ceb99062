"""Addressed random numbers: published bits, a stream for each address, moments to within four standard errors."""

import numpy as np
import pytest
from scipy import stats

from neurohw import rng
from tests.oracles import splitmix


def test_published_numbers():
    """The sequence of splitmix64 from the seed 1234567, as it is given for its reference implementation."""
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert rng.hashes(np.uint64(1234567), 5).tolist() == published


@pytest.mark.parametrize("key", [0, 1, 2**63, 2**64 - 1, 0x9E3779B97F4A7C15])
def test_the_bits_of_every_counter(key):
    counters = np.array([0, 1, 2, 1000, 2**31, 2**32 + 5, 2**52, 2**62], np.int64)
    assert rng.hashes(np.uint64(key), counters).tolist() == [splitmix.bits(key, int(c)) for c in counters]
    assert rng.uniform(np.uint64(key), counters).tolist() == [splitmix.uniform(key, int(c)) for c in counters]


def test_keys_do_not_depend_on_the_computer():
    assert int(rng.key(7, "crossbar/0/programming_noise")) == 4780220138488719958
    assert rng.key(7, "a") == rng.key(np.int64(7), "a")


def test_every_seed_and_address_has_a_key_of_its_own():
    keys = {int(rng.key(seed, address)) for seed in range(200) for address in ("", "a", "b", "a/b", "1/a", "11/a")}
    assert len(keys) == 1200
    assert rng.key(1, "1/a") != rng.key(11, "/a")
    assert rng.key(-1, "a") != rng.key(1, "a")


def test_a_subkey_is_a_stream_inside_a_stream():
    parent = rng.key(1, "a")
    assert len({int(k) for k in (parent, rng.subkey(parent, "b"), rng.subkey(parent, "c"), rng.key(1, "b"))}) == 4


def test_a_shape_counts_from_zero():
    key = rng.key(3, "x")
    assert (rng.uniform(key, (2, 3)) == rng.uniform(key, np.arange(6).reshape(2, 3))).all()
    assert (rng.normal(key, 6) == rng.normal(key, np.arange(6))).all()
    assert rng.uniform(key, 0).shape == (0,)


def test_a_draw_does_not_depend_on_the_others():
    key = rng.key(3, "x")
    every = rng.normal(key, 1000)
    assert (rng.normal(key, np.array([999, 3, 3])) == every[[999, 3, 3]]).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_uniform_numbers(seed):
    n = 200_000
    u = rng.uniform(rng.key(seed, "moments"), n)
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 4 * np.sqrt(1 / 12 / n)
    assert abs(u.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / n)
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 4 / np.sqrt(n)
    assert stats.kstest(u, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_normal_numbers(seed):
    n = 200_000
    z = rng.normal(rng.key(seed, "moments"), n)
    assert np.isfinite(z).all()
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((z**power).mean() - moment) < 4 * np.sqrt(variance / n)
    assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) < 4 / np.sqrt(n)
    assert stats.kstest(z, "norm").pvalue > 1e-4


def test_neighboring_streams_are_independent():
    """Keys that differ in one bit, and counters shifted against each other."""
    n = 100_000
    a, b = rng.normal(np.uint64(1000), n), rng.normal(np.uint64(1001), n)
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(n)
    by_seed = np.array([rng.normal(rng.key(seed, "x"), 1)[0] for seed in range(2000)])
    assert abs(by_seed.mean()) < 4 / np.sqrt(2000)
    assert abs(by_seed.var() - 1) < 4 * np.sqrt(2 / 2000)


def test_generators_are_named_too():
    key = rng.key(1, "x")
    assert (rng.generator(key).random(4) == rng.generator(key).random(4)).all()
    assert (rng.generator(key).random(4) != rng.generator(rng.key(2, "x")).random(4)).all()
