"""The trainer: any chip by its public face alone, resumed to the bit, stopped in words."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neurohw.device import load_device
from neurohw.errors import BadInput, OutOfRange, Unsupported
from neurohw.learning.schemes import SCHEMES
from neurohw.program import Chip
from tests.learning import delta_rule
from tests.learning.delta_rule import trainer

FACE = [name for name in vars(Chip) if not name.startswith("_")]


class OnlyTheFace:
    """A chip of which nothing can be reached but the names of the public protocol."""

    def __init__(self, chip):
        def face(name):
            if name not in FACE:
                raise AssertionError(f"the trainer reached for {name!r}, which is not part of a chip's face")
            return getattr(chip, name)

        object.__setattr__(self, "_face", face)

    def __getattr__(self, name):
        return object.__getattribute__(self, "_face")(name)

    def __setattr__(self, name, value):
        raise AssertionError(f"the trainer set {name!r} of a chip")


LEARNS = [
    ("reference", "shadow", {}), ("pcm-set", "mixed_precision", {}), ("pcm-set", "sign", {}), ("pcm-set", "stochastic", {}),
    ("pcm-set", "multi_memristor", {"copies": 3}), ("pcm-set", "tiki_taka", {}), ("pcm-million", "shadow", {}),
    ("spinnaker-spin3", "mixed_precision", {"substitute": {"LI": "IF_curr_delta"}}),
    ("spinnaker-spin3", "stochastic_rounding", {"substitute": {"LI": "IF_curr_delta"}}),
    ("brainscales2-chip", "mixed_precision", {"substitute": {"LI": "IF_curr_exp"}}),
    ("brainscales2-chip", "shadow", {"substitute": {"LI": "IF_curr_exp"}}),
]  # fmt: skip


@pytest.mark.parametrize(("device", "scheme", "more"), LEARNS)
def test_every_chip_is_trained_through_its_face_alone(device, scheme, more):
    epochs = 2 if device == "reference" else 4
    made = trainer(load_device(device), scheme, wrap=OnlyTheFace, plan={"epochs": epochs, "pause": "1 s"}, **more)
    found = made.train()
    assert found.per_epoch("loss").shape == (epochs,)
    assert np.isfinite(found.history["loss"]).all()
    assert found.ledger.time >= 3 * epochs * 1000.0
    assert found.stopped == "all epochs done"


def test_an_ideal_chip_learns_what_the_reference_learns():
    ideal = trainer(load_device("pcm-set").ideal(), "shadow", plan={"epochs": 2}).train()
    right = trainer(load_device("reference"), "shadow", plan={"epochs": 2}).train()
    assert ideal.history["loss"] == pytest.approx(right.history["loss"], rel=1e-9)
    assert ideal.weights["w"] == pytest.approx(right.weights["w"], rel=1e-9)


def test_learning_lowers_the_loss_and_16_bits_are_enough_for_it():
    ideal = trainer(load_device("pcm-set").ideal(), "shadow", plan={"epochs": 40}).train()
    assert ideal.per_epoch("loss")[-1] < 0.5 * ideal.per_epoch("loss")[0]
    board = {"substitute": {"LI": "IF_curr_delta"}, "plan": {"epochs": 40}}
    spinnaker = trainer(load_device("spinnaker-spin3"), "mixed_precision", **board).train()
    assert spinnaker.last("loss") == pytest.approx(ideal.last("loss"), rel=0.03), "steps of the word are seen"
    assert np.corrcoef(spinnaker.weights["w"].ravel(), ideal.weights["w"].ravel())[0, 1] > 0.999


@pytest.mark.parametrize("scheme", ["mixed_precision", "tiki_taka", "multi_memristor"])
def test_resumed_is_as_if_never_stopped(scheme, tmp_path):
    plan = {"pause": "38 s", "refresh_every": 4, "read_every": 5, "save_every": 1}
    copies = 2 if scheme == "multi_memristor" else 1
    path, kind = tmp_path / "c.h5", load_device("pcm-set")
    whole = trainer(kind, scheme, plan={**plan, "epochs": 5}, copies=copies).train()
    trainer(kind, scheme, plan={**plan, "epochs": 2}, copies=copies).train(checkpoint=path)
    second = trainer(kind, scheme, plan={**plan, "epochs": 5}, copies=copies)
    second.resume(path)
    assert second.epoch == 2
    found = second.train()
    for name, values in whole.history.items():
        assert np.array_equal(found.history[name], values), name
    assert np.array_equal(found.weights["w"], whole.weights["w"])
    assert np.array_equal(second.chip.read(second.ports["w"].parts[0]), _final_read(kind, scheme, plan, copies))


def _final_read(kind, scheme, plan, copies):
    again = trainer(kind, scheme, plan={**plan, "epochs": 5}, copies=copies)
    again.train()
    return again.chip.read(again.ports["w"].parts[0])


SCRIPT = """
import sys, time
from pathlib import Path
import numpy as np
from neurohw.device import load_device
from tests.learning.delta_rule import trainer
made = trainer(load_device("pcm-set"), plan={"epochs": 40, "save_every": 1, "pause": "1 s"})
path = Path(sys.argv[1])
if path.exists():
    made.resume(path)
    print("resumed at", made.epoch, flush=True)
slow = float(sys.argv[3])
found = made.train(lambda what, share: time.sleep(slow), path)
np.save(sys.argv[2], np.append(found.weights["w"], made.chip.read("w")))
"""


def test_killed_and_resumed_gives_the_same_weights_to_the_bit(tmp_path):
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}

    def start(name, slow):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / f"{name}.h5"), str(tmp_path / f"{name}.npy"), str(slow)]
        return subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)

    victim = start("killed", 0.02)
    while not (tmp_path / "killed.h5").exists() and victim.poll() is None:
        time.sleep(0.01)
    time.sleep(0.2)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL, "it must not have been done yet"
    second, other = start("killed", 0.0), start("whole", 0.0)
    said, _ = second.communicate(timeout=120)
    other.communicate(timeout=120)
    assert 1 <= int(said.split()[-1]) < 40
    assert np.array_equal(np.load(tmp_path / "killed.npy"), np.load(tmp_path / "whole.npy"))


def test_a_loss_that_is_not_finite_stops_and_names_the_last_good_state(tmp_path):
    made = trainer(load_device("pcm-set"), plan={"save_every": 1}, fails_at=8)
    with pytest.raises(OutOfRange, match=r"epoch 3, update 8: the loss is not finite.*epoch 2, is in .*c\.h5"):
        made.train(checkpoint=tmp_path / "c.h5")
    again = trainer(load_device("pcm-set"), plan={"save_every": 1})
    again.resume(tmp_path / "c.h5")
    assert again.epoch == 2
    with pytest.raises(OutOfRange, match="none was saved"):
        trainer(load_device("pcm-set"), fails_at=2).train()


def test_a_run_that_blows_up_is_stopped_in_words():
    with np.errstate(all="ignore"), pytest.raises(OutOfRange, match=r"epoch \d+, update \d+: .*training stopped"):
        trainer(load_device("pcm-set").ideal(), "shadow", rate=1e160, plan={"epochs": 20}).train()


def test_it_stops_early_when_told_to():
    below = trainer(load_device("pcm-set").ideal(), "shadow", plan={"epochs": 30, "stop_below": 34.0}).train()
    assert "below 34" in below.stopped
    assert below.per_epoch("loss")[-1] < 34.0 <= below.per_epoch("loss")[:-1].min()
    still = trainer(load_device("pcm-set").ideal(), "shadow", rate=0.0, plan={"epochs": 30, "patience": 3}).train()
    assert still.stopped == "no better loss for 3 epochs"
    assert still.per_epoch("loss").size == 4


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    path, kind = tmp_path / "c.h5", load_device("pcm-set")
    trainer(kind, identity="a").train(checkpoint=path)
    with pytest.raises(BadInput, match="another training"):
        trainer(kind, identity="b").resume(path)
    with pytest.raises(BadInput, match="no such file"):
        trainer(kind).resume(tmp_path / "none.h5")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(BadInput, match=r"c\.h5"):
        trainer(kind, identity="a").resume(path)


def test_a_model_that_a_device_lacks_is_unsupported_with_the_nearest():
    with pytest.raises(Unsupported, match=r"has no LI; it has .*IF_curr"):
        trainer(load_device("spinnaker-spin3"))
    with pytest.raises(Unsupported, match="several copies"):
        trainer(load_device("spinnaker-spin3"), copies=2, substitute={"LI": "IF_curr_delta"})
    with pytest.raises(Unsupported, match="cannot stand in"):
        trainer(load_device("brainscales2-chip"), substitute={"LI": "IF_cond_exp"})
    with pytest.raises(Unsupported, match=r"no single steps of weight.*shadow"):
        trainer(load_device("pcm-million"))


def test_progress_says_loss_rate_and_pulses():
    said = []
    trainer(load_device("pcm-set"), rate=0.05, plan={"epochs": 3}).train(lambda what, share: said.append((what, share)))
    assert [share for _, share in said] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert said[-1][0].startswith("epoch 3 of 3: loss ")
    assert "Hz" in said[-1][0]
    assert said[-1][0].endswith("pulses")


def test_what_a_scheme_loses_is_in_the_report():
    found = trainer(load_device("pcm-set"), SCHEMES["sign"](threshold=2.0)).train()
    assert found.report.lost("gradient lost") > 0
    assert found.report.lost("gradient lost") == pytest.approx(found.history["lost"].sum())
    assert not trainer(load_device("pcm-set")).train().report.losses


def test_initial_weights_can_be_brought_onto_the_chip_by_the_scheme():
    made = trainer(load_device("pcm-set").without("set_pulse", "drift", "read_noise"))
    made.begin({"w": np.linspace(-1, 1, delta_rule.N)[:, None]})
    step = made.ports["w"].step
    assert made.ports["w"].read() == pytest.approx(np.linspace(-1, 1, delta_rule.N), abs=step)
    told = made.weights["w"].ravel()
    assert made.ports["w"].read() == pytest.approx(told, abs=0.14 * delta_rule.WEIGHT / 12), "0.1 +- 0.01 uS is left"
