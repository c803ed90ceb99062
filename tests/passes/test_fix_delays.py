"""fix_delays: delays by distance."""

import numpy as np
import pytest

from neurohw import workbench
from neurohw.connections import AllToAll
from neurohw.device import load_device
from neurohw.errors import Unsupported
from neurohw.kernels.lowering import blocks
from neurohw.network import Network

WAFER = load_device("brainscales1-wafer")


def chain(delay, n=300):
    network = Network("chain").population("a", n, "IF_cond_exp").population("b", 10, "IF_cond_exp")
    network = network.population("in", 2, "SpikeSourcePoisson", {"rate": 10.0})
    network = network.project("a", "b", AllToAll(), weight=0.01, delay=delay)
    return network.project("in", "a", AllToAll(), weight=0.01, delay=0.6)


def test_the_delay_is_that_of_the_distance():
    program = workbench.map_network(chain(5.0), WAFER, dt=0.1)
    sites = [part.site for part in program.slices]
    for block in blocks(program):
        mine = block.projections == 0
        if mine.any():
            source = [
                next(k for k, s in enumerate(program.slices) if s.population == "a" and s.first <= i < s.last)
                for i in block.sources[mine]
            ]
            hops = np.array([abs(sites[s].x - sites[-1].x) + abs(sites[s].y - sites[-1].y) for s in source])
            assert len(set(hops)) > 1
            assert (block.steps[mine] == np.floor((0.6444 + 0.0397 * hops) / 0.1 + 0.5)).all()


def test_moved_delays_are_counted_with_both_means():
    losses = [
        loss for loss in workbench.map_network(chain(5.0), WAFER, dt=0.1).report.losses if loss.what == "delays moved"
    ]
    assert [(loss.where, loss.count, loss.of) for loss in losses] == [("a to b", 3000, 3000)]
    assert "5 ms asked for" in losses[0].why
    assert "ms given" in losses[0].why


def test_delays_that_cannot_be_set_are_refused_by_choice():
    refuse = {"delays": "refuse"}
    with pytest.raises(Unsupported, match=r"'a to b': asks for delays of 5 ms .* gives 0\.\d+ ms, which cannot be set"):
        workbench.map_network(chain(5.0), WAFER, refuse, dt=0.1)
    assert workbench.map_network(chain(0.65, 10), WAFER, refuse, dt=0.1).payload


def test_the_chip_has_one_step():
    network = Network().population("a", 5, "IF_curr_exp").project("a", "a", AllToAll(), weight=0.01, delay=1.0)
    program = workbench.map_network(network, "brainscales2-chip", dt=0.1)
    assert program.delays.slots.tolist() == [1]


@pytest.mark.parametrize("name", ["brainscales1-wafer", "brainscales2-chip"])
def test_ideal_devices_give_what_is_asked_for(name):
    program = workbench.map_network(chain(5.0), load_device(name).ideal(), dt=0.1)
    assert program.delays.between is None
    assert program.delays.slots.tolist() == [6, 50]
    assert program.report.lost("delays moved") == 0
