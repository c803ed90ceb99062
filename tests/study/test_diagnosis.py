"""Diagnoses name the loss that explains the rates before those that do not."""

import numpy as np
import pytest

from neurohw.connections import FixedProbability
from neurohw.network import Network
from neurohw.recording import Recording
from neurohw.report import Loss, Report
from neurohw.study.diagnosis import diagnose


@pytest.fixture
def network():
    net = Network().population("e", 120, "IF_curr_exp").population("i", 40, "IF_curr_exp")
    net = net.project("e", "i", FixedProbability(0.1), 0.1)
    return net.project("i", "e", FixedProbability(0.1), -0.5)


def test_agreement_needs_no_explanation(make, network):
    report = Report().add(Loss("weights quantized", 10, 10, "all", "4 bits"))
    assert diagnose(make(1), make(2, 1.05), report, network)[0].startswith("Nothing to explain")
    assert len(diagnose(make(1), make(1), report, network)) == 1


def test_a_silent_network_is_told_why(make, network):
    report = Report().add(
        Loss("weights quantized", 500, 500, "projection 'e to i'", "words have 4 bits"),
        Loss("weights rounded to zero", 400, 500, "projection 'e to i'", "the step is 0.2 nA", "scale per core"),
    )
    said = diagnose(make(1), make(2, 0.0), report, network)
    assert said[0].startswith(("e is silent: 0 Hz on the chip", "i is silent: 0 Hz on the chip"))
    losses = [sentence for sentence in said if "because" in sentence]
    assert losses[0] == (
        "Weights rounded to zero: 400 of 500 (80 %) in projection 'e to i' (excitatory), because the step is 0.2 nA. "
        "That quiets i. Remedy: scale per core."
    )
    assert losses[1].startswith("Weights quantized")


def test_lost_inhibition_comes_first_where_the_network_runs_away(make, network):
    report = Report().add(
        Loss("synapses lost", 60, 100, "projection 'e to i'", "no driver is left"),
        Loss("synapses lost", 30, 100, "projection 'i to e'", "no driver is left"),
    )
    said = diagnose(make(1), make(2, 8.0), report, network)
    assert any(sentence.startswith("e runs away") for sentence in said)
    lost = [sentence for sentence in said if sentence.startswith("Synapses lost")]
    assert "'i to e' (inhibitory)" in lost[0]
    assert "That disinhibits e." in lost[0]


def test_losses_while_running_and_unknown_ones_are_told(make):
    run = Report().add(Loss("gremlins", 3, 0, "core 7", "of the moon"), Loss("spikes dropped", 5, 10, "core 2", "load"))
    said = diagnose(make(1), make(2, 0.3, report=run))
    assert [s.split(":")[0] for s in said[2:]] == ["Spikes dropped", "Gremlins"]


def test_the_input_is_looked_at_first(make, network):
    assert any("excites i is too quiet as well (e)" in s for s in diagnose(make(1), make(2, 0.1), None, network))


def test_headroom_of_recorded_membranes(make, network):
    def traced(seed, scale, peak):
        v = np.full((5, 2), -65.0)
        v[2, 0] = peak
        return make(
            seed, scale, traces={"e": {"v": v}}, times={"e": {"v": np.arange(5.0)}},
            trace_neurons={"e": {"v": np.array([3, 8])}},
        )  # fmt: skip

    said = diagnose(traced(1, 1.0, -50.0), traced(2, 0.0, -59.0), Report(), network)
    headroom = next(s for s in said if "as near to threshold as 60 % of the way" in s)
    assert "(reference: 0 %)" in headroom
    assert said[-1].startswith("Nothing was reported lost")


def test_degenerate_recordings(make):
    nothing = Recording({}, {}, 0.0, 0.1)
    assert diagnose(nothing, nothing)[0].startswith("Nothing to explain")
    assert diagnose(make(1, 0.0), make(2, 1.0))[0].endswith("0 Hz on the reference.")
