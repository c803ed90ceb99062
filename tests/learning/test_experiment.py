"""Training from a mapping file: what the file may say, what is refused with its place, and the command."""

import json

import numpy as np
import pytest

from neurohw import cli
from neurohw.errors import BadInput, OutOfRange, Unsupported
from neurohw.learning import experiment
from neurohw.learning.recurrent import RecurrentNetwork
from neurohw.learning.tasks import TASKS
from neurohw.mapping import load_mapping
from neurohw.study.training import train

SMALL = """
network: {task: {name: sinusoids, n_inputs: 15, steps: 100}, hidden: 12, v_thresh: 0.19, gain: 0.6}
duration: 100 ms
train:
  epochs: 3
  rule: {form: demirag, surrogate_height: 0.3, surrogate_width: 0.19, membranes: recording}
  optimizer: {name: gradient_descent, rate: {input: 1.0e-4, recurrent: 1.0e-4, readout: 1.0e-3}}
  scheme: {name: mixed_precision, quantum: 2}
  seeds: [1, 2]
  save_every: 1
  test_samples: 1
chips:
  - {name: float, device: pcm-set, ideal: true, train: {scheme: {name: shadow}}}
  - {name: PCM, device: pcm-set, choices: {g_max_weight: 0.3}, train: {start: scheme, pause: 1 s}}
"""


@pytest.fixture
def written(tmp_path):
    def write(text=SMALL):
        (tmp_path / "small.yaml").write_text(text, encoding="utf-8")
        return load_mapping(tmp_path / "small.yaml")

    return write


def test_every_chip_and_seed_of_a_file_is_trained(written):
    found = train(written())
    assert found.metric == "mse"
    assert [(o.case.name, o.seed) for o in found.outcomes] == [("float", 1), ("float", 2), ("PCM", 1), ("PCM", 2)]
    rows = {row.name: row for row in found.rows}
    assert rows["float"].pulses == 0 < rows["PCM"].pulses
    assert rows["float"].against == 1.0
    assert rows["PCM"].loss == pytest.approx(np.mean(list(found.losses("PCM").values())))
    assert rows["PCM"].energy == pytest.approx(np.mean([o.trained.ledger.energy for o in found.of("PCM")]))
    for outcome in found.outcomes:
        assert np.isfinite(outcome.test["mse"])
        assert outcome.trained.per_epoch("loss").shape == (3,)
    assert "PCM" in str(found)
    shapes = "input 15 x 12, recurrent 12 x 12, readout 12 x 1"
    assert found.places == [
        ("float", "pcm-set ideal", shapes, "shadow", "drawn, written"),
        ("PCM", "pcm-set", shapes, "mixed_precision (quantum 2)", "drawn, sent by the scheme"),
    ]


def test_a_seed_is_the_same_experiment_whatever_else_is_in_the_file(written):
    whole = train(written())
    alone = train(written(SMALL.replace("seeds: [1, 2]", "seeds: [2]")))
    for name in ("float", "PCM"):
        ours, theirs = alone.of(name)[0].trained, whole.of(name)[1].trained
        assert np.array_equal(ours.history["loss"], theirs.history["loss"])


def test_an_interrupted_file_goes_on_to_the_same_numbers(written, tmp_path):
    class Enough(Exception):
        pass

    def interrupt(what, share):
        if share > 0.55:
            raise Enough

    mapping, folder = written(), tmp_path / "checkpoints"
    with pytest.raises(Enough):
        train(mapping, folder, interrupt)
    assert len(list(folder.iterdir())) == 3
    resumed, whole = train(mapping, folder), train(mapping)
    for ours, right in zip(resumed.outcomes, whole.outcomes, strict=True):
        assert np.array_equal(ours.trained.history["loss"], right.trained.history["loss"])
        assert ours.test == right.test
        assert all(np.array_equal(ours.trained.weights[n], w) for n, w in right.trained.weights.items())


def test_the_command_writes_a_report_and_goes_on_where_it_stopped(written, tmp_path, capsys, monkeypatch):
    path = written(SMALL.replace("[1, 2]", "[1]").replace("gain: 0.6", "gain: 0.5")).path
    out = tmp_path / "out"
    monkeypatch.setattr("sys.argv", ["neurohw", "train", str(path), "--out", str(out)])
    for _ in range(2):
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert said.count("PCM") == 2
    assert sorted(p.name for p in (out / "checkpoints").iterdir()) == ["PCM, seed 1.h5", "float, seed 1.h5"]
    kept = json.loads((out / "training.json").read_text())
    assert [row["name"] for row in kept["rows"]] == ["float", "PCM"]
    assert len(kept["outcomes"][0]["per_epoch"]["loss"]) == 3
    html = (out / "report.html").read_text()
    assert html.count('<img src="data:image/') == 2
    assert "<script" not in html


def replaced(old, new):
    assert old in SMALL
    return SMALL.replace(old, new)


REFUSED = {
    "no task": (replaced("task: {name: sinusoids, n_inputs: 15, steps: 100}, ", ""), BadInput, "network.task", "sinusoids"),
    "unknown task": (replaced("name: sinusoids", "name: chess"), BadInput, "network.task", "chess"),
    "unknown key of the task": (replaced("n_inputs", "inputs_"), BadInput, "network.task", "n_inputs"),
    "unknown key of the network": (replaced("hidden:", "hiden:"), BadInput, "did you mean 'hidden'"),
    "duration": (replaced("duration: 100 ms", "duration: 1 s"), BadInput, "a sample of the task lasts 100 ms"),
    "unknown scheme": (replaced("name: shadow", "name: shade"), BadInput, "no scheme 'shade'", "mixed_precision"),
    "bad quantum": (replaced("quantum: 2", "quantum: -2"), BadInput, "chip 'PCM'", "scheme: quantum"),
    "unknown optimizer": (replaced("name: gradient_descent", "name: newton"), BadInput, "no optimizer 'newton'", "adam"),
    "unknown key of the optimizer": (replaced("{name: gradient_descent", "{speed: 1, name: gradient_descent"), BadInput, "'speed'"),
    "missing rate": (replaced("input: 1.0e-4, ", ""), BadInput, "one for each of input, recurrent, readout"),
    "no epochs": (replaced("epochs: 3", "epochs: 0"), BadInput, "epochs"),
    "pause without unit": (replaced("pause: 1 s", "pause: 1"), BadInput, "pause", "unit"),
    "no chips": (SMALL[: SMALL.index("chips:")], BadInput, "chips: there are none"),
    "no such form": (replaced("rule: {form: demirag", "rule: {form: nobody"), BadInput, "no convention 'nobody'"),
    "no single steps": (
        replaced("device: pcm-set, choices", "device: pcm-million, choices"), Unsupported, "chip 'PCM'", "no single steps", "shadow"),
    "a model the device lacks": (
        replaced("device: pcm-set, choices: {g_max_weight: 0.3}", "device: spinnaker-spin3"), Unsupported, "no ALIF", "IF_curr_delta"),
    "copies where synapses have one sign": (
        replaced("device: pcm-set, choices: {g_max_weight: 0.3}, train: {", "device: spinnaker-spin3, train: {copies: 2, "),
        Unsupported, "several copies"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_with_its_place(case, written):
    text, kind, *said = REFUSED[case]
    with pytest.raises(kind) as refused:
        train(written(text))
    assert all(part in str(refused.value) for part in [*said, "small.yaml"]), str(refused.value)


def test_a_file_without_train_is_refused(written):
    with pytest.raises(BadInput, match=r"train: missing; write for example"):
        experiment.cases(load_mapping("vogels_abbott"))


def test_targets_of_another_length_are_bad_input(written):
    made = experiment.cases(written())[0].trainer(1)
    wrong = TASKS["sinusoids"](n_inputs=15, steps=100).batch(0, 1)
    short = type(wrong)(wrong.spikes, np.zeros((1, 100, 2)))
    with pytest.raises(BadInput, match="targets for 2 outputs, but the readout has 1"):
        made.look(short)
    with pytest.raises(BadInput, match=r"targets have the shape \(1, 90, 1\)"):
        type(wrong)(wrong.spikes, wrong.targets[:, :90])


def test_a_training_that_diverges_says_so_and_where(written):
    text = SMALL.replace("rate: {input: 1.0e-4, recurrent: 1.0e-4, readout: 1.0e-3}", "rate: 1.0e+180")
    with np.errstate(all="ignore"), pytest.raises(OutOfRange, match="training stopped"):
        train(written(text))


LOOP = """
network: {task: {name: yin_yang_rates, steps: 60, spikes: 8}, hidden: [12]}
duration: 30 ms
train:
  epochs: 1
  batch: 10
  train_samples: 40
  test_samples: 20
  rule: {name: rate_code}
  optimizer: {name: adam, rate: 0.02}
chips:
  - {name: software, device: brainscales2-chip, ideal: true, train: {epochs: 6}}
  - {name: chip, device: brainscales2-chip, with: {mismatch.level: 4}, choices: {top_weight: 1.0}, train: {after: software}}
"""


def test_weights_learned_on_one_chip_are_carried_to_the_next(written):
    software, chip = train(written(LOOP)).outcomes
    assert software.before == {}
    assert software.trained.per_epoch("error")[-1] < software.trained.per_epoch("error")[0]
    assert set(chip.before) == set(chip.test)
    alone = chip.case.trainer(1, software.trained.weights)
    assert experiment.evaluate(alone, chip.case.tests(1)) == chip.before
    for name, weights in alone.weights.items():
        assert np.array_equal(weights, software.trained.weights[name])


ROWS = """
network: {task: {name: yin_yang}, hidden: 6, model: IF_curr_delta, recurrent: false, v_thresh: 10, v_rest: -65, reset: set, gain: 8}
duration: 60 ms
train:
  epochs: 2
  batch: 8
  train_samples: 16
  test_samples: 12
  in_a_row: 4
  rule: {average: true}
  optimizer: {name: adam, rate: 0.2, half_life: 10}
  substitute: {IF_curr_delta: IF_curr_exp, LI: IF_curr_exp}
chips:
  - {device: brainscales2-chip, without: [readout, spike_loss], choices: {top_weight: 40}}
"""


def test_samples_may_follow_each_other_in_one_run(written):
    (case,) = experiment.cases(written(ROWS))
    rows, tests, single = case.trainer(1).course(0), case.tests(1), case.task.batch(0, 28, 1)
    assert [(b.n_samples, b.n_steps) for b in rows] == [(2, 240)] * 2
    assert [(b.n_samples, b.n_steps) for b in tests] == [(1, 240)] * 3
    assert np.array_equal(np.concatenate([b.labels.ravel()[::60] for b in [*rows, *tests]]), single.labels)
    found = train(written(ROWS)).outcomes[0]
    assert (found.test["error"] * 12) % 1 == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(BadInput, match="in_a_row: test_samples 13 is not a multiple of 4"):
        experiment.cases(written(ROWS.replace("test_samples: 12", "test_samples: 13")))


def test_new_samples_are_never_seen_twice(written):
    (case,) = experiment.cases(written(ROWS.replace("in_a_row: 4", "new_samples: true")))
    course, single = case.trainer(1).course, case.task.batch(0, 44, 1)
    found = [*case.tests(1), *course(0), *course(1)]
    assert np.array_equal(np.concatenate([b.spikes["values"] for b in found]), single.spikes["values"])
    (case,) = experiment.cases(written(ROWS))
    course = case.trainer(1).course
    assert course(0) is course(1), "else every epoch has the same"


TWO = ROWS.replace(
    "top_weight: 40}}", "top_weight: 40}, name: a}\n  - {device: brainscales2-chip, name: b, train: {after: a, CHANGE}}"
)


@pytest.mark.parametrize("change", ["new_samples: true", "train_samples: 8", "test_samples: 8"])
def test_what_a_chip_takes_over_has_not_learned_its_tests(written, change):
    name = change.split(":")[0]
    with pytest.raises(BadInput, match=f"train.{name}: .* may have learned from the test samples"):
        experiment.cases(written(TWO.replace("CHANGE", change)))


@pytest.mark.parametrize(
    ("change", "needed"),
    [("train_samples: 1400, test_samples: 100", 1500), ("new_samples: true, train_samples: 400", 2100)],
)
def test_a_task_that_begins_anew_has_no_samples_left_for_tests(written, change, needed):
    """1437 digits are for training."""
    text = f"""
network: {{task: {{name: digits}}, hidden: 6}}
duration: 100 ms
train: {{epochs: 5, test_samples: 100, {change.replace(", test_samples: 100", "")}}}
chips: [{{device: pcm-set}}]
"""
    with pytest.raises(BadInput, match=f"{needed} samples are needed, tests included, and the task has 1437"):
        experiment.cases(written(text))


def test_rows_of_samples_are_nothing_for_a_rule_that_counts_spikes(written):
    with pytest.raises(BadInput, match="in_a_row: the rule rate_code"):
        experiment.cases(written(LOOP.replace("  epochs:", "  in_a_row: 2\n  epochs:", 1)))


def test_only_neurons_that_can_adapt_do(written):
    with pytest.raises(BadInput, match="IF_curr_delta does not adapt"):
        experiment.cases(written(ROWS.replace("recurrent: false", "recurrent: false, adapting: 0.5")))


RESUMED = """
network: {task: {name: sinusoids, n_inputs: 15, steps: 100}, hidden: 12, v_thresh: 0.19, gain: 0.6, beta: 0.1, adapting: 0.5}
duration: 100 ms
train:
  epochs: 6
  save_every: 3
  new_samples: true
  batch: 2
  train_samples: 4
  test_samples: 2
  in_a_row: 2
  rule: {form: demirag, membranes: recording}
  optimizer: {name: adam, rate: 1.0e-3, half_life: 4}
  scheme: {name: tiki_taka}
chips: [{device: pcm-set, choices: {g_max_weight: 0.3}}]
"""


def test_everything_that_changes_while_learning_is_in_a_checkpoint(written, tmp_path):
    """Rates that fall, samples of the epoch, the chopper, the fast array."""
    (case,) = experiment.cases(written(RESUMED))
    whole = case.trainer(1).train(None, tmp_path / "whole.h5")
    first = case.trainer(1)
    first.plan = first.plan.model_copy(update={"epochs": 3})
    first.train(None, tmp_path / "half.h5")
    second = case.trainer(1)
    second.resume(tmp_path / "half.h5")
    assert second.epoch == 3
    resumed = second.train(None, None)
    for name, weights in whole.weights.items():
        assert np.array_equal(weights, resumed.weights[name]), name
    assert np.array_equal(whole.history["loss"], resumed.history["loss"])
    assert whole.ledger == resumed.ledger


def test_some_of_the_hidden_neurons_adapt(written):
    task = TASKS["sinusoids"]()
    net = RecurrentNetwork(hidden=10, beta=0.3, adapting=0.4, gain=0.2, readout_gain=0.1)
    weights = net.weights(task, 1)
    assert net.network(task, 1, weights).parameter("hidden", "beta").tolist() == [0.0] * 6 + [0.3] * 4
    plain = RecurrentNetwork(hidden=10, beta=0.3, gain=0.2).weights(task, 1)
    assert np.array_equal(weights["input"], plain["input"])
    assert weights["readout"] == pytest.approx(0.5 * plain["readout"], rel=1e-14)


@pytest.mark.parametrize("after", ["chip", "nobody"])
def test_weights_come_from_a_chip_that_stands_before(written, after):
    with pytest.raises(BadInput, match=f"train.after: '{after}' is no chip that stands before this one"):
        experiment.cases(written(LOOP.replace("after: software", f"after: {after}")))


def test_a_rule_must_be_one_that_there_is(written):
    with pytest.raises(BadInput, match="rule"):
        experiment.cases(written(LOOP.replace("rate_code", "rates")))


def test_sinusoids_are_those_of_their_seed_and_number():
    task = TASKS["sinusoids"]()
    six, one = task.batch(0, 6, 42), task.batch(4, 1, 42)
    assert np.array_equal(six.spikes["input"][4], one.spikes["input"][0])
    assert np.array_equal(six.targets[4], one.targets[0])
    assert np.abs(six.targets).max(axis=(1, 2)) == pytest.approx(np.ones(6))
    n = six.spikes["input"].size
    error = np.sqrt(0.05 * 0.95 / n)
    assert abs(six.spikes["input"].mean() - 0.05) < 4 * error
    power = np.abs(np.fft.rfft(six.targets[:, :, 0], axis=1)) ** 2
    assert set(np.argsort(power.sum(axis=0))[-4:]) == {1, 2, 3, 5}, "1, 2, 3 and 5 Hz in a second"
