"""NIR files: what a graph becomes, step by step against NumPy, and what a bad file says."""

from pathlib import Path

import h5py
import nir
import numpy as np
import pytest

from neurohw.connections import AllToAll, FromList, OneToOne
from neurohw.errors import BadInput, NeurohwWarning, Unsupported
from neurohw.frontends.nir import read_nir
from neurohw.kernels.rows import rows

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT.parent / "shared" / "golden" / "nir"
# fmt: off
ROWS_IN = [60, 220, 270, 310, 320, 350, 370, 400, 410, 430, 440, 450, 460, 470, 480, 490, 500, 510, 520, 530, 670, 680,
           690, 700, 710, 720, 730, 740, 750, 760, 770, 780, 840, 850]
# fmt: on
ROWS_OUT = [460, 510, 710, 760]
DT = 0.1  # ms


def make_input(n):
    return nir.Input(input_type={"input": np.array([n])})


def make_output(n):
    return nir.Output(output_type={"output": np.array([n])})


def make_lif(n=1, tau=2.5e-3, r=1.0, threshold=0.1, leak=0.0):
    one = np.ones(n)
    return nir.LIF(tau=tau * one, r=r * one, v_leak=leak * one, v_threshold=threshold * one, v_reset=0 * one)


def make_cuba(n, tau_mem=1e-3, tau_syn=4e-4, dt=1e-4):
    """As snnTorch exports it: dt is folded into r and w_in."""
    one = np.ones(n)
    return nir.CubaLIF(
        tau_syn=tau_syn * one, tau_mem=tau_mem * one, r=tau_mem / dt * one, v_leak=0 * one, v_threshold=one,
        v_reset=0 * one, w_in=tau_syn / dt * one,
    )  # fmt: skip


def write(tmp_path, nodes, edges, name="x.nir"):
    nir.write(tmp_path / name, nir.NIRGraph(nodes=nodes, edges=edges))
    return tmp_path / name


def chain(tmp_path, *nodes, n_in=1, n_out=1):
    named = {"input": make_input(n_in), **{f"n{i}": node for i, node in enumerate(nodes)}, "output": make_output(n_out)}
    return write(tmp_path, named, [*zip(named, [*named][1:], strict=False)])


def step(network, n_steps, dt=DT):
    """The network's own convention in NumPy, for delta and exponential currents: spikes and v after each step."""
    euler, subtract = network.numerics.integration == "euler", network.numerics.reset == "subtract"
    state, arriving, spikes, v = {}, {}, {}, {}
    for name, p in network.populations.items():
        spikes[name] = np.zeros((n_steps, p.size), bool)
        if p.is_source:
            spikes[name][np.rint(p.spike_times.times / dt).astype(int), p.spike_times.indices] = True
            continue
        state[name] = {s: network.initial(name, s, 0) for s in p.initial}
        state[name] |= {s: np.zeros(p.size) for s in ("isyn_exc", "isyn_inh") if s not in state[name]}
        arriving[name] = np.zeros((n_steps + 100, 2, p.size))
        v[name] = np.zeros((n_steps, p.size))
    wires = [(p, rows(network, p)) for p in network.projections.values()]

    def send(source, n):
        for p, r in wires:
            if p.source == source:
                on = spikes[source][n][r.sources]
                when = n + np.rint(r.delays[on] / dt).astype(int)
                np.add.at(arriving[p.target], (when, int(p.receptor == "inhibitory"), r.targets[on]), r.weights[on])

    for n in range(n_steps):
        for name in network.sources:
            send(name, n)
        for name, p in network.neurons.items():
            q, s = {key: network.parameter(name, key) for key in p.parameters}, state[name]
            exc, inh = arriving[name][n]
            rate = 1.0 / q["tau_m"]
            keep = 1 - dt * rate if euler else np.exp(-dt * rate)
            with np.errstate(invalid="ignore"):
                push = np.where(euler | (rate == 0), dt / q["cm"], (1 - keep) / np.where(rate, rate * q["cm"], 1))
            new = q["v_rest"] + (s["v"] - q["v_rest"]) * keep + push * q["i_offset"]
            if p.model.name == "IF_curr_delta":
                new = new + exc + inh
            else:
                assert euler
                current = s["isyn_exc"] + exc + s["isyn_inh"] + inh
                new = new + dt / q["cm"] * current
                s["isyn_exc"] = (s["isyn_exc"] + exc) * (1 - dt / q["tau_syn_E"])
                s["isyn_inh"] = (s["isyn_inh"] + inh) * (1 - dt / q["tau_syn_I"])
            spikes[name][n] = new > q["v_thresh"]
            after = new - (q["v_thresh"] - q["v_reset"]) if subtract else q["v_reset"]
            s["v"] = v[name][n] = np.where(spikes[name][n], after, new)
        for name in network.neurons:
            send(name, n)
    return spikes, v


def rows_of(spikes):
    return np.flatnonzero(spikes[:, 0]).tolist()


@pytest.mark.parametrize("integration", ["euler", "exact"])
def test_the_single_lif_of_the_paper_spikes_where_it_must(tmp_path, integration):
    path = chain(tmp_path, nir.Affine(weight=np.ones((1, 1)), bias=np.zeros(1)), make_lif())
    given = {"input": (DT * np.array(ROWS_IN), np.zeros(len(ROWS_IN), int))}
    network = read_nir(path, "0.1 ms", integration=integration, spikes=given)
    weight = {"euler": 0.04, "exact": 1 - np.exp(-0.04)}[integration]
    assert network.projections["input to n1"].weight == pytest.approx(weight)
    assert network.projections["input to n1"].delay == 0.0
    assert network.numerics.integration == integration
    assert network.populations["n1"].parameters["tau_refrac"] == 0.0
    spikes, _ = step(network, 1000)
    assert rows_of(spikes["n1"]) == ROWS_OUT


def test_the_mapping_file_holds_the_single_lif():
    network = read_nir(ROOT / "mappings" / "nir_lif.nir", "0.1 ms")
    assert [*network.populations] == ["input", "lif"]
    with h5py.File(ROOT / "mappings" / "nir_lif.nir") as file:
        assert file["node/nodes/input/metadata/spike_rows"][()].tolist() == ROWS_IN


def snntorch(weights, s_in, tau_mem, tau_syn, subtract, dt=1e-4):
    """Spikes and v of one layer: I = alpha I + W s + b (+ V s_before + c), v = beta v + I."""
    (w, b), (rec, c) = weights
    current, v, s = np.zeros(b.size), np.zeros(b.size), np.zeros(b.size)
    spikes, trace = [], []
    for x in s_in:
        current = (1 - dt / tau_syn) * current + w @ x + b + rec @ s + c
        v = (1 - dt / tau_mem) * v + current
        s = (v > 1.0).astype(float)
        v = np.where(s > 0, v - 1.0 if subtract else 0.0, v)
        spikes.append(s)
        trace.append(v)
    return np.array(spikes) > 0, np.array(trace)


def compare_with_snntorch(network, layers, s_in, subtract):
    """Layer k of ours in step r + k is layer k of the framework in row r, with k rows of bias before."""
    ours, v = step(network, len(s_in))
    for name, weights, tau_mem, tau_syn in layers:
        spikes, trace = snntorch(weights, s_in, tau_mem, tau_syn, subtract)
        assert spikes.sum() > 10
        np.testing.assert_array_equal(ours[name], spikes)
        np.testing.assert_allclose(v[name], trace, atol=1e-9 * np.abs(trace).max())
        s_in = np.vstack([np.zeros((1, spikes.shape[1])), spikes[:-1]])


@pytest.mark.parametrize("reset", ["set", "subtract"])
def test_a_recurrent_cuba_net_is_snntorchs_update_step_by_step(tmp_path, reset):
    draw = np.random.default_rng(1)
    w1, rec, w2 = draw.normal(0, 0.5, (8, 5)), draw.normal(0, 0.3, (8, 8)), draw.normal(0, 0.8, (3, 8))
    b1, c, b2 = draw.normal(0, 0.05, 8), draw.normal(0, 0.05, 8), np.full(3, 0.1)
    nodes = {
        "input": make_input(5),
        "fc1": nir.Affine(weight=w1, bias=b1),
        "lif1.lif": make_cuba(8),
        "lif1.w_rec": nir.Affine(weight=rec, bias=c),
        "fc2": nir.Affine(weight=w2, bias=b2),
        "lif2": make_cuba(3, 3e-4, 2e-4),
        "output": make_output(3),
    }
    edges = [("input", "fc1"), ("fc1", "lif1.lif"), ("lif1.lif", "lif1.w_rec"), ("lif1.w_rec", "lif1.lif"),
             ("lif1.lif", "fc2"), ("fc2", "lif2"), ("lif2", "output")]  # fmt: skip
    s_in = draw.random((300, 5)) < 0.2
    spikes = {"input": (DT * np.nonzero(s_in)[0], np.nonzero(s_in)[1])}
    network = read_nir(write(tmp_path, nodes, edges), DT, reset=reset, spikes=spikes)
    assert network.numerics.integration == "euler"  # found in r and w_in
    loop = network.projections["lif1.lif to lif1.lif"], network.projections["lif1.lif to lif1.lif (inhibitory)"]
    assert [p.delay for p in loop] == [DT, DT]
    assert (loop[1].weight < 0).all()
    assert (loop[0].weight > 0).all()
    assert network.projections["lif1.lif to lif2"].delay == DT
    layers = [("lif1.lif", ((w1, b1), (rec, c)), 1e-3, 4e-4), ("lif2", ((w2, b2), (np.zeros((3, 3)), 0)), 3e-4, 2e-4)]
    compare_with_snntorch(network, layers, s_in, reset == "subtract")


def test_exact_cuba_keeps_the_charge_of_the_rectangle(tmp_path):
    path = chain(tmp_path, nir.Linear(weight=np.array([[0.5]])), make_cuba(1))
    network = read_nir(path, DT, integration="exact")
    charge = network.projections["input to n1"].weight * 0.4  # nA ms
    assert charge == pytest.approx(0.5 * 4 * DT)  # w w_in dt
    impulse = read_nir(path, DT, spike="dirac").projections["input to n1"].weight
    assert impulse == pytest.approx(0.5 * 4 / 4e-4)  # w w_in (1 s) / tau_syn


def test_dirac_impulses_and_counting_if(tmp_path):
    path = chain(tmp_path, nir.Linear(weight=np.array([[3.0]])), make_lif(tau=0.01, r=2.0))
    assert read_nir(path, DT, spike="dirac").projections["input to n1"].weight == pytest.approx(2.0 * 3.0 / 0.01)
    for r, weight in ((1.0, 3.0), (2.0, 2.0 * 3.0 * 1e-4)):
        one = np.ones(1)
        node = nir.IF(r=r * one, v_threshold=one, v_reset=0 * one)
        network = read_nir(chain(tmp_path, nir.Affine(weight=3 * np.ones((1, 1)), bias=0.25 * one), node), DT)
        p = network.populations["n1"].parameters
        assert network.projections["input to n1"].weight == pytest.approx(weight)
        assert p["tau_m"] == np.inf
        assert p["v_thresh"] == 1.0
        per_row = p["i_offset"] / p["cm"] * DT
        assert per_row == pytest.approx(0.25 * weight / 3.0)  # the bias counts as a spike does
    _, v = step(read_nir(chain(tmp_path, nir.Affine(weight=np.ones((1, 1)), bias=0.25 * one), nir.IF(one, one)), DT), 5)
    assert v["n1"][:, 0].tolist() == [0.25, 0.5, 0.75, 1.0, 0.0]


@pytest.mark.parametrize("integration", ["euler", "exact"])
def test_bias_and_leak_settle_where_the_equation_says(tmp_path, integration):
    path = chain(
        tmp_path, nir.Affine(weight=np.ones((1, 1)), bias=np.array([0.3])), make_lif(r=4.0, threshold=9, leak=0.5)
    )
    network = read_nir(path, DT, integration=integration)
    p = network.populations["n1"].parameters
    assert p["tau_m"] / p["cm"] == pytest.approx(4.0)
    assert p["i_offset"] == pytest.approx(0.3)
    _, v = step(network, 2000)
    assert v["n1"][-1, 0] == pytest.approx(0.5 + 4.0 * 0.3)


def test_weights_in_a_row_multiply_and_side_by_side_add(tmp_path):
    draw = np.random.default_rng(2)
    a, b, c = draw.normal(size=(4, 3)), draw.normal(size=(2, 4)), draw.normal(size=(2, 3))
    nodes = {
        "input": make_input(3),
        "a": nir.Affine(weight=a, bias=np.arange(4.0)),
        "scale": nir.Scale(scale=np.array([1.0, 2.0, 0.5, -1.0])),
        "b": nir.Affine(weight=b, bias=np.ones(2)),
        "c": nir.Linear(weight=c),
        "lif": make_lif(2, r=1.0),
        "output": make_output(2),
    }
    edges = [
        ("input", "a"),
        ("a", "scale"),
        ("scale", "b"),
        ("b", "lif"),
        ("input", "c"),
        ("c", "lif"),
        ("lif", "output"),
    ]
    network = read_nir(write(tmp_path, nodes, edges), DT, integration="euler")
    got = np.zeros((2, 3))
    for p in network.projections.values():
        r = rows(network, p)
        got[r.targets, r.sources] += r.weights
    scaled = b * [1.0, 2.0, 0.5, -1.0]
    np.testing.assert_allclose(got, 0.04 * (scaled @ a + c))
    np.testing.assert_allclose(network.parameter("lif", "i_offset"), scaled @ np.arange(4.0) + 1)


def test_rules_are_the_smallest_that_say_it(tmp_path):
    dense = chain(tmp_path, nir.Linear(weight=np.array([[1.0, 2.0], [3.0, 4.0]])), make_lif(2), n_in=2, n_out=2)
    p = read_nir(dense, DT).projections["input to n1"]
    assert isinstance(p.rule, AllToAll)
    assert (p.weight / p.weight[0]).tolist() == pytest.approx([1, 3, 2, 4])
    same = chain(tmp_path, make_lif(3), n_in=3, n_out=3)
    p = read_nir(same, DT).projections["input to n0"]
    assert isinstance(p.rule, OneToOne)
    assert p.weight == pytest.approx(1 - np.exp(-0.04))
    mixed = chain(tmp_path, nir.Linear(weight=np.array([[1.0, 0.0], [-1.0, 1.0]])), make_lif(2), n_in=2, n_out=2)
    network = read_nir(mixed, DT)
    exc, inh = network.projections["input to n1"], network.projections["input to n1 (inhibitory)"]
    assert isinstance(inh.rule, FromList)
    assert (inh.rule.pre.tolist(), inh.rule.post.tolist()) == ([0], [1])
    assert isinstance(exc.rule, OneToOne)
    assert exc.receptor == "excitatory"
    assert inh.receptor == "inhibitory"


def layered(tmp_path, edges, names=("a", "b", "c")):
    nodes = {"input": make_input(1), **{name: make_lif() for name in names}, "output": make_output(1)}
    return write(tmp_path, nodes, [*edges, (names[-1], "output")])


def delays(network):
    return {name: round(p.delay / DT) for name, p in network.projections.items()}


def test_skipped_layers_keep_their_relative_timing(tmp_path):
    path = layered(tmp_path, [("input", "a"), ("a", "b"), ("b", "c"), ("input", "c"), ("a", "c")])
    assert delays(read_nir(path, DT)) == {
        "input to a": 0, "a to b": 1, "b to c": 1, "input to c": 2, "a to c": 2,
    }  # fmt: skip


def test_loops_take_one_step_whatever_the_order_of_the_nodes(tmp_path):
    path = layered(
        tmp_path, [("input", "a"), ("input", "b"), ("a", "b"), ("b", "a"), ("a", "c"), ("b", "c"), ("c", "c")]
    )
    assert set(delays(read_nir(path, DT)).items()) == {
        ("input to a", 0), ("input to b", 0), ("a to b", 1), ("b to a", 1), ("a to c", 1), ("b to c", 1), ("c to c", 1),
    }  # fmt: skip
    path = layered(tmp_path, [("input", "a"), ("a", "b"), ("b", "a"), ("a", "c"), ("b", "c")])
    with pytest.warns(NeurohwWarning, match="feedback b -> a comes 1 rows later"):
        network = read_nir(path, DT)
    assert delays(network) == {"b to a": 1, "input to a": 0, "a to b": 1, "a to c": 2, "b to c": 1}


def test_li_never_spikes_and_sends_nothing(tmp_path):
    one = np.ones(1)
    li = nir.LI(tau=0.01 * one, r=one, v_leak=0 * one)
    network = read_nir(chain(tmp_path, make_lif(), nir.Linear(weight=np.ones((1, 1))), li), DT)
    assert network.populations["n2"].parameters["v_thresh"] == np.inf
    with pytest.raises(Unsupported, match=r"voltage of 'n0' \(LI\)"):
        read_nir(chain(tmp_path, li, make_lif()), DT)


def test_nested_graphs_are_flattened(tmp_path):
    inner = nir.NIRGraph(
        nodes={"in": make_input(2), "lif": make_lif(2), "w": nir.Linear(weight=-np.eye(2)), "out": make_output(2)},
        edges=[("in", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "out")],
    )
    network = read_nir(chain(tmp_path, inner, make_lif(2), n_in=2, n_out=2), DT)
    assert [*network.populations] == ["input", "n0.lif", "n1"]
    assert delays(network) == {"input to n0.lif": 0, "n0.lif to n0.lif (inhibitory)": 1, "n0.lif to n1": 1}


def test_another_dt_than_the_exporters_is_said(tmp_path):
    path = chain(tmp_path, nir.Linear(weight=np.ones((1, 1))), make_cuba(1, dt=1e-3, tau_mem=0.02, tau_syn=0.01))
    with pytest.warns(NeurohwWarning, match=r"x.nir.*made for dt = 1 ms, not 0.1 ms"):
        read_nir(path, DT)
    assert read_nir(path, "1 ms").numerics.integration == "euler"
    assert read_nir(path, "1 ms", integration="exact").numerics.integration == "exact"
    lif = chain(tmp_path, nir.Linear(weight=np.ones((1, 1))), make_lif(tau=0.01, r=100.0))
    assert read_nir(lif, "0.1 ms").numerics.integration == "euler"
    assert read_nir(lif, "1 ms").numerics.integration == "exact"


def edit(tmp_path, change, name="x.nir"):
    """A file of the right form, with `change` done to it by h5py."""
    path = chain(tmp_path, nir.Affine(weight=np.ones((2, 3)), bias=np.zeros(2)), make_lif(2), n_in=3, n_out=2)
    with h5py.File(path, "r+") as file:
        change(file["node"])
    return path


def put(node, name, value, **how):
    del node[name]
    node.create_dataset(name, data=value, **how)


def test_scalars_and_odd_output_shapes_are_repaired(tmp_path):
    def change(node):
        for key, value in (("tau", 2.5e-3), ("r", 1.0), ("v_leak", 0.0), ("v_threshold", 0.1)):
            put(node, f"nodes/n1/{key}", value)
        del node["nodes/n1/v_reset"]
        put(node, "nodes/output/shape", [1, 2, 1])
        put(node, "edges", [*node["edges"][()], (b"input", b"n0")], dtype=h5py.string_dtype())

    with pytest.warns(NeurohwWarning, match="input -> n0 occurs twice"):
        network = read_nir(edit(tmp_path, change), DT)
    assert network.populations["n1"].size == 2
    assert network.populations["n1"].parameters["v_reset"] == 0.0


def nan_weight(node):
    node["nodes/n0/weight"][0, 1] = np.nan


def terabytes(node):
    del node["nodes/n0/weight"]
    node["nodes/n0"].create_dataset("weight", shape=(1 << 20, 1 << 20), dtype="f4", chunks=True)


def itself(node):
    node["nodes/n2"] = node
    node["type"][()] = b"NIRGraph"


BAD = {
    "dangling edge": (lambda n: put(n, "edges", [[b"n0", b"gone"]]), BadInput, "n0 -> gone: no node 'gone'; there are"),
    "three ends": (lambda n: put(n, "edges", [[b"n0", b"n1", b"n1"]]), BadInput, r"\(n, 2\)"),
    "no edges": (lambda n: n.pop("edges"), BadInput, "without nodes and edges"),
    "no nodes": (lambda n: put(n, "nodes", 1.0), BadInput, "x.nir"),
    "unknown type": (
        lambda n: put(n, "nodes/n0/type", b"Conv2d"),
        Unsupported,
        "'n0': no translation for Conv2d; .*Linear",
    ),
    "no type": (lambda n: n.pop("nodes/n0/type"), BadInput, "'n0': it has no type"),
    "missing parameter": (lambda n: n.pop("nodes/n1/tau"), BadInput, "'n1': a LIF needs tau"),
    "text": (lambda n: put(n, "nodes/n1/tau", b"long"), BadInput, "'n1': tau does not hold numbers"),
    "group": (lambda n: (n.pop("nodes/n1/tau"), n.create_group("nodes/n1/tau")), BadInput, "does not hold numbers"),
    "NaN": (nan_weight, BadInput, "'n0': weight holds NaN"),
    "negative tau": (lambda n: put(n, "nodes/n1/tau", [-1.0, 1.0]), BadInput, "'n1': tau must be > 0"),
    "zero r": (lambda n: put(n, "nodes/n1/r", [0.0, 1.0]), BadInput, "'n1': r must be > 0"),
    "wrong size": (
        lambda n: put(n, "nodes/input/shape", [4]),
        BadInput,
        "input -> n0: input gives 4 values, but n0 takes 3",
    ),
    "huge input": (lambda n: put(n, "nodes/input/shape", [10**9, 10**9]), BadInput, "at most"),
    "terabytes": (terabytes, BadInput, "n0/weight: shape .*at most 33554432 numbers"),
    "shapes differ": (
        lambda n: put(n, "nodes/n1/tau", [1.0] * 3),
        BadInput,
        "'n1': its parameters have different shapes",
    ),
    "empty": (lambda n: put(n, "nodes/n1/tau", np.zeros(0)), BadInput, "different shapes"),
    "weight of 3-D": (
        lambda n: put(n, "nodes/n0/weight", np.ones((1, 2, 3))),
        BadInput,
        r"'n0': weight must be \(out, in\)",
    ),
    "bias": (lambda n: put(n, "nodes/n0/bias", np.ones(5)), BadInput, r"bias \(out,\)"),
    "null dataset": (lambda n: put(n, "nodes/n1/tau", h5py.Empty("f4")), BadInput, "empty or stored"),
    "another file": (lambda n: n.update({"nodes/n3": h5py.ExternalLink("/etc/passwd", "/")}), BadInput, "another file"),
    "type is a number": (lambda n: put(n, "nodes/n0/type", 3), BadInput, "'n0': type does not hold text"),
    "edges are numbers": (lambda n: put(n, "edges", [[0, 1]]), BadInput, "edges does not hold text"),
    "dead link": (lambda n: n.update({"nodes/n3": h5py.SoftLink("/nowhere")}), BadInput, "x.nir"),
    "a graph inside itself": (itself, BadInput, "nested more than|more than 2000 nodes"),
    "short tau": (lambda n: put(n, "nodes/n1/tau", [1e-6, 1.0]), BadInput, "'n1': forward Euler needs dt <= tau"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_names_itself_the_node_and_the_remedy(tmp_path, case):
    change, error, says = BAD[case]
    with pytest.raises(error, match=f"(?s)^x.nir: .*{says}|^{says}"):
        read_nir(edit(tmp_path, change), DT, integration="euler")


def test_what_is_no_nir_file_is_refused(tmp_path):
    (tmp_path / "text.nir").write_text("not HDF5")
    (tmp_path / "empty.nir").write_bytes(b"")
    whole = chain(tmp_path, make_lif()).read_bytes()
    (tmp_path / "half.nir").write_bytes(whole[: len(whole) // 2])
    with h5py.File(tmp_path / "other.nir", "w") as file:
        file["data"] = [1, 2]
    for name in ("text.nir", "empty.nir", "half.nir", "other.nir", "absent.nir", "."):
        with pytest.raises(BadInput, match=r"nir.write"):
            read_nir(tmp_path / name, DT)


def test_a_file_cut_off_anywhere_is_refused(tmp_path):
    """Not every damage is caught: HDF5's own C library follows some flipped pointers before anyone can look at them."""
    whole, path = edit(tmp_path, lambda node: None).read_bytes(), tmp_path / "cut.nir"
    for place in np.linspace(0, len(whole) - 1, 60).astype(int):
        path.write_bytes(whole[:place])
        with pytest.raises(BadInput, match=r"cut.nir: cannot be read as a NIR file"):
            read_nir(path, DT)


def test_loops_and_outputs_need_neurons(tmp_path):
    nodes = {"input": make_input(1), "a": nir.Linear(weight=np.ones((1, 1))), "b": nir.Linear(weight=np.ones((1, 1)))}
    nodes |= {"lif": make_lif(), "output": make_output(1)}
    edges = [("input", "a"), ("a", "b"), ("b", "a"), ("b", "lif"), ("lif", "output")]
    with pytest.raises(BadInput, match=r"loop without a neuron: .*a -> b|loop without a neuron: .*b -> a"):
        read_nir(write(tmp_path, nodes, edges), DT)
    with pytest.raises(Unsupported, match=r"'output': reads weights without a neuron; put an LI before it"):
        read_nir(chain(tmp_path, make_lif(), nir.Linear(weight=np.ones((1, 1)))), DT)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"dt": 0}, "dt must be > 0"),
        ({"dt": "0.1"}, "no unit"),
        ({"dt": DT, "integration": "rk4"}, "integration is one of auto, exact, euler"),
        ({"dt": DT, "reset": "zero"}, "reset is one of set, subtract"),
        ({"dt": DT, "spike": "box"}, "spike is one of"),
        ({"dt": DT, "spikes": {"in": ([1.0], [0])}}, "spikes for 'in', but the Input nodes are input"),
        ({"dt": DT, "spikes": {"input": ([1.0], [7])}}, "indices must lie in"),
    ],
)
def test_bad_arguments_name_the_choices(tmp_path, arguments, says):
    with pytest.raises(BadInput, match=says):
        read_nir(chain(tmp_path, make_lif()), **arguments)


@pytest.mark.skipif(not GOLDEN.exists(), reason="the golden NIR files lie beside the repository")
class TestGolden:
    @pytest.mark.parametrize("integration", ["euler", "exact"])
    def test_norse(self, integration):
        given = {"input": (DT * np.array(ROWS_IN), np.zeros(len(ROWS_IN), int))}
        spikes, _ = step(read_nir(GOLDEN / "lif_norse.nir", DT, integration=integration, spikes=given), 1000)
        assert rows_of(spikes["1"]) == ROWS_OUT

    @pytest.mark.parametrize(("name", "reset"), [("bias_zero", "set"), ("noBias_subtract", "subtract")])
    def test_braille(self, name, reset):
        path = GOLDEN / f"braille_noDelay_{name}.nir"
        nodes, draw = nir.read(path).nodes, np.random.default_rng(4)
        s_in = draw.random((256, 12)) < 0.1
        spikes = {"input": (DT * np.nonzero(s_in)[0], np.nonzero(s_in)[1])}
        network = read_nir(path, DT, reset=reset, spikes=spikes)

        def affine(key):
            weight = nodes[key].weight.astype(float)
            return weight, np.zeros(len(weight)) + getattr(nodes[key], "bias", 0.0)

        lif1, lif2 = nodes["lif1.lif"], nodes["lif2"]
        layers = [
            ("lif1.lif", (affine("fc1"), affine("lif1.w_rec")), lif1.tau_mem, lif1.tau_syn),
            ("lif2", (affine("fc2"), (np.zeros((7, 7)), 0.0)), lif2.tau_mem, lif2.tau_syn),
        ]
        # the file's r and w_in are 2e-7 off tau/dt, so a voltage may come to lie on the other side of its threshold
        ours, _ = step(network, 256)
        for key, weights, tau_mem, tau_syn in layers:
            theirs, _ = snntorch(weights, s_in, tau_mem, tau_syn, reset == "subtract")
            assert (ours[key] != theirs).mean() < 0.001
            s_in = np.vstack([np.zeros((1, theirs.shape[1])), theirs[:-1]])

    @pytest.mark.parametrize(
        ("file", "error", "says"),
        [
            ("cnn_sinabs.nir", Unsupported, "Conv2d"),
            ("braille_noDelay_bias_zero_subgraph.nir", BadInput, "no node 'lif1.lif'"),
            ("braille_noDelay_noBias_subtract_subgraph.nir", BadInput, "no node 'lif1.lif'"),
        ],
    )
    def test_what_cannot_be_read_says_why(self, file, error, says):
        with pytest.raises(error, match=f"{file}: .*{says}"):
            read_nir(GOLDEN / file, DT)

    def test_rockpool_and_two_neurons(self):
        given = {"input": (DT * np.array(ROWS_IN), np.zeros(len(ROWS_IN), int))}
        network = read_nir(GOLDEN / "lif_rockpool.nir", DT, spikes=given)  # Output shape [1, 1, 1]
        spikes, _ = step(network, 1000)
        assert len(rows_of(spikes["1_LIFNeuronTorch"])) == 4
        two = read_nir(GOLDEN / "two_lif_neurons.nir", DT, spike="dirac")
        spikes, _ = step(two, 1000)
        period = 10 * np.log(1.2 / 0.2)  # ms
        assert np.diff(rows_of(spikes["lif1"])).mean() * DT == pytest.approx(period, abs=DT)
