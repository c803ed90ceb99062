"""scale_codes and to_circuit: units, codes, and the count of what rounding costs."""

import numpy as np
import pytest

from neurohw import workbench
from neurohw.connections import AllToAll, FixedProbability
from neurohw.device import load_device
from neurohw.distributions import Uniform
from neurohw.errors import BadInput
from neurohw.network import Network

WAFER, CHIP = load_device("brainscales1-wafer"), load_device("brainscales2-chip")


def two_inputs(device, strong=1.5, weak=0.2, model=None):
    model = model or ("IF_cond_exp" if device is WAFER else "IF_curr_exp")
    network = (
        Network("two")
        .population("a", 5, model)
        .population("x", 4, "SpikeSourceArray")
        .population("y", 4, "SpikeSourceArray")
    )
    network = network.project("x", "a", AllToAll(), weight=strong, delay=1.0, name="strong")
    return network.project("y", "a", AllToAll(), weight=weak, delay=1.0, name="weak")


def test_each_projection_uses_all_codes():
    program = workbench.map_network(two_inputs(WAFER), WAFER)
    assert program.scaling.unit == pytest.approx({"strong": 0.1, "weak": 0.2 / 15})
    assert set(program.payload.table.columns["code"].tolist()) == {15}
    assert program.report.lost("weights quantized") == 0


@pytest.mark.parametrize(("device", "top"), [(WAFER, 15), (CHIP, 63)])
def test_top_weight_leaves_room_and_counts_what_is_beyond(device, top):
    program = workbench.map_network(two_inputs(device), device, {"top_weight": 3.0})
    assert set(program.scaling.unit.values()) == {3.0 / top}
    assert program.report.lost("weights clipped") == 0
    low = workbench.map_network(two_inputs(device), device, {"top_weight": 1.0})
    clipped = {loss.where: loss.count for loss in low.report.losses if loss.what == "weights clipped"}
    assert clipped == {"strong": 20}
    ideal = workbench.map_network(two_inputs(device), device.ideal(), {"top_weight": 1.0})
    assert ideal.report.lost("weights clipped") == 0


def test_top_weight_by_the_population_that_a_projection_ends_on():
    network = two_inputs(CHIP).population("b", 2, "IF_curr_exp").project("x", "b", AllToAll(), 0.5, 1.0, name="third")
    own = workbench.map_network(network, CHIP, {"top_weight": {"a": 3.0}}).scaling.unit
    assert own == pytest.approx({"strong": 3.0 / 63, "weak": 3.0 / 63, "third": 0.5 / 63})
    with pytest.raises(BadInput, match="no projection ends on 'x'; some end on a, b"):
        workbench.map_network(network, CHIP, {"top_weight": {"x": 3.0}})
    with pytest.raises(BadInput, match="top_weight"):
        workbench.map_network(network, CHIP, {"top_weight": {"a": 0.0}})


@pytest.mark.parametrize(
    ("device", "choices", "top"), [(WAFER, {"weight_scaling": "per receptor"}, 15), (CHIP, {}, 63)]
)
def test_a_common_range_leaves_few_codes_to_weak_weights(device, choices, top):
    program = workbench.map_network(two_inputs(device, weak=0.23), device, choices)
    assert program.scaling.unit["strong"] == program.scaling.unit["weak"] == pytest.approx(1.5 / top)
    assert set(program.payload.table.columns["code"].tolist()) == {top, round(0.23 / 1.5 * top)}
    losses = {loss.where: loss.count for loss in program.report.losses if loss.what == "weights quantized"}
    assert losses["weak"] == 20
    assert "strong" not in losses


def test_weights_below_half_a_code_are_counted_as_lost():
    program = workbench.map_network(two_inputs(WAFER, weak=0.049), WAFER, {"weight_scaling": "per receptor"})
    assert program.report.lost("weights rounded to zero") == 20
    weights = np.concatenate((np.full(3, 1.0), np.full(2, 0.01)))
    network = Network().population("a", 5, "IF_cond_exp").population("x", 1, "SpikeSourceArray")
    program = workbench.map_network(network.project("x", "a", AllToAll(), weight=weights, delay=1.0), WAFER)
    assert program.report.lost("weights rounded to zero") == 2


def test_codes_are_the_nearest():
    network = Network().population("a", 100, "IF_cond_exp").population("x", 20, "SpikeSourceArray")
    network = network.project("x", "a", FixedProbability(0.5), weight=Uniform(0.0, 0.3), delay=1.0)
    program = workbench.map_network(network, WAFER)
    exact = workbench.map_network(network, WAFER.without("weight_resolution")).payload.table
    unit, codes = program.scaling.unit["x to a"], program.payload.table.columns["code"]
    assert codes.max() == 15
    assert codes.dtype == np.uint8
    assert (np.abs(codes * unit - exact.columns["weight"]) <= unit / 2 * (1 + 1e-9)).all()
    assert (exact.columns["circuit"] == program.payload.table.columns["circuit"]).all()
    count = (np.abs(codes * unit - exact.columns["weight"]) > 1e-9 * exact.columns["weight"]).sum()
    assert program.report.lost("weights quantized") == count


def test_inhibitory_currents_keep_their_sign():
    network = Network().population("a", 5, "IF_curr_exp").population("x", 4, "SpikeSourceArray")
    program = workbench.map_network(network.project("x", "a", AllToAll(), weight=-0.63, delay=1.0), CHIP)
    assert program.payload.units.tolist() == pytest.approx([-0.01])
    chip = workbench.fabricate(CHIP.without("weight_noise", "parameter_codes"))
    chip.load(program := workbench.map_network(program.requested, chip.device))
    assert chip.weights == pytest.approx(np.full(20, -0.63))


def test_weights_that_are_all_zero():
    program = workbench.map_network(two_inputs(WAFER, strong=0.0), WAFER)
    assert program.scaling.unit["strong"] > 0
    assert program.report.lost("weights rounded to zero") == 0


def test_parameters_that_the_wafer_lacks_are_clipped_and_said():
    network = Network().population("a", 5, "IF_cond_exp", {"i_offset": 0.1})
    program = workbench.map_network(network, WAFER)
    assert program.report.lost("parameters clipped") == 5
    assert (program.payload.parameters["a"]["i_offset"] == 0).all()
