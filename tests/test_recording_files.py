"""Recordings through files: exact round trips of our own, and other people's files read or refused with a place."""

import pickle
import sys
from contextlib import suppress

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurohw.errors import BadInput, NeurohwError, Unsupported
from neurohw.files import atomically
from neurohw.recording import Recording
from neurohw.recording_files import load_recording, save
from neurohw.recording_imports import read_recording
from neurohw.report import Loss, Report, Resource

times = st.lists(st.floats(0, 1e9, allow_subnormal=False), max_size=20).map(sorted)
names = st.text(st.characters(blacklist_categories=("C", "Z"), blacklist_characters="/"), min_size=1, max_size=12)
numbers = st.floats(allow_nan=False) | st.integers(-(2**53), 2**53)
text = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)
json_like = st.recursive(
    text | numbers | st.booleans() | st.none(), lambda x: st.lists(x) | st.dictionaries(text, x), max_leaves=8
)


@st.composite
def recordings(draw):
    sizes = draw(st.dictionaries(names | st.sampled_from([".", "..", "%2E", "a%2Fb"]), st.integers(1, 50), max_size=3))
    spikes, traces, when, which = {}, {}, {}, {}
    for name, size in sizes.items():
        if draw(st.booleans()):
            t = np.array(draw(times), float)
            spikes[name] = (
                t,
                np.array(draw(st.lists(st.integers(0, size - 1), min_size=t.size, max_size=t.size)), np.int64),
            )
        for variable in draw(st.lists(names, max_size=2, unique=True)):
            t = np.array(draw(times), float)
            neurons = np.array(draw(st.lists(st.integers(0, size - 1), max_size=3)), np.int64)
            shape = (t.size, neurons.size)
            values = np.array(
                draw(st.lists(st.floats(), min_size=t.size * neurons.size, max_size=t.size * neurons.size))
            )
            traces.setdefault(name, {})[variable] = values.reshape(shape)
            when.setdefault(name, {})[variable] = t
            which.setdefault(name, {})[variable] = neurons
    report = Report(
        (Resource("cores", draw(numbers), float("inf"), draw(text)),),
        tuple(Loss(draw(text), draw(numbers), 3, "here", "why") for _ in range(draw(st.integers(0, 2)))),
        {draw(text): (draw(numbers), "J")},
        (draw(text),),
    )
    manifest = draw(st.dictionaries(text, json_like, max_size=3))
    return Recording(
        spikes, sizes, draw(st.floats(0, 1e9)), draw(st.floats(1e-6, 10)), traces, when, which, report, manifest
    )


def assert_equal(a, b):
    assert (list(a.sizes.items()), a.duration, a.dt, a.report) == (list(b.sizes.items()), b.duration, b.dt, b.report)
    assert a.manifest == b.manifest
    assert set(a.spikes) == set(b.spikes)
    for name in a.spikes:
        for one, two in zip(a.spikes[name], b.spikes[name], strict=True):
            np.testing.assert_array_equal(one, two)
            assert one.dtype == two.dtype
    for part in ("traces", "times", "trace_neurons"):
        one, two = getattr(a, part), getattr(b, part)
        assert {n: list(v) for n, v in one.items()} == {n: list(v) for n, v in two.items()}
        for name, variables in one.items():
            for variable, values in variables.items():
                np.testing.assert_array_equal(values, two[name][variable])


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(recordings())
def test_the_round_trip_is_exact(tmp_path_factory, recording):
    path = tmp_path_factory.mktemp("r") / "r.h5"
    save(recording, path)
    assert_equal(load_recording(path), recording)
    assert_equal(read_recording(path), recording)
    assert [one.name for one in path.parent.iterdir()] == ["r.h5"]


@pytest.fixture
def recording():
    t = np.array([1.0, 2.5, 2.5, 90.0])
    v = np.linspace(-65, -50, 22).reshape(11, 2)
    key = {"e": {"v": np.arange(11) * 10.0, "gsyn_exc": np.array([0.0, 1.0, 5.0])}}
    which = {"e": {"v": np.array([0, 3]), "gsyn_exc": np.array([2])}}
    return Recording(
        {"e": (t, np.array([0, 3, 1, 0])), "i": (np.empty(0), np.empty(0, np.int64))}, {"e": 4, "i": 2}, 100.0, 0.1,
        {"e": {"v": v, "gsyn_exc": np.ones((3, 1))}}, key, which, Report(), {"device": "x", "seed": np.int64(3)},
    )  # fmt: skip


@pytest.fixture
def saved(recording, tmp_path):
    save(recording, tmp_path / "r.h5")
    return tmp_path / "r.h5"


def test_large_recordings_are_compressed(tmp_path):
    t = np.sort(np.round(np.random.default_rng(0).uniform(0, 1e3, 200_000), 1))
    big = Recording({"e": (t, np.zeros(t.size, np.int64))}, {"e": 1}, 1000.0, 0.1)
    save(big, tmp_path / "r.h5")
    assert (tmp_path / "r.h5").stat().st_size < 0.2 * 16 * t.size
    assert_equal(load_recording(tmp_path / "r.h5"), big)


def test_saving_is_all_or_nothing(recording, tmp_path):
    path = tmp_path / "r.h5"
    save(recording, path)
    before = path.read_bytes()
    bad = Recording(recording.spikes, recording.sizes, 100.0, 0.1, manifest={"x": object()})
    with pytest.raises(BadInput, match="manifest: <object"):
        save(bad, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(BadInput, match="no folder"):
        save(recording, tmp_path / "none" / "r.h5")
    with pytest.raises(UnicodeEncodeError), atomically(path) as temporary:
        temporary.write_text("half" + chr(0xD800), encoding="utf-8")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.attrs.__setitem__("version", 2), "version 2 of the format"),
        (lambda f: f.attrs.__setitem__("format", "x"), "not a recording|neither a recording"),
        (lambda f: f.attrs.__setitem__("duration", "long"), "'duration' must be a number"),
        (lambda f: f.attrs.__setitem__("duration", np.nan), "duration: must be a finite"),
        (lambda f: f.attrs.__setitem__("dt", np.zeros(3)), "'dt' must be a number"),
        (lambda f: f.attrs.__delitem__("dt"), "'dt' must be a number"),
        (lambda f: f.__delitem__("populations"), "/populations: there is no such group"),
        (lambda f: f.__delitem__("report"), "/report: expected JSON"),
        (lambda f: put(f, "report", np.frombuffer(b"{}", np.uint8)), "/report: not a report"),
        (lambda f: put(f, "manifest", np.frombuffer(b"[1]", np.uint8)), "/manifest: expected a mapping"),
        (lambda f: put(f, "manifest", np.frombuffer(b"[" * 99999, np.uint8)), "/manifest: not JSON"),
        (lambda f: f["populations/e"].attrs.__setitem__("size", 2), "indices must lie in 0..1"),
        (lambda f: f["populations/e"].attrs.__setitem__("size", 1e30), "size of 'e'"),
        (lambda f: f["populations/e"].attrs.__setitem__("size", np.inf), "r.h5"),
        (lambda f: put(f, "populations/e/spikes/times", np.array([5.0, 1, 2, 3])), "spikes of 'e'.*ascending"),
        (lambda f: put(f, "populations/e/spikes/times", np.array([1, 2, 3, np.nan])), "spikes of 'e'.*finite"),
        (lambda f: put(f, "populations/e/spikes/times", np.array([-1.0, 2, 3, 4])), "spikes of 'e'"),
        (lambda f: put(f, "populations/e/spikes/times", np.array([1.0])), "one index for every time"),
        (lambda f: put(f, "populations/e/spikes/times", np.array([b"a"] * 4)), "expected 1-dimensional floats"),
        (lambda f: put(f, "populations/e/spikes/indices", np.zeros((4, 1), int)), "expected 1-dimensional whole"),
        (lambda f: f.__delitem__("populations/e/spikes/indices"), "spikes/indices: expected"),
        (lambda f: put(f, "populations/e/traces/v/values", np.zeros((3, 2))), "trace 'v' of 'e': needs the shape"),
        (lambda f: put(f, "populations/e/traces/v/neurons", np.array([0, 9])), "trace_neurons must lie in 0..3"),
        (lambda f: f.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/")), "/x: a link to elsewhere"),
        (lambda f: f.__setitem__("x", h5py.SoftLink("/populations")), "/x: a link to elsewhere"),
        (lambda f: f["populations"].__setitem__("loop", f["/populations"]), "more than once"),
        (lambda f: f.create_dataset("x", (10**13,), "f8", chunks=(1000,)), r"/x: declares shape \(10000000000000,\)"),
        (lambda f: f.create_dataset("x", (4,), "f8", external=[("/etc/passwd", 0, 32)]), "/x: virtual, external"),
    ],
)  # fmt: skip
def test_malformed_and_hostile_files_are_refused_by_place(saved, change, message):
    with h5py.File(saved, "a") as file:
        change(file)
    for read in (load_recording, read_recording):
        with pytest.raises(BadInput, match=message) as error:
            read(saved)
        assert str(saved) in str(error.value)


def put(file, key, data):
    del file[key]
    file[key] = data


def test_what_is_no_hdf5_at_all(saved, tmp_path):
    whole = saved.read_bytes()
    for part in (b"", b"text", whole[:100], whole[: len(whole) // 2], whole[:200] + b"\xff" * 300 + whole[500:]):
        (tmp_path / "x.h5").write_bytes(part)
        with pytest.raises(BadInput, match=r"x\.h5"):
            load_recording(tmp_path / "x.h5")
    with pytest.raises(BadInput, match="no such file"):
        load_recording(tmp_path / "none.h5")


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_flipped_bytes_never_give_anything_but_bad_input(saved, data):
    raw = bytearray(saved.read_bytes())
    for _ in range(3):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    broken = saved.with_name("broken.h5")
    broken.write_bytes(raw)
    with suppress(BadInput):
        load_recording(broken)


def test_to_neo_is_annotated_as_pynn_does(recording):
    segment = recording.to_neo().segments[0]
    train = segment.spiketrains[3]
    assert train.annotations == {"source_population": "e", "source_index": 3, "channel_id": 3}
    assert train.rescale("ms").magnitude.tolist() == [2.5]
    assert len(segment.spiketrains) == 6
    signal = segment.analogsignals[0]
    assert (signal.name, signal.units.dimensionality.string, signal.sampling_period.magnitude) == ("v", "mV", 10.0)
    assert signal.array_annotations["channel_index"].tolist() == [0, 3]
    irregular = segment.irregularlysampledsignals[0]
    assert (irregular.name, irregular.units.dimensionality.string) == ("gsyn_exc", "uS")


def test_to_xarray_has_units_and_coordinates(recording):
    data = recording.to_xarray()
    assert data["e.v"].dims == ("e.v.time", "e.v.neuron")
    assert data["e.v"].attrs["units"] == "mV"
    assert data["e.v"].sel({"e.v.neuron": 3}).size == 11
    assert data["e.spike_times"].values.tolist() == [1.0, 2.5, 2.5, 90.0]
    assert data["i.spike_neurons"].size == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_matlab_file_of_neo_is_read_back(recording, tmp_path):
    import neo.io

    block = recording.to_neo()
    block.segments[0].irregularlysampledsignals.clear()
    neo.io.NeoMatlabIO(str(tmp_path / "r.mat")).write_block(block)
    found = read_recording(tmp_path / "r.mat")
    assert found.spikes["e"][0].tolist() == [1.0, 2.5, 2.5, 90.0]
    assert found.spikes["e"][1].tolist() == [0, 1, 3, 0]
    assert found.duration == 100.0
    assert found.sizes["e"] == 4
    np.testing.assert_allclose(found.traces["e"]["v"], recording.traces["e"]["v"])
    assert found.trace_neurons["e"]["v"].tolist() == [0, 1]  # Neo writes no channel_index into .mat


def test_a_pickle_is_only_opened_on_trust(recording, tmp_path):
    path = tmp_path / "r.pkl"
    path.write_bytes(pickle.dumps(recording.to_neo()))
    with pytest.raises(Unsupported, match=r"runs whatever code is in it.*trust=True"):
        read_recording(path)
    assert read_recording(path, trust=True).spikes["e"][0].tolist() == [1.0, 2.5, 2.5, 90.0]


def test_unknown_and_broken_formats(tmp_path):
    for name, data in (("x.abc", b"1"), ("x.nix", b"1"), ("x.mat", b"1"), ("x.nwb", b"1")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(NeurohwError, match=name):
            read_recording(tmp_path / name)


def test_nirdata_events_and_grids(tmp_path):
    import nir

    events = nir.EventData(np.array([[0, 2, -1]]), np.array([[0.5, 0.25, np.inf]]), 3, 1.0)
    spikes = nir.TimeGriddedData(np.array([[[True, False], [False, True]]]), 1e-3)
    volts = nir.TimeGriddedData(np.array([[[0.5, 1.5], [2.5, 3.5]]]), 1e-3)
    graph = nir.NIRGraphData({
        "lif": nir.NIRNodeData({"spikes": events}), "grid": nir.NIRNodeData({"spikes": spikes, "v": volts})
    })  # fmt: skip
    nir.write_data(tmp_path / "d.nir", graph)
    found = read_recording(tmp_path / "d.nir")
    assert found.spikes["lif"][0].tolist() == [250.0, 500.0]
    assert found.spikes["lif"][1].tolist() == [2, 0]
    assert (found.sizes, found.duration, found.dt) == ({"lif": 3, "grid": 2}, 1000.0, 1.0)
    assert found.spikes["grid"][0].tolist() == [0.0, 1.0]
    assert found.traces["grid"]["v"].tolist() == [[0.5, 1.5], [2.5, 3.5]]
    with pytest.raises(BadInput, match="no sample 1; there are 1"):
        read_recording(tmp_path / "d.nir", trial=1)


def test_a_nir_network_is_not_a_recording(tmp_path):
    import nir

    nodes = {"in": nir.Input({"input": np.array([1])}), "out": nir.Output({"output": np.array([1])})}
    nir.write(tmp_path / "n.nir", nir.NIRGraph(nodes, [("in", "out")]))
    with pytest.raises(BadInput, match="a NIR network; read it with read_nir"):
        read_recording(tmp_path / "n.nir")


def csv(tmp_path, text, name="s.csv", **options):
    (tmp_path / name).write_text(text)
    return read_recording(tmp_path / name, **options)


def test_csv_with_populations(tmp_path):
    found = csv(
        tmp_path, "# a chip\ntime_ms,neuron,population\n3.5,1,e\n1.0,0,i\n2,0,e\n", sizes={"e": 10, "silent": 4}
    )
    assert found.spikes["e"][0].tolist() == [2.0, 3.5]
    assert (found.sizes, found.duration, found.dt) == ({"e": 10, "silent": 4, "i": 1}, 4, 0.1)
    found = csv(tmp_path, "neuron;time_s\n0;0.5\n", duration="1 s", dt=1.0, population="x")
    assert found.spikes["x"][0].tolist() == [500.0]


def test_nest_text_counts_senders_from_the_first(tmp_path):
    lines = "# NEST version: 3.10\n# RecordingBackendASCII version: 2\nsender\ttime_ms\n7\t1.5\n5\t2.0\n"
    assert csv(tmp_path, lines, "s.dat").spikes["neurons"][1].tolist() == [2, 0]
    assert csv(tmp_path, lines, "s.dat", first_neuron=1).spikes["neurons"][1].tolist() == [6, 4]


def test_neo_text_has_a_neuron_per_line(tmp_path):
    found = csv(tmp_path, "0.001\t0.5\n\n0.25\n", "s.txt")
    assert found.spikes["neurons"][0].tolist() == [1.0, 250.0, 500.0]
    assert found.spikes["neurons"][1].tolist() == [0, 2, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "line 1: the header must name time_ms"),
        ("time_ms,neuron\n1.0\n", "line 2: 1 columns where the header has 2"),
        ("time_ms,neuron\n1.0,0\n\nx,0\n", "line 4: 'x' is not a time"),
        ("time_ms,neuron\nnan,0\n", "line 2: the time nan is not finite"),
        ("time_ms,neuron\n-1,0\n", "line 2: the time -1 is not finite and >= 0"),
        ("time_ms,neuron\n1,-1\n", "line 2: the neuron '-1' is not a whole number"),
        ("time_ms,neuron\n1,1.5\n", "line 2: the neuron '1.5'"),
        ("time_ms,neuron\n1,99999999999999999999\n", "line 2: the neuron"),
        ("time_ms,neuron,population\n1,1,\n", "line 2: '' is no name"),
        ("time_ms,neuron\n1," + "9" * 200_000, "s.csv"),
        ("time_ms,sender\n1,5\n", "indices must lie in 0..0"),
    ],
)  # fmt: skip
def test_malformed_csv_is_refused_by_line(tmp_path, text, message):
    options = {"sizes": {"neurons": 1}, "first_neuron": 0} if "sender" in text else {}
    with pytest.raises(BadInput, match=message) as error:
        csv(tmp_path, text, **options)
    assert "s.csv" in str(error.value)


def test_binary_is_no_csv(tmp_path):
    (tmp_path / "s.csv").write_bytes(b"time_ms,neuron\n\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"s\.csv"):
        read_recording(tmp_path / "s.csv")


def test_importing_neurohw_does_not_import_heavy_libraries():
    import subprocess

    heavy = "h5py", "neo", "xarray", "elephant", "matplotlib", "jinja2"
    code = (
        "import sys, neurohw.recording_files, neurohw.recording_imports;"
        "import neurohw.study.compare, neurohw.study.diagnosis, neurohw.study.html_report;"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
