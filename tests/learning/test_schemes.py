"""Write schemes: nothing of a gradient gets lost unsaid, steps are whole and counted, and what a chip cannot do is refused."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurohw import rng
from neurohw.errors import BadInput, OutOfRange, Unsupported
from neurohw.learning.port import Port
from neurohw.learning.schemes import SCHEMES
from neurohw.program import Capabilities, Ledger

STEP, N = 0.25, 7


@dataclass
class Bench:
    """A chip of ideal weights with a step, that counts what it is asked for."""

    updates: str = "pulses"
    writable: bool = True
    limit: float = np.inf
    noise: float = 0.0
    offset: float = 0.0
    seen: list = field(default_factory=list)
    held: dict = field(default_factory=lambda: {name: np.zeros(N) for name in ("w", "w #2", "w aside")})
    asked: int = 0
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def capabilities(self):
        steps = dict.fromkeys(self.held, STEP) if self.updates != "none" else {}
        limits = dict.fromkeys(self.held, (-self.limit, self.limit))
        return Capabilities(("weights",), self.writable, self.updates, limits, steps, {}, None, ())

    def read(self, projection, arms=False):
        if projection != "w aside":
            return self.held[projection].copy()
        z = self.noise * rng.normal(rng.key(9, f"read/{len(self.seen)}"), N)
        self.seen.append(self.held[projection] + self.offset + z)
        return self.seen[-1]

    def refresh(self, projection, policy):
        assert projection == "w aside"

    def write(self, projection, weights):
        assert (np.abs(weights) <= self.limit).all()
        self.held[projection] = weights.copy()

    def update(self, projection, pulses):
        assert pulses.dtype == np.int64
        self.asked += int(np.abs(pulses).sum())
        self.held[projection] = self.held[projection] + pulses * STEP


def port_of(bench, copies=1):
    aside = Port(bench, "w aside", ("w aside",), N)
    return Port(bench, "w", ("w", "w #2")[:copies], N, aside=aside)


def changes(updates, scale=1.0, seed=3):
    return scale * rng.normal(rng.key(seed, "changes"), (updates, N))


def run(scheme, wanted, bench=None, copies=1):
    bench = bench or Bench()
    port = port_of(bench, copies)
    state = scheme.start(port)
    done = [scheme.apply(port, state, w, rng.key(1, f"update/{k}")) for k, w in enumerate(wanted)]
    return Run(bench, port, state, done)


class Run(NamedTuple):
    bench: Bench
    port: Port
    state: dict
    done: list

    @property
    def applied(self):
        return np.sum([w.applied for w in self.done], axis=0)

    @property
    def lost(self):
        return np.sum([w.lost for w in self.done], axis=0)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.floats(-50, 50), min_size=N, max_size=N), min_size=1, max_size=12),
    st.floats(0.1, 8.0),
    st.booleans(),
)
def test_mixed_precision_conserves_every_gradient(rows, quantum, bounded):
    wanted = np.array(rows)
    scheme = SCHEMES["mixed_precision"](quantum=quantum, most=2 if bounded else None)
    found = run(scheme, wanted)
    assert found.applied + found.state["chi"] == pytest.approx(
        wanted.sum(axis=0), abs=1e-10 * (1 + np.abs(wanted).sum())
    )
    assert not found.lost.any()
    assert bounded or (np.abs(found.state["chi"]) < quantum * STEP * (1 + 1e-9)).all()
    steps = found.applied / (quantum * STEP)
    assert steps == pytest.approx(np.rint(steps), abs=1e-9), "only whole steps are sent"
    assert found.bench.read("w") == pytest.approx(steps * STEP, abs=1e-9)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("scale", [1e-9, 0.01, 0.3, 20.0])
def test_what_is_given_is_applied_carried_or_said_to_be_lost(name, scale):
    wanted = changes(25, scale)
    found = run(SCHEMES[name](), wanted)
    if name == "tiki_taka":  # its carry is an array of devices: see below; what no pulse can bring is said to be lost
        most = STEP / SCHEMES[name]().gain
        assert found.lost == pytest.approx(
            (np.sign(wanted) * np.maximum(np.abs(wanted) - most, 0)).sum(axis=0), abs=1e-9
        )
        return
    carried = found.state.get("chi", 0.0)
    assert found.applied + found.lost + carried == pytest.approx(wanted.sum(axis=0), abs=1e-9 * (1 + scale))
    assert SCHEMES[name].accumulates == (not np.any(found.lost))


@pytest.mark.parametrize("name", [name for name in SCHEMES if name != "shadow"])
def test_pulses_are_counted(name):
    found = run(SCHEMES[name](), changes(25, 0.5))
    assert found.bench.asked == sum(w.pulses for w in found.done) > 10


def test_tiny_negative_gradients_make_no_pulses():
    """The published accumulator, floored instead of truncated, sends a pulse to every synapse whose chi is below zero."""
    found = run(SCHEMES["mixed_precision"](), [np.full(N, -1e-9)])
    assert found.bench.asked == 0
    assert found.state["chi"] == pytest.approx(np.full(N, -1e-9), rel=1e-12)


def test_stochastic_schemes_are_right_on_average():
    x = np.linspace(-0.9, 0.9, N)
    for name in ("stochastic", "stochastic_rounding"):
        n = 4000
        found = run(SCHEMES[name](), np.tile(x * STEP, (n, 1)))
        got = np.array([w.applied / STEP for w in found.done])
        share = np.abs(x) if name == "stochastic" else x - np.floor(x)
        error = np.sqrt(share * (1 - share) / n)
        assert (np.abs(got.mean(axis=0) - x) <= 4 * error + 1e-12).all(), name
        assert got.var(axis=0) == pytest.approx(share * (1 - share), rel=0.15, abs=1e-3)


def test_sign_takes_one_step_or_none():
    found = run(SCHEMES["sign"](threshold=0.5), [np.array([0.1, -0.1, 0.13, -0.13, 5.0, -5.0, 0.0])])
    assert (found.done[0].applied / STEP).tolist() == [0, 0, 1, -1, 1, -1, 0]


def test_copies_take_steps_in_turn():
    wanted = [np.array([1, -1, 2, -3, 5, 0, 0]) * STEP * 1.0001] * 2
    found = run(SCHEMES["multi_memristor"](), wanted, copies=2)
    assert found.port.read() == pytest.approx(np.array([2, -2, 4, -6, 10, 0, 0]) * STEP)
    assert found.bench.held["w"] == pytest.approx(found.bench.held["w #2"]), (
        "after two updates each copy has had its turn"
    )
    assert found.port.turn == 0


def test_tiki_taka_brings_the_mean_gradient_onto_the_slow_array():
    wanted = np.linspace(-0.05, 0.05, N)
    scheme = SCHEMES["tiki_taka"](every=5, gain=2.0, momentum=0.0)
    found = run(scheme, [wanted] * 2000)
    total = found.bench.read("w") + found.state["h"]
    share = np.abs(wanted) * 2.0 / STEP
    spread = np.sqrt(2000 * share * (1 - share)) * STEP / 2.0
    assert (np.abs(total - 2000 * wanted) <= 4 * spread + 1e-9).all()


def test_tiki_taka_balances_on_average_where_gradients_exceed_its_reach():
    """A pulse cannot bring more than step / gain; the rest is said to be lost: given = applied + h + lost, in the mean."""
    wanted = np.linspace(-2.0, 2.0, N) * STEP / 10.0
    scheme = SCHEMES["tiki_taka"](gain=10.0, momentum=0.0)
    found = run(scheme, [wanted] * 400)
    share = np.minimum(np.abs(wanted) * 10.0 / STEP, 1.0)
    spread = np.sqrt(400 * share * (1 - share)) * STEP / 10.0
    total = found.bench.read("w") + found.state["h"] + found.lost
    assert (np.abs(total - 400 * wanted) <= 4 * spread + 1e-9).all()
    assert np.abs(found.lost).max() == pytest.approx(400 * STEP / 10.0)


@pytest.mark.parametrize("every", [1, 4])
def test_tiki_taka_steps_and_keeps_all_that_it_reads(every):
    """h and the steps of the slow array are the differences of reads, each with the sign of its period, whatever was read."""
    scheme = SCHEMES["tiki_taka"](every=every, gain=3.0, rate=0.7, momentum=0.25, refresh_every=None)
    found = run(scheme, changes(60, 0.2), Bench(noise=0.3, offset=1.0))
    seen = np.array(found.bench.seen)
    assert len(seen) == 1 + 60 // every
    chopper = (-1.0) ** np.arange(60 // every)
    taken = 0.7 / 3.0 * (chopper[:, None] * np.diff(seen, axis=0)).sum(axis=0)
    assert found.state["h"] + 0.75 * found.applied == pytest.approx(taken, abs=1e-12)
    assert np.abs(found.applied).sum() > STEP


def test_an_offset_of_the_fast_array_is_no_gradient():
    """What conductances of unlike devices leave after a RESET would else be added up at every transfer."""
    found = run(SCHEMES["tiki_taka"](gain=1.0), np.zeros((200, N)), Bench(offset=0.4 * STEP))
    assert found.bench.asked == 0
    assert not found.state["h"].any()


def test_drift_of_the_fast_array_changes_sign_with_the_chopper():
    class Fading(Bench):
        def update(self, projection, pulses):
            super().update(projection, pulses)
            self.held["w aside"] = 0.99 * self.held["w aside"]

    bench, scheme = Fading(), SCHEMES["tiki_taka"](gain=1.0)
    bench.held["w aside"] = np.full(N, 8 * STEP)
    port, tiny = port_of(bench), np.zeros(N)
    state = scheme.start(port)
    for k in range(200):
        bench.update("w aside", np.zeros(N, np.int64))
        scheme.apply(port, state, tiny, rng.key(1, f"{k}"))
    assert np.abs(bench.held["w"]).max() == 0
    assert np.abs(state["h"]).max() < 0.1 * STEP, "of seven steps that it lost"


def test_a_shadow_stops_at_the_limits_and_says_what_it_lost():
    found = run(SCHEMES["shadow"](), [np.full(N, 3.0)], Bench(limit=2.0))
    assert found.bench.read("w") == pytest.approx(np.full(N, 2.0))
    assert found.done[0].lost == pytest.approx(np.full(N, 1.0))


def test_what_a_chip_cannot_do_is_refused_in_words():
    with pytest.raises(Unsupported, match="cannot be written"):
        port_of(Bench(writable=False))
    for name in SCHEMES:
        if name == "shadow":
            continue
        with pytest.raises(Unsupported, match=r"no single steps.*shadow"):
            SCHEMES[name]().start(port_of(Bench(updates="none")))
    bare = Port(Bench(), "w", ("w",), N)
    with pytest.raises(Unsupported, match="aside"):
        SCHEMES["tiki_taka"]().start(bare)


def test_parameters_that_make_no_sense_are_bad_input():
    from neurohw.schema import validate

    for name, given_ in (("mixed_precision", {"quantum": 0}), ("sign", {"threshold": -1}), ("tiki_taka", {"every": 0})):
        with pytest.raises(BadInput, match=next(iter(given_))):
            validate(SCHEMES[name], given_, "scheme")


@pytest.mark.parametrize("name", ["mixed_precision", "multi_memristor"])
@pytest.mark.parametrize("wanted", [np.inf, np.nan, 1e300])
def test_a_change_that_no_number_of_steps_can_be_is_refused(name, wanted):
    with pytest.raises(OutOfRange, match="beyond 2\\^62 steps"):
        run(SCHEMES[name](), [np.full(N, wanted)])
