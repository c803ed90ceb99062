"""What is printed for people, word by word: the report of a small program on each device, and what goes wrong.

See tests/texts.py for how to change them.
"""

import numpy as np
import pytest

from neurohw import workbench
from neurohw.connections import AllToAll, FixedNumberPre, FixedProbability
from neurohw.device import load_device
from neurohw.distributions import Normal
from neurohw.errors import NeurohwError
from neurohw.network import Network
from tests import small, texts


@pytest.mark.parametrize("name", small.DEVICES)
def test_report(name):
    network = small.recurrent_short(small.models_of(name)[0])
    texts.check(f"report-{name}", str(workbench.map_network(network, small.device(name)).report))


@pytest.mark.parametrize("name", small.DEVICES)
def test_report_of_the_ideal_device(name):
    network = small.recurrent_short(small.models_of(name)[0])
    texts.check(f"report-{name}-ideal", str(workbench.map_network(network, small.device(name, ideal=True)).report))


def neurons(model="IF_cond_exp", size=5, **parameters):
    return Network("net").population("a", size, model, parameters)


def dense(model, n, weight=0.001):
    return neurons(model, n).project("a", "a", AllToAll(), weight)


def loaded(name):
    program = workbench.map_network(dense("IF_cond_exp", 5), name)
    chip = workbench.fabricate(name)
    chip.load(program)
    return chip


ERRORS = {
    "a parameter without a unit": lambda: neurons(tau_m="20"),
    "every parameter at once": lambda: neurons(tau_m=-1, cm="1 mV", tau=3),
    "an unknown model": lambda: neurons("IF_facets_hardware1"),
    "a rule that is a class": lambda: neurons().project("a", "a", AllToAll, 1.0),
    "an impossible rule": lambda: neurons().project("a", "a", FixedNumberPre(9), 1.0),
    "a negative conductance": lambda: neurons().project("a", "a", AllToAll(), -1.0, receptor="inhibitory"),
    "an unknown device": lambda: load_device("spiNNaker5"),
    "an effect that is not there": lambda: load_device("pcm-million").without("mismatch"),
    "a number that is not there": lambda: load_device("pcm-million").with_(gmax=20.0),
    "an unknown choice": lambda: workbench.map_network(neurons(), "spinnaker-spin5", {"neurons_per_chip": 3}),
    "an unknown quantity": lambda: workbench.map_network(neurons(), "reference", record={"a": ["w"]}),
    "an unsupported model": lambda: workbench.map_network(neurons("IF_curr_delta"), "brainscales1-wafer"),
    "an unsupported current": lambda: workbench.map_network(neurons().inject("a", [1.0], [0.1]), "brainscales2-chip"),
    "too many neurons for a wafer": lambda: workbench.map_network(neurons(size=50_000), "brainscales1-wafer"),
    "too many neurons for a chip": lambda: workbench.map_network(neurons(size=600), "brainscales2-chip"),
    "too many neurons for a board": lambda: workbench.map_network(neurons(size=20_000), "spinnaker-spin3"),
    "too many synapses for a chip": lambda: workbench.map_network(dense("IF_cond_exp", 400), "brainscales2-chip"),
    "too many tiles": lambda: workbench.map_network(
        neurons(size=20_000).project("a", "a", FixedProbability(0.001), Normal(1.0, 0.1, 0.0)), "pcm-hermes"
    ),
    "a delay too long": lambda: workbench.map_network(
        neurons().project("a", "a", AllToAll(), 1.0, 1e5), "spinnaker-spin5"
    ),
    "nothing loaded": lambda: workbench.fabricate("spinnaker-spin5").run("1 s"),
    "too many weights": lambda: loaded("spinnaker-spin5").write("a to a", np.ones(3)),
    "a weight that is not a number": lambda: loaded("spinnaker-spin5").write("a to a", np.full(25, np.nan)),
    "a weight beyond the range": lambda: loaded("pcm-million").write("a to a", np.full(25, 1.0)),
    "pulses where there are none": lambda: loaded("pcm-million").update("a to a", np.ones(25, np.int64)),
    "arms where there are none": lambda: loaded("spinnaker-spin5").read("a to a", arms=True),
    "codes where there are none": lambda: loaded("spinnaker-spin5").configure("a", {}),
    "a refresh where there is none": lambda: loaded("spinnaker-spin5").refresh("a to a", "reset_and_rewrite"),
}


def test_error_messages():
    found = []
    for what, call in ERRORS.items():
        with pytest.raises(NeurohwError) as error:
            call()
        found.append(f"{what}\n    {type(error.value).__name__}: {error.value}\n")
    texts.check("errors", "\n".join(found))
