"""Mapping files: what they may hold, what is refused with its place, and the devices they name."""

import pytest

from neurohw import data_files
from neurohw.errors import BadInput
from neurohw.mapping import load_mapping

SMALLEST = "network: {name: synfire_chain}\nduration: 1 s\n"


@pytest.fixture
def written(tmp_path):
    def write(text, name="x.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return load_mapping(tmp_path / name)

    return write


@pytest.mark.parametrize("name", data_files.names("mappings"))
def test_the_shipped_files_can_be_read(name):
    mapping = load_mapping(name)
    assert mapping.devices()
    assert mapping.file.duration > 0
    assert mapping.path.stem == name


def test_defaults(written):
    mapping = written(SMALLEST)
    file = mapping.file
    assert (file.duration, file.trials, file.discard, file.chips, file.reference.dt) == (1000.0, 1, 0.0, [], 0.1)
    assert mapping.stimulus is None
    assert mapping.devices() == {}
    assert len(mapping.fingerprint) == 16


def test_everything(written):
    mapping = written("""
network: {name: vogels_abbott, n: 100}
duration: 0.5 s
trials: 3
reference: {dt: 0.2 ms, choices: {target: numpy}}
chips:
  - {device: spinnaker-spin5, seed: 4, dt: 1 ms, choices: {neurons_per_core: 32}}
  - {device: spinnaker-spin5, seed: 5, dt: 1 ms}
  - {device: pcm-million, without: [drift], with: {g_max: 20}, age: 1 day}
  - {device: pcm-million, ideal: true, name: best}
record: {all: [spikes], excitatory: {v: 10}}
measure: [rates]
discard: 50 ms
stimulus: {s: {unit: s, times: [0.001, 0.002], neurons: [0, 1]}, t: {unit: ms, times: [5]}}
""")
    chips = mapping.devices()
    assert list(chips) == [
        "spinnaker-spin5 at 1 ms",
        "spinnaker-spin5 at 1 ms, seed 5",
        "pcm-million without drift with g_max=20.0",
        "best",
    ]
    entry, device = chips["pcm-million without drift with g_max=20.0"]
    assert entry.age == 86.4e6
    assert device.machine.g_max == 20.0
    assert device.effect("drift") is None
    assert chips["best"][1].is_ideal
    assert mapping.file.reference.dt == 0.2
    assert mapping.stimulus == {"s": ([1.0, 2.0], [0, 1]), "t": ([5.0], [0])}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected keys such as network, duration, chips; got NoneType"),
        ("- a", "got list"),
        ("duration: 1 s", "network: missing"),
        ("network: {name: x}", "duration: missing"),
        (SMALLEST + "trails: 3", "trails: unknown key"),
        (SMALLEST.replace("1 s", "1000"), "duration: time: "),
        (SMALLEST.replace("1 s", "-1 s"), "duration: must be > 0"),
        (SMALLEST.replace("1 s", "1 mV"), "not a quantity in ms"),
        (SMALLEST + "trials: 0", "trials: Input should be greater than or equal to 1"),
        (SMALLEST + "trials: 2.5", "trials: "),
        (SMALLEST + "chips: [{device: spinnaker-spin5, seed: -1}]", "chips.0.seed: "),
        (SMALLEST + "chips: [{seed: 1}]", "chips.0.device: missing"),
        (SMALLEST + "chips: [{device: x, sed: 1}]", "chips.0.sed: unknown key"),
        (SMALLEST + "reference: {dt: 0 ms}", "reference.dt: must be > 0"),
        (SMALLEST + "trials: 1\ntrials: 2", "not valid YAML"),
        (SMALLEST + "chips: &a [{device: x}]\nrecord: *a", "not valid YAML"),
        (SMALLEST + "x: !!python/object/apply:os.system ['true']", "not valid YAML"),
        (SMALLEST + "x: [", "not valid YAML"),
        ("\ttab: 1", "not valid YAML"),
    ],
)
def test_faults_are_said_with_their_place(written, text, said):
    with pytest.raises(BadInput) as error:
        written(text)
    assert "x.yaml" in str(error.value)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("chip", "said"),
    [
        ("{device: spinaker}", "chips.0: devices: there is no 'spinaker'"),
        ("{device: pcm-million, without: [mismatch]}", "chips.0: device pcm-million: it has no effect 'mismatch'"),
        ("{device: pcm-million, without: [gravity]}", "chips.0: no effect 'gravity'"),
        ("{device: pcm-million, with: {gmax: 3}}", "chips.0: device pcm-million: 'gmax' is no number"),
        ("{device: pcm-million, with: {g_max: -3}}", "g_max"),
        (
            "{device: pcm-set}, {device: pcm-set}, {device: pcm-set}",
            "chips.2: 'pcm-set, seed 0': two chips are called that",
        ),
        ("{device: pcm-million, name: reference}", "'reference'"),
    ],
)
def test_faults_of_chips(written, chip, said):
    with pytest.raises(BadInput) as error:
        written(f"{SMALLEST}chips: [{chip}]\n").devices()
    assert said in str(error.value)


def test_a_device_file_beside_the_mapping(written, tmp_path):
    text = data_files.find("devices", "pcm-million").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("name: pcm-million", "name: mine"), encoding="utf-8")
    assert list(written(f"{SMALLEST}chips: [{{device: mine.yaml}}]\n").devices()) == ["mine"]


def test_the_fingerprint_is_that_of_the_text(written):
    assert (
        written(SMALLEST).fingerprint
        == written(SMALLEST, "y.yaml").fingerprint
        != written(SMALLEST + "trials: 2").fingerprint
    )


def test_a_stimulus_needs_a_unit_of_time(written):
    with pytest.raises(BadInput, match="stimulus"):
        _ = written(SMALLEST + "stimulus: {s: {unit: mV, times: [1]}}").stimulus
    with pytest.raises(BadInput, match=r"stimulus\.s\.times"):
        written(SMALLEST + "stimulus: {s: {unit: ms, times: [soon]}}")
