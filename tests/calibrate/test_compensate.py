"""Drift compensation by what a bench can see: reads, a reference row, spike counts."""

import numpy as np
import pytest

from neurohw.calibrate.compensate import WAYS, compensate, measure
from neurohw.connections import AllToAll
from neurohw.device import load_device
from neurohw.errors import BadInput, Unsupported
from neurohw.network import Network
from neurohw.workbench import fabricate, map_network

MILLION = load_device("pcm-million")
CLOSED = {"1 day": np.exp(0.049 * np.log((86400 + 20) / 20) - 0.5 * (0.008 * np.log((86400 + 20) / 20)) ** 2)}
"""1 / E[(t / t0)^-nu] for conductances of 10 uS and more: nu of mean 0.049 and spread 0.008."""


def network():
    net = Network("probed", 1).population("post", 30, "IF_curr_exp", {"tau_m": 20.0})
    net = net.population("pre", 40, "SpikeSourceArray", spike_times=[])
    net = net.population("reference", 1, "SpikeSourceArray", spike_times=[])
    net = net.project("pre", "post", AllToAll(), weight=np.linspace(0.06, 0.12, 1200), delay=1.0, name="w")
    return net.project("reference", "post", AllToAll(), weight=0.1, delay=1.0, name="r")


class FaceOnly:
    """A chip of which only the public face can be reached."""

    def __init__(self, chip):
        self._chip = chip

    def __getattr__(self, name):
        if name not in ("capabilities", "run", "read", "configure", "ledger", "wait"):
            raise AttributeError(f"a bench does not see {name}")
        return getattr(self._chip, name)


def loaded(device=MILLION, seed=2):
    program = map_network(network(), device, choices={"empty_cells": "none"}, dt="1 ms")
    chip = fabricate(device, seed)
    chip.load(program)
    return program, chip


def probes():
    generator = np.random.default_rng(1)
    return [{"pre": (np.sort(generator.integers(0, 200, 800)), generator.integers(0, 40, 800))} for _ in range(3)]


TOLD = {"source": "reference", "probes": probes(), "duration": "220 ms"}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_gives_back_what_drift_took(way):
    program, chip = loaded()
    bench = FaceOnly(chip)
    baseline = measure(bench, program, way, **TOLD)
    chip.wait("1 day")
    before = chip.run(220.0, stimulus=TOLD["probes"][0]).spikes["post"][0].size
    gain = compensate(bench, program, baseline)["post"]["excitatory"]
    assert gain.shape == (30,)
    assert gain.mean() == pytest.approx(CLOSED["1 day"], rel=0.04 if way in ("reference row", "spike counts") else 0.01)
    assert (np.ptp(gain) > 0) == (way == "per column")
    after = chip.run(220.0, stimulus=TOLD["probes"][0]).spikes["post"][0].size
    fresh = loaded()[1].run(220.0, stimulus=TOLD["probes"][0]).spikes["post"][0].size
    assert abs(after - fresh) < 0.15 * abs(before - fresh)


def test_a_population_that_never_spiked_keeps_its_gain():
    program, chip = loaded()
    silent = [{"pre": (np.array([5.0]), np.array([0]))}]
    assert compensate(chip, program, measure(chip, program, "spike counts", probes=silent, duration=50.0)) == {}


def test_the_gain_has_no_bias_from_read_noise():
    """Fresh weights need a gain of one, though every read is noisy: global over 1200 weights within 4 standard errors."""
    program, chip = loaded(MILLION.without("drift", "programming_noise"))
    gain = compensate(chip, program, measure(chip, program, "global"))["post"]["excitatory"]
    sigma = 0.08 / np.sqrt(1200 * 4)  # relative, one read at the age of a load; four reads, 1200 weights
    assert abs(gain[0] - 1) < 4 * np.sqrt(3) * sigma


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"way": "hope"}, "no way 'hope'"),
        ({"way": "spike counts"}, "need probes"),
        ({"way": "reference row", "source": "post"}, "'post' is none of"),
    ],
)
def test_bad_input(given, match):
    program, chip = loaded()
    with pytest.raises(BadInput, match=match):
        measure(chip, program, **given)


def test_a_chip_without_gains():
    device = load_device("spinnaker-spin5")
    program = map_network(network(), device)
    chip = fabricate(device)
    chip.load(program)
    with pytest.raises(Unsupported, match="gains"):
        measure(chip, program)
