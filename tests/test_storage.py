"""Programs and networks in files: what is read back is and runs like what was written; files that lie are refused."""

import json
import shutil
from dataclasses import fields, is_dataclass, replace
from importlib import import_module

import h5py
import numpy as np
import pytest
from pydantic import BaseModel

import neurohw as nh
from neurohw import effects, passes, storage, workbench
from neurohw.device.substrates import SUBSTRATES
from neurohw.errors import BadInput
from tests import small

IDEAL = [(name, ideal) for name in small.DEVICES for ideal in (False, True) if not (ideal and name == "reference")]


@pytest.fixture(params=IDEAL, ids=lambda case: f"{case[0]}{' ideal' if case[1] else ''}")
def program(request):
    name, ideal = request.param
    return small.program(name, "recurrent", small.models_of(name)[-1], ideal)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "program.h5"
    small.program("spinnaker-spin5", "recurrent", "IF_curr_exp").save(path)
    return path


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copy(saved, tmp_path / "changed.h5")


def alike(a, b):
    """Whether two values are the same in type and content."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, BaseModel):
        return type(a) is type(b) and all(alike(getattr(a, f), getattr(b, f)) for f in type(a).model_fields)
    if is_dataclass(a):
        return type(a) is type(b) and all(alike(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return type(a) is type(b) and a == b and vars_of(a) == vars_of(b)


def vars_of(value):
    return getattr(value, "__dict__", None)


def test_a_program_is_read_as_it_was_written(program, tmp_path):
    program.save(tmp_path / "p.h5")
    again = nh.load_program(tmp_path / "p.h5")
    assert alike(program, again)
    assert again.fingerprint == program.fingerprint
    assert str(again.report) == str(program.report)


def test_a_program_from_a_file_runs_bit_for_bit(program, tmp_path):
    program.save(tmp_path / "p.h5")
    again = nh.load_program(tmp_path / "p.h5")
    one, other = workbench.fabricate(program.device, 3), workbench.fabricate(again.device, 3)
    first, second = workbench.run(program, one, 60.0, trial=2), workbench.run(again, other, 60.0, trial=2)
    assert small.same(first, second)
    assert sum(times.size for times, _ in first.spikes.values()) > 10
    assert first.manifest == second.manifest


def test_the_same_chip_takes_either(program, tmp_path):
    program.save(tmp_path / "p.h5")
    chip = workbench.fabricate(program.device, 3)
    first = workbench.run(program, chip, 30.0)
    chip.load(nh.load_program(tmp_path / "p.h5"))
    assert small.same(first, chip.run(30.0))


@pytest.mark.parametrize("network", small.NETWORKS)
@pytest.mark.parametrize("numerics", small.NUMERICS)
def test_a_network_is_read_as_it_was_written(network, numerics, tmp_path):
    made = small.NETWORKS[network]("IF_cond_exp", numerics=small.NUMERICS[numerics])
    made = made.inject(next(iter(made.neurons)), [1.0, 5.0], [0.1, 0.0], [0, 2])
    made.save(tmp_path / "n.h5")
    assert alike(made, nh.load_network(tmp_path / "n.h5"))


def test_every_rule_and_distribution_can_be_saved(tmp_path):
    network = nh.Network("names with / and . and %", 2**40).population("a.b%", 6, "IF_curr_exp", {"tau_m": np.inf})
    network = network.population("..", 6, "IF_curr_exp", {"v_rest": nh.Normal(-65.0, 1.0)})
    rules = [nh.AllToAll(), nh.OneToOne(), nh.FixedProbability(0.3), nh.FixedTotalNumber(9), nh.FixedNumberPre(2)]
    rules += [nh.FixedNumberPost(3, False), nh.FromList([0, 1], [5, 4])]
    for k, rule in enumerate(rules):
        network = network.project("a.b%", "..", rule, nh.Uniform(0.0, 1.0), delay=1.0 + k, name=f"p{k}")
    network.save(tmp_path / "n.h5")
    assert alike(network, nh.load_network(tmp_path / "n.h5"))


def test_every_class_that_may_be_saved_exists():
    for name, module in storage.CLASSES.items():
        assert getattr(import_module(module), name).__module__ == module


def test_every_effect_and_payload_may_be_saved():
    parts = [*effects.EFFECTS.values(), *(part for s in SUBSTRATES.values() for part in (s.machine, s.choices))]
    for steps in passes.PASSES.values():
        home = steps[-2].__module__
        mine = {name: thing for name, thing in vars(import_module(home)).items() if name.endswith("Payload")}
        parts += [thing for thing in mine.values() if thing.__module__ == home]
    assert {part.__name__ for part in parts} <= set(storage.CLASSES)


def test_what_is_not_known_is_refused_before_anything_is_written(tmp_path):
    program = replace(small.program("spinnaker-spin5", "recurrent", "IF_curr_exp"), calibration=object())
    with pytest.raises(BadInput, match=r"calibration: a object cannot be saved"):
        program.save(tmp_path / "p.h5")
    assert not list(tmp_path.iterdir())


def tree_of(path):
    with h5py.File(path) as file:
        return json.loads(file["tree"][()].tobytes())


def put_tree(path, tree):
    with h5py.File(path, "a") as file:
        del file["tree"]
        file["tree"] = np.frombuffer(json.dumps(tree).encode(), np.uint8)


def change_array(path, name, change):
    with h5py.File(path, "a") as file:
        values = change(file["arrays"][name][()])
        del file["arrays"][name]
        file["arrays"][name] = values


def field(tree, *names):
    for name in names:
        tree = tree["with"][name] if "with" in tree else dict(tree["dict"])[name]
    return tree


def refused(path, match=None):
    with pytest.raises(BadInput, match=match) as caught:
        nh.load_program(path)
    assert str(path) in str(caught.value)


def put(*names, **changes):
    """A change of a tree: fields of the object at this place."""
    return lambda tree: field(tree, *names)["with"].update(changes)


def twice(tree):
    field(tree, "record")["dict"].append(field(tree, "record")["dict"][0])


E, TABLE_AT = ("network", "populations", "e"), ("payload", "table")
BEYOND = {"dict": [["e", {"dict": [["v", {"array": "payload/table/starts"}]]}]]}
LIES = {
    "another class": (put(report={"is": "Popen", "with": {}}), "unknown class 'Popen'"),
    "a class elsewhere": (lambda t: put(report=field(t, "delays"))(t), "a DelayPlan where a Program has Report"),
    "no such kind": (put(report={"exec": "1"}), "unknown kind of value 'exec'"),
    "two kinds": (put(report={"list": [], "tuple": []}), "unknown kind"),
    "a field more": (put(evil=1), "the fields of a Program are"),
    "a field less": (lambda t: t["with"].pop("slices"), "the fields of a Program are"),
    "another type": (put(dt="0.1"), "a str where a Program has float"),
    "an array for a number": (put(dt={"array": "payload/table/targets"}), "a ndarray where"),
    "no array": (put(*TABLE_AT, targets={"array": "nowhere"}), "there is no array"),
    "a group for an array": (put(*TABLE_AT, targets={"array": "payload"}), "there is no array"),
    "floats for indices": (put(*TABLE_AT, targets={"array": "payload/parameters/e/tau_m"}), "targets: a ndarray"),
    "no model": (put(*E, model={"model": "os"}), "no neuron model 'os'"),
    "a size": (put(*E, size=-5), "whole number >= 1"),
    "a number of the machine": (put("device", "machine", "cores_per_chip", value=-1.0), "cores_per_chip: 18 lies out"),
    "a substrate": (put("device", substrate="analog"), "no machine of the substrate analog"),
    "a key twice": (twice, "stands twice"),
    "no pair": (lambda t: field(t, "record")["dict"].append(3), "expected pairs"),
    "nothing to load": (put(payload=None), "nothing for a spinnaker-spin5 to load"),
    "another decision": (put(dt=0.5), "fingerprint"),
    "another seed": (put("network", seed=7), "fingerprint"),
    "a record beyond the neurons": (put(record=BEYOND), "list of indices"),
    "a NumPy number": (put(dt={"numpy": ["object", 1.0]}), "expected a type and a number"),
    "deep": (lambda t: put(record=nested(200))(t), "not a value|nested"),
}


def nested(depth):
    tree = {"tuple": []}
    for _ in range(depth):
        tree = {"tuple": [tree]}
    return tree


@pytest.mark.parametrize("lie", LIES)
def test_a_tree_that_lies_is_refused(lie, copy):
    change, match = LIES[lie]
    tree = tree_of(copy)
    change(tree)
    put_tree(copy, tree)
    refused(copy, match)


def test_a_tree_too_deep_to_read_is_refused(copy):
    with h5py.File(copy, "a") as file:
        del file["tree"]
        text = b'{"is": "Program", "with": ' + b'{"tuple": [' * 100_000 + b"]}" * 100_000 + b"}"
        file["tree"] = np.frombuffer(text, np.uint8)
    refused(copy)


TABLE = "payload/table/"
BROKEN = {
    "targets beyond the neurons": ("targets", lambda a: a + np.uint16(1000)),
    "rows beyond the table": ("starts", lambda a: a * 1000),
    "negative rows": ("starts", lambda a: -a),
    "buckets beyond the row": ("offsets", lambda a: a + np.uint16(10**4)),
    "buckets that wrap around": ("offsets", lambda a: a - np.uint16(1)),
    "fewer offsets": ("offsets", lambda a: a[:-1]),
    "fewer buckets": ("buckets", lambda a: a[:-1]),
    "buckets that do not exist": ("buckets", lambda a: a + 10**6),
    "groups beyond the sources": ("firsts", lambda a: a + 1),
    "groups that overlap": ("firsts", lambda a: a[::-1]),
    "groups without buckets": ("bucket_starts", lambda a: a[:-1]),
    "fewer sources": ("starts", lambda a: a[:-1]),
    "no sources": ("starts", lambda a: a[:0]),
    "fewer weights": ("columns/weight", lambda a: a[:-1]),
    "fewer synapses": ("targets", lambda a: a[:-1]),
    "negative delays": ("delays", lambda a: a - 100),
    "other delays": ("delays", lambda a: a + 100),
    "a scalar": ("targets", lambda a: a[0]),
    "text": ("targets", lambda a: np.array([b"x"] * a.size)),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_table_that_a_compiled_loop_would_leave_is_refused(broken, copy):
    name, change = BROKEN[broken]
    change_array(copy, TABLE + name, change)
    refused(copy, "no array of numbers" if broken in ("a scalar", "text") else "synapse table")


def test_a_flipped_bit_is_found(saved, tmp_path):
    """In what the checksums of HDF5 cover: the arrays and the tree."""
    original, n_found = saved.read_bytes(), 0
    with h5py.File(saved) as file:
        tree = file["tree"].id.get_chunk_info(0)
        targets = file["arrays"][TABLE + "targets"].id
        places = [tree.byte_offset + tree.size // 2]
        places += [targets.get_chunk_info(0).byte_offset + 5] if targets.get_num_chunks() else []
    for place in places:
        changed = bytearray(original)
        changed[place] ^= 16
        (tmp_path / "flipped.h5").write_bytes(changed)
        refused(tmp_path / "flipped.h5")
        n_found += 1
    assert n_found == 2


def test_other_files_are_refused(saved, tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        nh.load_program(tmp_path / "nothing.h5")
    (tmp_path / "text.h5").write_text("text")
    refused(tmp_path / "text.h5", "not a readable HDF5 file")
    (tmp_path / "half.h5").write_bytes(saved.read_bytes()[:-2000])
    refused(tmp_path / "half.h5", "not a readable HDF5 file")
    small.recurrent_short("IF_curr_exp").save(tmp_path / "network.h5")
    refused(tmp_path / "network.h5", "not a program")
    with pytest.raises(BadInput, match="not a network"):
        nh.load_network(saved)
    with h5py.File(tmp_path / "network.h5", "a") as file:
        file.attrs["version"] = 99
    with pytest.raises(BadInput, match="version 99"):
        nh.load_network(tmp_path / "network.h5")


def test_a_link_to_elsewhere_is_refused(copy, tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.arange(3)
    with h5py.File(copy, "a") as file:
        del file["arrays"][TABLE + "targets"]
        file["arrays"][TABLE + "targets"] = h5py.ExternalLink("secret.h5", "/x")
    refused(copy, "link to elsewhere")


def test_an_array_that_two_parts_share_is_written_once(tmp_path):
    weights = np.linspace(0.1, 0.2, 36)
    network = nh.Network().population("a", 6, "IF_curr_exp")
    network = network.project("a", "a", nh.AllToAll(), weights, name="p").project(
        "a", "a", nh.AllToAll(), weights, name="q"
    )
    network.save(tmp_path / "n.h5")
    found = []
    with h5py.File(tmp_path / "n.h5") as file:
        file["arrays"].visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    assert alike(network, nh.load_network(tmp_path / "n.h5"))
    assert len(found) == len(set(found))
