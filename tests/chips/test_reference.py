"""The reference where Brian2 itself would fail: what it does instead, or says."""

import numpy as np
import pytest

from neurohw import Network, workbench
from neurohw.connections import AllToAll
from neurohw.errors import Unsupported


def without_leak(model, weight):
    net = Network("sum").population("i", 1, "SpikeSourceArray", spike_times=[5.0])
    net = net.population("a", 2, model, {"tau_m": np.inf, "v_rest": -65.0}).project("i", "a", AllToAll(), weight)
    program = workbench.map_network(net, "reference", dt=0.1, record={"a": ["v"]})
    return workbench.run(program, workbench.fabricate("reference"), "20 ms").traces["a"]["v"]


def test_a_membrane_without_leak_keeps_what_it_was_given():
    assert without_leak("IF_curr_delta", 3.0)[-1] == pytest.approx([-62.0, -62.0], abs=1e-9)


def test_without_leak_and_with_synaptic_currents_it_says_what_helps():
    with pytest.raises(Unsupported, match=r"a\.tau_m is infinite"):
        without_leak("IF_curr_exp", 0.1)
