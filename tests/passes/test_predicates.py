"""The predicates catch what they are there for: for each, programs that are broken in one way."""

from dataclasses import replace

import numpy as np
import pytest

from neurohw import passes, workbench
from neurohw.device.machine import Site
from neurohw.passes import PASSES, passes_for
from neurohw.passes.predicates import PREDICATES
from neurohw.program import DelayPlan, Program, Scaling
from tests import small


def mapped(name="brainscales1-wafer"):
    return workbench.map_network(small.recurrent_short("IF_cond_exp"), small.device(name))


def with_slices(program, change):
    return replace(program, slices=tuple(change(list(program.slices))))


def foreign_model(program):
    stranger = replace(program.network.populations["e"].model, name="stranger")
    e = replace(program.network.populations["e"], model=stranger)
    return replace(program, network=replace(program.network, populations={**program.network.populations, "e": e}))


def foreign_rule(program):
    p = replace(program.network.projections["e to e"], synapse="stranger")
    return replace(program, network=replace(program.network, projections={**program.network.projections, "e to e": p}))


def beyond_the_range(program):
    e = program.network.populations["e"]
    e = replace(e, parameters={**e.parameters, "i_offset": 5.0})
    return replace(program, network=replace(program.network, populations={**program.network.populations, "e": e}))


def shared_keys(program):
    routing = program.routing
    return replace(program, routing=replace(routing, keys=np.zeros_like(routing.keys)))


BROKEN = {
    "valid": [foreign_model, foreign_rule],
    "legal": [
        beyond_the_range,
        lambda p: replace(p, delays=None),
        lambda p: replace(p, delays=DelayPlan({name: p.delays.allowed[name] for name in list(p.delays.allowed)[1:]})),
    ],
    "partitioned": [
        lambda p: replace(p, slices=()),
        lambda p: with_slices(p, lambda slices: slices[1:]),
        lambda p: with_slices(p, lambda slices: [replace(slices[0], last=slices[0].last - 1), *slices[1:]]),
        lambda p: with_slices(p, lambda slices: [*slices, replace(slices[0])]),
        lambda p: with_slices(p, lambda slices: [*slices, replace(slices[0], first=slices[0].last)]),
    ],
    "placed": [
        lambda p: with_slices(p, lambda slices: [replace(slices[0], site=None), *slices[1:]]),
        lambda p: with_slices(p, lambda slices: [replace(one, site=Site(0, 0, 0)) for one in slices]),
    ],
    "routed": [
        lambda p: replace(p, routing=None),
        lambda p: replace(p, routing=replace(p.routing, hops=p.routing.hops[:1])),
        lambda p: shared_keys(mapped("spinnaker-spin5")),
    ],
    "assigned": [
        lambda p: replace(p, routing=replace(p.routing, circuits=None)),
        lambda p: replace(p, routing=replace(p.routing, circuits={})),
    ],
    "scaled": [lambda p: replace(p, scaling=None), lambda p: replace(p, scaling=Scaling({}))],
    "lowered": [lambda p: replace(p, payload=None)],
    "sealed": [lambda p: replace(p, fingerprint="")],
}


def cases():
    return [
        pytest.param(name, break_, id=f"{name}-{k}")
        for name, breaks in BROKEN.items()
        for k, break_ in enumerate(breaks)
    ]


def test_each_predicate_has_a_broken_program():
    assert set(BROKEN) == set(PREDICATES)


@pytest.mark.parametrize(("name", "break_"), cases())
def test_a_broken_program_is_caught(name, break_):
    program = mapped()
    PREDICATES[name](program)
    with pytest.raises(AssertionError):
        PREDICATES[name](break_(program))


@pytest.mark.parametrize("name", small.DEVICES)
@pytest.mark.parametrize("ideal", [False, True])
def test_programs_hold_what_they_say(name, ideal):
    program = small.program(name, "recurrent", small.models_of(name)[0], ideal)
    for predicate in program.established:
        PREDICATES[predicate](program)


@pytest.mark.parametrize("substrate", PASSES)
def test_each_pass_finds_what_it_needs(substrate):
    import sys

    held = []
    for step in PASSES[substrate]:
        module = sys.modules[step.__module__]
        assert set(module.REQUIRES) <= set(held), f"{step.__name__} of {substrate}"
        assert set(module.ESTABLISHES) <= set(PREDICATES)
        held += module.ESTABLISHES
    assert held[-1] == "sealed"


@pytest.mark.parametrize("name", small.DEVICES)
def test_passes_return_new_programs_and_change_none(name):
    """Each pass leaves the program that it was given, and its network, as they were."""
    device, network = small.device(name), small.recurrent_short(small.models_of(name)[0])
    program = Program(network, device, device.choices(None), device.time_step, {p: {} for p in network.populations})
    for step in passes_for(program):
        before = dict(vars(program))
        after = step(program)
        now = {key: value for key, value in vars(program).items() if key in before}
        assert all(now[key] is before[key] for key in before), step.__name__
        assert program.network.populations["e"].parameters["tau_refrac"] == 1.0
        program = replace(
            after, established=(*program.established, *__import__("sys").modules[step.__module__].ESTABLISHES)
        )


def test_a_pass_too_early_is_a_fault_of_ours(monkeypatch):
    program = small.program("reference", "feed forward", "IF_curr_exp")
    bare = Program(program.network, program.device, program.choices, 0.1, program.record)
    monkeypatch.setattr(passes, "passes_for", lambda p: PASSES["reference"][2:])
    with pytest.raises(AssertionError, match="partition needs"):
        passes.apply(bare)
