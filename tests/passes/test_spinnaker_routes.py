"""Routing on SpiNNaker by its invariants: even with dead chips and links, each spike reaches the cores that need it."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from neurohw import workbench
from neurohw.connections import AllToAll, FixedProbability, FromList, OneToOne
from neurohw.device import load_device
from neurohw.errors import BadInput, DoesNotFit
from neurohw.kernels.lowering import blocks, slice_of
from neurohw.network import Network
from neurohw.passes.spinnaker.compress import compressed
from neurohw.passes.spinnaker.extend_delays import stages_of
from neurohw.passes.spinnaker.trees import detour, straight
from neurohw.program import TableEntry
from tests.spinnaker_references import routed

MACHINES = ("spinnaker-spin3", "spinnaker-spin5", "spinnaker-machine", "torus")


def machine(name, draw, worst=8):
    """A device with up to one in `worst` of its links and one in eight of its chips dead."""
    device = load_device("spinnaker-machine").with_(wraps=True) if name == "torus" else load_device(name)
    fabric = device.machine.fabric
    links = [(*chip, link) for chip, ways in fabric.links.items() for link in ways]
    chips = [chip for chip, board in fabric.boards.items() if chip != board]
    dead_links = tuple(draw.sample(links, draw.randrange(len(links) // worst + 1)))
    dead_chips = tuple(draw.sample(chips, draw.randrange(len(chips) // 8 + 1)))
    try:
        whole = device.with_(dead_chips=dead_chips)
        kept = [k for k in dead_links if k[2] in whole.machine.fabric.links.get(k[:2], {})]
        return whole.with_(dead_links=tuple(kept))
    except BadInput:
        return None


def random_network(draw):
    made = Network("random", seed=draw.randrange(1000))
    for k in range(draw.randrange(1, 8)):
        model = "SpikeSourcePoisson" if k and draw.random() < 0.25 else "IF_curr_exp"
        made = made.population(f"p{k}", draw.choice([1, 7, 40, 60]) * draw.choice([1, 1, 4]), model)
    for k in range(draw.randrange(0, 13)):
        source, target = draw.choice(list(made.populations)), draw.choice(list(made.neurons))
        pairs = [
            (draw.randrange(made.populations[source].size), draw.randrange(made.populations[target].size))
            for _ in range(9)
        ]
        listed = FromList(*np.array(pairs[: draw.randrange(1, 10)]).T)
        rule = draw.choice([AllToAll(), OneToOne(), FixedProbability(0.1), listed])
        made = made.project(source, target, rule, 0.1, draw.choice([1.0, 1.0, 5.0, 700.0]), name=f"x{k}")
    return made


def walked(program, key, start):
    """Where a packet goes, by a plain reading of the tables: Counter of (x, y, core)."""
    fabric, reached, queue, steps = program.device.machine.fabric, Counter(), [(start, None)], 0
    while queue:
        chip, came = queue.pop()
        steps += 1
        assert steps < 10_000, "the packet goes in circles"
        entry = next((e for e in program.routing.tables.get(chip, ()) if key & e.mask == e.key), None)
        for core in entry.cores if entry else ():
            reached[*chip, core] += 1
        for link in entry.links if entry else () if came is None else ((came + 3) % 6,):
            queue.append((fabric.links[chip][link], (link + 3) % 6))
    return reached


def walks(program):
    """For every slice and extension that sends, where its spikes go."""
    parts = (*program.slices, *program.extensions)
    return {
        number: walked(program, int(key) + part.size - 1, (part.site.x, part.site.y))
        for number, (part, key) in enumerate(zip(parts, program.routing.keys, strict=True))
        if key >= 0
    }


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(MACHINES), st.sampled_from([3, 10, 50]), st.booleans())
@example(17, "torus", 3, True)
def test_every_synapse_has_a_way_and_nothing_comes_twice(seed, name, per_core, far):
    draw = random.Random(seed)
    device = machine(name, draw)
    if device is None:
        return
    try:
        program = routed(
            random_network(draw),
            device,
            neurons_per_core=per_core,
            compress="as_far_as_possible" if far else "as_needed",
        )
    except DoesNotFit:
        return
    reached = walks(program)
    assert all(set(way.values()) <= {1} for way in reached.values())
    site = [(part.site.x, part.site.y, part.site.unit) for part in (*program.slices, *program.extensions)]
    parts = {(part.population, part.first): len(program.slices) + k for k, part in enumerate(program.extensions)}
    slices = {name: slice_of(program, name) for name in program.network.populations}
    names = list(program.network.projections)
    for block in blocks(program):
        for k in np.unique(block.projections):
            p, mine = program.network.projections[names[k]], block.projections == k
            pre = slices[p.source][block.sources[mine] - program.origin.first[p.source]]
            post = slices[p.target][block.targets[mine] - program.origin.first[p.target]]
            for a, b in set(zip(pre.tolist(), post.tolist(), strict=True)):
                if stages_of(program, p.name):
                    extension = parts[p.source, program.slices[a].first]
                    assert site[extension] in reached[a]
                    a = extension
                assert site[b] in reached[a]


def test_lists_and_one_to_one_reach_only_the_cores_that_need_them():
    made = (
        Network()
        .population("a", 40, "IF_curr_exp")
        .population("b", 40, "IF_curr_exp")
        .population("c", 40, "IF_curr_exp")
    )
    made = made.project("a", "b", OneToOne(), 0.1).project(
        "a", "c", FromList(np.array([0, 35]), np.array([39, 0])), 0.1
    )
    program = routed(made, neurons_per_core=10)
    site = [(part.site.x, part.site.y, part.site.unit) for part in program.slices]
    reached = walks(program)
    assert [set(reached[k]) for k in range(4)] == [{site[4], site[11]}, {site[5]}, {site[6]}, {site[7], site[8]}]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 6))
def test_a_compressed_table_sends_every_key_the_same_way(seed, n, n_routes):
    draw = random.Random(seed)
    keys = draw.sample(range(256), n)
    table = [TableEntry(key, 0xFFFFFFFF, 1 << draw.randrange(n_routes)) for key in keys]
    short = compressed(table)
    assert len(short) <= len(table)
    for entry in table:
        assert next(e for e in short if entry.key & e.mask == e.key).route == entry.route


def test_a_detour_leads_round_what_is_dead():
    fabric = load_device("spinnaker-spin5").machine.fabric
    assert [chip for _, chip in straight(fabric, (0, 0), (3, 0))] == [(1, 0), (2, 0), (3, 0)]
    assert [link for link, _ in straight(fabric, (0, 0), (4, 3))] == [1, 1, 1, 0], "the longer axis first"
    assert [link for link, _ in straight(fabric, (3, 3), (1, 4))] == [3, 3, 2]
    broken = load_device("spinnaker-spin5").with_(dead_links=((1, 0, 0),), dead_chips=((2, 1),)).machine.fabric
    way = straight(broken, (0, 0), (3, 0))
    chip = (0, 0)
    for link, after in way:
        assert broken.links[chip][link] == after
        chip = after
    assert chip == (3, 0)
    assert len({c for _, c in way}) == len(way)
    assert detour(broken, (1, 0), (2, 0))[-1][1] == (2, 0)


def test_the_shortest_way_on_a_torus_goes_round():
    fabric = load_device("spinnaker-machine").with_(wraps=True).machine.fabric
    for start, end in (((0, 0), (11, 11)), ((0, 0), (11, 0)), ((2, 9), (10, 1)), ((5, 5), (5, 5))):
        assert fabric.distance(start, end) == len(detour(fabric, start, end)) == len(straight(fabric, start, end))


def pair(delay, n=150):
    once = {"tau_refrac": 50.0}
    made = Network("pair").population("in", 3, "SpikeSourceArray", spike_times=[[5.0], [9.0], []])
    made = made.population("a", n, "IF_curr_exp", once).population("b", n, "IF_curr_exp", once)
    made = made.project("in", "a", FromList(np.array([0, 1]), np.array([0, n - 1])), 20.0)
    return made.project("a", "b", OneToOne(), 20.0, delay)


@pytest.mark.parametrize("delay", [32.0, 64.0, 65.0, 128.0, 500.0, 576.0])
def test_extended_delays_are_exact(delay):
    program = workbench.map_network(pair(delay), "spinnaker-spin5", {"neurons_per_core": 128})
    assert len(program.extensions) == (2 if delay > 64 else 0)
    recording = workbench.run(program, workbench.fabricate("spinnaker-spin5"), 700.0)
    direct = workbench.map_network(pair(delay), "spinnaker-spin5", {"neurons_per_core": 8})
    assert not direct.extensions
    expected = workbench.run(direct, workbench.fabricate("spinnaker-spin5"), 700.0)
    for name in ("a", "b"):
        assert recording.spikes[name][0].tolist() == expected.spikes[name][0].tolist()
        assert recording.spikes[name][1].tolist() == [0, 149]
    (a, _), (b, _), (given, _) = (recording.spikes[name] for name in ("a", "b", "in"))
    assert (b - a == delay + (a - given - 1.0)).all(), "b answers to a as a answers to its input, which takes 1 ms"


def test_the_default_needs_the_fewest_cores():
    for delay, per_core, extensions in (
        (32.0, 256, 0),
        (64.0, 128, 0),
        (65.0, 256, 1),
        (300.0, 128, 2),
        (1200.0, 32, 5),
    ):
        program = routed(pair(delay))
        assert (program.choices.neurons_per_core, len(program.extensions)) == (per_core, extensions)


def test_what_does_not_fit_is_named():
    with pytest.raises(
        DoesNotFit, match=r"a delay of 577 steps does not fit: with 128 neurons per core there are 64 delay slots"
    ):
        routed(pair(577.0), neurons_per_core=128)
    with pytest.raises(DoesNotFit, match="more than delay extensions can hold, 73728 steps"):
        routed(pair(80000.0))
    with pytest.raises(DoesNotFit, match="a SpiNNaker core takes at most 256"):
        routed(pair(1.0), neurons_per_core=257)
    with pytest.raises(DoesNotFit, match=r"no room on linked chips for the 25 cores of 'a'; 51 of 63 cores are taken"):
        routed(pair(2500.0, 100), "spinnaker-spin3", neurons_per_core=4)
    with pytest.raises(DoesNotFit, match="larger machine"):
        routed(Network().population("a", 20_000, "IF_curr_exp"), "spinnaker-spin3")
    dense = Network().population("a", 5000, "IF_curr_exp").project("a", "a", AllToAll(), 1.0)
    with pytest.raises(DoesNotFit, match=r"one core of 'a' needs 5.* MiB of SDRAM"):
        routed(dense, load_device("spinnaker-spin5").with_(sdram_per_chip=4e6))
